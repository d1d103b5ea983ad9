package chat

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Amended is what later messages said of a message. Each field is a function of the set of amendments, whatever their
// order and however often they came.
type Amended struct {
	Reactions map[string]Reaction `json:"reactions,omitempty"` // by who reacted, see Amendment.By
	Original  string              `json:"original,omitempty"`  // the text before the first edit, its beginning if it is long
	Edits     []Edit              `json:"edits,omitempty"`     // in order, the first and the newest; Text is the last one's
	Revoked   *Stamp              `json:"revoked,omitempty"`   // its author deleted it for everyone; we keep it
	Signals   []Signal            `json:"signals,omitempty"`   // what Meta concluded from it, for ads
}

// Reaction is somebody's emoji on a message. An empty one was taken back.
type Reaction struct {
	Emoji string `json:"emoji"`
	Stamp Stamp  `json:"stamp"`
}

// Edit is a later text of a message, its beginning if it is long.
type Edit struct {
	Text  string `json:"text"`
	Stamp Stamp  `json:"stamp"`
}

// Call is what came of a call.
type Call struct {
	Status  string    `json:"status,omitempty"` // the provider's word: completed, failed, rejected, …
	Seconds int64     `json:"seconds,omitempty"`
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Stamp   Stamp     `json:"stamp,omitzero"` // of Status
}

// Signal is an event that Meta derived from a conversation, such as a lead or a purchase.
type Signal struct {
	Name  string `json:"name"`
	Text  string `json:"text,omitempty"` // such as "25000 USD"
	Stamp Stamp  `json:"stamp"`
}

// Forwarded tells that a message was written elsewhere.
type Forwarded string

// Forwarded once to five times, or more often.
const (
	ForwardedOnce  Forwarded = "forwarded"
	ForwardedOften Forwarded = "frequently"
)

// Referral is the ad or post that brought the customer.
type Referral struct {
	Type     string `json:"type,omitempty"` // "ad" or "post"
	ID       string `json:"id,omitempty"`
	URL      string `json:"url,omitempty"`
	Headline string `json:"headline,omitempty"`
	Body     string `json:"body,omitempty"`
	Welcome  string `json:"welcome,omitempty"`  // the greeting that the ad showed
	ClickID  string `json:"click_id,omitempty"` // ctwa_clid, for the ad platform
}

// Product is an article of a catalogue.
type Product struct {
	Catalog string `json:"catalog,omitempty"`
	ID      string `json:"id"`
}

// Amendment is what one message says of an earlier one.
type Amendment struct {
	Target    string    `json:"target"` // provider id of the earlier message
	Kind      Kind      `json:"kind"`   // KindReaction, KindEdit, KindRevoke, KindCall, or KindSystem for a signal
	Direction Direction `json:"direction"`
	By        string    `json:"by"` // who: the direction, and in a group chat the contact too
	Stamp     Stamp     `json:"stamp"`
	Text      string    `json:"text,omitempty"` // the emoji or the new text
	Call      *Call     `json:"call,omitempty"`
	Signal    *Signal   `json:"signal,omitempty"`
}

// Amends returns what the message says of an earlier one. It is derived from what is stored, so that a redelivery says
// the same.
func (m Message) Amends() (a Amendment, ok bool) {
	if m.ReplyTo == "" {
		return a, false
	}
	switch m.Kind {
	case KindReaction, KindEdit, KindRevoke:
	case KindCall:
		if m.Call == nil {
			return a, false
		}
	default:
		return a, false
	}
	by := string(m.Direction)
	if _, direct := m.Conversation.Contact(); !direct {
		by += " " + string(m.Contact)
	}
	return Amendment{
		Target: m.ReplyTo, Kind: m.Kind, Direction: m.Direction, By: by, Text: m.Text, Call: m.Call,
		Stamp: Stamp{At: m.At.UTC(), ID: string(m.ID)},
	}, true
}

// Amend applies an amendment. It is idempotent and commutes with others; changed is false when the message already said
// all of it, or when it isn't the author's to make.
func (m *Message) Amend(a Amendment) (changed bool) {
	switch a.Kind {
	case KindReaction:
		return m.react(a)
	case KindEdit:
		return a.Direction == m.Direction && m.edit(a)
	case KindRevoke:
		if a.Direction != m.Direction || (m.Revoked != nil && !m.Revoked.Newer(a.Stamp)) {
			return false
		}
		m.Revoked = &a.Stamp // the earliest
		return true
	case KindCall:
		return a.Call != nil && m.Kind == KindCall && m.hangUp(a)
	case KindSystem:
		return a.Signal != nil && m.signal(*a.Signal)
	}
	return false
}

func (m *Message) react(a Amendment) bool {
	if old, there := m.Reactions[a.By]; there && !a.Stamp.Newer(old.Stamp) {
		return false
	}
	if m.Reactions == nil {
		m.Reactions = map[string]Reaction{}
	}
	m.Reactions[a.By] = Reaction{a.Text, a.Stamp}
	return true
}

// How many edits and signals a message keeps, and how much of a text that isn't shown any more: DynamoDB holds 400 KB in
// an item, and WhatsApp allows 65,536 characters in a text. Nothing is lost by it, because each edit is a stored message
// of its own.
const (
	maxKept = 20
	maxPast = 4 << 10 // bytes
)

func (m *Message) edit(a Amendment) bool {
	if len(m.Edits) == 0 {
		m.Original = past(m.Text)
	}
	edits, changed := kept(m.Edits, Edit{past(a.Text), a.Stamp}, func(x, y Edit) int { return x.Stamp.compare(y.Stamp) })
	if changed && edits[len(edits)-1].Stamp.compare(a.Stamp) == 0 {
		m.Text = a.Text
	}
	m.Edits = edits
	return changed
}

// past is what is kept of a text that was replaced.
func past(text string) string {
	if len(text) <= maxPast {
		return text
	}
	const more = "…"
	return strings.ToValidUTF8(text[:maxPast-len(more)], "") + more
}

// kept adds one to what is in order, and leaves out the second when they are too many: the first and the newest are kept.
// Whatever was left out once would be left out of more as well, so that it doesn't matter when it comes. all isn't changed.
func kept[T any](all []T, one T, compare func(x, y T) int) (out []T, changed bool) {
	i, there := slices.BinarySearchFunc(all, one, compare)
	if there || (i == 1 && len(all) == maxKept) {
		return all, false
	}
	out = slices.Insert(slices.Clone(all), i, one)
	if len(out) > maxKept {
		out = slices.Delete(out, 1, 2)
	}
	return out, true
}

// hangUp completes what is known of a call: the newest status, the longest duration, the outermost times.
func (m *Message) hangUp(a Amendment) bool {
	was := Call{}
	if m.Call != nil {
		was = *m.Call
	}
	c := was
	if a.Call.Status != "" && (c.Status == "" || a.Stamp.Newer(c.Stamp)) {
		c.Status, c.Stamp = a.Call.Status, a.Stamp
	}
	c.Seconds = max(c.Seconds, a.Call.Seconds)
	if t := a.Call.Began; !t.IsZero() && (c.Began.IsZero() || t.Before(c.Began)) {
		c.Began = t.UTC()
	}
	if t := a.Call.Ended; t.After(c.Ended) {
		c.Ended = t.UTC()
	}
	m.Call = &c
	return c != was
}

func (m *Message) signal(s Signal) (changed bool) {
	m.Signals, changed = kept(m.Signals, s, func(x, y Signal) int {
		return cmp.Or(x.Stamp.compare(y.Stamp), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Text, y.Text))
	})
	return changed
}
