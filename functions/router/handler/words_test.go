package handler

import (
	"encoding/json"
	"strings"
	"testing"

	"threadline/shared/whatsapp"
)

func TestWhatMessagesSay(t *testing.T) {
	flow := func(name, body, response string) string {
		quoted, err := json.Marshal(response)
		if err != nil {
			t.Fatal(err)
		}
		return `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"` + name + `","body":"` + body + `","response_json":` + string(quoted) + `}}`
	}
	permission := func(says string) string {
		return `"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{` + says + `}}`
	}
	items := func(list string) string { return `"type":"order","order":{"product_items":[` + list + `]}` }
	for _, test := range []struct{ name, body, want string }{
		{"a place with a page", `"type":"location","location":{"latitude":1,"longitude":2,"url":"https://x.example"}`, "1, 2\nhttps://x.example"},
		{"a card of a company", `"type":"contacts","contacts":[{"name":{"formatted_name":"A"},"org":{"company":"Acme","title":"Buyer"},"emails":[{"email":"a@acme.example"}],"phones":[{"phone":"+1 555"}]}]`,
			"A\nBuyer, Acme\n+1 555\na@acme.example"},
		{"a card without a name", `"type":"contacts","contacts":[{"phones":[{"phone":"+1 555"}]}]`, "+1 555"},

		{"a card with everything", `"type":"contacts","contacts":[{"name":{"formatted_name":"A"},"org":{"company":"Acme","department":"Sales","title":"Buyer"},"birthday":"1984-05-06",
			"phones":[{"phone":"+1 555","type":"MOBILE"},{"phone":"+1 556"}],"urls":[{"url":"https://acme.example","type":"WORK"}],
			"addresses":[{"street":"1 Main St","city":"Vigo","zip":"12345","state":"Galicia","country":"Spain","country_code":"ES","type":"HOME"},{"country_code":"PT"}]}]`,
			"A\nBuyer, Sales, Acme\n+1 555 (mobile)\n+1 556\nhttps://acme.example\n1 Main St, 12345 Vigo, Galicia, Spain (home)\nPT\nBirthday: 1984-05-06"},
		{"two cards", `"type":"contacts","contacts":[{"name":{"formatted_name":"A"}},{"name":{"formatted_name":"B"}}]`, "A\nB"},

		{"a way to pay", `"type":"interactive","interactive":{"type":"payment_method","payment_method":{"reference_id":"7"}}`, "Payment method"},
		{"a product", `"type":"interactive","interactive":{"type":"product","product":{}}`, "Product"},
		{"an answer of no type", `"type":"interactive","interactive":{}`, ""},

		{"answers in the form's order", flow("flow", "Sent", `{"flow_token":"t","name":"Ana","a_date":"2026-03-02","guests":3,"news":true,"vip":false,"none":null}`),
			"Name: Ana\nA date: 2026-03-02\nGuests: 3\nNews: yes\nVip: no"},
		{"names that Meta's editor makes up", flow("flow", "Sent", `{"screen_0_First_name_0":"Ana","screen_1_Choose_all_2":["0_Red","1_Blue"]}`),
			"First name: Ana\nChoose all: 0_Red, 1_Blue"},
		{"answers within answers", flow("flow", "Sent", `{"person":{"name":"Ana","pets":[{"kind":"cat"},{"kind":"dog"}]}}`), "Name: Ana\nPets: Kind: cat, Kind: dog"},
		{"an address", flow("address_message", "Ana, Main St 1", `{"values":{"name":"Ana","city":"Vigo"}}`), "Ana, Main St 1\nName: Ana\nCity: Vigo"},
		{"nothing filled in", flow("flow", "Sent", `{"flow_token":"t"}`), "Sent"},
		{"an answer that is no object", flow("flow", "Sent", `yes, please`), "Sent\nyes, please"},
		{"a bare answer", flow("flow", "Sent", `"yes"`), "yes"},
		{"no answer", flow("flow", "Sent", ``), "Sent"},
		{"an answer too deep to read", flow("flow", "Sent", strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)), "Sent\n" + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)},

		{"may call for a while", permission(`"response":"accept","expiration_timestamp":1772452800`), "You may call until 2 March 2026 12:00 UTC"},
		{"may always call", permission(`"response":"accept","is_permanent":true,"expiration_timestamp":1772452800`), "You may call"},
		{"may call by itself", permission(`"response":"accept","response_source":"automatic"`), "You may call (WhatsApp's own answer)"},

		{"a total", items(`{"product_retailer_id":"a","quantity":3,"item_price":0.1,"currency":"EUR"},{"product_retailer_id":"b","quantity":1,"item_price":"2.355","currency":"EUR"}`),
			"3 × a  0.1 EUR\n1 × b  2.355 EUR\nTotal: 2.655 EUR"},
		{"a total without cents", items(`{"product_retailer_id":"a","quantity":2,"item_price":100,"currency":"JPY"}`), "2 × a  100 JPY\nTotal: 200 JPY"},
		{"two currencies have no total", items(`{"product_retailer_id":"a","quantity":1,"item_price":1,"currency":"EUR"},{"product_retailer_id":"b","quantity":1,"item_price":1,"currency":"USD"}`),
			"1 × a  1 EUR\n1 × b  1 USD"},
		{"a price that is none", items(`{"product_retailer_id":"a","quantity":1,"item_price":"1e999999999","currency":"EUR"}`), "1 × a  1e999999999 EUR"},
		{"nothing ordered", `"type":"order","order":{"text":"later"}`, "later"},

		{"a notice in Meta's words", `"type":"system","system":{"type":"user_changed_number","body":"A is B"}`, "A is B"},
		{"a notice without words", `"type":"system","system":{"type":"customer_identity_changed"}`, "The customer installed WhatsApp anew"},
		{"a poll", `"type":"unsupported","unsupported":{"type":"poll_creation"}`, "A message that WhatsApp doesn't pass on: poll creation"},
		{"an edit of a caption", `"type":"edit","edit":{"original_message_id":"w","message":{"type":"image","image":{"id":"1","caption":"my roof"}}}`, "my roof"},
	} {
		w, err := whatsapp.ParseMessage(update(whatsapp.KindMessage, `{"id":"w",`+test.body+`}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := text(w); got != test.want {
			t.Errorf("%s: %.200q, want %.200q", test.name, got, test.want)
		}
	}
}

func TestWhatBecameOfACall(t *testing.T) {
	for _, test := range []struct {
		c    whatsapp.Call
		want string
	}{
		{whatsapp.Call{Status: "COMPLETED", Duration: 65}, "Call ended after 1:05"},
		{whatsapp.Call{Status: "COMPLETED", Duration: 3725}, "Call ended after 1:02:05"},
		{whatsapp.Call{Status: "COMPLETED"}, "Call ended"},
		{whatsapp.Call{Status: "FAILED", Direction: whatsapp.FromUser}, "Missed call"},
		{whatsapp.Call{Status: "FAILED", Direction: whatsapp.FromUser, Duration: 3}, "The call failed"},
		{whatsapp.Call{Status: "FAILED", Direction: whatsapp.FromBusiness}, "The call failed"},
		{whatsapp.Call{Status: "REJECTED"}, "The call was declined"},
		{whatsapp.Call{Status: "ACCEPTED"}, "The call was taken"},
		{whatsapp.Call{Status: "RINGING"}, "It rings"},
		{whatsapp.Call{Event: "terminate", Duration: 5}, "Call ended after 0:05"},
		{whatsapp.Call{Event: "call_recording_available"}, "Call recording available"},
		{whatsapp.Call{}, ""},
	} {
		if got := stepOfCall(test.c); got != test.want {
			t.Errorf("%+v: %q, want %q", test.c, got, test.want)
		}
	}
}
