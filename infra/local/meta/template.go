package meta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// template is a message that Meta has approved.
type template struct {
	ID, Name, Language, Category string
	Header                       string // text, or "IMAGE" or "DOCUMENT"
	Body                         string
	Footer                       string
	Replies                      []string // quick replies
	Example                      []string // a value for each parameter of the body
	Named                        bool     // parameters have names instead of numbers
}

var placeholder = regexp.MustCompile(`\{\{([a-z0-9_]+)\}\}`)

// templates are the ones that the demo account has.
func templates() []template {
	return []template{
		{ID: "400000000000001", Name: "hello_world", Language: "en_US", Category: "UTILITY", Header: "Hello world",
			Body: "Welcome. This message was sent with a template.", Footer: "Local demo"},
		{ID: "400000000000002", Name: "order_update", Language: "en_US", Category: "UTILITY",
			Body:    "Hi {{1}}, your order {{2}} is on its way. It should arrive {{3}}.",
			Replies: []string{"Where is it?", "Thank you"}, Example: []string{"there", "1042", "tomorrow"}},
		{ID: "400000000000003", Name: "order_update", Language: "es", Category: "UTILITY",
			Body:    "Hola {{1}}, tu pedido {{2}} está en camino. Llegará {{3}}.",
			Replies: []string{"¿Dónde está?", "Gracias"}, Example: []string{"cliente", "1042", "mañana"}},
		{ID: "400000000000004", Name: "appointment_reminder", Language: "en_US", Category: "UTILITY", Named: true,
			Body:    "A reminder of your appointment on {{day}} at {{time}}.",
			Replies: []string{"I'll be there", "Another day"}, Example: []string{"Monday", "10:30"}},
		{ID: "400000000000005", Name: "summer_offer", Language: "en_US", Category: "MARKETING", Header: "IMAGE",
			Body:   "Summer is here, {{1}}: 20 % off garden chairs until Sunday.",
			Footer: "Reply STOP to hear no more offers", Replies: []string{"Show me", "Stop offers"},
			Example: []string{"there"}},
		{ID: "400000000000006", Name: "invoice", Language: "en_US", Category: "UTILITY", Header: "DOCUMENT",
			Body: "Your invoice {{1}} is attached.", Example: []string{"2026-17"}},
		{ID: "400000000000007", Name: "login_code", Language: "en_US", Category: "AUTHENTICATION",
			Body: "{{1}} is your code. Do not share it.", Example: []string{"123456"}},
	}
}

// listTemplates answers GET /{account}/message_templates with ?name=, ?limit= and ?after=.
// https://developers.facebook.com/docs/graph-api/reference/whats-app-business-account/message_templates
func (s *Simulator) listTemplates(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); node != AccountID {
		return unknownObject(node)
	}
	query := r.URL.Query()
	var all []object
	for _, t := range templates() {
		if name := query.Get("name"); name == "" || strings.Contains(t.Name, name) {
			all = append(all, t.describe())
		}
	}
	from, _ := strconv.Atoi(query.Get("after"))
	size, err := strconv.Atoi(query.Get("limit"))
	if err != nil || size < 1 {
		size = 25
	}
	from = min(max(from, 0), len(all))
	end := min(from+size, len(all))
	paging := object{"cursors": object{"before": strconv.Itoa(from), "after": strconv.Itoa(end)}}
	if end < len(all) {
		query.Set("after", strconv.Itoa(end))
		paging["next"] = s.opts.BaseURL + r.URL.Path + "?" + query.Encode()
	}
	answer(w, http.StatusOK, object{"data": append([]object{}, all[from:end]...), "paging": paging})
	return nil
}

func (t template) describe() object {
	var components []object
	switch t.Header {
	case "":
	case "IMAGE", "DOCUMENT":
		components = append(components, object{"type": "HEADER", "format": t.Header})
	default:
		components = append(components, object{"type": "HEADER", "format": "TEXT", "text": t.Header})
	}
	body := object{"type": "BODY", "text": t.Body}
	if t.Named {
		var named []object
		for i, name := range t.parameters() {
			named = append(named, object{"param_name": name, "example": t.Example[i]})
		}
		body["example"] = object{"body_text_named_params": named}
	} else if len(t.Example) > 0 {
		body["example"] = object{"body_text": [][]string{t.Example}}
	}
	components = append(components, body)
	if t.Footer != "" {
		components = append(components, object{"type": "FOOTER", "text": t.Footer})
	}
	if len(t.Replies) > 0 {
		var buttons []object
		for _, text := range t.Replies {
			buttons = append(buttons, object{"type": "QUICK_REPLY", "text": text})
		}
		components = append(components, object{"type": "BUTTONS", "buttons": buttons})
	}
	format := "POSITIONAL"
	if t.Named {
		format = "NAMED"
	}
	return object{"id": t.ID, "name": t.Name, "language": t.Language, "category": t.Category, "status": "APPROVED",
		"parameter_format": format, "components": components}
}

