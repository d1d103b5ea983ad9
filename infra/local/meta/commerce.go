package meta

import (
	"encoding/json"
	"fmt"
	"slices"
)

// carouselCard is a card of a carousel outside a template.
// https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-media-carousel-messages
type carouselCard struct {
	Index  *int `json:"card_index"`
	Type   string
	Header *struct {
		Type         string
		Image, Video json.RawMessage
	}
	Body   *struct{ Text string }
	Action *action
}

// checkProducts checks a message that shows one product, several, or a whole catalogue.
func checkProducts(in *interactive, m *Message) *graphError {
	a := in.Action
	m.Options = []Option{{ID: "order", Title: "Order", Kind: "order"}}
	if in.Type == "catalog_message" {
		m.Items = demoProducts("")
		return nil
	}
	if a.Catalog == "" {
		return missing("interactive.action.catalog_id")
	}
	if in.Type == "product" {
		m.Items = []Item{{Catalog: a.Catalog, Product: a.Product, Title: a.Product, Price: price(a.Product), Currency: "USD"}}
		return limit("interactive.action.product_retailer_id", a.Product, 1, 256)
	}
	if len(a.Sections) < 1 || len(a.Sections) > 10 {
		return badValue("interactive.action.sections needs 1 to 10 sections")
	}
	for _, section := range a.Sections {
		if bad := limit("interactive.action.sections.title", section.Title, min(1, len(a.Sections)-1), 24); bad != nil {
			return bad
		}
		for _, p := range section.Products {
			if p.ID == "" {
				return missing("interactive.action.sections.product_items.product_retailer_id")
			}
			m.Items = append(m.Items, Item{Catalog: a.Catalog, Product: p.ID, Title: p.ID, Section: section.Title, Price: price(p.ID), Currency: "USD"})
		}
	}
	if len(m.Items) < 1 || len(m.Items) > 30 {
		return badValue("a message shows 1 to 30 products")
	}
	return nil
}

// checkCarousel checks cards that the customer swipes through.
func (s *Simulator) checkCarousel(in *interactive, m *Message) *graphError {
	cards := in.Action.Cards
	if len(cards) < 2 || len(cards) > 10 {
		return badValue("interactive.action.cards needs 2 to 10 cards")
	}
	if in.Footer != nil {
		return badValue("interactive.footer is not allowed for type carousel")
	}
	for i, card := range cards {
		switch {
		case card.Index == nil || *card.Index != i:
			return badValue("interactive.action.cards[%d].card_index must be %d", i, i)
		case card.Action == nil:
			return missing(fmt.Sprintf("interactive.action.cards[%d].action", i))
		case card.Type != cards[0].Type:
			return badValue("all cards of a carousel are of the same type")
		}
		item, bad := s.checkCard(card, m)
		if bad != nil {
			return bad
		}
		m.Items = append(m.Items, *item)
	}
	return nil
}

func (s *Simulator) checkCard(card carouselCard, m *Message) (*Item, *graphError) {
	switch card.Type {
	case "product":
		a := card.Action
		if a.Catalog == "" || a.Product == "" {
			return nil, missing("interactive.action.cards.action.catalog_id and product_retailer_id")
		}
		return &Item{Catalog: a.Catalog, Product: a.Product, Title: a.Product, Price: price(a.Product), Currency: "USD"}, nil
	case "cta_url":
	default:
		return nil, badValue("interactive.action.cards.type must be cta_url or product")
	}
	if card.Header == nil {
		return nil, missing("interactive.action.cards.header")
	}
	raw := map[string]json.RawMessage{"image": card.Header.Image, "video": card.Header.Video}[card.Header.Type]
	if raw == nil {
		return nil, badValue("interactive.action.cards.header.type must be image or video")
	}
	face := Message{Number: m.Number}
	if bad := s.checkHeaderFile(card.Header.Type, raw, &face); bad != nil {
		return nil, bad
	}
	button := func() *graphError { return checkLink(card.Action.Parameters, &face) }
	if len(card.Action.Buttons) > 0 {
		button = func() *graphError { return checkButtons(card.Action.Buttons, m) }
	}
	if bad := button(); bad != nil {
		return nil, bad
	}
	item := &Item{Media: face.Media, URL: face.URL, URLText: face.URLText}
	if card.Body != nil {
		item.Title = card.Body.Text
	}
	return item, limit("interactive.action.cards.body.text", item.Title, 0, 160)
}

