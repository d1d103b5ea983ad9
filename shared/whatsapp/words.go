package whatsapp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words is what the message says, for where it isn't shown as what it is: a
// line for each text, button, row, place and number. Without the template
// itself, a message of one says its name and parameters; see
// [TemplateInfo.Render]. It may be empty: a file without a caption says
// nothing.
func (m Outgoing) Words() string {
	for _, f := range []*OutMedia{m.Image, m.Video, m.Audio, m.Document, m.Sticker} {
		if f != nil {
			return f.Caption
		}
	}
	switch {
	case m.Text != nil:
		return m.Text.Body
	case m.Reaction != nil:
		return m.Reaction.Emoji
	case m.Template != nil:
		return TemplateInfo{Name: m.Template.Name}.Render(m.Template.Components)
	case m.Location != nil:
		l := m.Location
		return (&Location{Latitude: l.Latitude, Longitude: l.Longitude, Name: l.Name, Address: l.Address}).Words()
	case m.Contacts != nil:
		return cardWords(m.Contacts)
	}
	o, _ := read(m.Interactive)
	return lines(promptWords(o)...)
}

// Words is the place in words: its name, address, coordinates and page.
func (l *Location) Words() string {
	return lines(l.Name, l.Address, fmt.Sprintf("%g, %g", l.Latitude, l.Longitude), l.URL)
}

// Words is what stands on the card, in lines.
func (c ContactCard) Words() string {
	out := []string{c.Name, joined(", ", c.Title, c.Department, c.Company)}
	for _, p := range c.Phones {
		out = append(out, ofType(p.Number, p.Type))
	}
	out = append(append(out, c.Emails...), c.URLs...)
	for _, a := range c.Addresses {
		country := firstOf(a.Country, a.CountryCode)
		out = append(out, ofType(joined(", ", a.Street, joined(" ", a.ZIP, a.City), a.State, country), a.Type))
	}
	if c.Birthday != "" {
		out = append(out, "Birthday: "+c.Birthday)
	}
	return lines(out...)
}

// ofType is something with its type behind it, such as "+1 555 (mobile)".
func ofType(s, kind string) string {
	if s == "" || kind == "" {
		return s
	}
	return s + " (" + strings.ToLower(strings.ReplaceAll(kind, "_", " ")) + ")"
}

// cardWords reads cards to be sent as those that are received: their JSON is
// the same.
func cardWords(cards []OutContact) string {
	var out []string
	raw, _ := json.Marshal(cards) // texts only: it can't fail
	for _, c := range contactCards(fields{"contacts": raw}) {
		out = append(out, c.Words())
	}
	return lines(out...)
}

// promptWords is what an interactive message says.
func promptWords(o fields) []string {
	out := choice(o)
	for _, card := range o.object("action").objects("cards") {
		out = append(out, choice(card)...)
	}
	out = append(out, billWords(o.object("action").object("parameters"))...)
	if lines(out...) == "" {
		return []string{titled(o.text("type"))}
	}
	return out
}

// choice is the texts of an interactive message, or of a card of one, and below
// them what can be chosen.
func choice(o fields) []string {
	action := o.object("action")
	out := []string{
		parameterWords(o.object("header")), o.object("body").text("text"), o.object("footer").text("text"), onlyButton(action),
	}
	for _, b := range action.objects("buttons") {
		out = append(out, bracketed(firstOf(b.object("reply").text("title"), b.object("quick_reply").text("title"))))
	}
	return append(append(out, sections(action)...), productWords(action))
}

// onlyButton is the only button of those types that have one: with a link, if that
// is what it opens.
func onlyButton(action fields) string {
	o := action.object("parameters")
	return joined(" ", bracketed(firstOf(action.text("button"), o.text("display_text"), o.text("flow_cta"))), o.text("url"))
}

// sections are the rows of a list, or groups of products.
func sections(o fields) []string {
	var out []string
	for _, s := range o.objects("sections") {
		out = append(out, s.text("title"))
		for _, r := range s.objects("rows") {
			out = append(out, joined(" ", bracketed(r.text("title")), r.text("description")))
		}
		for _, p := range s.objects("product_items") {
			out = append(out, productWords(p))
		}
	}
	return out
}

func productWords(o fields) string {
	if id := o.text("product_retailer_id"); id != "" {
		return "Product " + id
	}
	return ""
}

// billWords is what an order to be paid for comes to, or how far one is.
// https://developers.facebook.com/docs/whatsapp/cloud-api/payments-api
func billWords(o fields) []string {
	order := o.object("order")
	if order == nil {
		return nil
	}
	currency := o.text("currency")
	var out []string
	for _, i := range order.objects("items") {
		out = append(out, joined("  ", fmt.Sprintf("%d × %s", i.integer("quantity"), i.text("name")), money(i.object("amount"), currency)))
	}
	if total := money(o.object("total_amount"), currency); total != "" {
		out = append(out, "Total: "+total)
	} else if state := order.text("status"); state != "" {
		out = append(out, joined(": ", "Order "+strings.ReplaceAll(state, "_", " "), order.text("description")))
	}
	if reference := o.text("reference_id"); reference != "" {
		out = append(out, "Reference: "+reference)
	}
	return out
}

// money is a sum as Meta writes it: value 2100 with offset 100 is 21.00.
func money(o fields, currency string) string {
	value, offset := o.integer("value"), o.integer("offset")
	if o == nil || offset <= 0 {
		return ""
	}
	digits := len(fmt.Sprint(offset)) - 1 // it is a power of ten
	return joined(" ", strconv.FormatFloat(float64(value)/float64(offset), 'f', digits, 64), currency)
}

// fileWords is a file beside a text: what it is, and which.
func fileWords(kind string, o fields) string {
	return joined(": ", titled(kind), firstOf(o.text("filename"), o.text("link")))
}

// bracketed is what can be pressed.
func bracketed(title string) string {
	if title == "" {
		return ""
	}
	return "[" + title + "]"
}

// titled makes words of one of Meta's: payment_method is Payment method.
func titled(s string) string {
	s = strings.ToLower(strings.TrimSpace(strings.ReplaceAll(s, "_", " ")))
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// lines puts each part on a line of its own.
func lines(parts ...string) string { return joined("\n", parts...) }

// joined joins what isn't empty.
func joined(by string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, by)
}
