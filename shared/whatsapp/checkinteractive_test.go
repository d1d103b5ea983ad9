package whatsapp

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// chars is a text of n characters, each of more than one byte.
func chars(n int) string { return strings.Repeat("é", n) }

// changed is a JSON document with another value at a path such as
// "action.buttons.0.type"; nil takes what is there away.
func changed(t *testing.T, raw json.RawMessage, path string, value any) json.RawMessage {
	t.Helper()
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	keys := strings.Split(path, ".")
	place := doc
	for _, key := range keys[:len(keys)-1] {
		switch at := place.(type) {
		case map[string]any:
			if at[key] == nil {
				at[key] = map[string]any{}
			}
			place = at[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil {
				t.Fatal(err)
			}
			place = at[i]
		}
	}
	last := keys[len(keys)-1]
	switch at := place.(type) {
	case map[string]any:
		if at[last] = value; value == nil {
			delete(at, last)
		}
	case []any:
		i, err := strconv.Atoi(last)
		if err != nil {
			t.Fatal(err)
		}
		at[i] = value
	default:
		t.Fatalf("nothing at %s", path)
	}
	return encode(doc)
}

func ask(raw json.RawMessage) error { return Outgoing{To: phone, Interactive: raw}.Check() }

// refused fails unless the error says exactly this.
func refused(t *testing.T, err error, says string) {
	t.Helper()
	if want := ErrInvalid.Error() + ": " + says; !errors.Is(err, ErrInvalid) || err.Error() != want {
		t.Errorf("\n got %v\nwant %s", err, want)
	}
}

var (
	picture = OutMedia{Link: "https://example.com/a.jpg"}

	buttons = Buttons("?", QuickReply("y", "Yes"), QuickReply("n", "No")).
		WithHeader(TextHeader("Title")).WithFooter("Small").JSON()
	list    = List("?", "Open", Section("A", ListRow{"1", "One", "First"}), Section("B", ListRow{ID: "2", Title: "Two"})).JSON()
	linked  = LinkButton("?", "Open", "https://example.com").JSON()
	place   = LocationRequest("?").JSON()
	flow    = FlowMessage("?", OutFlow{ID: "1", Label: "Open", Screen: "A"}).JSON()
	single  = Product("", "C", "P").JSON()
	several = Products("Title", "?", "C", ProductGroup("A", "1"), ProductGroup("B", "2")).JSON()
	catalog = Catalog("?", "P").JSON()
	cards   = Carousel("?", LinkCard(ImageHeader(picture), "A", "Open", "https://example.com/1"),
		LinkCard(ImageHeader(picture), "B", "Open", "https://example.com/2")).JSON()
	replies = Carousel("?", ReplyCard(VideoHeader(picture), "", QuickReply("1", "Yes"), QuickReply("2", "No")),
		ReplyCard(VideoHeader(picture), "", QuickReply("3", "Yes"), QuickReply("4", "No"))).JSON()
	goods   = Carousel("?", ProductCard("C", "1"), ProductCard("C", "2")).JSON()
	call    = CallButton("?", OutCall{Label: "Call", Minutes: 5, Payload: "p"}).JSON()
	permit  = CallPermission("").JSON()
	contact = ContactRequest("?").JSON()
	address = AddressRequest("?", OutAddressForm{Country: "IN", Saved: []SavedAddress{{"1", map[string]string{"city": "Delhi"}}}}).JSON()
	bill    = json.RawMessage(`{"type":"order_details","body":{"text":"?"},"action":{"name":"review_and_pay","parameters":{
		"reference_id":"r","currency":"INR","total_amount":{"value":100,"offset":100},
		"order":{"status":"pending","items":[{"name":"a","quantity":1,"amount":{"value":100,"offset":100}}]}}}}`)
	state = json.RawMessage(`{"type":"order_status","body":{"text":"?"},"action":{"name":"review_order","parameters":{
		"reference_id":"r","order":{"status":"shipped"}}}}`)
	unknown = json.RawMessage(`{"type":"slider","action":{"from":1}}`)
)

// Ensure that a message passes as it is, and with each of its lengths at the
// limit, and that one more fails with the place, the limit and the count.
func TestInteractiveLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  json.RawMessage
		path string
		most int
	}{
		{"buttons", buttons, "body.text", 1024},
		{"buttons", buttons, "header.text", 60},
		{"buttons", buttons, "footer.text", 60},
		{"buttons", buttons, "action.buttons.1.reply.id", 256},
		{"buttons", buttons, "action.buttons.1.reply.title", 20},
		{"list", list, "body.text", 4096},
		{"list", list, "action.button", 20},
		{"list", list, "action.sections.1.title", 24},
		{"list", list, "action.sections.0.rows.0.id", 200},
		{"list", list, "action.sections.0.rows.0.title", 24},
		{"list", list, "action.sections.0.rows.0.description", 72},
		{"link", linked, "body.text", 1024},
		{"link", linked, "action.parameters.display_text", 20},
		{"place", place, "body.text", 1024},
		{"flow", flow, "body.text", 1024},
		{"flow", flow, "action.parameters.flow_cta", 30},
		{"product", single, "body.text", 1024},
		{"product", single, "footer.text", 60},
		{"products", several, "header.text", 60},
		{"products", several, "action.sections.0.title", 24},
		{"catalog", catalog, "body.text", 1024},
		{"cards", cards, "body.text", 1024},
		{"cards", cards, "action.cards.1.body.text", 160},
		{"cards", cards, "action.cards.0.action.parameters.display_text", 20},
		{"replies", replies, "action.cards.1.action.buttons.0.quick_reply.title", 20},
		{"call", call, "action.parameters.display_text", 20},
		{"call", call, "action.parameters.payload", 512},
		{"permission", permit, "body.text", 1024},
		{"contact", contact, "body.text", 1024},
		{"address", address, "body.text", 1024},
		{"bill", bill, "body.text", 1024},
		{"state", state, "body.text", 1024},
		{"unknown", unknown, "body.text", 4096},
		{"unknown", unknown, "footer.text", 60},
	} {
		t.Run(tt.name+" "+tt.path, func(t *testing.T) {
			if err := ask(tt.raw); err != nil {
				t.Fatalf("as it is: %v", err)
			}
			if err := ask(changed(t, tt.raw, tt.path, chars(tt.most))); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			err := ask(changed(t, tt.raw, tt.path, chars(tt.most+1)))
			field := "interactive." + indexed(tt.path)
			refused(t, err, fmt.Sprintf("%s: %d characters, at most %d", field, tt.most+1, tt.most))
			var limit *LimitError
			if want := (LimitError{field, tt.most, tt.most + 1, "characters"}); !errors.As(err, &limit) || *limit != want {
				t.Errorf("%+v, want %+v", limit, want)
			}
		})
	}
}

