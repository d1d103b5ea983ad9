package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	router "threadline/functions/router/handler"
	webhook "threadline/functions/webhook/handler"
	"threadline/infra/sim"
	"threadline/shared/blob"
	"threadline/shared/event"
	"threadline/shared/queue"
	"threadline/shared/store"
	"threadline/shared/whatsapp/whatsapptest"
)

// routed is a router by itself: the table is in memory, and what it sends goes nowhere.
type routed struct {
	now     time.Time
	table   *store.Memory
	store   *store.Store
	handler router.Handler
	webhook webhook.Handler
	posted  captured
	sent    captured
	files   bucket
	bus     told
	counts  sim.Counts
}

func newRouted() *routed {
	r := &routed{now: sim.Start, table: store.NewMemory()}
	clock := func() time.Time { return r.now }
	r.store = &store.Store{DB: r.table, Table: "table", Now: clock}
	out, in := &queue.Sender{Client: &r.sent, URL: "out.fifo"}, &queue.Sender{Client: &r.posted, URL: "in.fifo"}
	r.handler = router.Handler{
		Store: r.store, Media: out, CRM: out, Bulk: out, Blobs: &r.files, Bus: &r.bus, Metrics: &r.counts,
		Connectors: []string{"hubspot"}, Now: clock,
	}
	r.webhook = webhook.Handler{Secrets: oneSecret{}, Inbound: in, Bulk: in, Claims: &r.files, Metrics: &r.counts}
	return r
}

// entries are what the webhook puts on its queues when Meta posts that.
func (r *routed) entries(ctx context.Context, body []byte) ([]queue.Message, error) {
	r.posted.bodies = nil
	answer, err := r.webhook.Handle(ctx, signed(body))
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the webhook answers %d (%w)", answer.StatusCode, err)
	}
	var all []queue.Message
	for _, b := range r.posted.bodies {
		all = append(all, queue.Message{Body: b, Receives: 1})
	}
	return all, nil
}

func (r *routed) handle(ctx context.Context, entries []queue.Message) error {
	for _, m := range entries {
		if err := r.handler.Handle(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// effort is what the router does for something.
type effort struct {
	time               time.Duration // of a processor, with the table in memory: nothing waits
	allocations, bytes uint64
	table              store.Cost
	sqs, bus, s3       int // calls
	raw                int // updates that were only kept
}

// count is what the router asks of AWS for some entries.
func (r *routed) count(ctx context.Context, entries []queue.Message) (e effort, err error) {
	meter := store.NewMeter(r.table)
	sqs, bus, s3 := r.sent.calls, r.bus.calls, r.files.calls
	r.store.DB = meter
	err = r.handle(ctx, entries)
	r.store.DB = r.table
	return effort{table: meter.Cost(), sqs: r.sent.calls - sqs, bus: r.bus.calls - bus, s3: r.files.calls - s3}, err
}

// clock is what the router itself needs for some entries.
func (r *routed) clock(ctx context.Context, entries []queue.Message) (e effort, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := time.Now()
	err = r.handle(ctx, entries)
	e.time = time.Since(begin)
	runtime.ReadMemStats(&after)
	e.allocations, e.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return e, err
}

// signed is a POST of Meta's as the HTTP API hands it on.
func signed(body []byte) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Body: string(body), Headers: map[string]string{"x-hub-signature-256": whatsapptest.Sign(appSecret, body)},
	}
	e.RequestContext.HTTP.Method = http.MethodPost
	return e
}

// captured is SQS that takes every message and keeps the bodies.
type captured struct {
	takesAll
	calls  int
	bodies [][]byte
}

func (c *captured) SendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput, o ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error) {
	c.calls++
	for _, e := range in.Entries {
		c.bodies = append(c.bodies, []byte(*e.MessageBody))
	}
	return c.takesAll.SendMessageBatch(ctx, in, o...)
}

// bucket counts its calls.
type bucket struct {
	blob.Memory
	calls int
}

func (b *bucket) Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error {
	b.calls++
	return b.Memory.Put(ctx, key, body, size, o)
}

func (b *bucket) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	b.calls++
	return b.Memory.Get(ctx, key)
}

// told is a bus that counts its calls.
type told struct{ calls int }

func (t *told) Put(context.Context, ...event.Event) error { t.calls++; return nil }
