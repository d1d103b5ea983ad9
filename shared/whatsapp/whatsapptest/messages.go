package whatsapptest

import (
	"encoding/json"
	"time"
)

// Reaction is a webhook with an emoji on a message; an empty one takes it back.
func Reaction(number, from, wamid, target, emoji string, at time.Time) []byte {
	content := object{"message_id": target}
	if emoji != "" {
		content["emoji"] = emoji
	}
	return Message(number, from, wamid, "reaction", content, at)
}

// Edit is a webhook with a new text for an earlier message.
func Edit(number, from, wamid, target, text string, at time.Time) []byte {
	return Message(number, from, wamid, "edit", object{
		"original_message_id": target, "message": object{"type": "text", "text": object{"body": text}, "context": object{"id": "M0"}},
	}, at)
}

// Revoke is a webhook that takes an earlier message back.
func Revoke(number, from, wamid, target string, at time.Time) []byte {
	return Message(number, from, wamid, "revoke", object{"original_message_id": target}, at)
}

// Location is a webhook with a place.
func Location(number, from, wamid string, latitude, longitude float64, place, address string, at time.Time) []byte {
	return Message(number, from, wamid, "location", object{
		"latitude": latitude, "longitude": longitude, "name": place, "address": address,
	}, at)
}

// Item is one line of an [Order].
type Item struct {
	Product  string `json:"product_retailer_id"`
	Quantity int    `json:"quantity"`
	Price    string `json:"item_price"` // decimal, of one piece
	Currency string `json:"currency"`
}

// Order is a webhook with a shopping cart.
func Order(number, from, wamid, catalog, text string, at time.Time, items ...Item) []byte {
	return Message(number, from, wamid, "order", object{"catalog_id": catalog, "text": text, "product_items": items}, at)
}

// ContactCard is a webhook with somebody's visiting card.
func ContactCard(number, from, wamid, person, phone string, at time.Time) []byte {
	return Message(number, from, wamid, "contacts", []any{object{
		"name":   object{"formatted_name": person, "first_name": person},
		"phones": []any{object{"phone": "+" + phone, "wa_id": phone, "type": "MOBILE"}},
		"vcard":  "BEGIN:VCARD\nVERSION:3.0\nFN:" + person + "\nTEL;TYPE=CELL:+" + phone + "\nEND:VCARD",
	}}, at)
}

// FlowReply is a webhook with a form that the customer filled in.
func FlowReply(number, from, wamid string, answers map[string]any, at time.Time) []byte {
	response, err := json.Marshal(answers)
	if err != nil {
		panic("whatsapptest: answers are not JSON: " + err.Error())
	}
	return Message(number, from, wamid, "interactive", object{
		"type": "nfm_reply", "nfm_reply": object{"name": "flow", "body": "Sent", "response_json": string(response)},
	}, at)
}

// Choice is a webhook with the button that a customer chose.
func Choice(number, from, wamid, id, title string, at time.Time) []byte {
	return Message(number, from, wamid, "interactive", object{
		"type": "button_reply", "button_reply": object{"id": id, "title": title},
	}, at)
}

// GroupMessage is a webhook with a text that somebody wrote into a group chat.
func GroupMessage(number, group, from, wamid, text string, at time.Time) []byte {
	return MessageWith(number, from, wamid, "text", object{"body": text}, map[string]any{"group_id": group}, at)
}

// Reply is a webhook with a text that answers an earlier message.
func Reply(number, from, wamid, target, text string, at time.Time) []byte {
	return MessageWith(number, from, wamid, "text", object{"body": text},
		map[string]any{"context": object{"from": Display, "id": target}}, at)
}
