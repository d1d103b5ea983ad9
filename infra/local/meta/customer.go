package meta

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
)

// Draft is what a customer is about to send: exactly one of Text, File, Place and Option.
type Draft struct {
	Number  string // the business number; empty: the first
	Text    string
	File    *Upload
	Place   *Place
	ReplyTo string // the business' message that this answers
	Option  string // of ReplyTo, the id of the option chosen
}

// Upload is a file that a customer sends.
type Upload struct {
	Name    string
	MIME    string // decides whether it is sent as image, video, audio, sticker or document
	Caption string
	Voice   bool // recorded in the chat, not picked from a folder
	Body    io.Reader
}

// Write sends a message of a customer: Meta has it when Write returns, the webhook follows. It returns the message's
// id. The error says what is wrong in words for the page.
func (s *Simulator) Write(customer string, d Draft) (string, error) {
	if d.Number == "" {
		d.Number = s.opts.Numbers[0]
	}
	if !s.isNumber(d.Number) {
		return "", errors.New("there is no such business number")
	}
	var stored *file
	if d.File != nil {
		f, err := s.receiveFile(d)
		if err != nil {
			return "", err
		}
		stored = f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return "", errors.New("there is no such customer")
	}
	m := &Message{ID: newWAMID(), Number: d.Number, Customer: c.ID, At: s.opts.Now(), ReplyTo: d.ReplyTo, Status: "accepted"}
	item, err := s.compose(m, d, stored)
	if err != nil {
		return "", err
	}
	if stored != nil {
		s.keepMedia(stored)
	}
	c.Heard[d.Number] = m.At
	c.Unseen = false
	s.keep(m)
	s.post(&update{Number: m.Number, Customer: c.ID, Kind: "messages", ID: m.ID, Contact: c.contact(true),
		Item: s.inbound(c, m, item)})
	return m.ID, nil
}

// receiveFile stores what a customer sends, which may be of any type.
func (s *Simulator) receiveFile(d Draft) (*file, error) {
	base, params, err := mime.ParseMediaType(d.File.MIME)
	if err != nil {
		base, params = "application/octet-stream", nil
	}
	if base == "application/ogg" {
		base = "audio/ogg"
	}
	if d.File.Voice && base == "audio/ogg" {
		params = map[string]string{"codecs": "opus"}
	}
	f, err := s.store(d.File.Body, largestMedia)
	if err != nil {
		return nil, errors.New("the file cannot be read or is larger than 100 MB")
	}
	f.MIME, f.Name, f.Number, f.Inbound = mime.FormatMediaType(base, params), d.File.Name, d.Number, true
	return f, nil
}

// compose fills in type and face of a message and returns the object that the webhook has under the type's name.
func (s *Simulator) compose(m *Message, d Draft, f *file) (object, error) {
	switch {
	case f != nil:
		return s.composeMedia(m, d, f)
	case d.Option != "":
		return s.composeAnswer(m, d)
	case d.Place != nil:
		if d.Place.Latitude < -90 || d.Place.Latitude > 90 || d.Place.Longitude < -180 || d.Place.Longitude > 180 {
			return nil, errors.New("latitude is between -90 and 90, longitude between -180 and 180")
		}
		m.Type, m.Place = "location", d.Place
		place := object{"latitude": d.Place.Latitude, "longitude": d.Place.Longitude}
		for name, value := range map[string]string{"name": d.Place.Name, "address": d.Place.Address} {
			if value != "" {
				place[name] = value
			}
		}
		return place, nil
	}
	if strings.TrimSpace(d.Text) == "" {
		return nil, errors.New("there is nothing to send")
	}
	if bad := limit("text", d.Text, 1, 4096); bad != nil {
		return nil, errors.New("a message has at most 4,096 characters")
	}
	m.Type, m.Text = "text", d.Text
	return object{"body": d.Text}, nil
}

func (s *Simulator) composeMedia(m *Message, d Draft, f *file) (object, error) {
	m.Type = kindFor(f.MIME)
	m.Text = d.File.Caption
	m.Media = &MediaFace{ID: f.ID, Kind: m.Type, MIME: f.MIME, Name: f.Name, Size: f.Size, Voice: d.File.Voice}
	hash, err := hex.DecodeString(f.SHA256)
	if err != nil {
		return nil, fmt.Errorf("read the hash of a file: %w", err)
	}
	media := object{"id": f.ID, "mime_type": f.MIME, "sha256": base64.StdEncoding.EncodeToString(hash), "url": s.mediaURL(f)}
	switch m.Type {
	case "audio":
		media["voice"] = d.File.Voice
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

// composeAnswer reports a choice the way the kind of the question wants it.
func (s *Simulator) composeAnswer(m *Message, d Draft) (object, error) {
	question := s.messages[d.ReplyTo]
	if question == nil || !question.Business || question.Customer != m.Customer {
		return nil, errors.New("there is no such question")
	}
	at := slices.IndexFunc(question.Options, func(o Option) bool { return o.ID == d.Option })
	if at < 0 {
		return nil, errors.New("there is no such answer")
	}
	o := question.Options[at]
	m.Text = o.Title
	question.Answered = o.ID
	s.show(question)
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
	case "button_reply":
		m.Type = "interactive"
		return object{"type": o.Kind, o.Kind: object{"id": o.ID, "title": o.Title}}, nil
	}
	return nil, errors.New("this question is answered with a location")
}

// inbound is the message object of a webhook.
func (s *Simulator) inbound(c *Customer, m *Message, content object) object {
	item := object{"from_user_id": c.BSUID, "id": m.ID, "timestamp": strconv.FormatInt(m.At.Unix(), 10),
		"type": m.Type, m.Type: content}
	if c.Phone != "" {
		item["from"] = c.Phone
	}
	if m.ReplyTo != "" {
		item["context"] = object{"from": s.displayNumber(m.Number), "id": m.ReplyTo}
	}
	return item
}

// WriteText is Write for the commonest case.
func (s *Simulator) WriteText(customer, text string) (string, error) {
	return s.Write(customer, Draft{Text: text})
}

// WriteFile is Write for bytes at hand.
func (s *Simulator) WriteFile(customer, name, mimeType string, content []byte) (string, error) {
	return s.Write(customer, Draft{File: &Upload{Name: name, MIME: mimeType, Body: bytes.NewReader(content)}})
}
