package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Outgoing is a message to one recipient with one content.
type Outgoing struct {
	// Exactly one of these says who gets it.
	To        string // phone number: digits with country code, "+" before them or not
	Recipient string // BSUID
	Group     string // group chat

	ReplyTo      string // wamid of the message that it answers
	CallbackData string // comes back in every status of the message

	// Exactly one of these says what they get.
	Text        *OutText
	Image       *OutMedia
	Video       *OutMedia
	Audio       *OutMedia
	Document    *OutMedia
	Sticker     *OutMedia
	Location    *OutLocation
	Contacts    []OutContact
	Reaction    *OutReaction
	Template    *Template
	Interactive json.RawMessage // the interactive object, as Meta documents it; Buttons, List and so on write it
}

// Attach makes the file the content of the message; ok is false for a kind that
// isn't image, video, audio, document or sticker.
func (m *Outgoing) Attach(kind string, f *OutMedia) (ok bool) {
	switch kind {
	case "image":
		m.Image = f
	case "video":
		m.Video = f
	case "audio":
		m.Audio = f
	case "document":
		m.Document = f
	case "sticker":
		m.Sticker = f
	default:
		return false
	}
	return true
}

// Sent is what Meta answers when it has accepted a message, which doesn't mean
// that it will be delivered.
type Sent struct {
	MessageID     string
	WAID          string // may differ from the number written to: keep it
	BSUID         string
	MessageStatus string // "accepted", or "held_for_quality_assessment", "paused"
}

// Send posts a message from a business number (its phone_number_id), once:
// nothing is repeated, whatever happens. Meta knows no idempotency key, so
// when Send fails ask [OutcomeOf] before trying again. Errors are [ErrInvalid]
// or [*Error].
func (c *Client) Send(ctx context.Context, number string, m Outgoing) (Sent, error) {
	body, err := m.body()
	if err != nil {
		return Sent{}, err
	}
	answer, written, err := c.post(ctx, body, number, "messages")
	if err != nil {
		return Sent{}, settle(err, written)
	}
	var sent Sent
	for _, o := range answer.objects("messages") {
		sent.MessageID, sent.MessageStatus = o.text("id"), o.text("message_status")
		break
	}
	for _, o := range answer.objects("contacts") {
		who := identify(o.text("wa_id"), o.text("user_id"))
		sent.WAID, sent.BSUID = who.WAID, who.BSUID
		break
	}
	if sent.MessageID == "" {
		return Sent{}, &Error{HTTPStatus: 200, Class: ClassAmbiguous, Err: errNoMessageID}
	}
	return sent, nil
}

// settle turns the error of an exchange into what it means for a message.
func settle(err error, written bool) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	refused := e.object && e.HTTPStatus/100 == 4
	switch {
	case !written:
		e.Class = ClassNotSent
	case !refused:
		e.Class = ClassAmbiguous
	}
	return e
}

// MarkRead shows the customer blue ticks on a message and all before it. It
// may be repeated.
func (c *Client) MarkRead(ctx context.Context, number, messageID string) error {
	if messageID == "" {
		return fmt.Errorf("%w: no message id", ErrInvalid)
	}
	_, _, err := c.post(ctx, map[string]string{
		"messaging_product": "whatsapp", "status": "read", "message_id": messageID,
	}, number, "messages")
	return err
}

// Typing shows the customer that somebody is writing, and blue ticks on a
// message and all before it: Meta has no way to do the first alone. It ends
// with the answer, or after [TypingLife].
// https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators
func (c *Client) Typing(ctx context.Context, number, messageID string) error {
	if messageID == "" {
		return fmt.Errorf("%w: no message id", ErrInvalid)
	}
	_, _, err := c.post(ctx, map[string]any{
		"messaging_product": "whatsapp", "status": "read", "message_id": messageID,
		"typing_indicator": map[string]string{"type": "text"},
	}, number, "messages")
	return err
}

// body checks the message and writes it as Meta wants it.
func (m Outgoing) body() (map[string]any, error) {
	body := map[string]any{"messaging_product": "whatsapp"}
	if err := m.address(body); err != nil {
		return nil, err
	}
	if err := atMost("biz_opaque_callback_data", m.CallbackData, MaxCallbackData); err != nil {
		return nil, err
	}
	if m.CallbackData != "" {
		body["biz_opaque_callback_data"] = m.CallbackData
	}
	if m.ReplyTo != "" {
		body["context"] = map[string]string{"message_id": m.ReplyTo}
	}
	kind, content, err := m.content()
	if err != nil {
		return nil, err
	}
	body["type"], body[kind] = kind, content
	return body, nil
}

// address writes the recipient. A BSUID belongs into a field of its own: in
// "to" Meta accepts it and never delivers. Without "+" Meta would put the
// business number's country code in front of the digits.
func (m Outgoing) address(body map[string]any) error {
	body["recipient_type"] = "individual"
	digits := strings.TrimPrefix(m.To, "+")
	switch {
	case count(m.To != "", m.Recipient != "", m.Group != "") != 1:
		return invalid("needs exactly one recipient")
	case m.Recipient != "":
		body["recipient"] = m.Recipient
	case m.Group != "":
		body["recipient_type"], body["to"] = "group", m.Group
	case len(digits) < 5 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "":
		return invalid("phone number is not digits")
	default:
		body["to"] = "+" + digits
	}
	return nil
}

// content checks and returns the one thing to send and its type.
func (m Outgoing) content() (kind string, content any, err error) {
	set := count(m.Text != nil, m.Image != nil, m.Video != nil, m.Audio != nil, m.Document != nil, m.Sticker != nil,
		m.Location != nil, m.Contacts != nil, m.Reaction != nil, m.Template != nil, m.Interactive != nil)
	switch {
	case set != 1:
		return "", nil, invalid("needs exactly one content")
	case m.Text != nil:
		return "text", m.Text, m.Text.check()
	case m.Image != nil:
		return "image", m.Image, m.Image.check("image", allowCaption)
	case m.Video != nil:
		return "video", m.Video, m.Video.check("video", allowCaption)
	case m.Audio != nil:
		return "audio", m.Audio, m.Audio.check("audio", allowVoice)
	case m.Document != nil:
		return "document", m.Document, m.Document.check("document", allowCaption|allowFilename)
	case m.Sticker != nil:
		return "sticker", m.Sticker, m.Sticker.check("sticker", 0)
	case m.Location != nil:
		return "location", m.Location, m.Location.check()
	case m.Contacts != nil:
		return "contacts", m.Contacts, checkContacts(m.Contacts)
	case m.Reaction != nil:
		if m.ReplyTo != "" {
			return "", nil, invalid("context: a reaction names its message itself")
		}
		return "reaction", m.Reaction, m.Reaction.check()
	case m.Template != nil:
		return "template", m.Template.wire(), m.Template.check()
	}
	return "interactive", m.Interactive, checkInteractive(m.Interactive)
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func count(conditions ...bool) int {
	n := 0
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}
