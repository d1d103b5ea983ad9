package odoo

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// faults are the switches of a test.
type faults struct {
	mu        sync.Mutex
	failUntil time.Time
	cut       int
	contend   int
	revoked   bool                // guarded by the simulator's lock
	forbidden map[string][]string // operations by model; guarded by the simulator's lock
	hidden    []int64             // contacts; guarded by the simulator's lock
	demanded  map[string]string   // a field by model; guarded by the simulator's lock
}

// Fail makes every call fail until a time, doing nothing, as when the database is away.
func (s *Simulator) Fail(until time.Time) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.failUntil = until
}

// Drop carries out the next n calls and cuts the connection instead of answering.
func (s *Simulator) Drop(n int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.cut = n
}

// Contend makes the next n imports lose a race, as when somebody imports the same at the same time.
func (s *Simulator) Contend(n int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.contend = n
}

// Forbid takes rights to a model away from the integration's user: "read", "create", "write", "unlink".
func (s *Simulator) Forbid(model string, operations ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.forbidden == nil {
		s.faults.forbidden = map[string][]string{}
	}
	s.faults.forbidden[model] = operations
}

// Hide takes a contact and what is written on it out of the sight of the integration's user, as if it were another company's.
func (s *Simulator) Hide(contact string) error {
	id, err := strconv.ParseInt(contact, 10, 64)
	if err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.hidden = append(s.faults.hidden, id)
	return nil
}

// Demand requires a field that the company gave to a model, and that nobody fills in; with an empty name no longer.
func (s *Simulator) Demand(model, field string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.demanded = map[string]string{model: field}
}

// Revoke ends the API key, as its ninetieth day does.
func (s *Simulator) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.revoked = true
}

func (f *faults) refuse(now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Before(f.failUntil) {
		return raise(http.StatusInternalServerError, "psycopg2.OperationalError", "server closed the connection unexpectedly")
	}
	return nil
}

func (f *faults) cuts() bool { return f.take(&f.cut) }

func (f *faults) contended() bool { return f.take(&f.contend) }

func (f *faults) take(n *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	return true
}
