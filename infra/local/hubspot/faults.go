package hubspot

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// faults are the switches of a test.
type faults struct {
	scopes     []string
	forbidden  map[string]bool // "communications.hs_attachment_ids": not there; "communications.unique": none possible
	rules      map[string]func(string) bool
	failUntil  time.Time
	limitUntil time.Time
	policy     string
	cut        int
}

// The rate limit policies of HubSpot.
const (
	TenSecondly = "TEN_SECONDLY_ROLLING"
	Daily       = "DAILY"
)

// Fail makes every call answer 500 until a time, doing nothing.
func (s *Simulator) Fail(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.failUntil = until
}

// Limit makes every call answer 429 until a time, doing nothing.
func (s *Simulator) Limit(policy string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.policy, s.faults.limitUntil = policy, until
}

// Drop carries out the next n calls and cuts the connection instead of answering.
func (s *Simulator) Drop(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.cut = n
}

// Grant replaces the scopes of the token.
func (s *Simulator) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.scopes = scopes
}

// Forbid takes a property away from a kind of object, as in an account that lacks it. The property "unique" stands for
// the ability to have unique properties of one's own, "custom" for that to have any.
func (s *Simulator) Forbid(kind, property string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.forbidden == nil {
		s.faults.forbidden = map[string]bool{}
	}
	s.faults.forbidden[kind+"."+property] = true
}

// Rule lets a property have no values but those that are allowed, as a rule of the account's administrator does.
// https://developers.hubspot.com/changelog/upcoming-property-validations-rules-will-be-enforced-for-apis-and-integrations
func (s *Simulator) Rule(kind, property string, allowed func(value string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.rules == nil {
		s.faults.rules = map[string]func(string) bool{}
	}
	s.faults.rules[kind+"."+property] = allowed
}

func (f *faults) refuse(now time.Time) error {
	if now.Before(f.failUntil) {
		return &refusal{Status: http.StatusInternalServerError, Category: "INTERNAL_ERROR", Message: "internal error"}
	}
	if !now.Before(f.limitUntil) {
		return nil
	}
	r := &refusal{
		Status: http.StatusTooManyRequests, Category: "RATE_LIMITS",
		Message: "You have reached your " + strings.ToLower(f.policy) + " limit.",
		Extra:   map[string]any{"errorType": "RATE_LIMIT", "policyName": f.policy},
		Header:  http.Header{},
	}
	if f.policy == TenSecondly {
		r.Header.Set("Retry-After", strconv.Itoa(int(f.limitUntil.Sub(now).Seconds())+1))
	}
	return r
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
