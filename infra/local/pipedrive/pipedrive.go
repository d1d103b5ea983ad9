// Package pipedrive is a simulated Pipedrive for one laptop: as much of its API v1 and v2 as an integration of messages
// needs, strict with whoever calls it.
//
// It keeps the rules that Pipedrive documents: the x-api-token header and the rights behind it, the price of each call
// in tokens, the daily budget, the burst limits, required and typed fields, custom fields by their hash, sanitised HTML,
// a search that lags behind the writes, deleted persons that stay readable for 30 days, and webhooks v2 with their three
// retries and their ban. Where Pipedrive documents nothing it takes what a careless program would send.
//
// Everything it holds is in Options.StateDir (mode 0600) and is there again after a restart. Faults for tests are
// switched on in Go: see Fail, Drop, Limit, Exhaust, Block, Deny and Grant.
package pipedrive

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"threadline/infra/local/journal"
)

// AllRights are what the token's user may do, in the words of Pipedrive's document.
var AllRights = []string{"base", "contacts:read", "contacts:full", "search:read", "contact-fields:full", "admin"}

// Lite is what the smallest plan allows one user with an API token.
// https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
const (
	dailyBudget = 30_000 // tokens
	burst       = 20     // calls per window
	searchBurst = 10     // searches per window
	window      = 2 * time.Second
)

// Options configure a Simulator. Only StateDir is required.
type Options struct {
	Token     string   // the API token that calls must bring; empty: any
	StateDir  string   // made if missing
	Rights    []string // of the token's user; AllRights if nil
	Now       func() time.Time
	SearchLag time.Duration // how long search doesn't show a write
	Budget    int           // tokens a day; that of one seat of the Lite plan if 0

	// Sleep waits before a webhook's retry, or until the simulator is closed.
	Sleep func(context.Context, time.Duration) error
	HTTP  *http.Client // for webhooks
}

// Simulator is a Pipedrive account. It is safe for concurrent use.
type Simulator struct {
	options Options

	mu       sync.Mutex
	journal  *journal.Journal[change]
	lastID   int64
	revision int64
	persons  map[int64][]*person // every state of each, the oldest first: search lags
	fields   []*field
	notes    map[int64]*note
	files    map[int64]*file
	hooks    map[int64]*hook
	bans     map[int64]*ban
	calls    []Call
	spent    map[string]int // tokens by day
	recent   []request
	faults   faults

	deliveries sync.WaitGroup
	closing    context.Context
	close      context.CancelFunc
}

// New returns the account that StateDir holds; an empty one has nobody in it.
func New(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rights == nil {
		o.Rights = AllRights
	}
	if o.Budget == 0 {
		o.Budget = dailyBudget
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	s := &Simulator{
		options: o,
		lastID:  100,
		persons: map[int64][]*person{},
		fields:  ownFields(),
		notes:   map[int64]*note{},
		files:   map[int64]*file{},
		hooks:   map[int64]*hook{},
		bans:    map[int64]*ban{},
		spent:   map[string]int{},
	}
	s.faults.rights = o.Rights
	s.closing, s.close = context.WithCancel(context.Background())
	var err error
	if s.journal, err = journal.Open(o.StateDir, s.apply); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return s, nil
}

// Close gives up webhooks that wait for a retry, and closes the journal. What was answered is already in it.
func (s *Simulator) Close() error {
	s.close()
	s.deliveries.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// newID returns the next id. One counter serves all kinds, so that an id in the wrong place never works by chance.
func (s *Simulator) newID() int64 {
	s.lastID++
	return s.lastID
}

// now is the time as Pipedrive keeps it: in whole seconds.
func (s *Simulator) now() time.Time { return s.options.Now().UTC().Truncate(time.Second) }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
