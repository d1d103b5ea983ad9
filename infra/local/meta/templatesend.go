package meta

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// templateRequest is the template object of a send.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages#template-object
type templateRequest struct {
	Name       string
	Language   struct{ Code string }
	Components []component
}

type component struct {
	Type       string
	SubType    string          `json:"sub_type"`
	Index      json.RawMessage // "0" or 0
	Parameters []parameter
	Cards      []struct {
		Index      int `json:"card_index"`
		Components []component
	}
}

type parameter struct {
	Type                             string
	Name                             string `json:"parameter_name"`
	Text, Payload                    string
	Coupon                           string `json:"coupon_code"`
	Image, Video, Document, Location json.RawMessage
	Action                           *struct {
		Token string `json:"flow_token"`
	}
}

// longestBody is how long a body may be with its parameters filled in.
const longestBody = 1024

func (s *Simulator) checkTemplate(raw json.RawMessage, m *Message) *graphError {
	var q templateRequest
	if bad := decode(raw, "template", &q); bad != nil {
		return bad
	}
	if q.Name == "" || q.Language.Code == "" {
		return missing("template.name and template.language.code")
	}
	t, err := findTemplate(q.Name, q.Language.Code)
	if err != nil {
		return &graphError{Code: 132001, Details: "template name (" + q.Name + ") does not exist in " + q.Language.Code}
	}
	state := s.templateState(t)
	if bad := state.usable(t); bad != nil {
		return bad
	}
	m.Category, m.Footer = strings.ToLower(state.Category), t.Footer
	parts := map[string][]component{}
	for _, c := range q.Components {
		kind := strings.ToLower(c.Type)
		if !slices.Contains([]string{"header", "body", "button", "carousel", "limited_time_offer"}, kind) {
			return badParam("template.components.type must be one of {HEADER, BODY, BUTTON, CAROUSEL, LIMITED_TIME_OFFER}")
		}
		parts[kind] = append(parts[kind], c)
	}
	return first(s.templateHeader(t, values(parts["header"]), m), t.templateBody(values(parts["body"]), m),
		fillButtons(t.Buttons, parts["button"], 0, m), s.templateCards(t, parts["carousel"], m))
}

// usable refuses a template that Meta does not send at the moment.
func (state TemplateState) usable(t template) *graphError {
	switch state.Status {
	case "APPROVED":
		return nil
	case "PAUSED":
		return &graphError{Code: 132015, Details: "Template " + t.Name + " is paused because of low quality"}
	case "DISABLED":
		return &graphError{Code: 132016, Details: "Template " + t.Name + " is disabled"}
	}
	return &graphError{Code: 132001, Details: "template name (" + t.Name + ") is not approved in " + t.Language}
}

// values are the parameters of the first component there is.
func values(list []component) []parameter {
	if len(list) == 0 {
		return nil
	}
	return list[0].Parameters
}

func (t template) templateBody(values []parameter, m *Message) (bad *graphError) {
	if m.Text, bad = fill("body", t.Body, t.Named, values); bad != nil {
		return bad
	}
	if n := utf8.RuneCountInString(m.Text); n > longestBody {
		return &graphError{Code: 132005, Details: fmt.Sprintf("body: Translated text too long: %d characters, at most %d", n, longestBody)}
	}
	return nil
}

