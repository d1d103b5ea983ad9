package handler

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// request is the body of POST /api/v1/messages. A field that is null counts as absent.
type request struct {
	To          json.RawMessage       `json:"to"`
	Number      string                `json:"number,omitempty"`
	Text        string                `json:"text,omitempty"`
	PreviewURL  bool                  `json:"preview_url,omitempty"`
	Template    *template             `json:"template,omitempty"`
	Media       *media                `json:"media,omitempty"`
	Interactive json.RawMessage       `json:"interactive,omitempty"`
	Location    *location             `json:"location,omitempty"`
	Contacts    []whatsapp.OutContact `json:"contacts,omitempty"`
	Reaction    *reaction             `json:"reaction,omitempty"`
	ReplyTo     string                `json:"reply_to,omitempty"`
	Category    string                `json:"category,omitempty"`
	Origin      chat.Origin           `json:"origin,omitempty"`
}

// recipient is a phone number (digits), a contact, a business-scoped user id, or a conversation, which may be a group's.
type recipient struct {
	Phone        string              `json:"phone,omitempty"`
	Contact      chat.ContactID      `json:"contact,omitempty"`
	BSUID        string              `json:"bsuid,omitempty"`
	Conversation chat.ConversationID `json:"conversation,omitempty"`
}

// maxAsked is how long a request may be as compact JSON, in bytes. Written in ASCII it grows threefold at most, and the
// queue takes 240 KB.
const maxAsked = 64 << 10

// invalid says which field is wrong and what to do about it.
func invalid(field, what string) error { return chat.E(chat.Invalid, field+": "+what, nil) }

// message checks the request and makes a message of it that has no place yet. Requests that ask for the same have the
// same hash, however they were written.
func (r *request) message() (chat.Message, recipient, error) {
	m := chat.Message{Direction: chat.Out, Origin: cmp.Or(r.Origin, chat.FromAgent), Status: chat.Queued, Send: &chat.Send{}}
	if m.Origin != chat.FromAgent && m.Origin != chat.FromCRM {
		return m, recipient{}, invalid("origin", "use agent or crm")
	}
	to, err := parseRecipient(r.To)
	if err != nil {
		return m, to, err
	}
	r.normalize(to)
	if err := r.content(&m); err != nil {
		return m, to, err
	}
	if m.Send.Category, err = r.category(); err != nil {
		return m, to, err
	}
	if strings.Trim(r.Number, "0123456789") != "" || len(r.Number) > 32 {
		return m, to, invalid("number", "use a phone_number_id, which is digits; a phone number isn't one")
	}
	if len(r.ReplyTo) > store.MaxProviderID {
		return m, to, invalid("reply_to", "use the id or the provider_id of a message")
	}
	asked := encode(r)
	if len(asked) > maxAsked {
		return m, to, chat.E(chat.Invalid, fmt.Sprintf("the message is longer than %d bytes", maxAsked), nil)
	}
	m.RawType, m.Send.Request = string(m.Kind), store.Hash(asked)
	return m, to, nil
}

// normalize makes what can be written in several ways look the same.
func (r *request) normalize(to recipient) {
	r.To = encode(to)
	r.Interactive = canonical(r.Interactive)
	if r.Template != nil {
		r.Template.Components = canonical(r.Template.Components)
	}
	r.Category = strings.ToLower(r.Category)
	if r.Origin == chat.FromAgent {
		r.Origin = "" // as if it hadn't been said
	}
}

// category is what the message counts as, as far as the request tells: a template's own category is asked for later.
func (r *request) category() (string, error) {
	switch r.Category {
	case "", chat.CategoryAuthentication, chat.CategoryUtility, chat.CategoryMarketing:
	default:
		return "", invalid("category", "use marketing, utility or authentication")
	}
	if r.Template != nil {
		return chat.CategoryMarketing, nil
	}
	return cmp.Or(r.Category, chat.CategoryService), nil
}

// parseRecipient reads "+34600111222", {"contact":"…"}, {"bsuid":"…"} or {"conversation":"…"}.
func parseRecipient(raw json.RawMessage) (recipient, error) {
	var phone string
	if json.Unmarshal(raw, &phone) == nil && phone != "" {
		d, err := digits("to", phone)
		return recipient{Phone: d}, err
	}
	var to struct {
		Contact      chat.ContactID      `json:"contact"`
		BSUID        string              `json:"bsuid"`
		Conversation chat.ConversationID `json:"conversation"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(&to) != nil || !exactlyOne(to.Contact != "", to.BSUID != "", to.Conversation != "") {
		return recipient{}, invalid("to", `use "+34600111222", {"contact":"…"}, {"bsuid":"…"} or {"conversation":"…"}`)
	}
	if to.BSUID != "" && !whatsapp.IsBSUID(to.BSUID) {
		return recipient{}, invalid("to.bsuid", "use a business-scoped user id, such as ES.1234567890")
	}
	return recipient{Contact: to.Contact, BSUID: to.BSUID, Conversation: to.Conversation}, nil
}

func exactlyOne(conditions ...bool) bool {
	n := 0
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n == 1
}

// digits reads a phone number in E.164, with or without its plus. A plus that wasn't written as %2B arrives as a space.
// Nothing is guessed: a number that somebody else has is worse than an error.
func digits(field, phone string) (string, error) {
	d := strings.TrimPrefix(strings.TrimSpace(phone), "+")
	if len(d) < 5 || len(d) > 20 || strings.Trim(d, "0123456789") != "" || d[0] == '0' {
		return "", invalid(field, "use a phone number with its country code and nothing but digits, such as +34600111222")
	}
	return d, nil
}

// canonical is JSON with sorted keys and without spaces; nil for null.
func canonical(raw json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || v == nil {
		return nil // it was decoded once, so it is absent or null
	}
	return encode(v)
}

// encode writes what can't fail to be written: it was read from JSON.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
