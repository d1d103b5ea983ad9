package whatsapp

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

// own is a template with these components.
func own(components string) TemplateInfo {
	return TemplateInfo{Name: "t", Language: "en_US", Category: "UTILITY", Format: "POSITIONAL", Components: json.RawMessage(components)}
}

const (
	textTemplate = `[{"type":"HEADER","format":"TEXT","text":"Order {{1}}"},{"type":"BODY","text":"Hi {{1}}, {{2}} of {{3}} by {{1}}"},
		{"type":"FOOTER","text":"Bye"}]`
	namedTemplate  = `[{"type":"BODY","text":"Hi {{first_name}}, order {{order}}"}]`
	mediaTemplate  = `[{"type":"HEADER","format":"DOCUMENT"},{"type":"BODY","text":"Your bill"}]`
	buttonTemplate = `[{"type":"BODY","text":"?"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Yes"},
		{"type":"URL","text":"Track","url":"https://example.com/{{1}}"},{"type":"URL","text":"Shop","url":"https://example.com"},
		{"type":"COPY_CODE","text":"Copy"},{"type":"PHONE_NUMBER","text":"Call"}]}]`
	codeTemplate = `[{"type":"BODY","text":"*{{1}}* is your code","add_security_recommendation":true},
		{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE","text":"Copy"}]}]`
	mediaCards = `[{"type":"BODY","text":"?"},{"type":"CAROUSEL","cards":[
		{"components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"{{1}}"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"a"}]}]},
		{"components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Plain"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"a"}]}]}]}]`
	productCards = `[{"type":"BODY","text":"?"},{"type":"carousel","cards":[
		{"components":[{"type":"header","format":"product"},{"type":"buttons","buttons":[{"type":"spm","text":"View"}]}]},
		{"components":[{"type":"header","format":"product"},{"type":"buttons","buttons":[{"type":"spm","text":"View"}]}]}]}]`
	offerTemplate = `[{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Now!","has_expiration":true}},{"type":"BODY","text":"?"}]`
)