// parameters lists what stands between double braces in the body.
func (t template) parameters() []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(t.Body, -1) {
		names = append(names, match[1])
	}
	return names
}

// templateRequest is the template object of a send.
type templateRequest struct {
	Name       string
	Language   struct{ Code string }
	Components []struct {
		Type       string
		SubType    string          `json:"sub_type"`
		Index      json.RawMessage // "0" or 0
		Parameters []parameter
	}
}

type parameter struct {
	Type                   string
	Name                   string `json:"parameter_name"`
	Text, Payload          string
	Image, Video, Document json.RawMessage
}

func (s *Simulator) checkTemplate(raw json.RawMessage, m *Message) *graphError {
	var q templateRequest
	if bad := decode(raw, "template", &q); bad != nil {
		return bad
	}
	if q.Name == "" || q.Language.Code == "" {
		return missing("template.name and template.language.code")
	}
	all := templates()
	at := slices.IndexFunc(all, func(t template) bool { return t.Name == q.Name && t.Language == q.Language.Code })
	if at < 0 {
		return &graphError{Code: 132001, Details: "template name (" + q.Name + ") does not exist in " + q.Language.Code}
	}
	t := all[at]
	m.Category, m.Footer = strings.ToLower(t.Category), t.Footer
	for i, title := range t.Replies {
		m.Options = append(m.Options, Option{ID: fmt.Sprint(i), Title: title, Description: title, Kind: "button"})
	}
	var header, body []parameter
	for _, c := range q.Components {
		switch strings.ToLower(c.Type) {
		case "header":
			header = c.Parameters
		case "body":
			body = c.Parameters
		case "button":
			index, err := strconv.Atoi(strings.Trim(string(c.Index), `"`))
			if err != nil || c.SubType == "quick_reply" && (index < 0 || index >= len(t.Replies)) {
				return &graphError{Code: 132012, Details: "button index does not exist in the template"}
			}
			if c.SubType == "quick_reply" && len(c.Parameters) == 1 {
				m.Options[index].Description = c.Parameters[0].Payload
			}
		default:
			return badParam("template.components.type must be one of {HEADER, BODY, BUTTON}")
		}
	}
	return first(s.templateHeader(t, header, m), t.fill(body, m))
}

// fill puts the values into the body.
func (t template) fill(values []parameter, m *Message) *graphError {
	names := t.parameters()
	if len(values) != len(names) {
		return &graphError{Code: 132000, Details: fmt.Sprintf("body: number of localizable_params (%d) does not match "+
			"the expected number of params (%d)", len(values), len(names))}
	}
	pairs := make([]string, 0, 2*len(names))
	for i, name := range names {
		if t.Named {
			i = slices.IndexFunc(values, func(p parameter) bool { return p.Name == name })
		}
		if i < 0 || values[i].Type != "text" || strings.ContainsAny(values[i].Text, "\n\t") {
			return &graphError{Code: 132012, Details: "body: parameter " + name + " must be a text of one line"}
		}
		pairs = append(pairs, "{{"+name+"}}", values[i].Text)
	}
	m.Text = strings.NewReplacer(pairs...).Replace(t.Body)
	return nil
}

func (s *Simulator) templateHeader(t template, values []parameter, m *Message) *graphError {
	kind := strings.ToLower(t.Header)
	if kind != "image" && kind != "document" {
		m.Header = t.Header
		if len(values) > 0 {
			return &graphError{Code: 132000, Details: "header: the template takes no parameter there"}
		}
		return nil
	}
	if len(values) != 1 || values[0].Type != kind {
		return &graphError{Code: 132012, Details: "header: Format mismatch, expected " + t.Header}
	}
	raw := values[0].Image
	if kind == "document" {
		raw = values[0].Document
	}
	if raw == nil {
		return missing("header." + kind)
	}
	return s.checkHeaderFile(kind, raw, m)
}
