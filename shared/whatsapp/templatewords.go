package whatsapp

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Render is what the template says with these parameters: its texts filled in,
// and its buttons as "[Title]", a line each. Of a template without known
// components it is the name and the parameters. It never fails: what can't be
// read is left out, and "…" stands where nothing is filled in. One-time codes
// are left out too: they are for the customer's eyes.
func (t TemplateInfo) Render(parameters json.RawMessage) string {
	sent := fields{"": parameters}.objects("")
	if strings.EqualFold(t.Category, "authentication") {
		sent = nil
	}
	if said := lines(t.filledIn(fields{"": t.Components}.objects(""), sent)...); said != "" {
		return said
	}
	out := []string{"Template " + t.Name}
	for _, c := range sent {
		out = append(out, parameterLines(c)...)
		for _, card := range c.objects("cards") {
			out = append(out, parameterLines(card.objects("components")...)...)
		}
	}
	return lines(out...)
}

// filledIn is what components of the template's own say: those of the message,
// or of one card.
func (t TemplateInfo) filledIn(own, sent []fields) []string {
	var out []string
	for _, o := range own {
		switch kind := strings.ToLower(o.text("type")); kind {
		case "header":
			out = append(out, headerWords(o, componentOf(sent, kind)))
		case "body": // an authentication template's may be Meta's own
			out = append(out, firstOf(fill(o.text("text"), componentOf(sent, kind)), "Template "+t.Name))
		case "footer":
			out = append(out, o.text("text"))
		case "limited_time_offer":
			out = append(append(out, o.object(kind).text("text")), parameterLines(componentOf(sent, kind))...)
		case "buttons":
			for i, b := range o.objects("buttons") {
				out = append(out, buttonWords(b, buttonAt(sent, i)))
			}
		case "carousel":
			cards := o.objects("cards")
			for i, card := range componentOf(sent, kind).objects("cards") {
				if len(cards) > 0 { // product cards: any number like the first
					like := cards[min(i, len(cards)-1)]
					out = append(out, t.filledIn(like.objects("components"), card.objects("components"))...)
				}
			}
		}
	}
	return out
}

// componentOf is the one of a kind that a message has one of; nil where it isn't there.
func componentOf(sent []fields, kind string) fields {
	for _, c := range sent {
		if strings.EqualFold(c.text("type"), kind) {
			return c
		}
	}
	return nil
}

func buttonAt(sent []fields, index int) fields {
	for _, c := range sent {
		if strings.EqualFold(c.text("type"), "button") && c.text("index") == strconv.Itoa(index) {
			return c
		}
	}
	return nil
}

func headerWords(own, sent fields) string {
	if text := own.text("text"); text != "" {
		return fill(text, sent)
	}
	return firstOf(lines(parameterLines(sent)...), titled(own.text("format")))
}

// buttonWords is a button's title, and what it opens, dials or copies.
func buttonWords(own, sent fields) string {
	title := bracketed(firstOf(own.text("text"), titled(own.text("type"))))
	if url := own.text("url"); url != "" {
		return title + " " + fill(url, sent)
	}
	return joined(" ", title, own.text("phone_number"), joined(", ", parameterLines(sent)...))
}

// fill puts parameters where the text has its placeholders, which are named, or
// numbered from 1.
func fill(text string, sent fields) string {
	values := map[string]string{}
	for i, p := range sent.objects("parameters") {
		values[firstOf(p.text("parameter_name"), strconv.Itoa(i+1))] = parameterWords(p)
	}
	return placeholder.ReplaceAllStringFunc(text, func(place string) string {
		return firstOf(values[placeholder.FindStringSubmatch(place)[1]], "…")
	})
}

// parameterLines are the parameters of components.
func parameterLines(sent ...fields) []string {
	var out []string
	for _, c := range sent {
		for _, p := range c.objects("parameters") {
			out = append(out, parameterWords(p))
		}
	}
	return out
}

// parameterWords is one parameter of a template, or the header of an
// interactive message, which is written the same way. What is for programs, such
// as a button's payload, says nothing.
func parameterWords(p fields) string {
	switch kind := strings.ToLower(p.text("type")); kind {
	case "text", "coupon_code":
		return p.text(kind)
	case "currency", "date_time":
		return p.object(kind).text("fallback_value")
	case "image", "video", "document":
		return fileWords(kind, p.object(kind))
	case "location":
		if l := location(p); l != nil {
			return l.Words()
		}
	case "product":
		return productWords(p.object(kind))
	case "action":
		return joined(", ", sections(p.object(kind))...)
	case "limited_time_offer":
		ends := p.object(kind).integer("expiration_time_ms")
		if ends > 0 {
			return "Until " + time.UnixMilli(ends).UTC().Format("2 January 2006 15:04 MST")
		}
	}
	return ""
}
