// Package whatsapptest makes signed webhook bodies for tests, in the shape in
// which Meta sends them.
package whatsapptest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// WABA is the business account that the bodies come from.
const WABA = "100000000000001"

// Sign returns the value of the X-Hub-Signature-256 header for a body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

type object = map[string]any

// Text is a webhook with a text message from a customer. from is a WhatsApp id
// or, where it isn't made of digits, a business-scoped user id.
func Text(number, from, wamid, text string, at time.Time) []byte {
	return Message(number, from, wamid, "text", object{"body": text}, at)
}

// Photo is a webhook with a photo. sha256 is written as Meta does, in base64.
func Photo(number, from, wamid, mediaID, sha256, caption string, at time.Time) []byte {
	return Message(number, from, wamid, "image", object{
		"id": mediaID, "mime_type": "image/jpeg", "sha256": sha256, "caption": caption,
	}, at)
}

// Message is a webhook with a message of any type.
func Message(number, from, wamid, kind string, content any, at time.Time) []byte {
	message := object{"id": wamid, "timestamp": unix(at), "type": kind, kind: content}
	contact := object{"profile": object{"name": "Test Customer"}}
	if digits(from) {
		message["from"], contact["wa_id"] = from, from
	} else {
		message["from_user_id"], contact["user_id"] = from, from
	}
	return Change(number, object{"contacts": []any{contact}, "messages": []any{message}})
}

// Status is a webhook that says what became of a message of ours. callback is
// the callback data with which it was sent; empty for none.
func Status(number, to, wamid, state, callback string, at time.Time) []byte {
	status := object{"id": wamid, "status": state, "timestamp": unix(at)}
	if digits(to) {
		status["recipient_id"] = to
	} else {
		status["recipient_user_id"] = to
	}
	if callback != "" {
		status["biz_opaque_callback_data"] = callback
	}
	return Change(number, object{"statuses": []any{status}})
}

// Change is a webhook with one change of the field "messages"; value is what
// it holds beside the metadata.
func Change(number string, value map[string]any) []byte {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = object{"display_phone_number": "15550001111", "phone_number_id": number}
	body, err := json.Marshal(object{
		"object": "whatsapp_business_account",
		"entry": []any{object{"id": WABA, "changes": []any{
			object{"field": "messages", "value": value},
		}}},
	})
	if err != nil {
		panic("whatsapptest: content of a message is not JSON: " + err.Error())
	}
	return body
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
