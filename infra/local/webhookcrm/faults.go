package webhookcrm

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Call is a call that Threadline made.
type Call struct {
	Method string
	Type   string // of the document; empty if it wasn't believed
	Status int
	At     time.Time
}

// Calls returns the calls since the start.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// faults are the switches of a test.
type faults struct {
	limitUntil time.Time
	forbidden  bool
	fail, cut  int
}

// Limit makes every call answer 429 until a time, doing nothing.
func (s *Simulator) Limit(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.limitUntil = until
}

// Forbid makes every call answer 403, as of an integration that an administrator switched off. It returns the code in the
// answers.
func (s *Simulator) Forbid() (code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.forbidden = true
	return switchedOff
}

const switchedOff = "switched_off"

// Fail makes the next n calls answer 500, doing nothing.
func (s *Simulator) Fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.fail = n
}

// Drop carries out the next n calls and cuts the connection instead of answering.
func (s *Simulator) Drop(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.cut = n
}

func (f *faults) refuse(now time.Time) (answer, bool) {
	switch {
	case now.Before(f.limitUntil):
		a := wrong(http.StatusTooManyRequests, "busy")
		a.header = http.Header{"Retry-After": {strconv.Itoa(int(f.limitUntil.Sub(now).Seconds()) + 1)}}
		return a, true
	case f.forbidden:
		return wrong(http.StatusForbidden, switchedOff), true
	case f.fail > 0:
		f.fail--
		return wrong(http.StatusInternalServerError, "failed"), true
	}
	return answer{}, false
}

func (f *faults) cuts() bool {
	if f.cut == 0 {
		return false
	}
	f.cut--
	return true
}
