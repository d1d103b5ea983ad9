// Package crmsim is the way of messages into a CRM in one process, on one virtual clock: CRM.fifo in memory, several
// crmsync functions that each have a handler and connectors of their own, a table and a bucket in memory, and simulated
// CRMs behind real listeners on loopback.
//
//	r := crmsim.New(t, crmsim.Options{Seed: 1}, crmsim.Kinds["odoo"])
//	r.Text("34600111222", "wamid.1", "hello")
//	r.Quiet()
//	t.Log(r.CRMs[0].Records())
//
// It guarantees that nothing happens but in its methods, that one function at a time runs, until it calls a CRM, which
// takes its time, or waits for its turn there, and that each call to a CRM passes one place, where it may be refused, lose
// its answer or be the last that its process made. Hours of outage pass in milliseconds.
package crmsim

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	crmsync "threadline/functions/crmsync/handler"
	"threadline/infra/sim"
	"threadline/shared/blob"
	"threadline/shared/queue/queuetest"
	"threadline/shared/store"
)

// Number is the company's phone_number_id.
const Number = "15550001111"

// Start is when every run begins.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Options say what a run is like. The zero value is a perfect day.
type Options struct {
	Seed    uint64           // who goes first, how long a repetition waits
	Workers int              // functions; three if 0
	Twice   bool             // every entry is delivered a second time after it was handled
	Bundle  time.Duration    // CRM_BUNDLE
	Takes   time.Duration    // how long each call to a CRM takes; 100 ms if 0
	Calls   int              // how many calls a CRM takes in its period, where that can be configured; 0: its default
	Fault   func(Call) Fault // what goes wrong; nil: nothing
	Blobs   crmsync.Blobs    // where files are read from; the Bucket if nil
}

// Rig is one stack, as far as CRMs are concerned. It is for one test's goroutine.
type Rig struct {
	Store   *store.Store
	Bucket  *blob.Memory
	Metrics *sim.Counts
	CRMs    []*CRM
	DLQ     *queuetest.Queue

	t          testing.TB
	o          Options
	clock      *queuetest.Clock
	rng        *rand.Rand
	queue      *queuetest.Queue
	web        http.RoundTripper
	configured []*CRM // CRM_CONNECTOR
	workers    []*worker
	yielded    chan struct{}   // by the worker that ran
	twice      map[string]bool // entries that were delivered a second time
	agenda     []appointment
	calls      []Call
	ids        int
}

// New builds a stack with CRMs, all of which are configured.
func New(t testing.TB, o Options, kinds ...Kind) *Rig {
	t.Helper()
	if o.Workers == 0 {
		o.Workers = 3
	}
	if o.Takes == 0 {
		o.Takes = 100 * time.Millisecond
	}
	r := &Rig{
		t: t, o: o, clock: queuetest.NewClock(Start), rng: rand.New(rand.NewPCG(o.Seed, 0)), Metrics: &sim.Counts{},
		yielded: make(chan struct{}), twice: map[string]bool{},
	}
	r.Store = &store.Store{DB: store.NewMemory(), Table: "table", Now: r.Now, NewID: r.newID, Pause: func(context.Context, int) error { return nil }}
	r.Bucket = &blob.Memory{Now: r.Now}
	if r.o.Blobs == nil {
		r.o.Blobs = r.Bucket
	}
	account := queuetest.New(r.Now)
	r.DLQ = account.Create("CRM-dead.fifo", queuetest.Options{})
	r.queue = account.Create("CRM.fifo", queuetest.Options{Visibility: 240 * time.Second, MaxReceives: 1000, DLQ: r.DLQ})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	r.web = transport
	for _, k := range kinds {
		r.CRMs = append(r.CRMs, r.open(k))
	}
	r.configured = r.CRMs
	for n := range o.Workers {
		r.workers = append(r.workers, r.newWorker(n))
	}
	return r
}

// Now is the virtual time.
func (r *Rig) Now() time.Time { return r.clock.Now() }

// Configure replaces CRM_CONNECTOR: messages that come from now on go to these CRMs, and all functions start anew.
func (r *Rig) Configure(crms ...*CRM) {
	r.configured = crms
	for _, w := range r.workers {
		w.start()
	}
}

// Queued is how many entries wait, in flight or not.
func (r *Rig) Queued() int { return r.queue.Len() }

// newID makes ids of the form and the order of ULIDs.
func (r *Rig) newID() string {
	r.ids++
	return "01JQ" + padded(r.ids, 22)
}

// quiet is a log for nobody, unless CRMSIM_LOG is set: then a failing run can be read along.
func quiet() *slog.Logger {
	if os.Getenv("CRMSIM_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.DiscardHandler)
}
