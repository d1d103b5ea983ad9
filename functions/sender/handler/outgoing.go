package handler

import (
	"encoding/json"
	"errors"
	"fmt"

	"threadline/shared/chat"
	"threadline/shared/whatsapp"
)

// outgoing puts a message in Meta's words.
func outgoing(m chat.Message) (whatsapp.Outgoing, error) {
	out := whatsapp.Outgoing{
		To: m.Send.To.Phone, Recipient: m.Send.To.BSUID, Group: m.Send.To.Group,
		ReplyTo: m.ReplyTo, CallbackData: string(m.ID),
	}
	switch m.Kind {
	case chat.KindText:
		out.Text = &whatsapp.OutText{}
		if m.Content != nil { // what was asked for beside the text
			if err := into(m.Content, &out.Text); err != nil {
				return out, err
			}
		}
		out.Text.Body = m.Text
		return out, nil
	case chat.KindInteractive:
		out.Interactive = m.Content
		return out, nil
	case chat.KindReaction:
		out.ReplyTo = ""
		out.Reaction = &whatsapp.OutReaction{MessageID: m.ReplyTo, Emoji: m.Text}
		return out, nil
	case chat.KindLocation:
		return out, into(m.Content, &out.Location)
	case chat.KindContacts:
		return out, into(m.Content, &out.Contacts)
	case chat.KindTemplate:
		return out, into(m.Content, &out.Template)
	}
	if a := m.Attachment; a != nil {
		file := &whatsapp.OutMedia{ID: a.MediaID, Link: a.Link, Caption: m.Text, Filename: a.Name, Voice: a.Voice}
		if out.Attach(string(m.Kind), file) {
			return out, nil
		}
	}
	return out, fmt.Errorf("a message of kind %s can't be sent", m.Kind)
}

// into reads what api stored as the content.
func into[T any](content json.RawMessage, v *T) error {
	if json.Unmarshal(content, v) != nil {
		return errors.New("the content can't be read")
	}
	return nil
}
