package whatsapp

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Check tells whether Meta would take these components for the template: the
// number, kinds and names of their parameters, the buttons and cards that they
// are for, and the length of the text that comes of it. The error wraps
// [ErrInvalid], says which component and parameter, and quotes the template's
// placeholders but nothing that is to be sent.
func (t TemplateInfo) Check(parameters json.RawMessage) error {
	if len(parameters) == 0 {
		parameters = json.RawMessage("[]")
	}
	if err := checkComponents("components", parameters); err != nil {
		return err
	}
	own := fields{"": t.Components}.objects("")
	if own == nil {
		return nil // nothing is known of it
	}
	_, err := checked("components", parameters, func(p part) { t.match(own, p) })
	return err
}

// match checks components that are to be sent against the template's own: of
// the message, or of one card.
func (t TemplateInfo) match(own []fields, sent part) {
	for _, o := range own {
		switch kind := strings.ToLower(o.text("type")); kind {
		case "header":
			t.matchHeader(o, sent)
		case "body":
			t.matchText(o, find(sent, kind), maxTemplateText)
		case "buttons":
			matchButtons(o.objects("buttons"), sent)
		case "carousel":
			t.matchCards(o.objects("cards"), find(sent, kind))
		case "limited_time_offer":
			if o.object("limited_time_offer").flag("has_expiration") {
				find(sent, kind).must("limited_time_offer")
			}
		}
	}
	for _, c := range sent.list(0, unbounded, "components") {
		kind := c.kind("type")
		if kind == "button" {
			kind = "buttons"
		}
		if !slices.ContainsFunc(own, func(o fields) bool { return strings.EqualFold(o.text("type"), kind) }) {
			c.fail("the template has no %s", knownKind(kind))
		}
	}
}

// knownKind is a kind of component if it is one of Meta's; anything else was
// written by the caller and is not quoted.
func knownKind(kind string) string {
	if slices.Contains([]string{"header", "body", "buttons", "carousel", "limited_time_offer"}, kind) {
		return kind
	}
	return "such component"
}

// find returns the component of a kind that a message has one of; where it
// isn't there, a part that stands for it.
func find(sent part, kind string) part {
	for _, c := range sent.list(0, unbounded, "components") {
		if c.kind("type") == kind {
			return c
		}
	}
	return part{path: sent.path, err: sent.err}
}

// must fails where a component isn't there.
func (p part) must(kind string) {
	if p.value == nil {
		p.fail("no %s, which the template needs", kind)
	}
}

func (t TemplateInfo) matchHeader(own fields, sent part) {
	header := find(sent, "header")
	format := strings.ToLower(own.text("format"))
	if format == "text" || format == "" {
		t.matchText(own, header, maxHeaderText)
		return
	}
	if header.must("header of type " + format); header.value == nil {
		return
	}
	for _, p := range header.at("parameters").list(1, 1, "parameters") {
		kind := p.kind("type")
		if film := format == "gif" && kind == "video"; kind != format && !film {
			p.at("type").fail("the template's header is of type %s", format)
		}
	}
}

// placeholder is where a template has a value filled in.
var placeholder = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// places lists the placeholders of a text, each once.
func places(text string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}

func written(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ": {{" + strings.Join(names, "}} {{") + "}}"
}

// matchText checks the parameters of a text against its placeholders.
func (t TemplateInfo) matchText(own fields, sent part, most int) {
	text := own.text("text")
	if text == "" {
		return // the text of an authentication template may be Meta's own
	}
	want := places(text)
	given := sent.at("parameters").list(0, unbounded, "parameters")
	switch {
	case len(want) == len(given):
	case sent.value == nil:
		sent.fail("no %s, the template's has %d parameters%s", strings.ToLower(own.text("type")), len(want), written(want))
	default:
		sent.at("parameters").fail("%d given, the template has %d%s", len(given), len(want), written(want))
	}
	values := map[string]string{}
	for i, p := range given {
		switch name := p.at("parameter_name"); {
		case !t.named(want):
			name.forbid("the template's placeholders are numbered")
			if i < len(want) {
				values[want[i]] = shown(p)
			}
		case name.value == nil:
			name.fail("missing, the template has%s", strings.TrimPrefix(written(want), ":"))
		case !slices.Contains(want, name.id()):
			name.fail("not one of the template's%s", written(want))
		case values[name.id()] != "":
			name.fail("the same as another")
		default:
			values[name.id()] = shown(p)
		}
	}
	filled := placeholder.ReplaceAllStringFunc(text, func(place string) string {
		return values[placeholder.FindStringSubmatch(place)[1]]
	})
	sent.limit(utf8.RuneCountInString(filled), 0, most, "characters when filled in")
}

// named tells whether the template's placeholders have names; where Meta
// didn't say, they do if they aren't numbers.
func (t TemplateInfo) named(names []string) bool {
	if t.Format != "" {
		return strings.EqualFold(t.Format, "NAMED")
	}
	return len(names) > 0 && strings.Trim(names[0], "0123456789") != ""
}

// shown is what a parameter puts into the text.
func shown(p part) string {
	for _, path := range []string{"text", "currency.fallback_value", "date_time.fallback_value"} {
		if s, ok := p.at(path).value.(string); ok {
			return s
		}
	}
	return ""
}

func matchButtons(own []fields, sent part) {
	given := map[int]part{}
	for _, c := range sent.list(0, unbounded, "components") {
		if c.kind("type") != "button" {
			continue
		}
		i := c.at("index").number(0, maxTemplateItems-1, "buttons before it")
		if i >= len(own) {
			c.at("index").fail("the template has %d buttons, counted from 0", len(own))
			return
		}
		given[i] = c
	}
	for i, o := range own {
		kind := strings.ToLower(o.text("type"))
		if kind == "otp" {
			kind = "url" // what it becomes in a message
		}
		matchButton(o, kind, i, given[i], sent)
	}
}

// matchButton checks what is to be sent for a button of the template.
func matchButton(own fields, kind string, index int, c, sent part) {
	needs := slices.Contains(parameterMust, kind)
	if kind == "url" {
		needs = strings.EqualFold(own.text("type"), "otp") || len(places(own.text("url"))) > 0
	}
	switch {
	case c.value == nil && needs:
		sent.fail("no button %d, which the template needs for its %s button", index, kind)
	case c.value == nil:
	case c.kind("sub_type") != kind:
		c.at("sub_type").fail("button %d of the template is of type %s", index, kind)
	case kind == "url" && !needs:
		c.fail("button %d of the template has nothing to fill in", index)
	}
}

// matchCards checks the cards of a carousel. A template of product cards is
// sent with any number of them, any other with its own.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/marketing-templates/product-card-carousel-templates
func (t TemplateInfo) matchCards(own []fields, sent part) {
	if sent.must("carousel"); sent.value == nil || len(own) == 0 {
		return
	}
	products := false
	for _, o := range own[0].objects("components") {
		products = products || strings.EqualFold(o.text("format"), "product")
	}
	cards := sent.at("cards").list(1, maxCards, "cards")
	if !products && len(cards) != len(own) {
		sent.at("cards").fail("%d given, the template has %d", len(cards), len(own))
		return
	}
	for i, card := range cards {
		t.match(own[min(i, len(own)-1)].objects("components"), card.at("components"))
	}
}
