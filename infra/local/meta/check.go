package meta

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// checkContent checks the part of a request that belongs to its type, and fills in how the message looks.
func (s *Simulator) checkContent(q *sendRequest, m *Message) *graphError {
	checks := map[string]func(json.RawMessage, *Message) *graphError{
		"text":        checkText,
		"location":    checkLocation,
		"contacts":    checkContacts,
		"reaction":    s.checkReaction,
		"interactive": s.checkInteractive,
		"template":    s.checkTemplate,
		"pin":         s.checkPin,
	}
	check, ok := checks[q.Type]
	switch {
	case mediaKinds[q.Type].size > 0:
		check = s.checkMedia
	case !ok:
		return badParam("Param type must be one of {AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, " +
			"PIN, REACTION, STICKER, TEMPLATE, TEXT, VIDEO}")
	}
	if len(q.content) == 0 || q.content[0] != '{' && q.Type != "contacts" {
		return missing(q.Type)
	}
	return check(q.content, m)
}

// decode reads the object of a type.
func decode(raw json.RawMessage, kind string, v any) *graphError {
	if err := json.Unmarshal(raw, v); err != nil {
		return badParam("Param %s is not of the documented shape", kind)
	}
	return nil
}

// limit checks the length of a text in characters.
func limit(param, text string, least, most int) *graphError {
	switch n := utf8.RuneCountInString(text); {
	case n < least && n == 0:
		return missing(param)
	case n < least || n > most:
		return badValue("%s length invalid. Min length: %d, Max length: %d", param, least, most)
	}
	return nil
}

// first returns the first error there is.
func first(errs ...*graphError) *graphError {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkText(raw json.RawMessage, m *Message) *graphError {
	var text struct {
		Body string `json:"body"`
	}
	if bad := decode(raw, "text", &text); bad != nil {
		return bad
	}
	m.Text = text.Body
	return limit("text.body", text.Body, 1, 4096)
}

func checkLocation(raw json.RawMessage, m *Message) *graphError {
	var at struct {
		Latitude, Longitude *json.Number
		Name, Address       string
	}
	if bad := decode(raw, "location", &at); bad != nil {
		return bad
	}
	if at.Latitude == nil || at.Longitude == nil {
		return missing("location.latitude and location.longitude")
	}
	latitude, err1 := at.Latitude.Float64()
	longitude, err2 := at.Longitude.Float64()
	if err1 != nil || err2 != nil || latitude < -90 || latitude > 90 || longitude < -180 || longitude > 180 {
		return badValue("location.latitude is -90 to 90, location.longitude -180 to 180")
	}
	m.Place = &Place{Latitude: latitude, Longitude: longitude, Name: at.Name, Address: at.Address}
	return nil
}

// checkReaction also puts the emoji on the message that it is for; an empty one takes it away.
func (s *Simulator) checkReaction(raw json.RawMessage, m *Message) *graphError {
	var reaction struct {
		MessageID string `json:"message_id"`
		Emoji     *string
	}
	if bad := decode(raw, "reaction", &reaction); bad != nil {
		return bad
	}
	if reaction.MessageID == "" || reaction.Emoji == nil {
		return missing("reaction.message_id and reaction.emoji")
	}
	target := s.messages[reaction.MessageID]
	if target == nil || target.At.Before(s.opts.Now().Add(-readableFor)) {
		m.FailWith = 131009 // Meta reports a bad target later
		return nil
	}
	m.ReplyTo, m.Text = target.ID, *reaction.Emoji
	return nil
}

// checkPin checks the pinning of a message in a group.
func (s *Simulator) checkPin(raw json.RawMessage, m *Message) *graphError {
	var pin struct {
		Type      string
		MessageID string `json:"message_id"`
		Days      int    `json:"expiration_days"`
	}
	if bad := decode(raw, "pin", &pin); bad != nil {
		return bad
	}
	switch {
	case pin.Type != "pin" && pin.Type != "unpin":
		return badParam("Param pin['type'] must be one of {PIN, UNPIN}")
	case s.messages[pin.MessageID] == nil || s.messages[pin.MessageID].Group == "":
		return badValue("pin.message_id is not a message of a group")
	case pin.Type == "pin" && (pin.Days < 1 || pin.Days > 30):
		return badValue("pin.expiration_days is 1 to 30")
	}
	m.ReplyTo = pin.MessageID
	return nil
}

// checkMedia checks a file sent by id or by link.
func (s *Simulator) checkMedia(raw json.RawMessage, m *Message) *graphError {
	var media struct {
		ID, Link, Caption, Filename string
		Voice                       bool
	}
	if bad := decode(raw, m.Type, &media); bad != nil {
		return bad
	}
	kind := m.Type
	switch {
	case media.ID == "" && media.Link == "":
		return missing(kind + ".id or " + kind + ".link")
	case media.ID != "" && media.Link != "":
		return badParam("%s has an id or a link, not both", kind)
	case media.Caption != "" && (kind == "audio" || kind == "sticker"):
		return badParam("Unexpected key \"caption\" on param \"%s\"", kind)
	}
	if bad := limit(kind+".caption", media.Caption, 0, 1024); bad != nil {
		return bad
	}
	m.Text = media.Caption
	m.Media = &MediaFace{ID: media.ID, Kind: kind, Name: media.Filename, Voice: media.Voice}
	if media.Link != "" {
		if u, err := url.Parse(media.Link); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return badValue("%s.link is not an http or https URL", kind)
		}
		m.Link = media.Link
		return nil
	}
	return s.attach(m)
}

// attach fills in the facts of the file whose id the message names.
func (s *Simulator) attach(m *Message) *graphError {
	f := s.liveMedia(m.Media.ID)
	if f == nil || f.Number != m.Number {
		return badParam("Param %s['id'] is not a valid whatsapp business account media attachment ID", m.Type)
	}
	if !mediaKinds[m.Media.Kind].takes(f.MIME) {
		return &graphError{Code: 131053, Details: "The file is of type " + f.MIME + ", which " + m.Media.Kind + " does not take"}
	}
	if m.Media.Voice && !strings.HasPrefix(f.MIME, "audio/ogg") {
		return &graphError{Code: 131053, Details: "A voice message is Ogg with Opus, not " + f.MIME}
	}
	m.Media.MIME, m.Media.Size = f.MIME, f.Size
	return nil
}
