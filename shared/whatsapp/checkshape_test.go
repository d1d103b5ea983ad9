package whatsapp

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

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
