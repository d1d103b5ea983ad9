package main

import (
	"encoding/json"
	"strings"
	"time"

	wa "threadline/shared/whatsapp"
)

// orders are everything that can be sent.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
var orders = []order{
	{name: "to a phone number", body: json.RawMessage(`{"to":"+34600111222","text":"Words"}`), rows: "to", never: "recipient_identity_key_hash messaging_account_id"},
	{name: "our id", body: to(`"text":"Words"`), rows: "biz_opaque_callback_data", known: anything},
	{name: "to a BSUID", body: json.RawMessage(`{"to":{"bsuid":"ES.1000000000000001"},"text":"Words"}`), rows: "recipient"},
	{name: "to a group", body: json.RawMessage(`{"to":{"conversation":"$conversation"},"text":"Words"}`), rows: "to",
		before: message("text", `{"body":"To all"}`, `"group_id":"group-of-three"`)},
	{name: "quoting a message", body: json.RawMessage(`{"to":"+34600111222","text":"Words","reply_to":"wamid.target"}`), rows: "context"},
	{name: "text", body: to(`"text":"Words of the company","preview_url":true`), rows: "text"},
	file("image", `"caption":"Below our photo"`), file("video", `"caption":"Below our film"`), file("audio", `"voice":true`),
	file("document", `"caption":"Below our document","filename":"Our-offer.pdf"`), file("sticker", `"id":"920001"`),
	{name: "a file by link", body: to(`"media":{"type":"image","link":"https://files.example/photo.jpg"}`), rows: "image"},
	{name: "an uploaded file", body: to(`"media":{"type":"document","id":"$file","caption":"Uploaded"}`), rows: "document", file: true},
	{name: "location", body: to(`"location":{"latitude":41.40338,"longitude":2.17403,"name":"Our harbour","address":"12 Quay Road"}`), rows: "location"},
	{name: "contacts", rows: "contacts", body: ask("contacts", []wa.OutContact{{
		Name:   wa.OutName{Formatted: "Dr. Card Holder Jr.", First: "Cardfirst", Middle: "Cardmiddle", Last: "Cardlast", Prefix: "Cardprefix", Suffix: "Cardsuffix"},
		Phones: []wa.OutPhone{{Phone: "+34 600 999 888", Type: "MOBILE", WAID: "34600999888"}}, Emails: []wa.OutEmail{{Email: "card@mail.example", Type: "PRIVATE"}},
		URLs:      []wa.OutURL{{URL: "https://card.example", Type: "WEBSITE"}},
		Addresses: []wa.OutAddress{{Street: "1 Card Street", City: "Cardtown", State: "Cardshire", ZIP: "08039", Country: "Cardland", CountryCode: "ES", Type: "HOMELY"}},
		Org:       &wa.OutOrg{Company: "Card Company", Department: "Card Department", Title: "Card Director"}, Birthday: "1984-05-06",
	}})},
	{name: "reaction", body: to(`"reaction":{"message_id":"wamid.target","emoji":"👍🏽"}`), rows: "reaction"},
	{name: "reaction, taken back", body: to(`"reaction":{"message_id":"wamid.target","emoji":""}`), rows: "reaction.message_id"},
	{name: "read and typing", path: "/api/v1/conversations/$conversation/read", body: json.RawMessage(`{"typing":true}`), known: "wamid.target read text"},
	prompt("button", wa.Buttons("Text of buttons", wa.QuickReply("id-of-button", "Button title")).WithHeader(wa.TextHeader("Header text")).WithFooter("Footer text")),
	prompt("button: header", wa.Buttons("Text of buttons", wa.QuickReply("id-of-button", "Button title")).WithHeader(wa.ImageHeader(wa.OutMedia{ID: "9200010"}))),
	prompt("list", wa.List("Text of the list", "Button of list", wa.Section("Section title", wa.ListRow{ID: "id-of-row", Title: "Row title", Description: "Row description"})).
		WithHeader("Header text").WithFooter("Footer text")),
	prompt("cta_url", wa.LinkButton("Text of the link", "Label of link", "https://company.example/link").WithHeader(wa.VideoHeader(wa.OutMedia{Link: "https://company.example/film.mp4"}))),
	prompt("location_request_message", wa.LocationRequest("Where are you?")),
	prompt("request_contact_info", wa.ContactRequest("Your number?")),
	prompt("call_permission_request", wa.CallPermission("May we call?")),
	prompt("voice_call", wa.CallButton("Call us", wa.OutCall{Label: "Label of call", Minutes: 4321, Payload: "payload-of-call"})),
	prompt("address_message", wa.AddressRequest("Your address?", wa.OutAddressForm{Country: "IN", Values: map[string]string{"city": "Value of city"},
		Saved:  []wa.SavedAddress{{ID: "id-of-address", Value: map[string]string{"city": "Saved city"}}},
		Errors: map[string]string{"in_pin_code": "Error of pin"}})),
	prompt("flow", wa.FlowMessage("Text of the form", wa.OutFlow{ID: "6627000", Label: "Label of form", Token: "token-of-form", Screen: "SCREEN-ONE",
		Data: map[string]any{"given": "Given value"}, Draft: true}).WithHeader(wa.DocumentHeader(wa.OutMedia{ID: "9200011"}))),
	prompt("flow: by name", wa.FlowMessage("Text of the form", wa.OutFlow{Name: "name-of-form", Label: "Label of form"})),
	prompt("product", wa.Product("Text of product", "catalog-77", "product-77").WithFooter("Footer text")),
	prompt("product_list", wa.Products("Title of products", "Text of products", "catalog-77", wa.ProductGroup("Group title", "product-77"))),
	prompt("catalog_message", wa.Catalog("Text of catalogue", "product-77")),
	prompt("carousel: links", wa.Carousel("Text of carousel",
		wa.LinkCard(wa.ImageHeader(wa.OutMedia{ID: "9200012"}), "Text of card", "Label of card", "https://company.example/card"),
		wa.LinkCard(wa.ImageHeader(wa.OutMedia{ID: "9200013"}), "Other card", "Label two", "https://company.example/two"))),
	prompt("carousel: buttons", wa.Carousel("Text of carousel",
		wa.ReplyCard(wa.ImageHeader(wa.OutMedia{ID: "9200012"}), "Text of card", wa.QuickReply("id-of-card", "Card button")),
		wa.ReplyCard(wa.ImageHeader(wa.OutMedia{ID: "9200013"}), "Other card", wa.QuickReply("id-of-other", "Other button")))),
	prompt("carousel: products", wa.Carousel("Text of carousel", wa.ProductCard("catalog-77", "product-77"), wa.ProductCard("catalog-77", "product-78"))),
	prompt("order_details", byHand(`{"type":"order_details","body":{"text":"Text of the bill"},"action":{"name":"review_and_pay","parameters":{
		"reference_id":"reference-77","type":"digital-goods","currency":"INR","payment_settings":[{"type":"payment_gateway","payment_gateway":{"type":"razorpay","configuration_name":"payment-config"}}],
		"total_amount":{"value":2100,"offset":100},"order":{"status":"pending","items":[{"retailer_id":"product-77","name":"Item of the bill","amount":{"value":2100,"offset":100},"quantity":1}],
		"subtotal":{"value":2100,"offset":100},"tax":{"value":0,"offset":100}}}}}`)),
	prompt("order_status", byHand(`{"type":"order_status","body":{"text":"Text of the state"},"action":{"name":"review_order","parameters":{
		"reference_id":"reference-77","order":{"status":"shipped","description":"Words about the order"}}}}`)),
	template("positional", wa.NewTemplate("order_ready", "en_US").HeaderText("Header text").Body("Body text").BodyCurrency("€12.55", "EUR", 12550).BodyDate("6 May 2026")),
	template("named", wa.NewTemplate("order_ready", "en_US").HeaderNamed("header_name", "Header text").BodyNamed("body_name", "Body text")),
	template("header image", wa.NewTemplate("order_ready", "en_US").HeaderImage(wa.OutMedia{ID: "9200014"})),
	template("header video", wa.NewTemplate("order_ready", "en_US").HeaderVideo(wa.OutMedia{Link: "https://company.example/film.mp4"})),
	template("header document", wa.NewTemplate("order_ready", "en_US").HeaderDocument(wa.OutMedia{ID: "9200015", Filename: "Our-offer.pdf"})),
	template("header location", wa.NewTemplate("order_ready", "en_US").HeaderLocation(wa.OutLocation{Latitude: 41.40338, Longitude: 2.17403, Name: "Our harbour", Address: "12 Quay Road"})),
	template("header product", wa.NewTemplate("order_ready", "en_US").HeaderProduct("catalog-77", "product-77")),
	template("quick_reply, url", wa.NewTemplate("order_ready", "en_US").QuickReply(0, "payload-of-button").URLButton(1, "suffix-of-url")),
	template("copy_code, flow", wa.NewTemplate("order_ready", "en_US").CopyCode(0, "COUPON-25").FlowButton(1, "token-of-form", map[string]any{"given": "Given value"})),
	template("catalog", wa.NewTemplate("order_ready", "en_US").CatalogButton(0, "product-77")),
	template("mpm", wa.NewTemplate("order_ready", "en_US").ProductsButton(0, "product-77", wa.ProductGroup("Group title", "product-78"))),
	template("limited_time_offer", wa.NewTemplate("order_ready", "en_US").OfferEnds(time.Unix(1793000000, 0))),
	template("carousel", wa.NewTemplate("order_ready", "en_US").Cards(wa.Card().HeaderImage(wa.OutMedia{ID: "9200016"}).Body("Text of card"), wa.Card().HeaderImage(wa.OutMedia{ID: "9200017"}).Body("Other card"))),
	{name: "pin"},
	{name: "POST /marketing_messages"},
}

// anything says that a field is the order's whatever it holds.
const anything = "*"

// to is a request to the customer.
func to(content string) json.RawMessage {
	return json.RawMessage(`{"to":"+34600111222",` + content + `}`)
}

// ask is the same with a value of one field.
func ask(field string, content any) map[string]any {
	return map[string]any{"to": "+34600111222", field: content}
}

func file(kind, more string) order {
	if !strings.Contains(more, `"id"`) {
		more += `,"id":"920001"`
	}
	return order{name: kind, body: to(`"media":{"type":"` + kind + `",` + more + `}`), rows: kind}
}

// written is what the composers return.
type written interface{ JSON() json.RawMessage }

// byHand is an interactive object that a caller writes by hand.
type byHand string

func (r byHand) JSON() json.RawMessage { return json.RawMessage(r) }

func prompt(name string, p written) order {
	return order{name: "interactive: " + name, body: ask("interactive", p.JSON()), rows: "interactive"}
}

func template(name string, t *wa.Template) order {
	rows := "template.components"
	if name == "positional" {
		rows = "template" // with its name and language, which all have
	}
	return order{name: "template: " + name, rows: rows, body: ask("template", map[string]any{
		"name": t.Name, "language": t.Language, "components": t.Components,
	})}
}
