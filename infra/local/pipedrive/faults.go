package pipedrive

import (
	"net/http"
	"strconv"
	"time"
)

// faults are the switches of a test.
type faults struct {
	rights                                          []string
	failUntil, limitUntil, exhaustUntil, blockUntil time.Time
	cut, deny                                       int
	fields                                          int // that the plan allows; 0: any number
}

// Fail makes every call answer 500 until a time, doing nothing.
func (s *Simulator) Fail(until time.Time) { s.with(func(f *faults) { f.failUntil = until }) }

// Limit makes every call answer 429 until a time, as for too many calls at once.
func (s *Simulator) Limit(until time.Time) { s.with(func(f *faults) { f.limitUntil = until }) }

// Exhaust makes every call answer 429 until a time, as when the day's tokens are spent.
func (s *Simulator) Exhaust(until time.Time) { s.with(func(f *faults) { f.exhaustUntil = until }) }

// Block makes every call answer 403 with a page of Cloudflare's until a time, as it happens to who ignores 429.
func (s *Simulator) Block(until time.Time) { s.with(func(f *faults) { f.blockUntil = until }) }

// Drop carries out the next n calls and cuts the connection instead of answering.
func (s *Simulator) Drop(n int) { s.with(func(f *faults) { f.cut = n }) }

// Deny carries out the next n calls and answers 200 with success: false.
func (s *Simulator) Deny(n int) { s.with(func(f *faults) { f.deny = n }) }

// AllowFields makes the plan allow n custom fields.
func (s *Simulator) AllowFields(n int) { s.with(func(f *faults) { f.fields = n }) }

// Grant replaces the rights of the token's user.
func (s *Simulator) Grant(rights ...string) { s.with(func(f *faults) { f.rights = rights }) }

func (s *Simulator) with(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

func (f *faults) refuse(h http.Header, now time.Time) error {
	switch {
	case now.Before(f.blockUntil):
		return &refusal{Status: http.StatusForbidden, Page: "<!DOCTYPE html><title>Access denied</title><p>This error is produced by Cloudflare.</p>"}
	case now.Before(f.failUntil):
		return &refusal{Status: http.StatusInternalServerError, Message: "Internal server error"}
	case now.Before(f.exhaustUntil):
		h.Set("x-daily-ratelimit-token-remaining", "0")
		h.Set("Retry-After", "3") // it says so, and it is of no use
		return overLimit()
	case now.Before(f.limitUntil):
		h.Set("x-ratelimit-remaining", "0")
		h.Set("x-ratelimit-reset", strconv.Itoa(int(f.limitUntil.Sub(now).Seconds()+1)))
		return overLimit()
	}
	return nil
}

func (s *Simulator) cuts() (cut, deny bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.cut > 0 {
		s.faults.cut--
		return true, false
	}
	if s.faults.deny > 0 {
		s.faults.deny--
		return false, true
	}
	return false, false
}