// checkFlow checks a button that opens a form.
// https://developers.facebook.com/docs/whatsapp/flows/guides/sendingaflow
func checkFlow(raw json.RawMessage, m *Message) *graphError {
	var flow struct {
		Version string          `json:"flow_message_version"`
		ID      json.RawMessage `json:"flow_id"`
		Name    string          `json:"flow_name"`
		CTA     string          `json:"flow_cta"`
		Token   string          `json:"flow_token"`
		Action  string          `json:"flow_action"`
		Payload *struct{ Screen string }
	}
	if len(raw) == 0 {
		return missing("interactive.action.parameters")
	}
	if bad := decode(raw, "interactive.action.parameters", &flow); bad != nil {
		return bad
	}
	switch {
	case flow.Version != "3":
		return badValue("interactive.action.parameters.flow_message_version must be 3")
	case (len(flow.ID) == 0) == (flow.Name == ""):
		return badValue("interactive.action.parameters has a flow_id or a flow_name")
	case !slices.Contains([]string{"", "navigate", "data_exchange"}, flow.Action):
		return badValue("interactive.action.parameters.flow_action must be navigate or data_exchange")
	}
	m.Token = flow.Token
	m.Options = []Option{{ID: "flow", Title: flow.CTA, Kind: "flow"}}
	return limit("interactive.action.parameters.flow_cta", flow.CTA, 1, 30)
}

// checkCallButton checks a button with which the customer calls.
func checkCallButton(raw json.RawMessage, m *Message) *graphError {
	call := struct {
		Text string `json:"display_text"`
		TTL  *int   `json:"ttl_minutes"`
	}{Text: "Call now"}
	if len(raw) > 0 {
		if bad := decode(raw, "interactive.action.parameters", &call); bad != nil {
			return bad
		}
	}
	if call.TTL != nil && (*call.TTL < 1 || *call.TTL > 43200) {
		return badValue("interactive.action.parameters.ttl_minutes is 1 to 43200")
	}
	m.Options = []Option{{ID: "call", Title: call.Text, Kind: "call"}}
	return limit("interactive.action.parameters.display_text", call.Text, 1, 20)
}

func checkAddress(raw json.RawMessage, m *Message) *graphError {
	var address struct{ Country string }
	if len(raw) == 0 {
		return missing("interactive.action.parameters")
	}
	if bad := decode(raw, "interactive.action.parameters", &address); bad != nil {
		return bad
	}
	if address.Country != "IN" {
		return badValue("interactive.action.parameters.country must be IN")
	}
	m.Options = []Option{{ID: "address", Title: "Give an address", Kind: "address"}}
	return nil
}

// checkPayment checks an order to pay, or the news about one.
func checkPayment(in *interactive, m *Message) *graphError {
	var bill struct {
		Reference string `json:"reference_id"`
		Currency  string
		Total     *struct{ Value, Offset int64 } `json:"total_amount"`
		Order     *struct{ Status string }
	}
	if len(in.Action.Parameters) == 0 {
		return missing("interactive.action.parameters")
	}
	if bad := decode(in.Action.Parameters, "interactive.action.parameters", &bill); bad != nil {
		return bad
	}
	if bill.Order == nil {
		return missing("interactive.action.parameters.order")
	}
	if in.Type == "order_details" {
		if bill.Total == nil || bill.Total.Offset < 1 || bill.Currency == "" {
			return missing("interactive.action.parameters.total_amount and currency")
		}
		m.Notice = fmt.Sprintf("To pay: %.2f %s", float64(bill.Total.Value)/float64(bill.Total.Offset), bill.Currency)
	} else {
		m.Notice = "Order " + bill.Reference + ": " + bill.Order.Status
	}
	return limit("interactive.action.parameters.reference_id", bill.Reference, 1, 35)
}
