// Package espocrm is a simulated EspoCRM for one laptop: contacts, stream notes, attachments, custom entities made by an
// administrator, and signed webhooks, strict with whoever calls them.
//
// It keeps EspoCRM's rules where they matter to an integration: roles, duplicates by name answered 409, telephone
// numbers that must be international, notes that can't be dated and can be edited by their author for seven days only,
// mentions, the "c" before custom names, reasons in a header and empty bodies, webhooks in batches by a job.
//
// Everything it holds is in Options.StateDir (mode 0600) and is there again after a restart. Faults for tests are switched
// on in Go: see Fail, Limit, Forbid.
package espocrm

import (
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"threadline/infra/local/journal"
)

// Options configure a Simulator. Only StateDir is required.
type Options struct {
	APIKey   string // of the API user; "local-espocrm-key" if empty
	Password string // of the administrator "admin"; "local-espocrm-password" if empty
	StateDir string // made if missing
	Version  int    // 8, 9 or 10; 9 if 0
	Now      func() time.Time

	// SetUp says that an administrator has made the custom entity and fields. HookURL, if it isn't empty, is where a webhook
	// of theirs goes, signed with HookSecret.
	SetUp               bool
	HookURL, HookSecret string
	HTTP                *http.Client // for webhooks; http.DefaultClient if nil
}

// Simulator is an EspoCRM instance. It is safe for concurrent use.
type Simulator struct {
	options Options

	mu       sync.Mutex
	journal  *journal.Journal[change]
	number   int64 // of the latest record
	revision int64 // counts changes, for the page
	entities map[string]*entity
	records  map[string]*record
	order    []*record // the oldest first
	role     map[string]map[string]string
	calls    []Call
	faults   faults
}

// Call is a call to the API.
type Call struct {
	Method string
	Path   string // below /api/v1, without ids
	At     time.Time
}

// New returns the instance that StateDir holds; a new one is empty.
func New(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version == 0 {
		o.Version = 9
	}
	if o.APIKey == "" {
		o.APIKey = "local-espocrm-key"
	}
	if o.Password == "" {
		o.Password = "local-espocrm-password"
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	s := &Simulator{options: o, entities: stockEntities(), records: map[string]*record{}, role: map[string]map[string]string{}}
	for scope, levels := range stockRole {
		s.role[scope] = maps.Clone(levels)
	}
	var err error
	if s.journal, err = journal.Open(o.StateDir, s.apply); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	if o.SetUp {
		if err := s.setUp(); err != nil {
			return nil, fmt.Errorf("set up: %w", err)
		}
	}
	return s, nil
}

// Close closes the journal. What was answered is already in it.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// Calls returns the calls that were made.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// change is a line of the journal: the new state of one thing.
type change struct {
	Record *record `json:"record,omitempty"`
	Entity *entity `json:"entity,omitempty"`
}

func (s *Simulator) apply(c change) {
	s.revision++
	if c.Entity != nil {
		s.entities[c.Entity.Name] = c.Entity
		return
	}
	s.number = max(s.number, c.Record.Number)
	if old := s.records[c.Record.ID]; old != nil {
		*old = *c.Record
		return
	}
	s.records[c.Record.ID] = c.Record
	s.order = append(s.order, c.Record)
}

// commit makes a change lasting; then it is there for everybody.
func (s *Simulator) commit(c change) error {
	if err := s.journal.Append(c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}
