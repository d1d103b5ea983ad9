package espocrm

import (
	"maps"
	"net/http"
	"strconv"
	"time"
)

// faults are the switches of a test.
type faults struct {
	fail       int
	limitUntil time.Time
}

// Fail makes the next n calls answer 500, doing nothing.
func (s *Simulator) Fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.fail = n
}

// Limit makes every call answer 429 until a time, doing nothing. EspoCRM has no limits: this is a web server before it.
func (s *Simulator) Limit(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.limitUntil = until
}

// Forbid takes an action on a type of records away from the API user's role; an empty action takes all of them.
func (s *Simulator) Forbid(scope, action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if action == "" {
		s.role[scope] = nil
		return
	}
	levels := maps.Clone(s.role[scope])
	levels[action] = "no"
	s.role[scope] = levels
}

func (f *faults) refuse(now time.Time, h http.Header) error {
	if f.fail > 0 {
		f.fail--
		return &refusal{Status: http.StatusInternalServerError}
	}
	if now.Before(f.limitUntil) {
		h.Set("Retry-After", strconv.Itoa(int(f.limitUntil.Sub(now).Seconds())+1))
		return &refusal{Status: http.StatusTooManyRequests}
	}
	return nil
}