// fill puts values into a text.
func fill(where, text string, named bool, values []parameter) (string, *graphError) {
	names := parameters(text)
	if len(values) != len(names) {
		return "", &graphError{Code: 132000, Details: fmt.Sprintf("%s: number of localizable_params (%d) does not match "+
			"the expected number of params (%d)", where, len(values), len(names))}
	}
	pairs := make([]string, 0, 2*len(names))
	for i, name := range names {
		if named {
			i = slices.IndexFunc(values, func(p parameter) bool { return p.Name == name })
		}
		if i < 0 || !slices.Contains([]string{"text", "currency", "date_time"}, values[i].Type) {
			return "", &graphError{Code: 132012, Details: where + ": Parameter format does not match format in the created template: " + name}
		}
		if values[i].Type == "text" && values[i].Text == "" {
			return "", missing(where + " parameter " + name)
		}
		if strings.ContainsAny(values[i].Text, "\n\t") || strings.Contains(values[i].Text, "     ") {
			return "", &graphError{Code: 132018, Details: where + ": Param text cannot have new-line/tab characters or more than 4 consecutive spaces"}
		}
		pairs = append(pairs, "{{"+name+"}}", values[i].Text)
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

func (s *Simulator) templateHeader(t template, values []parameter, m *Message) (bad *graphError) {
	format := t.format()
	if format == "TEXT" {
		m.Header, bad = fill("header", t.Header, t.Named, values)
		return bad
	}
	kind := strings.ToLower(format)
	if len(values) != 1 || values[0].Type != kind {
		got := "UNKNOWN"
		if len(values) > 0 {
			got = strings.ToUpper(values[0].Type)
		}
		return &graphError{Code: 132012, Details: "header: Format mismatch, expected " + t.Header + ", received " + got}
	}
	raw := map[string]json.RawMessage{"image": values[0].Image, "video": values[0].Video, "document": values[0].Document,
		"location": values[0].Location}[kind]
	switch {
	case raw == nil:
		return missing("header." + kind)
	case kind == "location":
		return checkLocation(raw, m)
	}
	return s.checkHeaderFile(kind, raw, m)
}

// fillButtons puts what the request says of the buttons into them; offset is how many came before, on other cards.
func fillButtons(buttons []templateButton, given []component, offset int, m *Message) *graphError {
	filled := make([]*component, len(buttons))
	for _, c := range given {
		at, err := strconv.Atoi(strings.Trim(string(c.Index), `"`))
		if err != nil || at < 0 || at >= len(buttons) {
			return &graphError{Code: 132012, Details: "buttons: the index does not exist in the template"}
		}
		if want := subTypes[buttons[at].Type]; !strings.EqualFold(c.SubType, want) {
			return &graphError{Code: 132012, Details: fmt.Sprintf("buttons: Button at index %d is of type %s", at, want)}
		}
		filled[at] = &c
	}
	for i, b := range buttons {
		if bad := b.fill(i, offset+i, filled[i], m); bad != nil {
			return bad
		}
	}
	return nil
}

// subTypes has what a request calls the buttons that can be filled.
var subTypes = map[string]string{"QUICK_REPLY": "quick_reply", "URL": "url", "COPY_CODE": "copy_code", "FLOW": "flow",
	"CATALOG": "catalog", "VOICE_CALL": "voice_call"}

// fill shows a button; c is what the request says of it, or nil.
func (b templateButton) fill(index, id int, c *component, m *Message) *graphError {
	var p parameter
	if c != nil && len(c.Parameters) == 1 {
		p = c.Parameters[0]
	}
	lacks := func(what string) *graphError {
		return &graphError{Code: 131008, Details: fmt.Sprintf("buttons: Button at index %d of type %s requires a parameter: %s", index, b.Type, what)}
	}
	option := Option{ID: fmt.Sprint(id), Title: b.Text}
	switch b.Type {
	case "QUICK_REPLY":
		option.Kind, option.Description = "button", b.Text
		if p.Payload != "" {
			option.Description = p.Payload
		}
	case "URL":
		if strings.Contains(b.URL, "{{1}}") && p.Text == "" {
			return lacks("text")
		}
		m.URL, m.URLText = strings.Replace(b.URL, "{{1}}", p.Text, 1), b.Text
		return nil
	case "COPY_CODE":
		if p.Coupon == "" {
			return lacks("coupon_code")
		}
		option.Kind, option.Title = "copy", b.Text+": "+p.Coupon
	case "FLOW":
		option.Kind, m.Token = "flow", "unused"
		if p.Action != nil && p.Action.Token != "" {
			m.Token = p.Action.Token
		}
	case "CATALOG":
		option.Kind, m.Items = "order", demoProducts("")
	case "REQUEST_CONTACT_INFO":
		option.Kind = "contact"
	default: // PHONE_NUMBER, VOICE_CALL
		option.Kind = "call"
	}
	m.Options = append(m.Options, option)
	return nil
}

// templateCards fills the cards of a carousel.
func (s *Simulator) templateCards(t template, given []component, m *Message) *graphError {
	if len(t.Cards) == 0 {
		return nil
	}
	if len(given) != 1 || len(given[0].Cards) != len(t.Cards) {
		return &graphError{Code: 132000, Details: fmt.Sprintf("carousel: the template has %d cards", len(t.Cards))}
	}
	offset := 0
	for i, card := range t.Cards {
		parts := map[string][]component{}
		for _, c := range given[0].Cards[i].Components {
			parts[strings.ToLower(c.Type)] = append(parts[strings.ToLower(c.Type)], c)
		}
		face := Message{Number: m.Number}
		picture := template{Header: "IMAGE"}
		words, bad := fill("carousel.body", card.Body, t.Named, values(parts["body"]))
		if bad = first(bad, s.templateHeader(picture, values(parts["header"]), &face), fillButtons(card.Buttons, parts["button"], offset, m)); bad != nil {
			return bad
		}
		offset += len(card.Buttons)
		m.Items = append(m.Items, Item{Title: words, Media: face.Media})
	}
	return nil
}
