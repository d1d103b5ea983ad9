package handler

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/phone"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// From Meta's messages to ours.

// kinds are the message types that have a kind of their own.
var kinds = map[string]chat.Kind{
	"text": chat.KindText, "image": chat.KindImage, "video": chat.KindVideo, "audio": chat.KindAudio,
	"document": chat.KindDocument, "sticker": chat.KindSticker, "location": chat.KindLocation,
	"contacts": chat.KindContacts, "reaction": chat.KindReaction, "interactive": chat.KindInteractive,
	"button": chat.KindButton, "order": chat.KindOrder, "system": chat.KindSystem, "template": chat.KindTemplate,
	"unsupported": chat.KindUnsupported, "edit": chat.KindEdit, "revoke": chat.KindRevoke,
	"media_placeholder": chat.KindPlaceholder,
	"unknown":           chat.KindUnsupported, // Meta's older word for it
	"voice":             chat.KindAudio,       // on-premises API
}

// How many bytes are kept on the message itself, so that it stays far below what an item may hold (400 KB) whatever an
// update says. The whole of it is in the raw update.
const (
	maxText     = 64 << 10 // Meta's own limit is 4,096 characters
	maxContent  = 64 << 10
	maxWord     = 1 << 10 // ids, names, types
	maxEmoji    = 64      // everybody in a group chat may put one on a message
	maxProblems = 10
)

// maxID is how long the id of a number or a group chat may be that becomes part of a key, in bytes.
const maxID = 255

// placed tells whether an update names the number, and perhaps the group chat, of a conversation.
func placed(u whatsapp.Update, group string) bool {
	return u.Number != "" && len(u.Number) <= maxID && len(group) <= maxID
}

// inbound is a message that a customer wrote.
func inbound(u whatsapp.Update, w whatsapp.Message) store.Inbound {
	m := message(u, w)
	m.Direction, m.Origin, m.Status = chat.In, chat.FromCustomer, chat.Delivered
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Group: w.GroupID, Seen: seen(u, w, m)}
}

// echo is a message that somebody of the company wrote in the WhatsApp Business app, or another program in its name.
func echo(u whatsapp.Update, w whatsapp.Message) store.Inbound {
	m := message(u, w)
	m.Direction, m.Origin = chat.Out, chat.FromPhoneApp
	m.Reach(chat.Sent, m.At, nil)
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Group: w.GroupID, Seen: shown(u, w.To, m)}
}

// message is what both have in common.
func message(u whatsapp.Update, w whatsapp.Message) chat.Message {
	m := newMessage(w.Raw, w.ID, provided(w.Timestamp, u))
	m.Kind, m.RawType = cmp.Or(kinds[w.Type], chat.KindUnknown), clip(w.Type, maxWord)
	m.Text, m.ReplyTo, m.Problems = clip(text(w), maxText), clip(refersTo(w), maxWord), problems(w.Errors)
	m.Forwarded, m.Product, m.Referral = forwarded(w.Context), product(w.Context), referral(w.Referral)
	if w.Reaction != nil {
		m.Text = clip(m.Text, maxEmoji)
	}
	if file, ok := w.Media(); ok {
		m.Attachment = attachment(file)
	}
	if m.Raw == nil && w.Type != "text" {
		m.Content = within(w.Content)
	}
	return m
}

// newMessage is a message under the provider's id, or under a hash where it has none. raw is what it is made of.
func newMessage(raw json.RawMessage, providerID string, at time.Time) chat.Message {
	m := chat.Message{ID: store.ProviderMessageID(providerID, raw), At: at, Hash: store.Hash(raw)}
	if string(m.ID) == providerID {
		m.ProviderID = providerID
	}
	if len(raw) <= chat.MaxInlineRaw {
		m.Raw = raw
	}
	return m
}

// provided is when something was, by the provider's clock: entry.time where it has no time of its own, or 1970. It is
// never ours, which would make another message of every repetition.
func provided(own time.Time, u whatsapp.Update) time.Time {
	if own.IsZero() {
		own = time.Unix(u.Time, 0)
	}
	return own.UTC()
}

// within is a content that a message has room for.
func within(content json.RawMessage) json.RawMessage {
	if len(content) > maxContent {
		return nil
	}
	return content
}

