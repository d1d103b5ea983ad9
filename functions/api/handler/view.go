package handler

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
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
	Quotes       *quoteView          `json:"quotes,omitempty"`
	Forwarded    chat.Forwarded      `json:"forwarded,omitempty"`
	Referral     *chat.Referral      `json:"referral,omitempty"`
	Product      *chat.Product       `json:"product,omitempty"`
	Call         *callView           `json:"call,omitempty"`
	Problems     []chat.Problem      `json:"problems,omitempty"`
	Imported     bool                `json:"imported,omitempty"`
	Reactions    []reactionView      `json:"reactions,omitempty"`
	Edits        []editView          `json:"edits,omitempty"`
	RevokedAt    *time.Time          `json:"revoked_at,omitempty"`
	Signals      []signalView        `json:"signals,omitempty"`
	Pricing      *pricingView        `json:"pricing,omitempty"`
	FreeEntry    *freeEntryView      `json:"free_entry,omitempty"`
	Error        *chat.Problem       `json:"error,omitempty"`
	WaitingFor   string              `json:"waiting_for,omitempty"` // where one message is asked for
	History      []stepView          `json:"history"`
}

type attachmentView struct {
	State    chat.FileState `json:"state"`
	URL      string         `json:"url,omitempty"`
	MIME     string         `json:"mime,omitempty"`
	Name     string         `json:"name,omitempty"`
	Size     int64          `json:"size,omitempty"`
	SHA256   string         `json:"sha256,omitempty"`
	Voice    bool           `json:"voice,omitempty"`
	Animated bool           `json:"animated,omitempty"`
	Reason   string         `json:"reason,omitempty"`
}

// quoteView is the message that this one answers. Its text is cut: a page of long ones would be more than Lambda answers.
type quoteView struct {
	ID        chat.MessageID `json:"id"`
	Direction chat.Direction `json:"direction"`
	Kind      chat.Kind      `json:"kind"`
	Text      string         `json:"text,omitempty"`
}

