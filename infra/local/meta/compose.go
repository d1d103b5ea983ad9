package meta

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// compose fills in type and face of a message and returns what the webhook has under the type's name.
func (s *Simulator) compose(m *Message, d Draft, f *file) (any, error) {
	if d.Forwarded != "" && d.Forwarded != "once" && d.Forwarded != "often" {
		return nil, errors.New("a message is forwarded once or often")
	}
	switch {
	case f != nil:
		m.Text = d.File.Caption
		return s.composeMedia(m, f, d.File.Voice)
	case d.Forward != "":
		return s.composeForward(m, d.Forward)
	case d.Option != "":
		return s.composeAnswer(m, d)
	case d.Place != nil:
		return composePlace(m, d.Place)
	case len(d.Cards) > 0:
		return composeCards(m, d.Cards)
	case d.Order != nil:
		return composeOrder(m, d.Order)
	case len(d.Fields) > 0:
		return s.composeForm(m, d.Fields)
	case d.Permission != "":
		return s.composePermission(m, d.Permission)
	case d.Unsupported != "":
		m.Type, m.Notice = "unsupported", "Something that the Cloud API does not carry: "+strings.ReplaceAll(d.Unsupported, "_", " ")
		return object{"type": d.Unsupported}, nil
	}
	return composeText(m, d.Text)
}

func composeText(m *Message, text string) (object, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("there is nothing to send")
	}
	if bad := limit("text", text, 1, 4096); bad != nil {
		return nil, errors.New("a message has at most 4,096 characters")
	}
	m.Type, m.Text = "text", text
	return object{"body": text}, nil
}

func composePlace(m *Message, p *Place) (object, error) {
	if p.Latitude < -90 || p.Latitude > 90 || p.Longitude < -180 || p.Longitude > 180 {
		return nil, errors.New("latitude is between -90 and 90, longitude between -180 and 180")
	}
	m.Type, m.Place = "location", p
	place := object{"latitude": p.Latitude, "longitude": p.Longitude}
	for name, value := range map[string]string{"name": p.Name, "address": p.Address} {
		if value != "" {
			place[name] = value
		}
	}
	return place, nil
}

// composeMedia makes a message of a file; its caption is the message's text.
func (s *Simulator) composeMedia(m *Message, f *file, voice bool) (object, error) {
	m.Type = kindFor(f.MIME)
	m.Media = &MediaFace{ID: f.ID, Kind: m.Type, MIME: f.MIME, Name: f.Name, Size: f.Size, Voice: voice}
	hash, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return nil, fmt.Errorf("read the hash of a file: %w", err)
	}
	media := object{"id": f.ID, "mime_type": f.MIME, "sha256": base64.StdEncoding.EncodeToString(hash), "url": s.mediaURL(f)}
	switch m.Type {
	case "audio":
		media["voice"] = voice
	case "sticker":
		media["animated"] = false
	case "document":
		media["filename"] = f.Name
	}
	if m.Text != "" && m.Type != "audio" && m.Type != "sticker" {
		media["caption"] = m.Text
	}
	return media, nil
}

// kindFor is the kind of message that carries a file of this type; a document carries what nothing else does.
func kindFor(mimeType string) string {
	for _, kind := range []string{"image", "video", "audio", "sticker"} {
		if mediaKinds[kind].takes(mimeType) {
			return kind
		}
	}
	return "document"
}

// composeForward sends the content of another message once more.
func (s *Simulator) composeForward(m *Message, id string) (any, error) {
	source := s.messages[id]
	if source == nil {
		return nil, errNoMessage
	}
	if m.Forwarded == "" {
		m.Forwarded = "once"
	}
	switch {
	case source.Media != nil:
		f := s.liveMedia(source.Media.ID)
		if f == nil {
			return nil, errors.New("the file is not there any more")
		}
		again, err := s.copyFile(f, m.Number)
		if err != nil {
			return nil, err
		}
		s.keepMedia(again)
		m.Text = source.Text
		return s.composeMedia(m, again, false)
	case source.Place != nil:
		return composePlace(m, source.Place)
	case len(source.Cards) > 0:
		return composeCards(m, source.Cards)
	}
	return composeText(m, source.Text)
}

