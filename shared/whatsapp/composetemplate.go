package whatsapp

import (
	"encoding/json"
	"strconv"
	"time"
)

// NewTemplate starts a template message. The methods of [Template] add what is
// filled in and return it, so that they can be chained:
//
//	NewTemplate("order_ready", "en_US").Body("Ana", "12").URLButton(0, "12")
//
// A template has either placeholders with numbers, filled in by Body and
// HeaderText in their order, or placeholders with names, filled in by
// BodyNamed and HeaderNamed. Components that were written by hand keep only
// the fields that Meta documents.
func NewTemplate(name, language string) *Template { return &Template{Name: name, Language: language} }

// Card starts a card for [Template.Cards]. Its components are added as a
// template's are.
func Card() *Template { return &Template{} }

// component is what Meta calls so.
type component struct {
	Type       string            `json:"type"`
	SubType    string            `json:"sub_type,omitempty"`
	Index      json.RawMessage   `json:"index,omitempty"`
	Parameters []json.RawMessage `json:"parameters,omitempty"`
	Cards      []templateCard    `json:"cards,omitempty"`
}

type templateCard struct {
	Index      int             `json:"card_index"`
	Components json.RawMessage `json:"components"`
}

// parameter is what fills one place. Which field is set Type says.
type parameter struct {
	Type       string         `json:"type"`
	Name       string         `json:"parameter_name,omitempty"`
	Text       string         `json:"text,omitempty"`
	Payload    string         `json:"payload,omitempty"`
	CouponCode string         `json:"coupon_code,omitempty"`
	Image      *OutMedia      `json:"image,omitempty"`
	Video      *OutMedia      `json:"video,omitempty"`
	Document   *OutMedia      `json:"document,omitempty"`
	Location   *OutLocation   `json:"location,omitempty"`
	Product    *productAction `json:"product,omitempty"`
	Currency   any            `json:"currency,omitempty"`
	DateTime   any            `json:"date_time,omitempty"`
	Action     any            `json:"action,omitempty"`
	Offer      any            `json:"limited_time_offer,omitempty"`
}

// add appends a component, or its parameters to the one of its type if a
// message has only one of that.
func (t *Template) add(c component) *Template {
	var list []component
	if t.Components != nil && json.Unmarshal(t.Components, &list) != nil {
		return t // not an array, as Check will say
	}
	place := len(list)
	for i := range list {
		if c.Type != "button" && list[i].Type == c.Type {
			place = i
		}
	}
	if place == len(list) {
		list = append(list, component{Type: c.Type, SubType: c.SubType, Index: c.Index})
	}
	list[place].Parameters = append(list[place].Parameters, c.Parameters...)
	list[place].Cards = append(list[place].Cards, c.Cards...)
	t.Components = encode(list)
	return t
}

func (t *Template) fill(kind string, p parameter) *Template {
	return t.add(component{Type: kind, Parameters: []json.RawMessage{encode(p)}})
}

// Body fills in the numbered placeholders of the text, in their order.
func (t *Template) Body(texts ...string) *Template {
	for _, s := range texts {
		t.fill("body", parameter{Type: "text", Text: s})
	}
	return t
}

// BodyNamed fills in a named placeholder of the text.
func (t *Template) BodyNamed(name, text string) *Template {
	return t.fill("body", parameter{Type: "text", Name: name, Text: text})
}

// BodyCurrency fills in the next numbered placeholder with a sum of money, in
// thousandths of the currency (ISO 4217). Phones that can't write it in the
// customer's way show the fallback.
func (t *Template) BodyCurrency(fallback, code string, thousandths int64) *Template {
	return t.fill("body", parameter{Type: "currency", Currency: map[string]any{
		"fallback_value": fallback, "code": code, "amount_1000": thousandths,
	}})
}

// BodyDate fills in the next numbered placeholder with a date, which Meta
// shows as it is written.
func (t *Template) BodyDate(text string) *Template {
	return t.fill("body", parameter{Type: "date_time", DateTime: map[string]string{"fallback_value": text}})
}