type callView struct {
	Status  string     `json:"status,omitempty"`
	Seconds int64      `json:"seconds,omitempty"`
	Began   *time.Time `json:"began,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
}

type reactionView struct {
	Emoji     string         `json:"emoji"`
	Direction chat.Direction `json:"direction"`
	Contact   chat.ContactID `json:"contact,omitempty"` // in a group chat
	At        time.Time      `json:"at"`
}

// editView is a text that the message had, and since when. The first is the original one.
type editView struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

type signalView struct {
	Name string    `json:"name"`
	Text string    `json:"text,omitempty"`
	At   time.Time `json:"at"`
}

// pricingView is how Meta charges for a message.
type pricingView struct {
	Model    string `json:"model,omitempty"`
	Type     string `json:"type,omitempty"`
	Category string `json:"category,omitempty"`
	Billable bool   `json:"billable,omitempty"`
}

// freeEntryView is the conversation that an ad opened, in which messages cost nothing.
type freeEntryView struct {
	ID      string     `json:"id,omitempty"`
	Origin  string     `json:"origin,omitempty"`
	Expires *time.Time `json:"expires,omitempty"`
}

type stepView struct {
	Status chat.Status   `json:"status"`
	At     time.Time     `json:"at"`
	Error  *chat.Problem `json:"error,omitempty"`
}

// viewMessages shows messages, with what they quote and with links to their files.
func (a *API) viewMessages(ctx context.Context, ms ...chat.Message) ([]messageView, error) {
	quotes, err := a.Store.Quotes(ctx, ms...)
	if err != nil {
		return nil, err
	}
	views := make([]messageView, len(ms))
	for i, m := range ms {
		v := viewMessage(m)
		if q, ok := quotes[m.ReplyTo]; ok && m.ReplyTo != "" {
			v.Quotes = &quoteView{q.ID, q.Direction, q.Kind, beginning(q.Text)}
		}
		if v.Attachment != nil && m.Attachment.State.Have() {
			if v.Attachment.URL, err = a.fileLink(ctx, m); err != nil {
				return nil, err
			}
		}
		views[i] = v
	}
	return views, nil
}

// maxQuote is how much of a text a quote shows, in characters.
const maxQuote = 200

func beginning(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxQuote {
			return text[:i] + "…"
		}
	}
	return text
}

func viewMessage(m chat.Message) messageView {
	v := messageView{
		ID: m.ID, ProviderID: m.ProviderID, Conversation: m.Conversation, Contact: m.Contact, Direction: m.Direction,
		Kind: m.Kind, RawType: m.RawType, Origin: m.Origin, Status: m.Status, At: m.At,
		Text: m.Text, Content: content(m), ReplyTo: m.ReplyTo, Forwarded: m.Forwarded, Referral: m.Referral, Product: m.Product,
		Problems: m.Problems, Imported: m.Imported, History: []stepView{},
	}
	if f := m.Attachment; f != nil {
		v.Attachment = &attachmentView{f.State, "", f.MIME, f.SafeName(), f.Size, f.SHA256, f.Voice, f.Animated, f.Reason}
	}
	if c := m.Call; c != nil {
		v.Call = &callView{c.Status, c.Seconds, some(c.Began), some(c.Ended)}
	}
	if p := m.Pricing; p != nil {
		v.Pricing = &pricingView{p.Model, p.Type, p.Category, p.Billable}
	}
	if f := m.FreeEntry; f != nil {
		v.FreeEntry = &freeEntryView{f.ID, f.Origin, some(f.Expires)}
	}
	v.amended(m)
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

// amended adds what later messages said of this one.
func (v *messageView) amended(m chat.Message) {
	for by, r := range m.Reactions {
		if r.Emoji != "" {
			direction, contact, _ := strings.Cut(by, " ")
			v.Reactions = append(v.Reactions, reactionView{r.Emoji, chat.Direction(direction), chat.ContactID(contact), r.Stamp.At})
		}
	}
	slices.SortFunc(v.Reactions, func(a, b reactionView) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Contact, b.Contact))
	})
	if len(m.Edits) > 0 {
		v.Edits = append(v.Edits, editView{m.Original, m.At})
	}
	for _, e := range m.Edits {
		v.Edits = append(v.Edits, editView{e.Text, e.Stamp.At})
	}
	if m.Revoked != nil {
		v.RevokedAt = &m.Revoked.At
	}
	for _, s := range m.Signals {
		v.Signals = append(v.Signals, signalView{s.Name, s.Text, s.Stamp.At})
	}
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
	ID         chat.ContactID         `json:"id"`
	Name       string                 `json:"name"`
	Username   string                 `json:"username,omitempty"`
	Identities []store.Identity       `json:"identities"`
	Flags      []string               `json:"flags,omitempty"`
	Joined     []chat.ContactID       `json:"joined,omitempty"` // the contacts that this one speaks for
	Consent    map[string]consentView `json:"consent,omitempty"`
	CRM        map[string]recordView  `json:"crm,omitempty"` // by connector; where one contact is asked for
}

// recordView is a contact's record in a CRM.
type recordView struct {
	Ref    string   `json:"ref"`
	Others []string `json:"others,omitempty"` // records with the same number, none of which was chosen
}

// consentView is the customer's word on messages of a category.
type consentView struct {
	Given  bool      `json:"given"`
	Source string    `json:"source"`
	Value  string    `json:"value,omitempty"`
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at"`
}

func (a *API) viewContact(ctx context.Context, c chat.Contact) (contactView, error) {
	ids, err := a.Store.Identities(ctx, c)
	if ids == nil {
		ids = []store.Identity{}
	}
	v := contactView{ID: c.ID, Name: cmp.Or(c.Saved, c.Name), Username: c.Username, Identities: ids, Flags: c.Flags, Joined: c.Absorbed}
	for category, said := range c.Consent {
		if v.Consent == nil {
			v.Consent = map[string]consentView{}
		}
		v.Consent[category] = consentView{said.Given, said.Source, said.Value, said.Detail, said.Stamp.At}
	}
	return v, err
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
		v.Contact = &namedContact{c.Contact, who.Shown()}
	}
	if end := c.WindowEnd(); !end.IsZero() {
		v.WindowEnds = &end
	}
	return v
}