func TestTemplateInfoCheck(t *testing.T) {
	buttoned := func() *Template { return NewTemplate("t", "en").URLButton(1, "x").CopyCode(3, "C") }
	pictured := func() *Template { return Card().HeaderImage(picture) }
	produced := func() *Template { return Card().HeaderProduct("C", "P") }
	for _, tt := range []struct {
		name string
		own  TemplateInfo
		sent *Template
		says string // "" where it passes
	}{
		{"all texts", own(textTemplate), NewTemplate("t", "en").HeaderText("7").Body("a", "b", "c"), ""},
		{"too few", own(textTemplate), NewTemplate("t", "en").HeaderText("7").Body("a", "b"),
			"components[1].parameters: 2 given, the template has 3: {{1}} {{2}} {{3}}"},
		{"too many", own(textTemplate), NewTemplate("t", "en").HeaderText("7").Body("a", "b", "c", "d"),
			"components[1].parameters: 4 given, the template has 3: {{1}} {{2}} {{3}}"},
		{"nothing", own(textTemplate), NewTemplate("t", "en"), "components: no header, the template's has 1 parameters: {{1}}"},
		{"no body", own(textTemplate), NewTemplate("t", "en").HeaderText("7"),
			"components: no body, the template's has 3 parameters: {{1}} {{2}} {{3}}"},
		{"names for numbers", own(textTemplate), NewTemplate("t", "en").HeaderNamed("n", "7").
			BodyNamed("a", "1").BodyNamed("b", "2").BodyNamed("c", "3"),
			"components[0].parameters[0].parameter_name: the template's placeholders are numbered"},
		{"nothing to fill in", own(mediaTemplate), NewTemplate("t", "en").HeaderDocument(picture).Body("x"),
			"components[1].parameters: 1 given, the template has 0"},
		{"sum and date", own(textTemplate), NewTemplate("t", "en").HeaderText("7").Body("a").BodyCurrency("1 EUR", "EUR", 1000).BodyDate("May"), ""},

		{"names", named(), NewTemplate("t", "en").BodyNamed("order", "1").BodyNamed("first_name", "Ana"), ""},
		{"another name", named(), NewTemplate("t", "en").BodyNamed("first_name", "Ana").BodyNamed("ZZZZ", "1"),
			"components[0].parameters[1].parameter_name: not one of the template's: {{first_name}} {{order}}"},
		{"a name twice", named(), NewTemplate("t", "en").BodyNamed("order", "Ana").BodyNamed("order", "1"),
			"components[0].parameters[1].parameter_name: the same as another"},
		{"numbers for names", named(), NewTemplate("t", "en").Body("Ana", "1"),
			"components[0].parameters[0].parameter_name: missing, the template has {{first_name}} {{order}}"},
		{"names, format not told", TemplateInfo{Components: json.RawMessage(namedTemplate)},
			NewTemplate("t", "en").BodyNamed("order", "1").BodyNamed("first_name", "Ana"), ""},

		{"file", own(mediaTemplate), NewTemplate("t", "en").HeaderDocument(OutMedia{ID: "1", Filename: "a.pdf"}), ""},
		{"no file", own(mediaTemplate), NewTemplate("t", "en"), "components: no header of type document, which the template needs"},
		{"another kind", own(mediaTemplate), NewTemplate("t", "en").HeaderImage(picture),
			"components[0].parameters[0].type: the template's header is of type document"},
		{"a header for none", named(), NewTemplate("t", "en").HeaderNamed("a", "x").BodyNamed("order", "1").BodyNamed("first_name", "Ana"),
			"components[0]: the template has no header"},

		{"buttons", own(buttonTemplate), buttoned().QuickReply(0, "p"), ""},
		{"only the needed", own(buttonTemplate), buttoned(), ""},
		{"no code", own(buttonTemplate), NewTemplate("t", "en").URLButton(1, "x"),
			"components: no button 3, which the template needs for its copy_code button"},
		{"no suffix", own(buttonTemplate), NewTemplate("t", "en").CopyCode(3, "C"),
			"components: no button 1, which the template needs for its url button"},
		{"a fixed link", own(buttonTemplate), buttoned().URLButton(2, "x"), "components[2]: button 2 of the template has nothing to fill in"},
		{"another type", own(buttonTemplate), buttoned().URLButton(0, "x"), "components[2].sub_type: button 0 of the template is of type quick_reply"},
		{"one too far", own(buttonTemplate), buttoned().QuickReply(5, "x"), "components[2].index: the template has 5 buttons, counted from 0"},
		{"buttons for none", own(mediaTemplate), NewTemplate("t", "en").HeaderDocument(picture).QuickReply(0, "x"), "components[1]: the template has no buttons"},

		{"code", own(codeTemplate), NewTemplate("t", "en").Body("1234").URLButton(0, "1234"), ""},
		{"code without button", own(codeTemplate), NewTemplate("t", "en").Body("1234"),
			"components: no button 0, which the template needs for its url button"},

		{"cards", own(mediaCards), NewTemplate("t", "en").Cards(pictured().Body("A").QuickReply(0, "p"), pictured()), ""},
		{"cards missing", own(mediaCards), NewTemplate("t", "en"), "components: no carousel, which the template needs"},
		{"a card more", own(mediaCards), NewTemplate("t", "en").Cards(pictured().Body("A"), pictured(), pictured()),
			"components[0].cards: 3 given, the template has 2"},
		{"a card's text", own(mediaCards), NewTemplate("t", "en").Cards(pictured(), pictured()),
			"components[0].cards[0].components: no body, the template's has 1 parameters: {{1}}"},
		{"a card's kind", own(mediaCards), NewTemplate("t", "en").Cards(pictured().Body("A"), Card().HeaderVideo(picture)),
			"components[0].cards[1].components[0].parameters[0].type: the template's header is of type image"},
		{"five products of two", own(productCards), NewTemplate("t", "en").Cards(produced(), produced(), produced(), produced(), produced()), ""},
		{"11 products", own(productCards), NewTemplate("t", "en").Cards(produced(), produced(), produced(), produced(), produced(), produced(),
			produced(), produced(), produced(), produced(), produced()), "components[0].cards: 11 cards, at most 10"},

		{"offer", own(offerTemplate), NewTemplate("t", "en").OfferEnds(time.UnixMilli(1)), ""},
		{"endless offer", own(offerTemplate), NewTemplate("t", "en"), "components: no limited_time_offer, which the template needs"},

		{"1024 in all", own(`[{"type":"BODY","text":"Hi {{1}}"}]`), NewTemplate("t", "en").Body(chars(1021)), ""},
		{"1025 in all", own(`[{"type":"BODY","text":"Hi {{1}}"}]`), NewTemplate("t", "en").Body(chars(1022)),
			"components[0]: 1025 characters when filled in, at most 1024"},
		{"nothing known", TemplateInfo{}, NewTemplate("t", "en").Body("x").QuickReply(3, "x"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.own.Check(tt.sent.Components)
			if tt.says == "" && err != nil {
				t.Error(err)
			}
			if tt.says != "" {
				refused(t, err, tt.says)
			}
		})
	}
}

