// Package sim is the whole pipeline in one process, on one virtual clock: the functions' own handlers, joined by queues,
// a table and a bucket in memory, with Meta and HubSpot played behind the real clients.
//
//	s := sim.New(t, sim.Options{})
//	s.Deliver("34600111222", whatsapptest.Text(sim.Number, "34600111222", "wamid.1", "hello", s.Now()))
//	s.Quiet()
//	t.Log(s.State())
//
// It guarantees that nothing happens but in its methods, that every call that leaves a function passes one place (see
// Call), where a test may count it, refuse it, lose its answer or end the process, and that a Seed makes one customer's
// run repeatable. Days of outage pass in milliseconds. With a Pace, functions take their time and there are only so many of
// them, so that it can be told who waits for whom.
package sim

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	api "threadline/functions/api/handler"
	crmsync "threadline/functions/crmsync/handler"
	media "threadline/functions/media/handler"
	router "threadline/functions/router/handler"
	sender "threadline/functions/sender/handler"
	webhook "threadline/functions/webhook/handler"
	hubspotsim "threadline/infra/local/hubspot"
	"threadline/shared/blob"
	"threadline/shared/bus"
	"threadline/shared/crm"
	"threadline/shared/crm/hubspot"
	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
	"threadline/shared/secret"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Number is the company's phone_number_id.
const Number = "15550001111"

// Options say what a run is like. The zero value is a perfect day.
type Options struct {
	Seed      uint64                  // order in which queues are served; 0: always the same
	Ambiguous sender.Ambiguity        // AMBIGUOUS_SEND
	Receipts  []Receipt               // of every message that reaches a phone; nil: UsualReceipts
	Fault     func(Call) Fault        // what goes wrong; nil: nothing
	Twice     bool                    // SQS delivers every message a second time after it was handled
	SearchLag time.Duration           // of HubSpot
	Retention time.Duration           // of messages; 0: for ever
	Pace      *Pace                   // nil: everything happens in no time
	CRMLimit  Limit                   // how many calls the CRM takes; zero: any number
	Ledger    *Ledger                 // a CRM in place of HubSpot
	Log       *slog.Logger            // of the queues' consumers; nil: nobody
	Inbound   int                     // batch size of Inbound.fifo; 0: 10
	Refuse    func(now time.Time) int // Meta's code for whatever is sent; nil or 0: it takes it

	Table func(function string, t store.API) store.API // what stands between a function and the table; nil: nothing
}

// Receipt is what the simulated Meta reports of a message some time after it took it.
type Receipt struct {
	State string
	After time.Duration
}

// UsualReceipts come within seconds.
var UsualReceipts = []Receipt{{"sent", time.Second}, {"delivered", 2 * time.Second}, {"read", 5 * time.Second}}

// Sim is one stack with its surroundings. It is for one test's goroutine.
type Sim struct {
	Clock   *queuetest.Clock
	Table   *store.Memory
	Store   *store.Store // reads the table, past every fault
	Bucket  *blob.Memory
	HubSpot *hubspotsim.Simulator
	Metrics *Counts
	Bus     *bus.Memory

	Inbound, Bulk, Media, CRM, Outbound            *queuetest.Queue
	InboundDLQ, BulkDLQ, MediaDLQ, CRMDLQ, SendDLQ *queuetest.Queue

	t         testing.TB
	o         Options
	rng       *rand.Rand
	phones    phones
	agenda    []appointment
	lanes     map[string][]post
	crm       http.Handler
	webhook   *webhook.Handler
	api       http.Handler
	functions []*function
	running   int
	crmCalls  rolling
	postings  []Posting
	known     map[string]bool // keys of postings

	mu    sync.Mutex
	calls []Call
	runs  map[string]int
}

// Start is when every run begins.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// ambiguousAfter is AMBIGUOUS_SEND_AFTER's default.
const ambiguousAfter = 2 * time.Minute