// question finds what the business asked and the option chosen, and marks it as answered.
func (s *Simulator) question(m *Message, chosen func(Option) bool) (*Message, Option, error) {
	q := s.messages[m.ReplyTo]
	if q == nil || !q.Business || q.chat() != m.chat() {
		return nil, Option{}, errors.New("there is no such question")
	}
	at := slices.IndexFunc(q.Options, chosen)
	if at < 0 {
		return nil, Option{}, errors.New("there is no such answer")
	}
	q.Answered = q.Options[at].ID
	s.show(q)
	return q, q.Options[at], nil
}

// composeAnswer reports a choice the way the kind of the question wants it.
func (s *Simulator) composeAnswer(m *Message, d Draft) (object, error) {
	kinds := []string{"button", "list_reply", "button_reply"}
	_, o, err := s.question(m, func(o Option) bool { return o.ID == d.Option && slices.Contains(kinds, o.Kind) })
	if err != nil {
		return nil, err
	}
	m.Text = o.Title
	switch o.Kind {
	case "button":
		m.Type = "button"
		return object{"payload": o.Description, "text": o.Title}, nil
	case "list_reply":
		m.Type = "interactive"
		row := object{"id": o.ID, "title": o.Title}
		if o.Description != "" {
			row["description"] = o.Description
		}
		return object{"type": o.Kind, o.Kind: row}, nil
	}
	m.Type = "interactive"
	return object{"type": o.Kind, o.Kind: object{"id": o.ID, "title": o.Title}}, nil
}

// composeForm reports the answer to a Flow or to a question for an address. An object of fields gets the Flow's token.
func (s *Simulator) composeForm(m *Message, fields json.RawMessage) (object, error) {
	q, o, err := s.question(m, func(o Option) bool { return o.Kind == "flow" || o.Kind == "address" })
	if err != nil {
		return nil, err
	}
	var values map[string]any
	if json.Unmarshal(fields, &values) == nil && values != nil {
		if o.Kind == "flow" {
			values["flow_token"] = q.Token
		} else {
			values = object{"values": values, "saved_address_id": ""}
		}
		if fields, err = json.Marshal(values); err != nil {
			return nil, fmt.Errorf("encode the fields: %w", err)
		}
	}
	name := map[string]string{"flow": "flow", "address": "address_message"}[o.Kind]
	m.Type, m.Notice, m.Text = "interactive", "Form", formLines(fields)
	return object{"type": "nfm_reply", "nfm_reply": object{"name": name, "body": "Sent", "response_json": string(fields)}}, nil
}

// formLines writes the fields of a form one below the other.
func formLines(fields json.RawMessage) string {
	var values map[string]any
	if json.Unmarshal(fields, &values) != nil || values == nil {
		return string(fields)
	}
	delete(values, "flow_token")
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		lines = append(lines, fmt.Sprintf("%s: %v", name, values[name]))
	}
	return strings.Join(lines, "\n")
}

// permissionLife is how long a business may call with a permission that is not for ever.
const permissionLife = 7 * 24 * 60 * 60 // seconds

func (s *Simulator) composePermission(m *Message, answer string) (object, error) {
	if !slices.Contains([]string{"accept", "always", "reject"}, answer) {
		return nil, errors.New("a permission is answered with accept, always or reject")
	}
	if _, _, err := s.question(m, func(o Option) bool { return o.Kind == "permission" }); err != nil {
		return nil, err
	}
	m.Type, m.Text = "interactive", "You may call me"
	reply := object{"response": "accept", "response_source": "user_action"}
	switch answer {
	case "accept":
		reply["expiration_timestamp"] = m.At.Unix() + permissionLife
	case "always":
		reply["is_permanent"] = true
	case "reject":
		m.Text, reply["response"] = "Please do not call me", "reject"
	}
	return object{"type": "call_permission_reply", "call_permission_reply": reply}, nil
}

// unsupportedError is why a message has no content.
func unsupportedError(content object) object {
	if content["type"] == "unavailable" {
		return object{"code": 131060, "title": "This message is currently unavailable", "message": "This message is currently unavailable",
			"error_data": object{"details": "The message cannot be shown. Ask the person to send it once more."}}
	}
	return object{"code": 131051, "title": "Message type unknown", "message": "Message type unknown",
		"error_data": object{"details": "Message type is currently not supported."}}
}
