package whatsapp

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestWhatIsSentInWords(t *testing.T) {
	link := func(url string) OutMedia { return OutMedia{Link: url} }
	byHand := func(s string) Outgoing { return Outgoing{Interactive: json.RawMessage(s)} }
	for _, tt := range []struct {
		name string
		m    Outgoing
		want string
	}{
		{"text", Outgoing{Text: &OutText{Body: "hello"}}, "hello"},
		{"a caption", Outgoing{Document: &OutMedia{ID: "1", Caption: "your bill"}}, "your bill"},
		{"a file alone", Outgoing{Image: &OutMedia{ID: "1"}}, ""},
		{"reaction", Outgoing{Reaction: &OutReaction{MessageID: "w", Emoji: "👍"}}, "👍"},
		{"location", Outgoing{Location: &OutLocation{Latitude: 41.4, Longitude: -2, Name: "Harbour", Address: "12 Quay Road"}}, "Harbour\n12 Quay Road\n41.4, -2"},
		{"bare location", Outgoing{Location: &OutLocation{}}, "0, 0"},
		{"contacts", Outgoing{Contacts: []OutContact{
			{Name: OutName{Formatted: "Bo Li", First: "Bo"}, Org: &OutOrg{Company: "Acme", Department: "Sales", Title: "Buyer"}, Birthday: "1984-05-06",
				Phones: []OutPhone{{Phone: "+1 555", Type: "MOBILE"}}, Emails: []OutEmail{{Email: "b@acme.example"}}, URLs: []OutURL{{URL: "https://acme.example"}},
				Addresses: []OutAddress{{Street: "1 Main St", ZIP: "12345", City: "Vigo", Country: "Spain", CountryCode: "ES", Type: "HOME"}}},
			{Name: OutName{Formatted: "Al"}, Addresses: []OutAddress{{CountryCode: "ES"}, {Type: "WORK"}}},
		}}, "Bo Li\nBuyer, Sales, Acme\n+1 555 (mobile)\nb@acme.example\nhttps://acme.example\n1 Main St, 12345 Vigo, Spain (home)\nBirthday: 1984-05-06\nAl\nES"},
		{"template", Outgoing{Template: NewTemplate("order", "en").Body("7")}, "Template order\n7"},

		{"buttons", Outgoing{Interactive: Buttons("Shall we?", QuickReply("y", "Yes"), QuickReply("n", "No")).WithHeader(TextHeader("Roof")).WithFooter("Acme").JSON()},
			"Roof\nShall we?\nAcme\n[Yes]\n[No]"},
		{"a file above buttons", Outgoing{Interactive: Buttons("Shall we?", QuickReply("y", "Yes")).WithHeader(ImageHeader(OutMedia{ID: "1"})).JSON()}, "Image\nShall we?\n[Yes]"},
		{"list", Outgoing{Interactive: List("When?", "Choose", Section("May", ListRow{ID: "1", Title: "1st", Description: "morning"}, ListRow{ID: "2", Title: "2nd"})).JSON()},
			"When?\n[Choose]\nMay\n[1st] morning\n[2nd]"},
		{"link", Outgoing{Interactive: LinkButton("Look", "Open", "https://a.example").WithHeader(VideoHeader(link("https://a.example/v.mp4"))).JSON()},
			"Video: https://a.example/v.mp4\nLook\n[Open] https://a.example"},
		{"flow", Outgoing{Interactive: FlowMessage("Fill in", OutFlow{ID: "1", Label: "Begin", Token: "t"}).JSON()}, "Fill in\n[Begin]"},
		{"call", Outgoing{Interactive: CallButton("Call us", OutCall{Label: "Ring"}).JSON()}, "Call us\n[Ring]"},
		{"a question without words", byHand(`{"type":"call_permission_request","action":{"name":"call_permission_request"}}`), "Call permission request"},
		{"product", Outgoing{Interactive: Product("", "c", "tile-7").JSON()}, "Product tile-7"},
		{"products", Outgoing{Interactive: Products("Tiles", "Choose", "c", ProductGroup("Red", "tile-7", "tile-8")).JSON()}, "Tiles\nChoose\nRed\nProduct tile-7\nProduct tile-8"},
		{"carousel", Outgoing{Interactive: Carousel("Look",
			LinkCard(ImageHeader(link("https://a.example/1.jpg")), "One", "Open", "https://a.example/1"),
			ReplyCard(ImageHeader(OutMedia{ID: "1"}), "Two", QuickReply("y", "Yes"))).JSON()},
			"Look\nImage: https://a.example/1.jpg\nOne\n[Open] https://a.example/1\nImage\nTwo\n[Yes]"},
		{"bill", byHand(`{"type":"order_details","body":{"text":"Pay"},"action":{"parameters":{"reference_id":"R7","currency":"INR","total_amount":{"value":4205,"offset":100},
			"order":{"status":"pending","items":[{"name":"Tile","quantity":2,"amount":{"value":2100,"offset":100}},{"name":"Gift","quantity":1,"amount":{"value":5,"offset":0}}]}}}}`),
			"Pay\n2 × Tile  21.00 INR\n1 × Gift\nTotal: 42.05 INR\nReference: R7"},
		{"state of an order", byHand(`{"type":"order_status","body":{"text":"News"},"action":{"parameters":{"reference_id":"R7","order":{"status":"partially_shipped","description":"by boat"}}}}`),
			"News\nOrder partially shipped: by boat\nReference: R7"},
		{"a type to come", byHand(`{"type":"slide_show","x":[1]}`), "Slide show"},
		{"no object", byHand(`[]`), ""},
	} {
		if got := tt.m.Words(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTemplatesInWords(t *testing.T) {
	offer := time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	code := own(codeTemplate)
	code.Category = "AUTHENTICATION"
	silent := own(`[{"type":"BODY","add_security_recommendation":true},{"type":"BUTTONS","buttons":[{"type":"OTP","text":"Copy"}]}]`)
	silent.Category = "AUTHENTICATION"
	unknownCode := TemplateInfo{Name: "t", Category: "authentication"}
	for _, tt := range []struct {
		name string
		own  TemplateInfo
		sent *Template
		want string
	}{
		{"texts", own(textTemplate), NewTemplate("t", "en").HeaderText("7").Body("Ana", "b", "c"), "Order 7\nHi Ana, b of c by Ana\nBye"},
		{"numbers in any order", own(`[{"type":"BODY","text":"{{2}} before {{ 1 }}"}]`), NewTemplate("t", "en").Body("a", "b"), "b before a"},
		{"sum and date", own(textTemplate), NewTemplate("t", "en").HeaderText("7").Body("Ana").BodyCurrency("1 EUR", "EUR", 1000).BodyDate("May"),
			"Order 7\nHi Ana, 1 EUR of May by Ana\nBye"},
		{"names", own(namedTemplate), NewTemplate("t", "en").BodyNamed("order", "7").BodyNamed("first_name", "Ana"), "Hi Ana, order 7"},
		{"values that look like placeholders", own(namedTemplate), NewTemplate("t", "en").BodyNamed("order", "{{first_name}}").BodyNamed("first_name", "$1"), "Hi $1, order {{first_name}}"},
		{"something is missing", own(namedTemplate), NewTemplate("t", "en").BodyNamed("order", "7"), "Hi …, order 7"},
		{"a document", own(mediaTemplate), NewTemplate("t", "en").HeaderDocument(OutMedia{ID: "1", Filename: "bill.pdf"}), "Document: bill.pdf\nYour bill"},
		{"a picture by id", own(`[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"?"}]`), NewTemplate("t", "en").HeaderImage(OutMedia{ID: "1"}), "Image\n?"},
		{"a place", own(`[{"type":"HEADER","format":"LOCATION"},{"type":"BODY","text":"?"}]`), NewTemplate("t", "en").HeaderLocation(OutLocation{Latitude: 1, Longitude: 2, Name: "Here"}), "Here\n1, 2\n?"},
		{"buttons", own(buttonTemplate), NewTemplate("t", "en").URLButton(1, "7").CopyCode(3, "SAVE25"),
			"?\n[Yes]\n[Track] https://example.com/7\n[Shop] https://example.com\n[Copy] SAVE25\n[Call]"},
		{"a button without a title", own(`[{"type":"BODY","text":"?"},{"type":"BUTTONS","buttons":[{"type":"PHONE_NUMBER","phone_number":"+1 555"}]}]`), NewTemplate("t", "en"),
			"?\n[Phone number] +1 555"},
		{"products", own(`[{"type":"BODY","text":"?"},{"type":"BUTTONS","buttons":[{"type":"MPM","text":"View"}]}]`),
			NewTemplate("t", "en").ProductsButton(0, "tile-6", ProductGroup("Red", "tile-7")), "?\n[View] Red, Product tile-7"},
		{"cards", own(mediaCards), NewTemplate("t", "en").Cards(Card().HeaderImage(picture).Body("One"), Card().HeaderImage(picture)),
			"?\nImage: https://example.com/a.jpg\nOne\n[a]\nImage: https://example.com/a.jpg\nPlain\n[a]"},
		{"product cards", own(productCards), NewTemplate("t", "en").Cards(Card().HeaderProduct("c", "1"), Card().HeaderProduct("c", "2"), Card().HeaderProduct("c", "3")),
			"?\nProduct 1\n[View]\nProduct 2\n[View]\nProduct 3\n[View]"},
		{"an offer", own(offerTemplate), NewTemplate("t", "en").OfferEnds(offer), "Now!\nUntil 6 May 2026 12:00 UTC\n?"},

		{"a one-time code", code, NewTemplate("t", "en").Body("123456").URLButton(0, "123456"), "*…* is your code\n[Copy]"},
		{"a one-time code in Meta's words", silent, NewTemplate("t", "en").Body("123456").URLButton(0, "123456"), "Template t\n[Copy]"},
		{"a one-time code, unknown", unknownCode, NewTemplate("t", "en").Body("123456"), "Template t"},

		{"unknown", TemplateInfo{Name: "t"}, NewTemplate("t", "en").HeaderText("7").Body("Ana", "b").CopyCode(0, "SAVE25").QuickReply(1, "for programs"), "Template t\n7\nAna\nb\nSAVE25"},
		{"unknown, with cards", TemplateInfo{Name: "t"}, NewTemplate("t", "en").Cards(Card().HeaderImage(OutMedia{Link: "https://a.example/1"}).Body("One")),
			"Template t\nImage: https://a.example/1\nOne"},
		{"unknown and plain", TemplateInfo{Name: "t"}, NewTemplate("t", "en"), "Template t"},
	} {
		if got := tt.own.Render(tt.sent.Components); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Nothing that is written in place of a template or of parameters keeps a message from having words.
func TestTemplatesAlwaysHaveWords(t *testing.T) {
	odd := []string{``, `null`, `{}`, `[]`, `[null,1,"a",[]]`, `[{"type":"BODY"}]`, `[{"type":7,"parameters":{}}]`, `not JSON`,
		`[{"type":"CAROUSEL","cards":[]}]`, `[{"type":"carousel","cards":[{"components":7},{}]}]`, `[{"type":"BUTTONS","buttons":[null,{"type":"URL","url":"{{1}}"}]}]`,
		`[{"type":"button","index":{},"parameters":[{"type":"action","action":[]}]}]`, strings.Repeat(`[{"cards":`, 300) + `1` + strings.Repeat(`}]`, 300)}
	for _, components := range odd {
		for _, sent := range odd {
			if said := (TemplateInfo{Name: "t", Components: json.RawMessage(components)}).Render(json.RawMessage(sent)); said == "" {
				t.Errorf("%.60s with %.60s says nothing", components, sent)
			}
		}
	}
}