// New builds a stack.
func New(t testing.TB, o Options) *Sim {
	t.Helper()
	if o.Receipts == nil {
		o.Receipts = UsualReceipts
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sim{
		t: t, o: o, rng: rand.New(rand.NewPCG(o.Seed, 0)), Clock: queuetest.NewClock(Start), Table: store.NewMemory(),
		lanes: map[string][]post{}, known: map[string]bool{}, runs: map[string]int{}, Metrics: &Counts{}, Bus: &bus.Memory{}, phones: phones{files: map[string]file{}},
	}
	s.crmCalls.Limit = o.CRMLimit
	s.Bucket = &blob.Memory{Now: s.Now}
	s.Store = &store.Store{DB: s.Table, Table: "table", Now: s.Now, Pause: noPause}
	s.makeQueues()
	var err error
	s.HubSpot, err = hubspotsim.New(hubspotsim.Options{StateDir: t.TempDir(), Now: s.Now, SearchLag: o.SearchLag})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.HubSpot.Close() })
	s.crm = s.HubSpot.API()
	s.wire()
	return s
}

// Now is the virtual time.
func (s *Sim) Now() time.Time { return s.Clock.Now() }

// makeQueues makes them as template.yaml does.
func (s *Sim) makeQueues() {
	account := queuetest.New(s.Now)
	pair := func(name, suffix string, visibility time.Duration) (q, dlq *queuetest.Queue) {
		dlq = account.Create(name+"-dead"+suffix, queuetest.Options{})
		return account.Create(name+suffix, queuetest.Options{Visibility: visibility, MaxReceives: 1000, DLQ: dlq}), dlq
	}
	s.Inbound, s.InboundDLQ = pair("Inbound", ".fifo", 30*time.Second)
	s.Bulk, s.BulkDLQ = pair("Bulk", "", 30*time.Second)
	s.Media, s.MediaDLQ = pair("Media", "", 600*time.Second)
	s.CRM, s.CRMDLQ = pair("CRM", ".fifo", 240*time.Second)
	s.Outbound, s.SendDLQ = pair("Outbound", ".fifo", 60*time.Second)
}

// wire does what the functions' main.go do.
func (s *Sim) wire() {
	table := func(function string) *store.Store {
		db := store.API(&tableAPI{s})
		if s.o.Table != nil {
			db = s.o.Table(function, db)
		}
		return &store.Store{DB: db, Table: "table", Retention: s.o.Retention, Now: s.Now, Pause: noPause}
	}
	to := func(q *queuetest.Queue) *queue.Sender { return &queue.Sender{Client: &queueAPI{s, q}, URL: q.URL} }
	bucket := &bucketAPI{s}
	web := &http.Client{Transport: &transport{s}}
	token := func(context.Context) (string, error) { return "token", nil }
	graph := func() *whatsapp.Client { return &whatsapp.Client{Token: token, HTTP: web} }
	connectors := []string{s.connector(web, token).Name()}

	s.webhook = &webhook.Handler{Secrets: keys{}, Inbound: to(s.Inbound), Bulk: to(s.Bulk), Claims: bucket, Metrics: s.Metrics}
	s.api = (&api.API{
		Store: table("api"), Outbound: to(s.Outbound), Inbound: to(s.Inbound), Files: s.Bucket, Links: links{}, Graph: graph(),
		Numbers: []string{Number}, Connectors: connectors, Now: s.Now, Key: token,
	}).Handler()
	batch := s.o.Inbound
	if batch == 0 {
		batch = 10
	}
	route := func() queue.Handler {
		h := router.Handler{
			Store: table("router"), Media: to(s.Media), CRM: to(s.CRM), Bulk: to(s.Bulk), Blobs: bucket, Bus: &busAPI{s}, Metrics: s.Metrics,
			Connectors: connectors, Now: s.Now,
		}
		return h.Handle
	}
	s.consume("router", "Inbound", s.Inbound, s.InboundDLQ, batch, route)
	s.consume("router", "Bulk", s.Bulk, s.BulkDLQ, 1, route)
	s.consume("crmsync", "CRM", s.CRM, s.CRMDLQ, 1, func() queue.Handler {
		connector := s.connector(web, token)
		h := &crmsync.Handler{
			Store: table("crmsync"), Blobs: bucket, Metrics: s.Metrics, Connectors: map[string]crm.Connector{connector.Name(): connector},
			Now: s.Now,
		}
		return h.Handle
	})
	s.consume("media", "Media", s.Media, s.MediaDLQ, 1, func() queue.Handler {
		h := media.Handler{
			Store: table("media"), Graph: graph(), Blobs: bucket, CRM: to(s.CRM), Metrics: s.Metrics, Refresh: keys{}.Refresh,
			Now: s.Now,
		}
		return h.Handle
	})
	s.consume("sender", "Outbound", s.Outbound, s.SendDLQ, 1, func() queue.Handler {
		h := sender.Handler{
			Store: table("sender"), Graph: graph(), Files: bucket, CRM: to(s.CRM), Metrics: s.Metrics, Refresh: keys{}.Refresh,
			Ambiguous: s.o.Ambiguous, After: ambiguousAfter, Now: s.Now,
		}
		return h.Handle
	})
}

