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
