package crmsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	crmsync "threadline/functions/crmsync/handler"
	"threadline/shared/crm"
	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
)

// worker is one instance of the function.
type worker struct {
	r       *Rig
	n       int
	handle  queue.Handler // of the process that is up
	pump    *queuetest.Pump
	busy    bool
	gone    bool      // the process died
	failure error     // of the queue
	wake    time.Time // while it waits
	resumed chan struct{}
}

func (r *Rig) newWorker(n int) *worker {
	w := &worker{r: r, n: n, resumed: make(chan struct{})}
	consumer := &queue.Consumer{
		Client: r.queue, QueueURL: r.queue.URL, DLQURL: r.DLQ.URL, Source: "CRM", Metrics: r.Metrics, Log: quiet(), Jitter: r.rng.Float64,
		ErrorText: func(err error) string { return err.Error() },
		Handle:    func(ctx context.Context, m queue.Message) error { return w.handle(ctx, m) },
	}
	w.pump = &queuetest.Pump{Client: r.queue, URL: r.queue.URL, BatchSize: 1, Lambda: func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		resp, err := consumer.Lambda(ctx, e)
		if w.gone {
			w.start()
			return events.SQSEventResponse{}, errGone
		}
		if err == nil && r.o.Twice && len(resp.BatchItemFailures) == 0 && r.again(e.Records[0]) {
			resp.BatchItemFailures = []events.SQSBatchItemFailure{{ItemIdentifier: e.Records[0].MessageId}}
		}
		return resp, err
	}}
	w.start()
	return w
}

var errGone = errors.New("the process is gone")

// again has an entry come once more some time later, and tells whether it does.
func (r *Rig) again(record events.SQSMessage) bool {
	if r.twice[record.MessageId] {
		return false
	}
	r.twice[record.MessageId] = true
	_, err := r.queue.ChangeMessageVisibility(context.Background(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &r.queue.URL, ReceiptHandle: &record.ReceiptHandle, VisibilityTimeout: r.rng.Int32N(30),
	})
	return err == nil
}

// start makes a process that knows nothing. It does what the function's main.go does.
func (w *worker) start() {
	connectors := map[string]crm.Connector{}
	for _, c := range w.r.configured {
		var made crm.Connector
		made = c.connect(&http.Client{Transport: &crmsync.Pace{
			Store: w.r.Store, Name: c.Connector, Next: &line{w, c}, Capabilities: func() crm.Capabilities { return made.Capabilities() },
			Now: w.r.Now, Wait: w.wait,
		}})
		connectors[c.Connector] = made
	}
	h := &crmsync.Handler{
		Store: w.r.Store, Blobs: w.r.o.Blobs, Connectors: connectors, Metrics: w.r.Metrics, Bundle: w.r.o.Bundle, Now: w.r.Now,
	}
	w.handle, w.gone = h.Handle, false
}

// die ends the goroutine of a process that is gone.
func (w *worker) die() {
	w.gone = true
	runtime.Goexit()
}

// wait lets others run until d has passed.
func (w *worker) wait(_ context.Context, d time.Duration) error {
	w.wake = w.r.Now().Add(d)
	w.r.yielded <- struct{}{}
	<-w.resumed
	w.wake = time.Time{}
	return nil
}

// run receives an entry and handles it, until it is done or waits.
func (w *worker) run() {
	w.busy = true
	go func() {
		_, w.failure = w.pump.Once(context.Background())
		w.busy = false
		w.r.yielded <- struct{}{}
	}()
	<-w.r.yielded
}

func (w *worker) resume() {
	w.resumed <- struct{}{}
	<-w.r.yielded
}

// appointment is something that happens at a time.
type appointment struct {
	at time.Time
	do func()
}

// After has something happen when d has passed.
func (r *Rig) After(d time.Duration, do func()) {
	r.agenda = append(r.agenda, appointment{r.Now().Add(d), do})
	slices.SortStableFunc(r.agenda, func(a, b appointment) int { return a.at.Compare(b.at) })
}

// patience is how much virtual time a run may take: as long as the queue keeps an entry.
const patience = 14 * 24 * time.Hour

// Quiet runs everything until nothing is queued, waiting or appointed.
func (r *Rig) Quiet() {
	r.t.Helper()
	for until := r.Now().Add(patience); r.step(until); {
	}
	if n := r.Queued(); n > 0 {
		r.t.Fatalf("%d entries wait for ever", n)
	}
}

// Run is Quiet for a limited time; then the clock stands d later.
func (r *Rig) Run(d time.Duration) {
	until := r.Now().Add(d)
	for r.step(until) {
	}
	r.clock.Set(until)
}

// step does one thing that is due, or moves the clock to what is due next. It returns false if nothing is before until.
func (r *Rig) step(until time.Time) bool {
	r.t.Helper()
	now := r.Now()
	if len(r.agenda) > 0 && !r.agenda[0].at.After(now) {
		do := r.agenda[0].do
		r.agenda = r.agenda[1:]
		do()
		return true
	}
	visible := r.queue.NextVisible()
	var next time.Time
	consider := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, n := range r.rng.Perm(len(r.workers)) {
		switch w := r.workers[n]; {
		case w.failure != nil:
			r.t.Fatalf("receive: %v", w.failure)
		case !w.busy && !visible.IsZero() && !visible.After(now):
			w.run()
			return true
		case !w.busy:
			consider(visible)
		case !w.wake.After(now):
			w.resume()
			return true
		default:
			consider(w.wake)
		}
	}
	if len(r.agenda) > 0 {
		consider(r.agenda[0].at)
	}
	if next.IsZero() || next.After(until) {
		return false
	}
	r.clock.Set(next)
	return true
}

func padded(n, width int) string { return fmt.Sprintf("%0*d", width, n) }
