// Package webhookcrm is a CRM of a company's own that takes what Threadline's webhook connector sends: an example of the
// receiver that such a company writes, and a simulator to test the connector with.
//
// It keeps the receiver's side of docs/crm/webhook.md: what isn't signed is refused, what is put twice with one key is
// there once, gaps on a record are filled and nothing is overwritten, a file's bytes are compared with the hash that was
// signed. It shares no code with the connector.
//
// Everything it holds is in Options.StateDir (mode 0600) and is there again after a restart. Faults for tests are
// switched on in Go: see Limit, Forbid, Fail, Drop.
package webhookcrm

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"threadline/infra/local/journal"
)

// Options configure a Simulator. StateDir and Secret are required.
type Options struct {
	Secret    string // signs what comes and what goes
	StateDir  string // made if missing
	EventsURL string // where requests of the CRM's user go: Threadline's /crm/webhook/events
	HTTP      *http.Client
	Now       func() time.Time

	// Least makes it a receiver that does the least there is: it gives no refs, so that it is addressed by Threadline's
	// keys, and it doesn't look for contacts.
	Least bool
}

// Simulator is the company's CRM. It is safe for concurrent use.
type Simulator struct {
	options Options

	mu       sync.Mutex
	journal  *journal.Journal[change]
	ids      journal.IDs
	revision int64
	contacts table[*contact]
	entries  table[*entry]
	files    table[*file]
	requests table[*request]
	calls    []Call
	faults   faults
}

// New returns the CRM that StateDir holds.
func New(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	s := &Simulator{options: o, ids: journal.IDs{Last: 100}}
	if o.Secret == "" {
		return nil, errors.New("a receiver without a secret would believe anybody")
	}
	var err error
	if s.journal, err = journal.Open(o.StateDir, s.apply); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return s, nil
}

// Close closes the journal. What was answered is already in it.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// change is a line of the journal: the new state of one thing.
type change struct {
	Contact *contact `json:"contact,omitempty"`
	Entry   *entry   `json:"entry,omitempty"`
	File    *file    `json:"file,omitempty"`
	Request *request `json:"request,omitempty"`
}

func (s *Simulator) apply(c change) {
	switch {
	case c.Contact != nil:
		s.contacts.set(c.Contact)
		s.ids.Saw(c.Contact.ID)
	case c.Entry != nil:
		s.entries.set(c.Entry)
		s.ids.Saw(c.Entry.ID)
	case c.File != nil:
		s.files.set(c.File)
		s.ids.Saw(c.File.ID)
	case c.Request != nil:
		s.requests.set(c.Request)
		s.ids.Saw(c.Request.ID)
	}
	s.revision++
}

// commit makes a change lasting; then it is there for everybody.
func (s *Simulator) commit(c change) error {
	if err := s.journal.Append(c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}