// connector is the way into the CRM.
func (s *Sim) connector(web *http.Client, token func(context.Context) (string, error)) crm.Connector {
	if s.o.Ledger != nil {
		return &noting{&ledgerAPI{s, s.o.Ledger}, s}
	}
	return &noting{hubspot.New(hubspot.Config{Token: token, HTTP: web, Now: s.Now}), s}
}

// consume adds a function that reads a queue. start makes a fresh process of it.
func (s *Sim) consume(name, source string, q, dlq *queuetest.Queue, batch int, start func() queue.Handler) {
	f := &function{name: name, queue: source, from: q, start: start, handle: start()}
	f.consumer = &queue.Consumer{
		Client: &queueAPI{s, q}, QueueURL: q.URL, DLQURL: dlq.URL, Source: source, Metrics: s.Metrics, Log: s.o.Log,
		Jitter: s.jitter,
		Handle: func(ctx context.Context, m queue.Message) error {
			ctx, cancel := context.WithCancel(ctx) // what ends before the function does, see Ended
			defer cancel()
			return f.handle(context.WithValue(ctx, endKey{}, cancel), m)
		},
	}
	f.pump = &queuetest.Pump{Client: &line{s, f, q}, URL: q.URL, BatchSize: batch, Lambda: func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		return s.invoke(f, e)
	}}
	s.functions = append(s.functions, f)
}

// jitter is what spreads repetitions: random, and the same for the same seed.
func (s *Sim) jitter() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.Float64()
}

// noPause is how writers who met wait on a clock that stands.
func noPause(context.Context, int) error { return nil }

// links are addresses within the bucket that nobody has to sign.
type links struct{}

// Link names an object.
func (links) Link(_ context.Context, key string, _ blob.LinkOptions) (string, error) {
	return "https://bucket/" + key, nil
}

// UploadLink names the place of an object.
func (links) UploadLink(_ context.Context, key string, _ int64, _ blob.PutOptions, _ time.Duration) (blob.Upload, error) {
	return blob.Upload{Method: http.MethodPut, URL: "https://bucket/" + key}, nil
}

// keys is the stack's secret. Its own package proves what happens when it can't be read.
type keys struct{}

// Value returns what the key stands for here.
func (keys) Value(_ context.Context, key string) (string, error) {
	if key == secret.AppSecretPrevious {
		return "", secret.ErrNoValue
	}
	return "local-" + key, nil
}

// Refresh does nothing.
func (keys) Refresh(context.Context) error { return nil }

// Counts are the metrics by name, without dimensions.
type Counts struct {
	mu     sync.Mutex
	counts map[string]int
}

// Count adds n.
func (c *Counts) Count(_ context.Context, name string, n int, _ ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[name] += n
}

// Of returns a count.
func (c *Counts) Of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[name]
}
