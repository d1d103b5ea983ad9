package hubspot

import (
	"net/http"
	"slices"
	"time"
)

// Call is a call that the API carried out.
type Call struct {
	Method string
	Path   string // without the query
	At     time.Time
}

// mostCalls is how many calls are remembered.
const mostCalls = 10_000

// Calls returns the latest calls, the oldest first.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *Simulator) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == mostCalls {
		s.calls = slices.Delete(s.calls, 0, mostCalls/2)
	}
	s.calls = append(s.calls, Call{Method: r.Method, Path: r.URL.Path, At: s.options.Now()})
}