// indexed writes a path as the errors do: "a.0.b" is "a[0].b".
func indexed(path string) string {
	var b strings.Builder
	for i, key := range strings.Split(path, ".") {
		if _, err := strconv.Atoi(key); err == nil {
			b.WriteString("[" + key + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(key)
	}
	return b.String()
}

func TestInteractiveCounts(t *testing.T) {
	several := func(n int) []ReplyButton {
		var all []ReplyButton
		for i := range n {
			all = append(all, QuickReply(strconv.Itoa(i), strconv.Itoa(i)))
		}
		return all
	}
	sections := func(n, rows int) []ListSection {
		var all []ListSection
		for i := range n {
			s := Section(strconv.Itoa(i))
			for j := range rows {
				s.Rows = append(s.Rows, ListRow{ID: fmt.Sprint(i, j), Title: "x"})
			}
			all = append(all, s)
		}
		return all
	}
	groups := func(n, products int) []ProductSection {
		var all []ProductSection
		for range n {
			all = append(all, ProductGroup("x", strings.Split(strings.Repeat("p", products), "")...))
		}
		return all
	}
	swipe := func(n int) []CarouselCard {
		var all []CarouselCard
		for range n {
			all = append(all, ProductCard("C", "P"))
		}
		return all
	}
	for name, tt := range map[string]struct {
		raw  json.RawMessage
		says string // "" where it passes
	}{
		"no button":        {Buttons("?").JSON(), "interactive.action.buttons: 0 buttons, at least 1"},
		"3 buttons":        {Buttons("?", several(3)...).JSON(), ""},
		"4 buttons":        {Buttons("?", several(4)...).JSON(), "interactive.action.buttons: 4 buttons, at most 3"},
		"no section":       {List("?", "x").JSON(), "interactive.action.sections: missing"},
		"10 rows":          {List("?", "x", sections(1, 10)...).JSON(), ""},
		"11 rows":          {List("?", "x", sections(1, 11)...).JSON(), "interactive.action.sections: 11 rows, at most 10"},
		"12 rows in 2":     {List("?", "x", sections(2, 6)...).JSON(), "interactive.action.sections: 12 rows, at most 10"},
		"10 sections":      {List("?", "x", sections(10, 1)...).JSON(), ""},
		"11 sections":      {List("?", "x", sections(11, 1)...).JSON(), "interactive.action.sections: 11 sections, at most 10"},
		"no row":           {List("?", "x", Section("a")).JSON(), "interactive.action.sections[0].rows: missing"},
		"30 products":      {Products("T", "?", "C", groups(10, 3)...).JSON(), ""},
		"31 products":      {Products("T", "?", "C", groups(1, 31)...).JSON(), "interactive.action.sections: 31 products, at most 30"},
		"11 groups":        {Products("T", "?", "C", groups(11, 1)...).JSON(), "interactive.action.sections: 11 sections, at most 10"},
		"1 card":           {Carousel("?", swipe(1)...).JSON(), "interactive.action.cards: 1 cards, at least 2"},
		"10 cards":         {Carousel("?", swipe(10)...).JSON(), ""},
		"11 cards":         {Carousel("?", swipe(11)...).JSON(), "interactive.action.cards: 11 cards, at most 10"},
		"30 days":          {CallButton("?", OutCall{Minutes: 43200}).JSON(), ""},
		"30 days 1 minute": {CallButton("?", OutCall{Minutes: 43201}).JSON(), "interactive.action.parameters.ttl_minutes: 43201 minutes, at most 43200"},
		"-1 minute":        {CallButton("?", OutCall{Minutes: -1}).JSON(), "interactive.action.parameters.ttl_minutes: -1 minutes, at least 1"},
		"2 line breaks":    {changed(t, cards, "action.cards.0.body.text", "a\nb\nc"), ""},
		"3 line breaks":    {changed(t, cards, "action.cards.0.body.text", "a\nb\n\nc"), "interactive.action.cards[0].body.text: 3 line breaks, at most 2"},
		"blank body":       {changed(t, buttons, "body.text", " \n"), "interactive.body.text: 0 characters, at least 1"},
		"blank title":      {Buttons("?", QuickReply("y", "")).JSON(), "interactive.action.buttons[0].reply.title: 0 characters, at least 1"},
		"no footer":        {Catalog("?", "").WithFooter("").JSON(), "interactive.footer.text: 0 characters, at least 1"},
	} {
		err := ask(tt.raw)
		if tt.says == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if tt.says != "" {
			refused(t, err, tt.says)
		}
	}
}

// Ensure that what a type must have, and must not have, is checked.
func TestInteractiveShape(t *testing.T) {
	header := map[string]any{"type": "text", "text": "x"}
	footer := map[string]any{"text": "x"}
	for _, tt := range []struct {
		raw   json.RawMessage
		path  string
		value any
		says  string // "" where it passes
	}{
		{buttons, "type", nil, "type: missing"},
		{buttons, "type", 7, "type: not a text"},
		{buttons, "body", nil, "body: missing"},
		{buttons, "body", "words", "body: not an object"},
		{buttons, "body.text", nil, "body.text: missing"},
		{buttons, "header", nil, ""},
		{buttons, "header", ImageHeader(picture), ""},
		{buttons, "header", VideoHeader(OutMedia{ID: "1"}), ""},
		{buttons, "header", DocumentHeader(OutMedia{ID: "1", Filename: "a.pdf"}), ""},
		{buttons, "header", ImageHeader(OutMedia{}), "header.image: needs either an id or a link"},
		{buttons, "header", ImageHeader(OutMedia{ID: "1", Link: "https://example.com"}), "header.image: needs either an id or a link"},
		{buttons, "header", ImageHeader(OutMedia{Link: "ftp://example.com"}), "header.image.link: not an http or https address"},
		{buttons, "header.type", "image", "header.image: missing"},
		{buttons, "header.type", "sticker", "header.type: use text, image, video, document"},
		{buttons, "footer", "x", "footer: not an object"},
		{buttons, "action", nil, "action: missing"},
		{buttons, "action.buttons", map[string]any{}, "action.buttons: not an array"},
		{buttons, "action.buttons.0", "yes", "action.buttons[0].type: missing"},
		{buttons, "action.buttons.0.type", "url", "action.buttons[0].type: use reply"},
		{buttons, "action.buttons.1.reply.id", "y", "action.buttons[1].reply.id: the same as another"},
		{buttons, "action.buttons.1.reply.title", "Yes", "action.buttons[1].reply.title: the same as another"},
		{buttons, "new_field", true, ""},
		{list, "header", header, ""},
		{list, "header", ImageHeader(picture), "header.type: use text"},
		{list, "action.button", nil, "action.button: missing"},
		{list, "action.sections.0.title", nil, "action.sections[0].title: missing"},
		{List("?", "x", Section("", ListRow{ID: "1", Title: "a"})).JSON(), "footer", footer, ""},
		{list, "action.sections.1.rows.0.id", "1", "action.sections[1].rows[0].id: the same as another"},
		{list, "action.sections.1.rows.0.title", "One", ""},
		{linked, "action.name", "open", "action.name: use cta_url"},
		{linked, "action.parameters", nil, "action.parameters: missing"},
		{linked, "action.parameters.url", "example.com", "action.parameters.url: not an http or https address"},
		{linked, "action.parameters.url", "javascript:alert(1)", "action.parameters.url: not an http or https address"},
		{place, "header", header, "header: this type has no header"},
		{place, "footer", footer, "footer: this type has no footer"},
		{place, "action.name", nil, "action.name: missing"},
		{flow, "action.parameters.flow_name", "f", "action.parameters: needs either a flow_id or a flow_name"},
		{flow, "action.parameters.flow_id", nil, "action.parameters: needs either a flow_id or a flow_name"},
		{flow, "action.parameters.flow_message_version", "2", "action.parameters.flow_message_version: use 3"},
		{flow, "action.parameters.flow_action", "open", "action.parameters.flow_action: use navigate, data_exchange"},
		{flow, "action.parameters.flow_action", "data_exchange", "action.parameters.flow_action_payload: not with flow_action data_exchange"},
		{flow, "action.parameters.flow_action_payload.screen", nil, "action.parameters.flow_action_payload.screen: missing"},
		{flow, "action.parameters.mode", "test", "action.parameters.mode: use draft, published"},
		{single, "header", header, "header: this type has no header"},
		{single, "action.product_retailer_id", nil, "action.product_retailer_id: missing"},
		{several, "header", nil, "header: missing"},
		{several, "header", ImageHeader(picture), "header.type: use text"},
		{several, "action.catalog_id", nil, "action.catalog_id: missing"},
		{several, "action.sections.0.title", nil, "action.sections[0].title: missing"},
		{several, "action.sections.0.product_items.0", map[string]any{}, "action.sections[0].product_items[0].product_retailer_id: missing"},
		{catalog, "header", header, "header: this type has no header"},
		{catalog, "action.parameters", nil, ""},
		{cards, "header", header, "header: this type has no header"},
		{cards, "footer", footer, "footer: this type has no footer"},
		{cards, "action.cards.1.card_index", 0, "action.cards[1].card_index: card 1 of the list, counted from 0"},
		{cards, "action.cards.1.card_index", "1", ""},
		{cards, "action.cards.1.card_index", "one", "action.cards[1].card_index: not a whole number"},
		{cards, "action.cards.0.header", nil, "action.cards[0].header: missing"},
		{cards, "action.cards.0.header", header, "action.cards[0].header.type: use image, video"},
		{cards, "action.cards.0.action.name", nil, "action.cards[0].action.name: missing"},
		{cards, "action.cards.0.action.parameters.url", "x", "action.cards[0].action.parameters.url: not an http or https address"},
		{cards, "action.cards.1.type", "product", "action.cards[1].header: a product card has no header"},
		{cards, "action.cards.1.type", "slide", "action.cards[1].type: not that of the first card"},
		{replies, "action.cards.1.action.buttons", []any{as("quick_reply", []ReplyButton{{"5", "Yes"}})[0]},
			"action.cards[1].action.buttons: 1 buttons, the first card has 2"},
		{goods, "action.cards.1.action.catalog_id", "D", "action.cards[1].action.catalog_id: not that of the first card"},
		{goods, "action.cards.1.action.catalog_id", map[string]any{}, "action.cards[1].action.catalog_id: not a text"},
		{call, "action.parameters", nil, ""},
		{call, "action.name", "call", "action.name: use voice_call"},
		{permit, "body", map[string]any{}, "body.text: missing"},
		{address, "header", header, ""},
		{address, "action.parameters.country", nil, "action.parameters.country: missing"},
		{address, "action.parameters.country", "India", "action.parameters.country: not two letters"},
		{address, "action.parameters.saved_addresses.0.value", nil, "action.parameters.saved_addresses[0].value: missing"},
		{bill, "action.parameters.reference_id", nil, "action.parameters.reference_id: missing"},
		{bill, "action.parameters.currency", "rupees", "action.parameters.currency: 6 characters, at most 3"},
		{bill, "action.parameters.total_amount.value", 1.5, "action.parameters.total_amount.value: not a whole number"},
		{bill, "action.parameters.order.items.0.amount.offset", 1, "action.parameters.order.items[0].amount.offset: 1 hundredths, at least 100"},
		{state, "action.parameters.order.status", nil, "action.parameters.order.status: missing"},
		{unknown, "header", map[string]any{"type": "hologram"}, ""},
		{unknown, "header", ImageHeader(OutMedia{}), "header.image: needs either an id or a link"},
		{unknown, "action", nil, ""},
	} {
		err := ask(changed(t, tt.raw, tt.path, tt.value))
		if tt.says == "" && err != nil {
			t.Errorf("%s = %v: %v", tt.path, tt.value, err)
		}
		if tt.says != "" {
			refused(t, err, "interactive."+tt.says)
		}
	}
}

// Ensure that no check stumbles over a value of another type than it expects,
// and that no error quotes what was to be sent.
func TestInteractiveOddValues(t *testing.T) {
	odd := []any{"ZZZZ", 7, true, []any{"ZZZZ"}, map[string]any{"ZZZZ": []any{}}, []any{map[string]any{}}}
	for _, raw := range []json.RawMessage{buttons, list, linked, place, flow, single, several, catalog, cards, replies, goods, call, permit, contact, address, bill, state} {
		var doc any
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths(doc, "") {
			for _, value := range odd {
				if err := ask(changed(t, raw, path, value)); err != nil && strings.Contains(err.Error(), "ZZZZ") {
					t.Errorf("%s = %v: %v", path, value, err)
				}
			}
		}
	}
}

// paths lists every place in a document.
func paths(doc any, above string) []string {
	var all []string
	below := func(key string, v any) {
		path := strings.TrimPrefix(above+"."+key, ".")
		all = append(append(all, path), paths(v, path)...)
	}
	switch doc := doc.(type) {
	case map[string]any:
		for key, v := range doc {
			below(key, v)
		}
	case []any:
		for i, v := range doc {
			below(strconv.Itoa(i), v)
		}
	}
	return all
}
