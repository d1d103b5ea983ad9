package handler

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// From Meta's words to ours.

// kinds are the message types that have a kind of their own.
var kinds = map[string]chat.Kind{
	"text": chat.KindText, "image": chat.KindImage, "video": chat.KindVideo, "audio": chat.KindAudio,
	"document": chat.KindDocument, "sticker": chat.KindSticker, "location": chat.KindLocation,
	"contacts": chat.KindContacts, "reaction": chat.KindReaction, "interactive": chat.KindInteractive,
	"button": chat.KindButton, "order": chat.KindOrder, "system": chat.KindSystem,
	"unsupported": chat.KindUnsupported, "edit": chat.KindEdit, "revoke": chat.KindRevoke,
	"unknown": chat.KindUnsupported, // Meta's older word for it
	"voice":   chat.KindAudio,       // on-premises API
}

// How many bytes are kept on the message itself, so that it stays far below what an item may hold (400 KB) whatever an
// update says. The whole of it is in the raw update.
const (
	maxText    = 64 << 10 // Meta's own limit is 4,096 characters
	maxContent = 64 << 10
	maxWord    = 1 << 10 // ids, names, types
)

// maxID is how long the id of a number or a group chat may be that becomes part of a key, in bytes.
const maxID = 255

func inbound(u whatsapp.Update, w whatsapp.Message) store.Inbound {
	at := w.Timestamp
	if at.IsZero() {
		at = time.Unix(u.Time, 0) // entry.time, or 1970: never the clock
	}
	id := store.ProviderMessageID(w.ID, u.Body)
	m := chat.Message{
		ID: id, At: at.UTC(), Direction: chat.In, Origin: chat.FromCustomer, Status: chat.Delivered,
		Kind: cmp.Or(kinds[w.Type], chat.KindUnknown), RawType: clip(w.Type, maxWord),
		Text: clip(text(w), maxText), ReplyTo: clip(refersTo(w), maxWord), Hash: store.Hash(u.Body),
	}
	if string(id) == w.ID {
		m.ProviderID = w.ID
	}
	if file, ok := w.Media(); ok {
		m.Attachment = attachment(file)
	}
	if len(u.Body) <= chat.MaxInlineRaw {
		m.Raw = u.Body
	} else if len(w.Content) <= maxContent && w.Type != "text" {
		m.Content = w.Content
	}
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Group: w.GroupID, Seen: seen(u, w, at)}
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

// seen is what the message shows of who wrote it. A system message shows who became whom.
func seen(u whatsapp.Update, w whatsapp.Message, at time.Time) chat.Seen {
	s := chat.Seen{
		BSUID: w.From.BSUID, Phone: w.From.WAID, Scope: u.WABA, At: at.UTC(), Source: chat.SourceMessage,
		Name: clip(w.From.Name, maxWord), Username: clip(w.From.Username, maxWord), ID: string(store.ProviderMessageID(w.ID, u.Body)),
	}
	if previous, current, ok := w.IdentityChange(); ok {
		s.Source = chat.SourceSystem
		s.BSUID, s.Phone = current.BSUID, current.WAID
		s.PrevBSUID, s.PrevPhone = previous.BSUID, previous.WAID
	} else if w.System != nil && !s.Someone() {
		s.BSUID, s.Phone = w.System.UserID, w.System.WAID
	}
	return s
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

// text is what a person reads where the message isn't shown as what it is: in lists, in a CRM's timeline.
func text(w whatsapp.Message) string {
	if file, ok := w.Media(); ok {
		return file.Caption
	}
	switch {
	case w.Text != nil:
		return w.Text.Body
	case w.Location != nil:
		l := w.Location
		return lines(l.Name, l.Address, fmt.Sprintf("%g, %g", l.Latitude, l.Longitude))
	case w.Contacts != nil:
		return cards(w.Contacts)
	case w.Reaction != nil:
		return w.Reaction.Emoji
	case w.Interactive != nil:
		return interactive(w.Interactive)
	case w.Button != nil:
		return w.Button.Text
	case w.Order != nil:
		return order(w.Order)
	case w.System != nil:
		return w.System.Body
	case w.Edit != nil:
		return text(w.Edit.Message)
	}
	return ""
}

func interactive(i *whatsapp.Interactive) string {
	switch {
	case i.ButtonReply != nil:
		return i.ButtonReply.Title
	case i.ListReply != nil:
		return lines(i.ListReply.Title, i.ListReply.Description)
	case i.FlowReply != nil:
		return i.FlowReply.Body
	case i.CallPermissionReply != nil:
		return permission(i.CallPermissionReply)
	}
	return ""
}

func permission(r *whatsapp.CallPermissionReply) string {
	if r.Accepted {
		return "You may call"
	}
	return "Please don't call"
}

func cards(cs []whatsapp.ContactCard) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Name)
		for _, p := range c.Phones {
			out = append(out, p.Number)
		}
	}
	return lines(out...)
}

func order(o *whatsapp.Order) string {
	out := []string{o.Text}
	for _, i := range o.Items {
		out = append(out, fmt.Sprintf("%d × %s  %s %s", i.Quantity, i.ProductID, i.Price, i.Currency))
	}
	return lines(out...)
}

// lines joins what isn't empty.
func lines(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n")
}

// clip cuts a text to n bytes or a few less, never within a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// receipt makes one of a status; ok is false for what isn't about a message, or names none.
func receipt(u whatsapp.Update, s whatsapp.Status) (chat.Receipt, bool) {
	r := chat.Receipt{
		Number: chat.NumberID(u.Number), ProviderID: s.ID, ID: chat.MessageID(s.CallbackData),
		Status: chat.Status(s.State), At: s.Timestamp.UTC(), Hash: store.Hash(u.Body),
	}
	if s.Timestamp.IsZero() {
		r.At = time.Unix(u.Time, 0).UTC()
	}
	if s.Participant.Known() {
		r.Participant = store.Hash([]byte(s.Participant.BSUID + "\x00" + s.Participant.WAID))[:16]
	}
	if len(s.Errors) > 0 {
		e := s.Errors[0]
		r.Error = &chat.Problem{Code: e.Code, Reason: clip(cmp.Or(e.Title, e.Message, e.Details), maxWord)}
	}
	isMessage := s.Type == "" || s.Type == "message"
	named := u.Number != "" && len(u.Number) <= maxID && string(store.ProviderMessageID(s.ID, nil)) == s.ID
	return r, isMessage && named && r.Status.Outranks(chat.Accepted)
}