func named() TemplateInfo {
	t := own(namedTemplate)
	t.Format = "NAMED"
	return t
}

// Ensure that what can be known without the template is checked without it.
func TestTemplateCheck(t *testing.T) {
	with := func(components string) *Template {
		return &Template{Name: "t", Language: "en", Components: json.RawMessage(components)}
	}
	for _, tt := range []struct {
		name string
		m    *Template
		says string // "" where it passes
	}{
		{"bare", NewTemplate("order_1", "en_US"), ""},
		{"512 name", NewTemplate(strings.Repeat("a", 512), "fil"), ""},
		{"513 name", NewTemplate(strings.Repeat("a", 513), "fil"), "template.name: 513 characters, at most 512"},
		{"capitals", NewTemplate("Order", "en"), "template.name: use a to z, 0 to 9 and _ only"},
		{"hyphen", NewTemplate("order", "en-US"), "template.language.code: not a code such as en or en_US"},
		{"no array", with(`{}`), "template components are not an array"},
		{"no JSON", with(`[`), "template components are not an array"},
		{"more than JSON", with(`[] ]`), "template components are not an array"},
		{"new type", with(`[{"type":"hologram","parameters":7}]`), ""},
		{"no type", with(`[{}]`), "template.components[0].type: missing"},
		{"two bodies", with(`[{"type":"body"},{"type":"BODY"}]`), "template.components[1]: the same as another"},
		{"a button twice", with(`[{"type":"button","sub_type":"quick_reply","index":"0"},{"type":"button","sub_type":"quick_reply","index":0}]`),
			"template.components[1]: the same as another"},
		{"new parameter", with(`[{"type":"body","parameters":[{"type":"emoji"}]}]`), ""},
		{"empty text", NewTemplate("t", "en").Body(""), "template.components[0].parameters[0].text: missing"},
		{"blank text", NewTemplate("t", "en").Body(" "), "template.components[0].parameters[0].text: 0 characters, at least 1"},
		{"1024 body", NewTemplate("t", "en").Body(chars(1024)), ""},
		{"1025 body", NewTemplate("t", "en").Body(chars(1025)), "template.components[0].parameters[0].text: 1025 characters, at most 1024"},
		{"61 header", NewTemplate("t", "en").HeaderText(chars(61)), "template.components[0].parameters[0].text: 61 characters, at most 60"},
		{"line break", NewTemplate("t", "en").Body("a", "b\nc"),
			"template.components[0].parameters[1].text: has a line break, a tab or more than 4 spaces in a row"},
		{"tab", NewTemplate("t", "en").BodyNamed("a", "b\tc"),
			"template.components[0].parameters[0].text: has a line break, a tab or more than 4 spaces in a row"},
		{"4 spaces", NewTemplate("t", "en").Body("a    b"), ""},
		{"5 spaces", NewTemplate("t", "en").URLButton(0, "a     b"),
			"template.components[0].parameters[0].text: has a line break, a tab or more than 4 spaces in a row"},
		{"mixed", NewTemplate("t", "en").Body("a").BodyNamed("b", "c"),
			"template.components[0].parameters[1]: some parameters have a parameter_name and some don't"},
		{"mixed over components", NewTemplate("t", "en").HeaderText("a").BodyNamed("b", "c"),
			"template.components[1].parameters[0]: some parameters have a parameter_name and some don't"},
		{"mixed over cards", NewTemplate("t", "en").BodyNamed("b", "c").Cards(Card().Body("a")),
			"template.components[1].cards[0].components[0].parameters[0]: some parameters have a parameter_name and some don't"},
		{"file and names", NewTemplate("t", "en").HeaderImage(picture).BodyNamed("b", "c").URLButton(0, "x"), ""},
		{"two headers", NewTemplate("t", "en").HeaderText("a").HeaderText("b"), "template.components[0].parameters: 2 parameters, at most 1"},
		{"no file", NewTemplate("t", "en").HeaderVideo(OutMedia{}), "template.components[0].parameters[0].video: needs either an id or a link"},
		{"map", NewTemplate("t", "en").HeaderLocation(OutLocation{Latitude: 1}), ""},
		{"half a map", with(`[{"type":"header","parameters":[{"type":"location","location":{"latitude":"1.5"}}]}]`),
			"template.components[0].parameters[0].location.longitude: missing"},
		{"currency", NewTemplate("t", "en").BodyCurrency("1 E", "EURO", 1), "template.components[0].parameters[0].currency.code: 4 characters, at most 3"},
		{"index 9", NewTemplate("t", "en").QuickReply(9, "p"), ""},
		{"index 10", NewTemplate("t", "en").QuickReply(10, "p"), "template.components[0].index: 10 buttons before it, at most 9"},
		{"no index", with(`[{"type":"button","sub_type":"quick_reply"}]`), "template.components[0].index: missing"},
		{"15 coupon", NewTemplate("t", "en").CopyCode(0, "123456789012345"), ""},
		{"16 coupon", NewTemplate("t", "en").CopyCode(0, "1234567890123456"), "template.components[0].parameters[0].coupon_code: 16 characters, at most 15"},
		{"no coupon", with(`[{"type":"button","sub_type":"copy_code","index":0}]`), "template.components[0].parameters: 0 parameters, at least 1"},
		{"payload for a link", with(`[{"type":"button","sub_type":"URL","index":0,"parameters":[{"type":"payload","payload":"x"}]}]`),
			"template.components[0].parameters[0].type: use text"},
		{"new button", with(`[{"type":"button","sub_type":"dance","index":0,"parameters":[{"type":"step"}]}]`), ""},
		{"form", NewTemplate("t", "en").FlowButton(0, "tok", map[string]any{"a": 1}), ""},
		{"a function", NewTemplate("t", "en").FlowButton(0, "tok", map[string]any{"a": t.Fail}), "template.components[0].parameters[0].type: missing"},
		{"products", NewTemplate("t", "en").ProductsButton(0, "P", ProductGroup("", "1")), ""},
		{"no thumbnail", NewTemplate("t", "en").ProductsButton(0, "", ProductGroup("", "1")),
			"template.components[0].parameters[0].action.thumbnail_product_retailer_id: 0 characters, at least 1"},
		{"no products", NewTemplate("t", "en").ProductsButton(0, "P"), "template.components[0].parameters[0].action.sections: missing"},
		{"empty card", NewTemplate("t", "en").Cards(Card()), "template.components[0].cards[0].components: missing"},
		{"a card's card", NewTemplate("t", "en").Cards(Card().Body("x"), Card().QuickReply(11, "p")),
			"template.components[0].cards[1].components[0].index: 11 buttons before it, at most 9"},
		{"cards in two parts", NewTemplate("t", "en").Cards(Card().Body("x")).Cards(Card().Body("y")),
			"template.components[0].cards[1].card_index: card 1 of the list, counted from 0"},
	} {
		err := Outgoing{To: phone, Template: tt.m}.Check()
		if tt.says == "" && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.says != "" {
			refused(t, err, tt.says)
		}
	}
}

