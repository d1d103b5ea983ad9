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
		out.Text = &whatsapp.OutText{Body: m.Text}
		return out, nil
	case chat.KindInteractive:
		out.Interactive = m.Content
		return out, nil
	case chat.KindTemplate:
		var t whatsapp.Template
		if err := json.Unmarshal(m.Content, &t); err != nil {
			return out, errors.New("the template can't be read")
		}
		out.Template = &t
		return out, nil
	}
	if a := m.Attachment; a != nil {
		file := &whatsapp.OutMedia{ID: a.MediaID, Link: a.Link, Caption: m.Text, Filename: a.Name, Voice: a.Voice}
		if out.Attach(string(m.Kind), file) {
			return out, nil
		}
	}
	return out, fmt.Errorf("a message of kind %s can't be sent", m.Kind)
}
