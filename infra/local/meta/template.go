package meta

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// template is a message that Meta has approved.
type template struct {
	ID, Name, Language, Category string
	Header                       string // text, or a format: IMAGE, VIDEO, DOCUMENT or LOCATION
	Body                         string
	Footer                       string
	Buttons                      []templateButton
	Cards                        []templateCard // of a carousel
	Example                      []string       // a value for each parameter of the body
	Named                        bool           // parameters have names instead of numbers
}

// templateButton is a button below a template; which fields matter depends on the type.
type templateButton struct {
	Type string // QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, FLOW, CATALOG, REQUEST_CONTACT_INFO or VOICE_CALL
	Text string
	URL  string // may end in {{1}}
}

// templateCard is a card of a carousel: a picture, a text and buttons.
type templateCard struct {
	Body    string
	Buttons []templateButton
}

// replies are quick replies.
func replies(titles ...string) []templateButton {
	var list []templateButton
	for _, title := range titles {
		list = append(list, templateButton{Type: "QUICK_REPLY", Text: title})
	}
	return list
}

var placeholder = regexp.MustCompile(`\{\{([a-z0-9_]+)\}\}`)

// templates are the ones that the demo account has.
func templates() []template {
	return []template{
		{ID: "400000000000001", Name: "hello_world", Language: "en_US", Category: "UTILITY", Header: "Hello world",
			Body: "Welcome. This message was sent with a template.", Footer: "Local demo"},
		{ID: "400000000000002", Name: "order_update", Language: "en_US", Category: "UTILITY",
			Body:    "Hi {{1}}, your order {{2}} is on its way. It should arrive {{3}}.",
			Buttons: replies("Where is it?", "Thank you"), Example: []string{"there", "1042", "tomorrow"}},
		{ID: "400000000000003", Name: "order_update", Language: "es", Category: "UTILITY",
			Body:    "Hola {{1}}, tu pedido {{2}} está en camino. Llegará {{3}}.",
			Buttons: replies("¿Dónde está?", "Gracias"), Example: []string{"cliente", "1042", "mañana"}},
		{ID: "400000000000004", Name: "appointment_reminder", Language: "en_US", Category: "UTILITY", Named: true,
			Body:    "A reminder of your appointment on {{day}} at {{time}}.",
			Buttons: replies("I'll be there", "Another day"), Example: []string{"Monday", "10:30"}},
		{ID: "400000000000005", Name: "summer_offer", Language: "en_US", Category: "MARKETING", Header: "IMAGE",
			Body:   "Summer is here, {{1}}: 20 % off garden chairs until Sunday.",
			Footer: "Reply STOP to hear no more offers", Buttons: replies("Show me", "Stop offers"),
			Example: []string{"there"}},
		{ID: "400000000000006", Name: "invoice", Language: "en_US", Category: "UTILITY", Header: "DOCUMENT",
			Body: "Your invoice {{1}} is attached.", Example: []string{"2026-17"}},
		{ID: "400000000000008", Name: "delivery_slot", Language: "en_US", Category: "UTILITY", Header: "Order {{1}}",
			Body: "Your parcel comes between {{1}} and {{2}}.", Example: []string{"9:00", "11:00"},
			Buttons: []templateButton{{Type: "URL", Text: "Follow it", URL: "https://example.com/parcels/{{1}}"},
				{Type: "PHONE_NUMBER", Text: "Call the driver"}}},
		{ID: "400000000000009", Name: "coupon", Language: "en_US", Category: "MARKETING", Body: "10 % off everything this week.",
			Buttons: []templateButton{{Type: "COPY_CODE", Text: "Copy the code"}}},
		{ID: "400000000000010", Name: "feedback", Language: "en_US", Category: "UTILITY", Body: "How did we do, {{1}}?",
			Buttons: []templateButton{{Type: "FLOW", Text: "Tell us"}}, Example: []string{"there"}},
		{ID: "400000000000011", Name: "catalogue", Language: "en_US", Category: "MARKETING", Body: "Everything for the garden.",
			Buttons: []templateButton{{Type: "CATALOG", Text: "Look at it"}}},
		{ID: "400000000000012", Name: "our_shop", Language: "en_US", Category: "UTILITY", Header: "LOCATION",
			Body: "This is where to find us."},
		{ID: "400000000000013", Name: "garden_film", Language: "en_US", Category: "MARKETING", Header: "VIDEO",
			Body: "The garden in a minute."},
		{ID: "400000000000014", Name: "two_chairs", Language: "en_US", Category: "MARKETING", Body: "Two chairs for {{1}}.",
			Example: []string{"you"}, Cards: []templateCard{
				{Body: "The green one, {{1}}", Buttons: replies("Green, please")},
				{Body: "The oak one, {{1}}", Buttons: replies("Oak, please")}}},
		{ID: "400000000000015", Name: "who_are_you", Language: "en_US", Category: "UTILITY", Body: "How may we reach you?",
			Buttons: []templateButton{{Type: "REQUEST_CONTACT_INFO", Text: "Share my contact"}}},
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
	s.mu.Lock()
	for _, t := range templates() {
		state := s.templateState(t)
		status, category := query.Get("status"), query.Get("category")
		if strings.Contains(t.Name, query.Get("name")) && (status == "" || status == state.Status) && (category == "" || category == state.Category) {
			all = append(all, t.describe(state))
		}
	}
	s.mu.Unlock()
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

// describe is a template as the Graph API lists it.
func (t template) describe(state TemplateState) object {
	var components []object
	switch {
	case t.Header == "":
	case t.format() != "TEXT":
		components = append(components, object{"type": "HEADER", "format": t.Header})
	default:
		header := object{"type": "HEADER", "format": "TEXT", "text": t.Header}
		if len(parameters(t.Header)) > 0 {
			header["example"] = object{"header_text": []string{"1042"}}
		}
		components = append(components, header)
	}
	body := object{"type": "BODY", "text": t.Body}
	if t.Named {
		var named []object
		for i, name := range parameters(t.Body) {
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
	if len(t.Buttons) > 0 {
		components = append(components, describeButtons(t.Buttons))
	}
	if len(t.Cards) > 0 {
		var cards []object
		for _, card := range t.Cards {
			cards = append(cards, object{"components": []object{{"type": "HEADER", "format": "IMAGE"},
				{"type": "BODY", "text": card.Body}, describeButtons(card.Buttons)}})
		}
		components = append(components, object{"type": "CAROUSEL", "cards": cards})
	}
	format := "POSITIONAL"
	if t.Named {
		format = "NAMED"
	}
	return object{"id": t.ID, "name": t.Name, "language": t.Language, "category": state.Category, "status": state.Status,
		"quality_score": object{"score": state.Quality, "date": 1767225600}, "parameter_format": format, "components": components}
}

func describeButtons(buttons []templateButton) object {
	var list []object
	for _, b := range buttons {
		button := object{"type": b.Type, "text": b.Text}
		switch b.Type {
		case "URL":
			button["url"], button["example"] = b.URL, []string{strings.Replace(b.URL, "{{1}}", "A17", 1)}
		case "PHONE_NUMBER":
			button["phone_number"] = "+15550100001"
		case "COPY_CODE":
			button["example"] = []string{"GARDEN10"}
		case "FLOW":
			button["flow_id"], button["flow_action"] = 700000000000001, "NAVIGATE"
		}
		list = append(list, button)
	}
	return object{"type": "BUTTONS", "buttons": list}
}

// format is what the header holds.
func (t template) format() string {
	switch t.Header {
	case "IMAGE", "VIDEO", "DOCUMENT", "LOCATION":
		return t.Header
	}
	return "TEXT"
}

// parameters lists what stands between double braces.
func parameters(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}
