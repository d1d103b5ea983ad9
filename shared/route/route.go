// Package route decides what a message causes. It is pure: a message goes in, effects come out, and the queue entries
// that carry them are derived from nothing else. Planning the same message twice gives the same plan, and dispatching a
// plan twice gives entries that collapse.
package route

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

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

// Connectors reads CRM_CONNECTOR: the names of the connectors to use, or "none".
func Connectors(names []string) []string {
	if len(names) == 1 && names[0] == "none" {
		return nil
	}
	return names
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
	Imported = "imported" // its turn has come among what was written before the number was connected
)

// NewRef names an effect of a message. sort is the message's key in its conversation, cause one of the above or the
// hash of what made it due: a receipt, a reaction, an edit, the wish to fetch a file once more.
func NewRef(m chat.Message, sort string, e chat.Effect, cause string) Ref {
	return Ref{
		V: 1, ID: hash(string(m.Conversation), sort, string(e.Kind), e.Target), Kind: e.Kind, Target: e.Target,
		Conversation: m.Conversation, Message: sort, Cause: cause,
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
// fairly.
func (r Ref) Group(c chat.ContactID) string {
	if r.Kind == chat.EffectCRM {
		return hash(r.Target, string(c))
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
