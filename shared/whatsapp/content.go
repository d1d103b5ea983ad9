package whatsapp

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Location is a place.
type Location struct {
	Latitude, Longitude float64 // degrees
	Name, Address, URL  string
}

func location(f fields) *Location {
	o := f.object("location")
	if o == nil {
		return nil
	}
	return &Location{
		Latitude: o.float("latitude"), Longitude: o.float("longitude"),
		Name: o.text("name"), Address: o.text("address"), URL: o.text("url"),
	}
}

// ContactCard is a visiting card that the customer sent.
type ContactCard struct {
	Name       string // as displayed; may be missing
	Phones     []CardPhone
	Emails     []string
	URLs       []string
	Addresses  []CardAddress
	Company    string
	Department string
	Title      string
	Birthday   string // usually 2006-01-02
	VCard      string // the whole card in its own format; not always present
	Requested  bool   // the answer to a request for contact information
	Raw        json.RawMessage
}

// CardPhone is a number on a visiting card.
type CardPhone struct {
	Number string // as the customer's phone wrote it
	WAID   string // set when the number is on WhatsApp
	Type   string // such as "MOBILE"
}

// CardAddress is a postal address on a visiting card. Any part may be missing.
type CardAddress struct {
	Street, City, State, ZIP, Country string
	CountryCode                       string // ISO 3166, two letters
	Type                              string // such as "HOME"
}

func contactCards(f fields) []ContactCard {
	var all []ContactCard
	for _, raw := range f.list("contacts") {
		o, isObject := read(raw)
		if !isObject {
			continue
		}
		name, org := o.object("name"), o.object("org")
		card := ContactCard{
			Name: name.text("formatted_name"), Company: org.text("company"), Department: org.text("department"),
			Title: org.text("title"), Birthday: o.text("birthday"), VCard: o.text("vcard"), Raw: raw,
			Requested: o.text("origin") == "contact_request" || f.text("origin") == "contact_request",
		}
		if card.Name == "" {
			card.Name = strings.TrimSpace(name.text("first_name") + " " + name.text("last_name"))
		}
		for _, p := range o.objects("phones") {
			card.Phones = append(card.Phones, CardPhone{p.text("phone"), waID(p.text("wa_id")), p.text("type")})
		}
		for _, e := range o.objects("emails") {
			card.Emails = append(card.Emails, e.text("email"))
		}
		for _, u := range o.objects("urls") {
			card.URLs = append(card.URLs, u.text("url"))
		}
		for _, a := range o.objects("addresses") {
			card.Addresses = append(card.Addresses, CardAddress{
				Street: a.text("street"), City: a.text("city"), State: a.text("state"), ZIP: a.text("zip"),
				Country: a.text("country"), CountryCode: a.text("country_code"), Type: a.text("type"),
			})
		}
		all = append(all, card)
	}
	return all
}

// Interactive is what the customer chose or filled in. The field that Type
// names is set, where it is one of these; Message.Content has the rest.
type Interactive struct {
	Type                string // "button_reply", "list_reply", "nfm_reply", "call_permission_reply", …
	ButtonReply         *Reply
	ListReply           *Reply
	FlowReply           *FlowReply // nfm_reply
	CallPermissionReply *CallPermissionReply
}

// Reply is the button or list row that the customer chose.
type Reply struct {
	ID          string
	Title       string
	Description string // list rows only
}

// FlowReply is a form that the customer completed.
type FlowReply struct {
	Name     string // "flow" or "address_message"
	Body     string // what the chat shows, such as "Sent"
	Token    string // flow_token; may be missing
	Response string // response_json: usually an object, but nothing guarantees it
	Fields   []FlowField
}

// FlowField is one answer of a form. Value is text; for a list or an object it
// is JSON.
type FlowField struct{ Name, Value string }

// flowFields reads the answers in the order of the form.
func flowFields(response string) []FlowField {
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(response)) != nil {
		return nil
	}
	all, _ := members(compact.Bytes())
	var answers []FlowField
	for _, m := range all {
		if m.key == "flow_token" || string(m.value) == "null" {
			continue
		}
		value := string(m.value)
		if m.value[0] == '"' {
			value = (fields{"": m.value}).text("")
		}
		answers = append(answers, FlowField{m.key, value})
	}
	return answers
}

// CallPermissionReply says whether the business may call.
type CallPermissionReply struct {
	Accepted  bool
	Permanent bool
	Expires   time.Time // zero where it doesn't
	Automatic bool      // not chosen by the customer
}

func interactive(f fields) *Interactive {
	o := f.object("interactive")
	if o == nil {
		return nil
	}
	i := &Interactive{Type: o.text("type"), ButtonReply: reply(o, "button_reply"), ListReply: reply(o, "list_reply")}
	if r := o.object("nfm_reply"); r != nil {
		i.FlowReply = &FlowReply{Name: r.text("name"), Body: r.text("body"), Response: r.text("response_json")}
		if i.FlowReply.Response == "" {
			i.FlowReply.Response = string(r["response_json"]) // an object instead of a string
		}
		filled, _ := read([]byte(i.FlowReply.Response))
		i.FlowReply.Token = filled.text("flow_token")
		i.FlowReply.Fields = flowFields(i.FlowReply.Response)
	}
	if r := o.object("call_permission_reply"); r != nil {
		i.CallPermissionReply = &CallPermissionReply{
			Accepted: r.text("response") == "accept", Permanent: r.flag("is_permanent"),
			Expires: r.time("expiration_timestamp"), Automatic: r.text("response_source") == "automatic",
		}
	}
	return i
}

func reply(f fields, key string) *Reply {
	o := f.object(key)
	if o == nil {
		return nil
	}
	return &Reply{ID: o.text("id"), Title: o.text("title"), Description: o.text("description")}
}

// Button is a quick-reply button of a template; those of an interactive
// message are an [Interactive].
type Button struct {
	Payload string
	Text    string
}

func button(f fields) *Button {
	o := f.object("button")
	if o == nil {
		return nil
	}
	return &Button{Payload: o.text("payload"), Text: o.text("text")}
}

// Order is a shopping cart that the customer sent.
type Order struct {
	CatalogID string
	Text      string
	Items     []OrderItem
}

// OrderItem is one line of an order.
type OrderItem struct {
	ProductID string
	Quantity  int64
	Price     string // decimal, of one piece, as written by Meta
	Currency  string // ISO 4217
}

func order(f fields) *Order {
	o := f.object("order")
	if o == nil {
		return nil
	}
	r := &Order{CatalogID: o.text("catalog_id"), Text: o.text("text")}
	for _, p := range o.objects("product_items") {
		r.Items = append(r.Items, OrderItem{
			ProductID: p.text("product_retailer_id"), Quantity: p.integer("quantity"),
			Price: p.text("item_price"), Currency: p.text("currency"),
		})
	}
	return r
}
