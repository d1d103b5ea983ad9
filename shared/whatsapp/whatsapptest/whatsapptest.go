// Package whatsapptest makes signed webhook bodies for tests, in the shape in
// which Meta sends them.
package whatsapptest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// The business account that the bodies come from, and how its numbers are
// displayed.
const (
	WABA    = "100000000000001"
	Display = "15550001111"
)

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
	return MessageWith(number, from, wamid, kind, content, nil, at)
}

// MessageWith is a webhook with a message of any type that has more beside its
// content, such as a "context" or a "referral".
func MessageWith(number, from, wamid, kind string, content any, more map[string]any, at time.Time) []byte {
	message, contact := thing(wamid, kind, content, at), object{"profile": object{"name": "Test Customer"}}
	name(message, "from", "from_user_id", from)
	name(contact, "wa_id", "user_id", from)
	for key, value := range more {
		message[key] = value
	}
	return Change(number, object{"contacts": []any{contact}, "messages": []any{message}})
}

// Status is a webhook that says what became of a message of ours. callback is
// the callback data with which it was sent; empty for none.
func Status(number, to, wamid, state, callback string, at time.Time) []byte {
	status := object{"id": wamid, "status": state, "timestamp": unix(at)}
	name(status, "recipient_id", "recipient_user_id", to)
	if callback != "" {
		status["biz_opaque_callback_data"] = callback
	}
	return Change(number, object{"statuses": []any{status}})
}

// Change is a webhook with one change of the field "messages"; value is what
// it holds beside the metadata.
func Change(number string, value map[string]any) []byte {
	return Field("messages", number, value)
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
