package chat

import (
	"cmp"
	"time"
)

// Status is what became of a message that we sent. A message that we received is Delivered from the start.
type Status string

// The statuses in rank order; a receipt only ever raises them. Unknown is the honest answer when Meta may or may not
// have accepted the message; Failed ranks below Delivered because a message that reached the phone has not failed.
const (
	Queued    Status = "queued"
	Sending   Status = "sending"
	Unknown   Status = "unknown"
	Accepted  Status = "accepted"
	Sent      Status = "sent"
	Failed    Status = "failed"
	Delivered Status = "delivered"
	Read      Status = "read"
	Played    Status = "played"
)

var ranks = map[Status]int{
	Queued: 1, Sending: 2, Unknown: 3, Accepted: 4, Sent: 5, Failed: 6, Delivered: 7, Read: 8, Played: 9,
}

// Known tells whether s is one of the statuses above.
func (s Status) Known() bool { return ranks[s] > 0 }

// Outranks tells whether s is further along than t.
func (s Status) Outranks(t Status) bool { return ranks[s] > ranks[t] }

// AtMeta tells whether Meta is known to have taken the message.
func (s Status) AtMeta() bool { return s != Failed && ranks[s] >= ranks[Accepted] }

// Step is when a status was reached, and why when that was a failure. Of several receipts for one status (a group chat
// sends one for each participant, Meta repeats itself) the earliest is kept.
type Step struct {
	At    time.Time `json:"at"`
	Error *Problem  `json:"error,omitempty"`
}

// before tells which of two steps is kept. Ties go to the one with an error, then to the lower code, then by the alphabet:
// any rule would do that doesn't depend on which receipt came first.
func (s Step) before(t Step) bool {
	if !s.At.Equal(t.At) {
		return s.At.Before(t.At)
	}
	if s.Error == nil || t.Error == nil {
		return s.Error != nil && t.Error == nil
	}
	e, f := s.Error, t.Error
	return cmp.Or(cmp.Compare(e.Code, f.Code), cmp.Compare(e.Reason, f.Reason), cmp.Compare(e.Details, f.Details)) < 0
}

// Problem is a failure as the provider or the pipeline reports it. Code is Meta's, 0 for our own.
type Problem struct {
	Code    int    `json:"code,omitempty"`
	Reason  string `json:"reason"`
	Details string `json:"details,omitempty"` // the provider's, where they say more than the reason
}

// Receipt is the provider's word on a message that we sent.
type Receipt struct {
	Number      NumberID  `json:"number"`
	ProviderID  string    `json:"provider_id"`
	ID          MessageID `json:"id,omitempty"` // ours, when the provider echoes it
	Status      Status    `json:"status"`
	At          time.Time `json:"at"`
	Participant string    `json:"participant,omitempty"` // in a group chat: a hash of who
	Error       *Problem  `json:"error,omitempty"`
	Hash        string    `json:"hash"` // SHA-256 of the update
	Charged
}

// Charged is what receipts say of a message's price. Each field is the word of the earliest receipt that has one.
type Charged struct {
	Pricing   *Pricing   `json:"pricing,omitempty"`
	FreeEntry *FreeEntry `json:"free_entry,omitempty"`
}

// Pricing is how the provider charges for a message, in its own words.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status
type Pricing struct {
	Model    string `json:"model,omitempty"`    // "PMP": per message
	Type     string `json:"type,omitempty"`     // "regular", "free_customer_service", "free_entry_point"
	Category string `json:"category,omitempty"` // "service", "utility", "marketing", …
	Billable bool   `json:"billable,omitempty"` // false also where the provider leaves it out: Type tells
	Stamp    Stamp  `json:"stamp"`
}

// FreeEntry is the conversation that an ad opened, in which messages cost nothing.
type FreeEntry struct {
	ID      string    `json:"id,omitempty"`
	Origin  string    `json:"origin,omitempty"` // "referral_conversion"
	Expires time.Time `json:"expires,omitzero"`
	Stamp   Stamp     `json:"stamp"`
}

// charge takes over what another account of the same message says of its price.
func (c *Charged) charge(d Charged) (changed bool) {
	if p := d.Pricing; p != nil && (c.Pricing == nil || c.Pricing.Stamp.Newer(p.Stamp)) {
		c.Pricing, changed = p, true
	}
	if f := d.FreeEntry; f != nil && (c.FreeEntry == nil || c.FreeEntry.Stamp.Newer(f.Stamp)) {
		c.FreeEntry, changed = f, true
	}
	return changed
}

// Apply records a receipt. It is idempotent and commutes with other receipts; changed is false when the message
// already said all of it.
func (m *Message) Apply(r Receipt) (changed bool) {
	if !r.Status.Known() {
		return false
	}
	if m.ProviderID == "" && r.ProviderID != "" {
		m.ProviderID, changed = r.ProviderID, true
	}
	changed = m.charge(r.Charged) || changed
	old, seen := m.Steps[r.Status]
	if step := (Step{At: r.At, Error: r.Error}); !seen || step.before(old) {
		m.step(r.Status, r.At, r.Error)
		changed = true
	}
	if r.Status.Outranks(m.Status) {
		m.Status, changed = r.Status, true
	}
	return changed
}

// Advance takes over how far another account of the same message says that it came, such as an import's. Like receipts,
// it lowers nothing and commutes.
func (m *Message) Advance(other Message) (changed bool) {
	for status, step := range other.Steps {
		if m.Apply(Receipt{Status: status, At: step.At, Error: step.Error}) {
			changed = true
		}
	}
	if other.Status.Outranks(m.Status) {
		m.Status, changed = other.Status, true
	}
	return changed
}

// Reach raises the status to s. It is for what we learn ourselves; receipts go through Apply.
func (m *Message) Reach(s Status, at time.Time, p *Problem) {
	if _, seen := m.Steps[s]; !seen || p != nil {
		m.step(s, at, p)
	}
	if s.Outranks(m.Status) {
		m.Status = s
	}
}

func (m *Message) step(s Status, at time.Time, p *Problem) {
	if m.Steps == nil {
		m.Steps = map[Status]Step{}
	}
	m.Steps[s] = Step{At: at.UTC(), Error: p}
}
