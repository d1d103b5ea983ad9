package handler

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What a request may ask to send: exactly one of these.

type template struct {
	Name       string          `json:"name"`
	Language   string          `json:"language"`
	Components json.RawMessage `json:"components,omitempty"`
}

type media struct {
	Type     string `json:"type"`
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
	Voice    bool   `json:"voice,omitempty"`
}

// location is a place. One that was forgotten isn't the one at 0, 0.
type location struct {
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
	Name      string   `json:"name,omitempty"`
	Address   string   `json:"address,omitempty"`
}

// reaction is an emoji on a message, or an empty text that takes it back. It has to be said which.
type reaction struct {
	Message string  `json:"message_id"` // ours or WhatsApp's
	Emoji   *string `json:"emoji"`
}

// part is one of the things that a request may hold.
type part struct {
	field string
	there bool
	into  func(*chat.Message, *whatsapp.Outgoing) error
}

func (r *request) parts() []part {
	return []part{
		{"text", r.Text != "", r.text},
		{"template", r.Template != nil, r.Template.into},
		{"media", r.Media != nil, r.Media.into},
		{"interactive", r.Interactive != nil, r.interactive},
		{"location", r.Location != nil, r.Location.into},
		{"contacts", r.Contacts != nil, r.contacts},
		{"reaction", r.Reaction != nil, r.Reaction.into},
	}
}

// content puts the one thing that is to be sent into the message, if Meta would take it.
func (r *request) content(m *chat.Message) error {
	var given, all []string
	var one part
	for _, p := range r.parts() {
		if all = append(all, p.field); p.there {
			given, one = append(given, p.field), p
		}
	}
	if len(given) != 1 {
		return chat.E(chat.Invalid, "give exactly one of "+strings.Join(all, ", "), nil)
	}
	if r.PreviewURL && r.Text == "" {
		return invalid("preview_url", "it goes with a text")
	}
	if r.Reaction != nil && r.ReplyTo != "" {
		return invalid("reply_to", "a reaction names its message in reaction.message_id")
	}
	out := whatsapp.Outgoing{To: "10000"} // whom it is for is checked elsewhere
	if err := one.into(m, &out); err != nil {
		return err
	}
	if err := out.Check(); err != nil {
		return malformed(one.field, m.Kind, err)
	}
	return nil
}

// malformed says what of a message breaks Meta's rules, and where in the request that stands. What is wrong with a place
// begins with it, in Meta's message.
func malformed(field string, kind chat.Kind, err error) error {
	what := strings.TrimPrefix(err.Error(), whatsapp.ErrInvalid.Error()+": ")
	for _, place := range [][2]string{ // there, in the request
		{"text.body:", "text:"},
		{string(kind) + ".caption:", "media.caption:"},
		{"template.language.code:", "template.language:"},
		{"components", "template.components"},
	} {
		if rest, ok := strings.CutPrefix(what, place[0]); ok {
			what = place[1] + rest
			break
		}
	}
	for _, behind := range []string{".", "[", ":"} {
		if strings.HasPrefix(what, field+behind) {
			return chat.E(chat.Invalid, what, nil)
		}
	}
	return invalid(field, what)
}

// maxWords is how much is kept of what a message says in words, in bytes: the queue takes it beside the content itself.
const maxWords = 12 << 10

// words shortens what a message says in words.
func words(s string) string {
	const more = "…"
	if len(s) <= maxWords {
		return s
	}
	n := maxWords - len(more)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + more
}

func (r *request) text(m *chat.Message, out *whatsapp.Outgoing) error {
	m.Kind, m.Text = chat.KindText, r.Text
	out.Text = &whatsapp.OutText{Body: r.Text, PreviewURL: r.PreviewURL}
	if r.PreviewURL {
		m.Content = encode(map[string]bool{"preview_url": true})
	}
	return nil
}

// into leaves out what the template says, which only the template can tell.
func (t *template) into(m *chat.Message, out *whatsapp.Outgoing) error {
	m.Kind, m.Content = chat.KindTemplate, encode(t)
	out.Template = &whatsapp.Template{Name: t.Name, Language: t.Language, Components: t.Components}
	return nil
}

func (f *media) into(m *chat.Message, out *whatsapp.Outgoing) error {
	m.Kind, m.Text = chat.Kind(f.Type), f.Caption
	m.Attachment = &chat.Attachment{State: chat.Remote, MediaID: f.ID, Link: f.Link, Name: f.Filename, Voice: f.Voice}
	file := &whatsapp.OutMedia{ID: f.ID, Link: f.Link, Caption: f.Caption, Filename: f.Filename, Voice: f.Voice}
	if !out.Attach(f.Type, file) {
		return invalid("media.type", "use image, video, audio, document or sticker")
	}
	return nil
}

func (r *request) interactive(m *chat.Message, out *whatsapp.Outgoing) error {
	m.Kind, m.Content, out.Interactive = chat.KindInteractive, r.Interactive, r.Interactive
	m.Text = words(out.Words())
	return nil
}

func (l *location) into(m *chat.Message, out *whatsapp.Outgoing) error {
	if l.Latitude == nil || l.Longitude == nil {
		return invalid("location", "use latitude and longitude in degrees, and optionally name and address")
	}
	m.Kind, m.Content = chat.KindLocation, encode(l)
	out.Location = &whatsapp.OutLocation{Latitude: *l.Latitude, Longitude: *l.Longitude, Name: l.Name, Address: l.Address}
	m.Text = words(out.Words())
	return nil
}

func (r *request) contacts(m *chat.Message, out *whatsapp.Outgoing) error {
	m.Kind, m.Content, out.Contacts = chat.KindContacts, encode(r.Contacts), r.Contacts
	m.Text = words(out.Words())
	return nil
}

// maxEmoji is how long an emoji may be, in characters: a family whose members have colours has eleven.
const maxEmoji = 32

func (e *reaction) into(m *chat.Message, out *whatsapp.Outgoing) error {
	switch {
	case e.Emoji == nil:
		return invalid("reaction.emoji", "use an emoji, or an empty text to take it back")
	case utf8.RuneCountInString(*e.Emoji) > maxEmoji:
		return invalid("reaction.emoji", "use one emoji")
	case e.Message == "" || len(e.Message) > store.MaxProviderID:
		return invalid("reaction.message_id", "use the id or the provider_id of a message")
	}
	m.Kind, m.Text, m.ReplyTo = chat.KindReaction, *e.Emoji, e.Message
	out.Reaction = &whatsapp.OutReaction{MessageID: e.Message, Emoji: *e.Emoji}
	return nil
}
