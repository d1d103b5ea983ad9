package main

import "strings"

// image, video and the like carry a file.
func media(kind, more string) string {
	return message(kind, `{"id":"`+fileID+kind2id[kind]+`","mime_type":"`+kind2mime[kind]+`","sha256":"$hash",
		"url":"https://lookaside.fbsbx.com/whatsapp_business/attachments"`+more+`}`)
}

var (
	kind2id   = map[string]string{"image": "101", "video": "102", "audio": "103", "document": "104", "sticker": "105"}
	kind2mime = map[string]string{
		"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg; codecs=opus", "document": "application/pdf",
		"sticker": "image/webp",
	}
)

// types are the types of message.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages
var types = []sample{
	{name: "text", rows: "messages.text", value: message("text", `{"body":"Words of a text"}`)},
	{name: "image", rows: "messages.image", value: media("image", `,"caption":"Below the photo"`)},
	{name: "video", rows: "messages.video", value: media("video", `,"caption":"Below the film"`)},
	{
		name: "audio", rows: "messages.audio", value: media("audio", `,"voice":true`),
		signs: map[string]string{"audio.voice": "Voice=true|voice message", "audio.mime_type": "audio/ogg"},
	},
	{name: "document", rows: "messages.document", value: media("document", `,"filename":"Offer-sheet.pdf","caption":"Below the document"`),
		signs: map[string]string{"document.filename": "Offer-sheet"}},
	{
		name: "sticker", rows: "messages.sticker", value: media("sticker", `,"animated":true`),
		signs: map[string]string{"sticker.animated": "Animated=true"},
	},
	{name: "location", rows: "messages.location", value: message("location",
		`{"latitude":41.40338,"longitude":2.17403,"name":"Old harbour","address":"12 Quay Road","url":"https://places.example/harbour"}`)},
	{name: "contacts", rows: "messages.contacts", value: message("contacts", `[{
		"name":{"formatted_name":"Dr. Card Holder Jr.","first_name":"Cardfirst","last_name":"Cardlast","middle_name":"Cardmiddle","prefix":"Cardprefix","suffix":"Cardsuffix"},
		"phones":[{"phone":"+34 600 999 888","wa_id":"34600999888","type":"MOBILE"}],
		"emails":[{"email":"card@mail.example","type":"PRIVATE"}],
		"addresses":[{"street":"1 Card Street","city":"Cardtown","state":"Cardshire","zip":"08039","country":"Cardland","country_code":"ISO-ES","type":"HOMELY"}],
		"org":{"company":"Card Company","department":"Card Department","title":"Card Director"},
		"urls":[{"url":"https://card.example","type":"WEBSITE"}],
		"birthday":"1984-05-06","vcard":"BEGIN:VCARD VERSION:3.0","origin":"contact_request"}]`),
		signs: map[string]string{"contacts.origin": "Requested=true|asked for"},
	},
	{name: "reaction", rows: "messages.reaction", before: hello, value: message("reaction", `{"message_id":"wamid.target","emoji":"👍🏽"}`)},
	{name: "reaction, taken back", rows: "messages.reaction.message_id", value: message("reaction", `{"message_id":"wamid.target"}`),
		before: strings.Replace(hello, `"messages":[`, `"messages":[{"from":"34600111222","id":"wamid.earlier","timestamp":"1772442060","type":"reaction",
			"reaction":{"message_id":"wamid.target","emoji":"👍🏽"}},`, 1)},
	{name: "button", rows: "messages.button", value: message("button", `{"payload":"Payload of a button","text":"Yes please"}`)},
	{name: "interactive: button_reply", rows: "messages.interactive", value: message("interactive",
		`{"type":"button_reply","button_reply":{"id":"id-of-button","title":"Button title"}}`)},
	{name: "interactive: list_reply", rows: "messages.interactive", value: message("interactive",
		`{"type":"list_reply","list_reply":{"id":"id-of-row","title":"Row title","description":"Row description"}}`)},
	{name: "interactive: nfm_reply", rows: "messages.interactive", value: message("interactive",
		`{"type":"nfm_reply","nfm_reply":{"name":"flow-name","body":"Body of the form","response_json":"{\"flow_token\":\"token-of-flow\",\"first_name\":\"Answered\"}"}}`),
		signs: map[string]string{"interactive.nfm_reply.response_json": "Fields.Name=first_name|Fields.Value=Answered|FlowReply.Token=token|FlowReply.Response=|First name: Answered"},
	},
	{name: "interactive: call_permission_reply", rows: "messages.interactive", value: message("interactive",
		`{"type":"call_permission_reply","call_permission_reply":{"response":"accept","expiration_timestamp":1793000000,"response_source":"automatic"}}`),
		signs: map[string]string{
			"interactive.call_permission_reply.response":        "Accepted=true|You may call",
			"interactive.call_permission_reply.response_source": "Automatic=true|WhatsApp's own answer",
		}},
	{name: "interactive: call_permission_reply, for good", rows: "messages.interactive.call_permission_reply.is_permanent", value: message("interactive",
		`{"type":"call_permission_reply","call_permission_reply":{"response":"accept","expiration_timestamp":1793000000,"is_permanent":true}}`),
		signs: map[string]string{"interactive.call_permission_reply.is_permanent": "Permanent=true|text=You may call|>You may call<|You may call\n"}},
	{name: "interactive: payment_method", rows: "messages.interactive", value: message("interactive",
		`{"type":"payment_method","payment_method":{"payment_method":"pix-payment","reference_id":"reference-77"}}`)},
	{name: "interactive: product", rows: "messages.interactive", value: message("interactive",
		`{"type":"product","product":{"catalog_id":"catalog-88","product_retailer_id":"product-88"}}`)},
	{name: "order", rows: "messages.order", value: message("order",
		`{"catalog_id":"catalog-77","text":"Note to the order","product_items":[{"product_retailer_id":"product-77","quantity":3,"item_price":12.55,"currency":"EUR"}]}`),
		signs: map[string]string{"order.product_items.quantity": "Quantity=3|3 × product-77", "order.product_items.currency": "Currency=EUR|12.55 EUR"},
	},
	{name: "edit", rows: "messages.edit", before: hello, value: message("edit",
		`{"original_message_id":"wamid.target","message":{"type":"text","text":{"body":"Words after the edit"},"context":{"id":"M0"}}}`),
		signs: map[string]string{"edit.message.type": "Edit.Message.Type=text", "edit.message.context.id": "Context.ID=M0"}},
	{name: "revoke", rows: "messages.revoke", before: hello, value: message("revoke", `{"original_message_id":"wamid.target"}`)},
	{name: "unsupported", rows: "messages.unsupported", value: message("unsupported", `{"type":"poll_creation"}`, errorObject(131051)),
		signs: map[string]string{"unsupported.type": "Unsupported.Type=poll_creation|poll creation"}},
}