// Ensure that no odd value stops a check, and that none is quoted.
func TestTemplateOddValues(t *testing.T) {
	sent := NewTemplate("t", "en").HeaderImage(picture).Body("a").BodyCurrency("1", "EUR", 1).QuickReply(0, "p").URLButton(1, "u").
		ProductsButton(2, "P", ProductGroup("", "1")).OfferEnds(time.UnixMilli(1)).Cards(Card().Body("x").CopyCode(0, "C"))
	var doc any
	if err := json.Unmarshal(sent.Components, &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths(doc, "") {
		for _, value := range []any{"ZZZZ", 7, nil, []any{"ZZZZ"}, map[string]any{"ZZZZ": []any{}}} {
			odd := changed(t, sent.Components, path, value)
			m := Outgoing{To: phone, Template: &Template{Name: "t", Language: "en", Components: odd}}
			for _, err := range []error{m.Check(), own(textTemplate).Check(odd), own(mediaCards).Check(odd)} {
				if err != nil && strings.Contains(strings.ToUpper(err.Error()), "ZZZZ") {
					t.Errorf("%s = %v: %v", path, value, err)
				}
			}
			if err := own(string(odd)).Check(sent.Components); err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("an odd template, %s = %v: %v", path, value, err)
			}
		}
	}
}
