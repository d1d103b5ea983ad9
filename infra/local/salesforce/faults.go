package salesforce

import (
	"net/http"
	"time"
)

// faults are the switches of a test.
type faults struct {
	forbidden  map[string]bool // objects that can't be written
	fail       int
	cut        int
	locked     int
	limitUntil time.Time
	duplicates DuplicateRule
}

// DuplicateRule is what the org's rule about contacts does.
type DuplicateRule int

// The rules.
const (
	off   DuplicateRule = iota
	Alert               // may be saved all the same, if the caller says so
	Block
)

// Fail makes the next n calls answer 500, doing nothing.
func (s *Simulator) Fail(n int) { s.set(func(f *faults) { f.fail = n }) }

// Drop carries out the next n calls and cuts the connection instead of answering.
func (s *Simulator) Drop(n int) { s.set(func(f *faults) { f.cut = n }) }

// Lock makes the next n writes find their parent locked by somebody else.
func (s *Simulator) Lock(n int) { s.set(func(f *faults) { f.locked = n }) }

// Limit refuses every call for their number until a time.
func (s *Simulator) Limit(until time.Time) { s.set(func(f *faults) { f.limitUntil = until }) }

// Forbid takes the right to write an object away.
func (s *Simulator) Forbid(object string) { s.set(func(f *faults) { f.forbidden[object] = true }) }

// Duplicates switches a duplicate rule for contacts of one name on.
func (s *Simulator) Duplicates(rule DuplicateRule) { s.set(func(f *faults) { f.duplicates = rule }) }

// EndSessions ends every session: its token is no longer taken.
func (s *Simulator) EndSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.sessions)
}

func (s *Simulator) set(f func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.faults)
}

func (f *faults) refuse(now time.Time, spent bool) error {
	if f.fail > 0 {
		f.fail--
		return refuse(http.StatusInternalServerError, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
	}
	if spent || now.Before(f.limitUntil) {
		return refuse(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
	}
	return nil
}

func (f *faults) lock() error {
	if f.locked == 0 {
		return nil
	}
	f.locked--
	return refuse(http.StatusBadRequest, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")
}

func (s *Simulator) cuts() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.cut == 0 {
		return false
	}
	s.faults.cut--
	return true
}
