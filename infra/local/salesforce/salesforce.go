// Package salesforce is a simulated Salesforce org for one laptop: enough of its REST API to be strict with whoever calls
// it, and a demo CRM to look at what they wrote.
//
// It keeps Salesforce's rules where they matter to an integration: OAuth without a refresh token, sessions that end,
// object and field permissions, required fields, lengths, unique external ids, upserts, references to deleted records,
// master-detail, merges, SOQL with what may be filtered, a search that knows words and lags behind the writes, composite
// calls, multipart files and their links, duplicate rules, the daily limit. Custom objects and fields are read from
// their source files, as a deployment does. It was written from Salesforce's guides and not compared with a real org.
//
// Everything it holds is in Options.StateDir (mode 0600) and is there again after a restart. Faults for tests are
// switched on in Go: see Fail, Drop, Lock, Limit, Forbid, Duplicates and EndSessions.
package salesforce

import (
	"crypto/rsa"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"threadline/infra/local/journal"
)

// Version is the version of the REST API that the simulator answers.
const Version = "v62.0"

// Options configure a Simulator. StateDir is required.
type Options struct {
	StateDir     string         // made if missing
	ClientID     string         // of the external client app; empty: any
	ClientSecret string         // for client credentials; empty: any
	Username     string         // of the user as whom a JWT works
	PublicKey    *rsa.PublicKey // verifies JWTs; nil: none is taken
	LoginURL     string         // the audience of JWTs; "https://login.salesforce.com" if empty

	Metadata fs.FS    // source of what is deployed: objects/ and permissionsets/ below a root
	Objects  []string // of Metadata that are deployed; nil: all
	Assigned string   // the permission set that the API's user has

	Sites bool // there is an Experience Cloud site: customers may log in

	Now       func() time.Time
	SearchLag time.Duration // how long search doesn't show a write
	Batch     int           // records in one answer of a query; 2,000 if it is 0
	Daily     int           // calls in 24 hours; 100,000 if it is 0
	HTTP      *http.Client  // makes the flow's callouts
}

// Simulator is a Salesforce org. It is safe for concurrent use.
type Simulator struct {
	options Options

	mu       sync.Mutex
	journal  *journal.Journal[*record]
	schema   map[string]*object
	records  map[string]*record // by 18-character id
	order    []string           // ids, the oldest first
	serial   int64
	revision int64
	sessions map[string]bool
	calls    []Call
	faults   faults
	callout  callout
}

// Call is a call that the API answered.
type Call struct {
	Method, Path string // without the query
	Status       int
	At           time.Time
}

// New returns the org that StateDir holds.
func New(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Batch == 0 {
		o.Batch = 2000
	}
	if o.Daily == 0 {
		o.Daily = 100_000
	}
	if o.LoginURL == "" {
		o.LoginURL = "https://login.salesforce.com"
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	s := &Simulator{
		options: o, schema: standardObjects(), records: map[string]*record{}, sessions: map[string]bool{},
		faults: faults{forbidden: map[string]bool{}},
	}
	if o.Metadata != nil {
		if err := s.deploy(); err != nil {
			return nil, fmt.Errorf("deploy metadata: %w", err)
		}
	}
	var err error
	if s.journal, err = journal.Open(o.StateDir, s.apply); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return s, s.populate()
}

// Close closes the journal. What was answered is already in it.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// Calls returns what the API was asked, token calls included.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// populate makes what every org has: users, and the statuses that a task may have.
func (s *Simulator) populate() error {
	if len(s.order) > 0 {
		return nil
	}
	for _, r := range []struct {
		object string
		values map[string]string
	}{
		{"User", map[string]string{"Name": "Threadline Integration"}},
		{"User", map[string]string{"Name": "Sales User"}},
		{"TaskStatus", map[string]string{"ApiName": "No iniciada", "MasterLabel": "Pendiente", "IsClosed": "false", "SortOrder": "1"}},
		{"TaskStatus", map[string]string{"ApiName": "Completada", "MasterLabel": "Hecha", "IsClosed": "true", "SortOrder": "2"}},
	} {
		if err := s.commit(s.newRecord(r.object, r.values)); err != nil {
			return err
		}
	}
	return nil
}
