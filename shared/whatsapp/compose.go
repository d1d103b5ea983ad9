package whatsapp

import "encoding/json"

// The functions that write interactive messages return one of four types,
// which differ in what may be added. Each has a method JSON, whose result is
// for [Outgoing.Interactive]; Outgoing.Check knows the limits of all of them.
type (
	// Prompt is complete as it is.
	Prompt struct{ prompt }
	// FootedPrompt may have a footer.
	FootedPrompt struct{ prompt }
	// TitledPrompt may have a footer and a header of text.
	TitledPrompt struct{ prompt }
	// HeadedPrompt may have a footer and any header.
	HeadedPrompt struct{ prompt }
)

// WithFooter puts small grey text below, at most 60 characters.
func (p FootedPrompt) WithFooter(text string) FootedPrompt {
	p.Footer = paragraph(text)
	return p
}

// WithFooter puts small grey text below, at most 60 characters.
func (p TitledPrompt) WithFooter(text string) TitledPrompt {
	p.Footer = paragraph(text)
	return p
}

// WithHeader puts a title above, at most 60 characters.
func (p TitledPrompt) WithHeader(text string) TitledPrompt {
	h := TextHeader(text)
	p.Header = &h
	return p
}

// WithFooter puts small grey text below, at most 60 characters.
func (p HeadedPrompt) WithFooter(text string) HeadedPrompt {
	p.Footer = paragraph(text)
	return p
}

// WithHeader puts a title or file above.
func (p HeadedPrompt) WithHeader(h Header) HeadedPrompt {
	p.Header = &h
	return p
}

// prompt is an interactive object as Meta writes it.
type prompt struct {
	Type   string      `json:"type"`
	Header *Header     `json:"header,omitempty"`
	Body   *promptText `json:"body,omitempty"`
	Footer *promptText `json:"footer,omitempty"`
	Action any         `json:"action"`
}

type promptText struct {
	Text string `json:"text"`
}

func paragraph(text string) *promptText { return &promptText{text} }

// action is what most types of prompt ask for: its name and parameters.
type action struct {
	Name       string `json:"name"`
	Parameters any    `json:"parameters,omitempty"`
}

// JSON is the interactive object, for [Outgoing.Interactive]. Where the caller
// put in what isn't JSON, such as a function in a form's data, it is null,
// which Outgoing.Check refuses.
func (p prompt) JSON() json.RawMessage { return encode(p) }

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return raw
}

// Header is what an interactive message has above its text; make one with
// [TextHeader], [ImageHeader], [VideoHeader] or [DocumentHeader].
type Header struct {
	Type     string    `json:"type"`
	Text     string    `json:"text,omitempty"`
	Image    *OutMedia `json:"image,omitempty"`
	Video    *OutMedia `json:"video,omitempty"`
	Document *OutMedia `json:"document,omitempty"`
}

// TextHeader is a title of at most 60 characters.
func TextHeader(text string) Header { return Header{Type: "text", Text: text} }

// ImageHeader is a picture, by id or link.
func ImageHeader(f OutMedia) Header { return Header{Type: "image", Image: &f} }

// VideoHeader is a film, by id or link.
func VideoHeader(f OutMedia) Header { return Header{Type: "video", Video: &f} }

// DocumentHeader is a document, by id or link.
func DocumentHeader(f OutMedia) Header { return Header{Type: "document", Document: &f} }

// ReplyButton is a button that answers with its id; make one with [QuickReply].
type ReplyButton struct {
	id, title string
}

// QuickReply is a button. The id, at most 256 characters, comes back when it is
// pressed; the title, at most 20, is on it. Both differ from those of the
// message's other buttons.
func QuickReply(id, title string) ReplyButton { return ReplyButton{id, title} }

// as writes the buttons under the name that they have in this place.
func as(kind string, buttons []ReplyButton) []any {
	all := make([]any, len(buttons))
	for i, b := range buttons {
		all[i] = map[string]any{"type": kind, kind: map[string]string{"id": b.id, "title": b.title}}
	}
	return all
}

// Buttons asks with a text of at most 1024 characters and one to three buttons.
func Buttons(body string, buttons ...ReplyButton) HeadedPrompt {
	return HeadedPrompt{prompt{Type: "button", Body: paragraph(body), Action: map[string]any{"buttons": as("reply", buttons)}}}
}

// ListSection is a group of rows; make one with [Section].
type ListSection struct {
	Title string    `json:"title,omitempty"` // at most 24 characters; an only section may go without
	Rows  []ListRow `json:"rows"`
}

// ListRow is a line of a list. Its id comes back when it is chosen.
type ListRow struct {
	ID          string `json:"id"`                    // at most 200 characters, unique in the list
	Title       string `json:"title"`                 // at most 24 characters
	Description string `json:"description,omitempty"` // at most 72 characters
}

// Section is a group of rows of a list.
func Section(title string, rows ...ListRow) ListSection { return ListSection{title, rows} }

// List asks with a text of at most 4096 characters and a button of at most 20,
// which opens up to 10 rows in up to 10 sections.
func List(body, button string, sections ...ListSection) TitledPrompt {
	return TitledPrompt{prompt{Type: "list", Body: paragraph(body), Action: map[string]any{"button": button, "sections": sections}}}
}

// LinkButton shows a text of at most 1024 characters and a button, its label
// at most 20, that opens an http or https address.
func LinkButton(body, label, url string) HeadedPrompt {
	return HeadedPrompt{prompt{Type: "cta_url", Body: paragraph(body), Action: linkAction(label, url)}}
}

func linkAction(label, url string) action {
	return action{"cta_url", map[string]string{"display_text": label, "url": url}}
}

// LocationRequest asks for the customer's place.
func LocationRequest(body string) Prompt {
	return Prompt{prompt{Type: "location_request_message", Body: paragraph(body), Action: action{Name: "send_location"}}}
}

// ContactRequest asks for the customer's phone number, as is needed of one who
// is known by a BSUID only. The answer is a visiting card.
func ContactRequest(body string) Prompt {
	return Prompt{prompt{Type: "request_contact_info", Body: paragraph(body), Action: action{Name: "request_contact_info"}}}
}

// CallPermission asks whether the business may call. The text may be empty.
func CallPermission(body string) Prompt {
	p := prompt{Type: "call_permission_request", Action: action{Name: "call_permission_request"}}
	if body != "" {
		p.Body = paragraph(body)
	}
	return Prompt{p}
}
