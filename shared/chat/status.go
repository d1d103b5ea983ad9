package chat

import "time"

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
	if s.Error.Code != t.Error.Code {
		return s.Error.Code < t.Error.Code
	}
	return s.Error.Reason < t.Error.Reason
}

// Problem is a failure as the provider or the pipeline reports it. Code is Meta's, 0 for our own.
type Problem struct {
	Code   int    `json:"code,omitempty"`
	Reason string `json:"reason"`
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