// refersTo is the message that this one answers, reacts to, edits or takes back.
func refersTo(w whatsapp.Message) string {
	switch {
	case w.Reaction != nil:
		return w.Reaction.MessageID
	case w.Edit != nil:
		return w.Edit.OriginalID
	case w.Revoke != nil:
		return w.Revoke.OriginalID
	case w.Context != nil:
		return w.Context.ID
	}
	return ""
}

func forwarded(c *whatsapp.Context) chat.Forwarded {
	switch {
	case c == nil || !c.Forwarded:
		return ""
	case c.Often:
		return chat.ForwardedOften
	}
	return chat.ForwardedOnce
}

func product(c *whatsapp.Context) *chat.Product {
	if c == nil || c.ProductID == "" {
		return nil
	}
	return &chat.Product{Catalog: clip(c.CatalogID, maxWord), ID: clip(c.ProductID, maxWord)}
}

func referral(r *whatsapp.Referral) *chat.Referral {
	if r == nil {
		return nil
	}
	return &chat.Referral{
		Type: clip(r.SourceType, maxWord), ID: clip(r.SourceID, maxWord), URL: clip(r.SourceURL, 2*maxWord),
		Headline: clip(r.Headline, maxWord), Body: clip(r.Body, 4*maxWord), Welcome: clip(r.Welcome, maxWord),
		ClickID: clip(r.ClickID, maxWord),
	}
}

// problems are why there is no content.
func problems(errors []whatsapp.Error) []chat.Problem {
	var ps []chat.Problem
	for _, e := range errors[:min(len(errors), maxProblems)] {
		ps = append(ps, problem(e))
	}
	return ps
}

func problem(e whatsapp.Error) chat.Problem {
	p := chat.Problem{Code: e.Code, Reason: clip(cmp.Or(e.Title, e.Message, e.Details), maxWord)}
	if !strings.Contains(p.Reason, e.Details) {
		p.Details = clip(e.Details, maxWord)
	}
	return p
}

func attachment(file *whatsapp.Media) *chat.Attachment {
	a := &chat.Attachment{
		State: chat.Pending, MediaID: file.ID, MIME: clip(file.MIME, maxWord), Name: clip(file.Filename, maxWord),
		SHA256: clip(file.SHA256, maxWord), Voice: file.Voice, Animated: file.Animated,
	}
	if file.ID == "" || len(file.ID) > maxWord {
		a.State, a.MediaID, a.Reason = chat.FileFailed, "", "the message names no file"
	}
	return a
}

// seen is what a message shows of who wrote it. A system message shows who became whom.
func seen(u whatsapp.Update, w whatsapp.Message, m chat.Message) chat.Seen {
	who := w.From
	previous, current, changed := w.IdentityChange()
	switch {
	case changed:
		who.BSUID, who.WAID, who.ParentBSUID = current.BSUID, current.WAID, current.ParentBSUID
	case w.System != nil && !who.Known():
		who.BSUID, who.WAID = w.System.UserID, w.System.WAID
	}
	s := shown(u, who, m)
	if changed {
		s.Source = chat.SourceSystem
		s.PrevBSUID, s.PrevPhone, s.PrevParent = previous.BSUID, previous.WAID, previous.ParentBSUID
	}
	if w.Identity != nil {
		s.KeyHash, s.NewKey = clip(cmp.Or(w.Identity.Hash, s.KeyHash), maxWord), true
	}
	return s
}

// shown is what an update shows of somebody. m is the message that is made of it.
func shown(u whatsapp.Update, who whatsapp.Identity, m chat.Message) chat.Seen {
	return chat.Seen{
		BSUID: who.BSUID, Phone: who.WAID, Parent: who.ParentBSUID, Scope: u.WABA, At: m.At, Source: chat.SourceMessage,
		Name: clip(who.Name, maxWord), Username: clip(who.Username, maxWord), KeyHash: clip(who.KeyHash, maxWord),
		ID: string(m.ID), Variants: phone.Variants(who.WAID),
	}
}

// word is one of Meta's in capitals, as ours are written.
func word(s string) string { return strings.ToLower(clip(s, maxWord)) }
