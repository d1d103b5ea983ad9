// Package route decides what a message causes. It is pure: a message goes in, effects come out, and the queue entries
// that carry them are derived from nothing else. Planning the same message twice gives the same plan, and dispatching a
// plan twice gives entries that collapse.
package route

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
)

// Plan returns the effects of a message, in the order in which they are dispatched.
func Plan(m chat.Message, connectors []string) []chat.Effect {
	var effects []chat.Effect
	if m.Contact != "" && ownEntry(m) {
		for _, c := range connectors {
			effects = append(effects, chat.Effect{Kind: chat.EffectCRM, Target: c})
		}
	}
	if m.Attachment != nil && m.Attachment.State == chat.Pending {
		effects = append(effects, chat.Effect{Kind: chat.EffectMedia})
	}
	return effects
}

// ownEntry tells whether a message has an entry of its own on the customer's record. A reaction and the end of a call
// show on the entry of the message that they are about.
func ownEntry(m chat.Message) bool {
	a, amends := m.Amends()
	return !amends || a.Kind == chat.KindEdit || a.Kind == chat.KindRevoke
}

// Due returns those effects of a message that a cause makes due. Its file is fetched when the message is stored, and not
// for what is said of it later. What was written before the number was connected has its turn on the record when a job
// says so, and not when it is stored.
func Due(m chat.Message, cause string) []chat.Effect {
	var due []chat.Effect
	for _, e := range m.Effects {
		if onRecord := e.Kind == chat.EffectCRM; onRecord && (cause != Stored || !m.Imported) || !onRecord && cause == Stored {
			due = append(due, e)
		}
	}
	return due
}

// For tells whether the plan of a message brings it into a CRM.
func For(m chat.Message, connector string) bool {
	return slices.Contains(m.Effects, chat.Effect{Kind: chat.EffectCRM, Target: connector})
}

// OnRecord tells whether a message belongs on the record by now: what the customer wrote, what Meta took from us, which is
// what Meta has a name for, what it may have taken, so that nobody writes it again unawares, and what somebody asked for in a
// CRM and didn't get. A reaction never does, whatever it is to.
func OnRecord(m chat.Message) bool {
	return m.Kind != chat.KindReaction && ownEntry(m) &&
		(m.Direction == chat.In || m.ProviderID != "" || m.Status == chat.Unknown || m.Origin == chat.FromCRM && m.Status == chat.Failed)
}

// Connectors reads CRM_CONNECTOR: the names of the connectors to use, each of them once, or "none".
func Connectors(names []string) (each []string) {
	if len(names) == 1 && names[0] == "none" {
		return nil
	}
	for _, name := range names {
		if !slices.Contains(each, name) {
			each = append(each, name)
		}
	}
	return each
}

// Ref is an effect on its way through a queue: it says where to look, never what was there.
type Ref struct {
	V            int                 `json:"v"`
	ID           string              `json:"id"` // derived from the message and the effect
	Kind         chat.EffectKind     `json:"kind"`
	Target       string              `json:"target,omitempty"`
	Conversation chat.ConversationID `json:"conversation"`
	Message      string              `json:"message"` // its sort key within the conversation
	Cause        string              `json:"cause"`   // what made it due: an effect is due again when the file has come
}

// The causes.
const (
	Stored   = "stored"
	FileHere = "file"
	Accepted = "accepted"
	Failed   = "failed"   // Meta never takes it
	Doubtful = "doubtful" // nobody knows whether Meta took it, and it isn't sent again
	Imported = "imported" // its turn has come among what was written before the number was connected
)

// turn begins the causes by which jobs bring messages to a CRM.
const turn = "turn "

// Turn is the cause by which a job brings a message to a CRM. What tells the turns of a message from each other keeps the
// queue from taking a later one for the same.
func Turn(of string) string { return turn + of }

// HasTurn tells whether a cause brings what was written before the number was connected: other causes leave that to the
// job that brings it in order.
func HasTurn(cause string) bool { return cause == Imported || strings.HasPrefix(cause, turn) }

// NewRef names an effect of a message. sort is the message's key in its conversation, cause one of the above or the
// hash of what made it due: a receipt, a reaction, an edit, the wish to fetch a file once more.
func NewRef(m chat.Message, sort string, e chat.Effect, cause string) Ref {
	return Ref{
		V: 1, ID: hash(string(m.Conversation), sort, string(e.Kind), e.Target), Kind: e.Kind, Target: e.Target,
		Conversation: m.Conversation, Message: sort, Cause: cause,
	}
}

// nothing stands where a Ref of no message names one: a release that doesn't know the kind finds nothing there, and leaves
// it.
const nothing = "-"

// NewFetch asks for what a CRM wants to be sent, once a minute at most.
func NewFetch(connector string, now time.Time) Ref {
	return Ref{
		V: 1, ID: hash(string(chat.EffectFetch), connector), Kind: chat.EffectFetch, Target: connector,
		Conversation: nothing, Message: nothing, Cause: now.UTC().Format("2006-01-02T15:04"),
	}
}

// NewPerson has a contact's record in a CRM completed: more is known of the person than before, by the update of that hash.
func NewPerson(connector string, c chat.ContactID, cause string) Ref {
	return Ref{
		V: 1, ID: hash(string(chat.EffectPerson), connector, string(c)), Kind: chat.EffectPerson, Target: connector,
		Conversation: nothing, Message: string(c), Cause: cause,
	}
}

// Body is the queue entry's body: ASCII, as every part of it is.
func (r Ref) Body() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // a struct of strings
	}
	return b
}

// DedupID collapses the same effect from the same cause.
func (r Ref) DedupID() string { return hash(r.ID, r.Cause) }

// Group keeps the entries of one contact in a CRM in order, and lets the files of many conversations share a queue
// fairly. What is of no message has a line for each CRM.
func (r Ref) Group(c chat.ContactID) string {
	switch r.Kind {
	case chat.EffectCRM, chat.EffectPerson:
		return hash(r.Target, string(c))
	case chat.EffectFetch:
		return hash(string(r.Kind), r.Target)
	}
	return hash(string(r.Conversation))
}

// ParseRef reads a queue entry.
func ParseRef(body []byte) (Ref, error) {
	var r Ref
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("read effect: %w", err)
	}
	if r.V != 1 || r.Conversation == "" || r.Message == "" {
		return r, fmt.Errorf("read effect: version %d isn't one that this release writes", r.V)
	}
	return r, nil
}

// hash is 32 hex characters that depend on the parts and on where they end.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
