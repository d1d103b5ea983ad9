package whatsapp

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Limits of templates and their parameters, in characters where not said
// otherwise.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
const (
	maxTemplateName  = 512
	maxTemplateText  = 1024 // of the body, filled in
	maxTemplateItems = 10   // buttons
	maxCouponCode    = 15
)

// Template is an approved template with its parameters. [NewTemplate] and the
// methods write Components.
type Template struct {
	Name       string
	Language   string          // code, such as "en_US"
	Components json.RawMessage // array as Meta documents it; nil where there are no parameters
}

var (
	templateName = regexp.MustCompile(`^[a-z0-9_]+$`)
	languageCode = regexp.MustCompile(`^[a-z]{2,3}(_[A-Za-z0-9]{2,4})?$`)
)

// check checks what can be known without the template; see [TemplateInfo.Check].
func (t *Template) check() error {
	if t.Name == "" || t.Language == "" {
		return invalid("template needs a name and a language")
	}
	if err := atMost("template.name", t.Name, maxTemplateName); err != nil {
		return err
	}
	if !templateName.MatchString(t.Name) {
		return invalid("template.name: use a to z, 0 to 9 and _ only")
	}
	if !languageCode.MatchString(t.Language) {
		return invalid("template.language.code: not a code such as en or en_US")
	}
	if t.Components == nil {
		return nil
	}
	return checkComponents("template.components", t.Components)
}

// wire is the template as Meta writes it.
func (t *Template) wire() any {
	return struct {
		Name       string            `json:"name"`
		Language   map[string]string `json:"language"`
		Components json.RawMessage   `json:"components,omitempty"`
	}{t.Name, map[string]string{"code": t.Language}, t.Components}
}

// checkComponents checks the parameters of a template by themselves.
func checkComponents(path string, raw json.RawMessage) error {
	var array bool
	_, err := checked(path, raw, func(p part) {
		if _, array = p.value.([]any); array {
			components(p)
			checkNaming(p)
		}
	})
	if !array {
		return invalid("template components are not an array")
	}
	return err
}

// components checks those of a message or a card. Of types that aren't known,
// for Meta adds types, nothing is checked.
func components(p part) {
	seen := map[string]bool{}
	for _, c := range p.list(0, unbounded, "components") {
		kind := c.kind("type")
		switch key := kind + c.indexKey(); {
		case seen[key]:
			c.fail("the same as another")
		default:
			seen[key] = true
		}
		switch kind {
		case "header":
			for _, q := range c.at("parameters").list(0, 1, "parameters") {
				checkParameter(q, maxHeaderText)
			}
		case "body":
			for _, q := range c.at("parameters").list(0, unbounded, "parameters") {
				checkParameter(q, maxTemplateText)
			}
		case "button":
			checkTemplateButton(c)
		case "carousel":
			for i, card := range c.at("cards").list(1, maxCards, "cards") {
				checkCardIndex(card, i)
				card.at("components").list(1, unbounded, "components")
				components(card.at("components"))
			}
		case "limited_time_offer":
			for _, q := range c.at("parameters").list(1, 1, "parameters") {
				q.at("limited_time_offer.expiration_time_ms").number(1, unbounded, "milliseconds")
			}
		}
	}
}

// kind reads a word of Meta's, which writes some in capitals and takes both.
func (p part) kind(path string) string { return strings.ToLower(p.at(path).id()) }

// indexKey tells buttons apart, of which there may be several.
func (p part) indexKey() string {
	switch i := p.at("index").value.(type) {
	case json.Number:
		return i.String()
	case string:
		return i
	}
	return ""
}

// checkParameter checks one of a header or body.
func checkParameter(p part, most int) {
	switch kind := p.kind("type"); kind {
	case "text":
		checkParameterText(p.at("text"), most)
	case "image", "video", "document":
		checkFile(p.at(kind))
	case "location":
		for _, key := range []string{"latitude", "longitude"} {
			if !p.at("location").has(key) {
				p.at("location." + key).fail("missing")
			}
		}
	case "product":
		p.at("product.product_retailer_id").id()
	case "currency":
		p.at("currency.fallback_value").id()
		p.at("currency.code").text(3, 3)
		p.at("currency.amount_1000").number(-unbounded, unbounded, "thousandths")
	case "date_time":
		p.at("date_time.fallback_value").id()
	}
	if name := p.at("parameter_name"); name.value != nil {
		name.id()
	}
}

// checkParameterText checks what takes a placeholder's place. Meta refuses
// line breaks, tabs and runs of spaces there (codes 132012 and 132018).
func checkParameterText(p part, most int) {
	s := p.text(1, most)
	if strings.ContainsAny(s, "\n\r\t") || strings.Contains(s, "     ") {
		p.fail("has a line break, a tab or more than 4 spaces in a row")
	}
}

// checkTemplateButton checks the parameter of a button.
func checkTemplateButton(c part) {
	c.at("index").number(0, maxTemplateItems-1, "buttons before it")
	kind := c.kind("sub_type")
	parameters := c.at("parameters").list(0, 1, "parameters")
	want := buttonParameter[kind]
	switch {
	case want == "": // not known
	case len(parameters) == 0 && slices.Contains(parameterMust, kind):
		c.at("parameters").limit(0, 1, 1, "parameters")
	}
	for _, p := range parameters {
		if want != "" {
			p.at("type").choice(true, want)
		}
		switch want {
		case "payload":
			p.at("payload").text(1, maxReplyID)
		case "text":
			checkParameterText(p.at("text"), unbounded)
		case "coupon_code":
			p.at("coupon_code").text(1, maxCouponCode)
		case "action":
			if p.at("action").object() && kind == "mpm" {
				p.at("action.thumbnail_product_retailer_id").id()
				checkProductSections(p.at("action.sections"))
			}
		}
	}
}

// buttonParameter is the type of parameter that a type of button takes, and
// parameterMust are those which don't work without.
var (
	buttonParameter = map[string]string{
		"quick_reply": "payload", "url": "text", "copy_code": "coupon_code",
		"flow": "action", "catalog": "action", "mpm": "action", "order_details": "action",
	}
	parameterMust = []string{"url", "copy_code", "mpm", "order_details"}
)

// checkNaming fails where some placeholders are filled by name and some by
// position: a template has either the ones or the others.
func checkNaming(p part) {
	var named, positional bool
	texts(p, func(parameter part) {
		if parameter.has("parameter_name") {
			named = true
		} else {
			positional = true
		}
		if named && positional {
			parameter.fail("some parameters have a parameter_name and some don't")
		}
	})
}

// texts calls f for each parameter of the headers and bodies that takes a
// placeholder's place.
func texts(p part, f func(part)) {
	for _, c := range p.list(0, unbounded, "components") {
		switch c.kind("type") {
		case "header", "body":
			for _, q := range c.at("parameters").list(0, unbounded, "parameters") {
				if slices.Contains([]string{"text", "currency", "date_time"}, q.kind("type")) {
					f(q)
				}
			}
		case "carousel":
			for _, card := range c.at("cards").list(0, unbounded, "cards") {
				texts(card.at("components"), f)
			}
		}
	}
}
