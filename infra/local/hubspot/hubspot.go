// Package hubspot is a simulated HubSpot for one laptop: enough of its CRM, properties and files APIs to be strict with
// whoever calls them, and a demo CRM page to look at what they wrote.
//
// It keeps HubSpot's rules where they matter to an integration: bearer token and scopes, unknown and read-only
// properties, unique values, required associations, a search that lags behind the writes, private files behind signed
// URLs, 207 for half-done batches, rate limits, signed calls of a workflow action. Its answers are checked against HubSpot's
// own OpenAPI documents.
//
// Everything it holds is in Options.StateDir (mode 0600) and is there again after a restart. Faults for tests are
// switched on in Go: see Fail, Drop, Limit, Grant, Forbid, Rule.
package hubspot

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"threadline/infra/local/journal"
)

// Version is the version of the file and account APIs that the simulator answers.
const Version = "2026-03"

// versions are those of its object and automation APIs.
var versions = []string{"2026-03", "2026-09"}

// AllScopes are the scopes that the simulator knows.
var AllScopes = []string{
	"crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.read", "crm.schemas.contacts.write",
	"files", "automation", "oauth",
}

// Options configure a Simulator. Only StateDir is required.
type Options struct {
	Token     string   // the bearer token that calls must bring; empty: any
	StateDir  string   // made if missing
	Scopes    []string // of the token; AllScopes if nil
	Now       func() time.Time
	SearchLag time.Duration  // how long search doesn't show a write
	Zone      *time.Location // of the account; UTC if nil
	// ActionURL is called by the workflow that Write and Enrol run, signed with ClientSecret. See docs/crm/hubspot-app.
	ActionURL, ClientSecret string
}

// Simulator is a HubSpot account. It is safe for concurrent use.
type Simulator struct {
	options Options

	mu         sync.Mutex
	journal    *journal.Journal[change]
	ids        journal.IDs
	revision   int64 // counts changes, for the page
	objects    map[string]map[string]*object
	order      map[string][]string // ids of the objects of a kind, the oldest first
	properties map[string]map[string]*property
	groups     map[string]map[string]*group
	files      map[string]*file
	executions map[string]*execution
	key        []byte // signs file URLs
	faults     faults
	calls      []Call

	closing context.CancelFunc // ends what repeats calls of the workflow action
	running context.Context
	repeats sync.WaitGroup
}

// New returns the account that StateDir holds; an empty one has HubSpot's own properties and nothing else.
func New(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Scopes == nil {
		o.Scopes = AllScopes
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	s := &Simulator{
		options:    o,
		ids:        journal.IDs{Last: 100},
		objects:    map[string]map[string]*object{},
		order:      map[string][]string{},
		properties: ownProperties(),
		groups:     map[string]map[string]*group{},
		files:      map[string]*file{},
		executions: map[string]*execution{},
		key:        []byte(rand.Text()),
	}
	for kind := range s.properties {
		s.objects[kind] = map[string]*object{}
		s.groups[kind] = map[string]*group{}
	}
	s.faults.scopes = o.Scopes
	var err error
	if s.journal, err = journal.Open(o.StateDir, s.apply); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	s.running, s.closing = context.WithCancel(context.Background())
	s.resume()
	return s, nil
}

// Close closes the journal. What was answered is already in it.
func (s *Simulator) Close() error {
	s.closing()
	s.repeats.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// change is a line of the journal: the new state of one thing.
type change struct {
	Object   *object   `json:"object,omitempty"`
	Property *property `json:"property,omitempty"`
	Group    *group    `json:"group,omitempty"`
	File     *file     `json:"file,omitempty"`

	Execution *execution `json:"execution,omitempty"`
}

func (s *Simulator) apply(c change) {
	switch {
	case c.Object != nil:
		if old := s.objects[c.Object.Kind][c.Object.ID]; old != nil {
			c.Object.before = append(old.before, snapshot{until: c.Object.UpdatedAt, properties: old.Properties, archived: old.Archived})
		} else {
			s.order[c.Object.Kind] = append(s.order[c.Object.Kind], c.Object.ID)
		}
		s.objects[c.Object.Kind][c.Object.ID] = c.Object
		s.ids.Saw(c.Object.ID)
	case c.Property != nil:
		s.properties[c.Property.ObjectType][c.Property.Name] = c.Property
	case c.Group != nil:
		s.groups[c.Group.ObjectType][c.Group.Name] = c.Group
	case c.File != nil:
		s.files[c.File.ID] = c.File
		s.ids.Saw(c.File.ID)
	case c.Execution != nil:
		s.executions[c.Execution.ID] = c.Execution
		s.ids.Saw(c.Execution.Number)
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
