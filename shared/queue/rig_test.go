package queue_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
)

const content = "what the customer wrote"

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// rig is a consumer on a queue of the twin.
type rig struct {
	clock    *queuetest.Clock
	q, dlq   *queuetest.Queue
	sender   *queue.Sender
	consumer *queue.Consumer
	pump     *queuetest.Pump
	log      bytes.Buffer
	counts   counts
}

type counts map[string]int

func (c counts) Count(_ context.Context, name string, n int, dims ...string) {
	c[name+" "+strings.Join(dims, "=")] += n
}

func newRig(name string, handle queue.Handler) *rig {
	r := &rig{clock: queuetest.NewClock(start), counts: counts{}}
	account := queuetest.New(r.clock.Now)
	r.q = account.Create(name, queuetest.Options{})
	r.dlq = account.Create("dead-"+name, queuetest.Options{})
	r.sender = &queue.Sender{Client: r.q, URL: r.q.URL}
	r.consumer = &queue.Consumer{
		Client: r.q, QueueURL: r.q.URL, DLQURL: r.dlq.URL, Source: "work", Handle: handle, Metrics: r.counts,
		Log:    slog.New(slog.NewJSONHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Jitter: func() float64 { return 0.5 },
	}
	r.pump = &queuetest.Pump{Client: r.q, URL: r.q.URL, Lambda: r.consumer.Lambda}
	return r
}

func (r *rig) send(t *testing.T, entries ...queue.Entry) {
	t.Helper()
	if err := r.sender.Send(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) once(t *testing.T) {
	t.Helper()
	if _, err := r.pump.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// settle runs everything for that long.
func (r *rig) settle(t *testing.T, d time.Duration) {
	t.Helper()
	if _, err := queuetest.Settle(t.Context(), r.clock, r.clock.Now().Add(d), r.pump); err != nil {
		t.Fatal(err)
	}
}

func in(group, body string) queue.Entry { return queue.Entry{Body: []byte(body), Group: group} }

// waits returns how long each message stays invisible, by body.
func (r *rig) waits() map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, m := range r.q.Messages() {
		all[m.Body] = max(0, m.Visible.Sub(r.clock.Now()))
	}
	return all
}

func mustEqual[M ~map[K]V, K, V comparable](t *testing.T, got, want M) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func (r *rig) mustLog(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(r.log.String(), text) {
		t.Errorf("the log lacks %q:\n%s", text, r.log.String())
	}
}

func (r *rig) mustNotLogContent(t *testing.T) {
	t.Helper()
	if strings.Contains(r.log.String(), content) {
		t.Errorf("the log holds a message's content:\n%s", r.log.String())
	}
}