// HeaderText fills in the header's numbered placeholder.
func (t *Template) HeaderText(text string) *Template {
	return t.fill("header", parameter{Type: "text", Text: text})
}

// HeaderNamed fills in the header's named placeholder.
func (t *Template) HeaderNamed(name, text string) *Template {
	return t.fill("header", parameter{Type: "text", Name: name, Text: text})
}

// HeaderImage is the picture above the text.
func (t *Template) HeaderImage(f OutMedia) *Template {
	return t.fill("header", parameter{Type: "image", Image: &f})
}

// HeaderVideo is the film above the text.
func (t *Template) HeaderVideo(f OutMedia) *Template {
	return t.fill("header", parameter{Type: "video", Video: &f})
}

// HeaderDocument is the document above the text; Filename is what it is shown as.
func (t *Template) HeaderDocument(f OutMedia) *Template {
	return t.fill("header", parameter{Type: "document", Document: &f})
}

// HeaderLocation is the map above the text.
func (t *Template) HeaderLocation(l OutLocation) *Template {
	return t.fill("header", parameter{Type: "location", Location: &l})
}

// HeaderProduct is the product above the text or on a card.
func (t *Template) HeaderProduct(catalogID, productID string) *Template {
	return t.fill("header", parameter{Type: "product", Product: &productAction{catalogID, productID}})
}

// press adds a button's parameter. Buttons are counted from 0 over all types.
func (t *Template) press(kind string, index int, p parameter) *Template {
	place := encode(strconv.Itoa(index))
	return t.add(component{Type: "button", SubType: kind, Index: place, Parameters: []json.RawMessage{encode(p)}})
}

// QuickReply says what comes back when the button is pressed; without it that
// is the button's text.
func (t *Template) QuickReply(index int, payload string) *Template {
	return t.press("quick_reply", index, parameter{Type: "payload", Payload: payload})
}

// URLButton completes the address that the button opens. In an authentication
// template it is the code.
func (t *Template) URLButton(index int, suffix string) *Template {
	return t.press("url", index, parameter{Type: "text", Text: suffix})
}

// CopyCode is the coupon that the button copies, at most 15 characters.
func (t *Template) CopyCode(index int, code string) *Template {
	return t.press("copy_code", index, parameter{Type: "coupon_code", CouponCode: code})
}

// FlowButton says what the button's form begins with. The token comes back
// with what was filled in.
func (t *Template) FlowButton(index int, token string, data map[string]any) *Template {
	a := map[string]any{"flow_token": token}
	if data != nil {
		a["flow_action_data"] = data
	}
	return t.press("flow", index, parameter{Type: "action", Action: a})
}

// CatalogButton says which product's picture the message shows.
func (t *Template) CatalogButton(index int, thumbnail string) *Template {
	a := map[string]string{"thumbnail_product_retailer_id": thumbnail}
	return t.press("catalog", index, parameter{Type: "action", Action: a})
}

// ProductsButton says which products of the catalogue the button shows, up to
// 30 in up to 10 sections, and whose picture the message shows.
func (t *Template) ProductsButton(index int, thumbnail string, sections ...ProductSection) *Template {
	a := map[string]any{"thumbnail_product_retailer_id": thumbnail, "sections": sections}
	return t.press("mpm", index, parameter{Type: "action", Action: a})
}

// OfferEnds says until when a limited-time offer holds.
func (t *Template) OfferEnds(at time.Time) *Template {
	offer := map[string]int64{"expiration_time_ms": at.UnixMilli()}
	return t.fill("limited_time_offer", parameter{Type: "limited_time_offer", Offer: offer})
}

// Cards fills in the cards of a carousel, in their order. Make them with [Card].
func (t *Template) Cards(cards ...*Template) *Template {
	c := component{Type: "carousel"}
	for i, card := range cards {
		c.Cards = append(c.Cards, templateCard{i, card.Components})
	}
	return t.add(c)
}
