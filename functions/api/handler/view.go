package handler

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
)

// What clients see.

type messageView struct {
	ID           chat.MessageID      `json:"id"`
	ProviderID   string              `json:"provider_id,omitempty"`
	Conversation chat.ConversationID `json:"conversation"`
	Contact      chat.ContactID      `json:"contact,omitempty"`
	Direction    chat.Direction      `json:"direction"`
	Kind         chat.Kind           `json:"kind"`
	RawType      string              `json:"raw_type"`
	Origin       chat.Origin         `json:"origin"`
	Status       chat.Status         `json:"status"`
	At           time.Time           `json:"at"`
	Text         string              `json:"text,omitempty"`
	Content      json.RawMessage     `json:"content,omitempty"`
	Attachment   *attachmentView     `json:"attachment,omitempty"`
	ReplyTo      string              `json:"reply_to,omitempty"`
	Error        *chat.Problem       `json:"error,omitempty"`
	History      []stepView          `json:"history"`
}

type attachmentView struct {
	State    chat.FileState `json:"state"`
	MIME     string         `json:"mime,omitempty"`
	Name     string         `json:"name,omitempty"`
	Size     int64          `json:"size,omitempty"`
	SHA256   string         `json:"sha256,omitempty"`
	Voice    bool           `json:"voice,omitempty"`
	Animated bool           `json:"animated,omitempty"`
	Reason   string         `json:"reason,omitempty"`
}

type stepView struct {
	Status chat.Status   `json:"status"`
	At     time.Time     `json:"at"`
	Error  *chat.Problem `json:"error,omitempty"`
}

func viewMessage(m chat.Message) messageView {
	v := messageView{
		ID: m.ID, ProviderID: m.ProviderID, Conversation: m.Conversation, Contact: m.Contact, Direction: m.Direction,
		Kind: m.Kind, RawType: m.RawType, Origin: m.Origin, Status: m.Status, At: m.At,
		Text: m.Text, Content: content(m), ReplyTo: m.ReplyTo, History: []stepView{},
	}
	if a := m.Attachment; a != nil {
		v.Attachment = &attachmentView{a.State, a.MIME, a.Name, a.Size, a.SHA256, a.Voice, a.Animated, a.Reason}
	}
	for s, step := range m.Steps {
		v.History = append(v.History, stepView{s, step.At, step.Error})
	}
	// Meta's clock counts whole seconds and ours doesn't: within one, rank tells what came first.
	slices.SortFunc(v.History, func(a, b stepView) int {
		if c := a.At.Truncate(time.Second).Compare(b.At.Truncate(time.Second)); c != 0 {
			return c
		}
		if a.Status.Outranks(b.Status) {
			return 1
		}
		return -1
	})
	if m.Status == chat.Failed {
		v.Error = m.Steps[chat.Failed].Error
	}
	return v
}

// content is the type's object as it was received, for every type but text.
func content(m chat.Message) json.RawMessage {
	if m.Content != nil || m.RawType == "text" || m.Raw == nil {
		return m.Content
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal(m.Raw, &raw) != nil {
		return nil
	}
	return raw[m.RawType]
}

type contactView struct {
	ID         chat.ContactID   `json:"id"`
	Name       string           `json:"name"`
	Username   string           `json:"username,omitempty"`
	Identities []store.Identity `json:"identities"`
	Flags      []string         `json:"flags,omitempty"`
}

func (a *API) viewContact(ctx context.Context, c chat.Contact) (contactView, error) {
	ids, err := a.Store.Identities(ctx, c)
	if ids == nil {
		ids = []store.Identity{}
	}
	return contactView{c.ID, c.Name, c.Username, ids, c.Flags}, err
}

type conversationView struct {
	ID           chat.ConversationID `json:"id"`
	Number       chat.NumberID       `json:"number"`
	Contact      *namedContact       `json:"contact,omitempty"`
	Group        string              `json:"group,omitempty"`
	State        chat.State          `json:"state"`
	Team         string              `json:"team"`
	Owner        string              `json:"owner,omitempty"`
	LastActivity time.Time           `json:"last_activity"`
	WindowEnds   *time.Time          `json:"window_ends,omitempty"`
}

type namedContact struct {
	ID   chat.ContactID `json:"id"`
	Name string         `json:"name"`
}

func viewConversation(c chat.Conversation, who chat.Contact) conversationView {
	v := conversationView{
		ID: c.ID, Number: c.Number, Group: c.Group, State: c.State, Team: c.Team, Owner: c.Owner, LastActivity: c.Activity,
	}
	if c.Contact != "" {
		v.Contact = &namedContact{c.Contact, who.Name}
	}
	if end := c.WindowEnd(); !end.IsZero() {
		v.WindowEnds = &end
	}
	return v
}
