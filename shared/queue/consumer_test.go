package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

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

type trial struct {
	temporary bool
	after     time.Duration
}

func (e trial) Error() string             { return content }
func (e trial) Temporary() bool           { return e.temporary }
func (e trial) RetryAfter() time.Duration { return e.after }

// Ensure that each class of failure waits as the package says.
func TestWaits(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	badURL := &url.Error{Op: "parse", URL: "http://x", Err: errors.New("invalid port")}
	for _, row := range []struct {
		name     string
		err      error
		receives int
		want     time.Duration
	}{
		{"bug, 1st", errors.New("x"), 1, 5 * time.Second},
		{"bug, 2nd", errors.New("x"), 2, 10 * time.Second},
		{"bug, 4th", trial{}, 4, 40 * time.Second},
		{"temporary, 1st", trial{temporary: true}, 1, 5 * time.Second},
		{"temporary, 8th", trial{temporary: true}, 8, 640 * time.Second},
		{"temporary, 9th", trial{temporary: true}, 9, 900 * time.Second},
		{"temporary, 500th", trial{temporary: true}, 500, 900 * time.Second},
		{"retry after, longer", fmt.Errorf("call: %w", trial{true, time.Hour}), 1, time.Hour},
		{"retry after, shorter", trial{true, time.Second}, 2, 10 * time.Second},
		{"retry after, beyond the limit", trial{true, 48 * time.Hour}, 1, 42300 * time.Second},
		{"context", fmt.Errorf("call: %w", context.DeadlineExceeded), 500, 900 * time.Second},
		{"cancelled", context.Canceled, 500, 900 * time.Second},
		{"network", &url.Error{Op: "Get", URL: "https://x", Err: refused}, 500, 900 * time.Second},
		{"network, joined", errors.Join(errors.New("x"), refused), 500, 900 * time.Second},
		{"AWS throttle", &smithy.GenericAPIError{Code: "ThrottlingException"}, 500, 900 * time.Second},
		{"later", queue.Later(90*time.Second, nil), 1, 90 * time.Second},
		{"later, many times", fmt.Errorf("send: %w", queue.Later(90*time.Second, trial{})), 500, 90 * time.Second},
		{"later, rounded up", queue.Later(1500*time.Millisecond, nil), 1, 2 * time.Second},
		{"later, now", queue.Later(-time.Second, nil), 1, 0},
		{"later, beyond the limit", queue.Later(24*time.Hour, nil), 1, 42300 * time.Second},
		{"malformed URL is a bug", badURL, 4, 40 * time.Second},
	} {
		r := newRig("work", func(context.Context, queue.Message) error { return row.err })
		r.send(t, in("", "a"))
		handle := r.receiveOnce(t, row.receives)
		r.invoke(t, handle)
		mustEqual(t, r.waits(), map[string]time.Duration{"a": row.want})
		if t.Failed() {
			t.Fatal(row.name)
		}
	}
}

// receiveOnce receives the only message and dresses it as if it had been received n times.
func (r *rig) receiveOnce(t *testing.T, n int) events.SQSEvent {
	t.Helper()
	var event events.SQSEvent
	catch := &queuetest.Pump{Client: r.q, URL: r.q.URL, Lambda: func(_ context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		event = e
		return events.SQSEventResponse{}, errors.New("not yet")
	}}
	if _, err := catch.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	event.Records[0].Attributes["ApproximateReceiveCount"] = fmt.Sprint(n)
	return event
}

func (r *rig) invoke(t *testing.T, e events.SQSEvent) []events.SQSBatchItemFailure {
	t.Helper()
	resp, err := r.consumer.Lambda(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return resp.BatchItemFailures
}

func TestJitterIsTwentyPercent(t *testing.T) {
	for jitter, want := range map[float64]time.Duration{0: 720 * time.Second, 0.99999999: 1080 * time.Second} {
		r := newRig("work", func(context.Context, queue.Message) error { return trial{temporary: true} })
		r.consumer.Jitter = func() float64 { return jitter }
		r.send(t, in("", "a"))
		r.invoke(t, r.receiveOnce(t, 20))
		mustEqual(t, r.waits(), map[string]time.Duration{"a": want})
	}
}

// Ensure that a group waits behind its first failure, in order, at the time of the first, and that others go on.
func TestGroupOrder(t *testing.T) {
	var mu sync.Mutex
	var handled []string
	fail := true
	r := newRig("work.fifo", func(_ context.Context, m queue.Message) error {
		mu.Lock()
		defer mu.Unlock()
		handled = append(handled, string(m.Body))
		if string(m.Body) == "g2" && fail {
			return trial{temporary: true}
		}
		return nil
	})
	r.send(t, in("g", "g1"), in("h", "h1"), in("g", "g2"), in("g", "g3"), in("h", "h2"), in("g", "g4"))
	r.once(t)
	mustEqual(t, r.waits(), map[string]time.Duration{"g2": 5 * time.Second, "g3": 0, "g4": 0})
	if slices.Contains(handled, "g3") || slices.Contains(handled, "g4") {
		t.Errorf("handled %q: what stands behind a failure must wait", handled)
	}
	if n, err := r.pump.Once(t.Context()); n != 0 || err != nil {
		t.Errorf("%d messages of a waiting group come, %v", n, err)
	}
	fail, handled = false, nil
	r.clock.Advance(5 * time.Second)
	r.once(t)
	if want := []string{"g2", "g3", "g4"}; !slices.Equal(handled, want) {
		t.Errorf("handled %q, want %q", handled, want)
	}
	mustEqual(t, r.waits(), map[string]time.Duration{})
}

// order records the calls of a consumer.
type order struct {
	queue.ConsumerAPI
	calls []string
	fail  bool
}

func (o *order) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, opts ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	o.calls = append(o.calls, fmt.Sprint(in.VisibilityTimeout))
	if o.fail {
		return nil, errors.New(content)
	}
	return o.ConsumerAPI.ChangeMessageVisibility(ctx, in, opts...)
}

// Ensure that the failed one is changed last: were it visible first, a group could come without its rest.
func TestRestIsShownBeforeTheFrontIsHidden(t *testing.T) {
	r := newRig("work.fifo", func(context.Context, queue.Message) error { return queue.Later(time.Minute, nil) })
	o := &order{ConsumerAPI: r.q}
	r.consumer.Client = o
	r.send(t, in("g", "g1"), in("g", "g2"), in("g", "g3"))
	r.once(t)
	if want := []string{"0", "0", "60"}; !slices.Equal(o.calls, want) {
		t.Errorf("visibilities %q, want %q", o.calls, want)
	}
}

// Ensure that a refused change of visibility costs nothing but the queue's own visibility timeout.
func TestVisibilityCallFails(t *testing.T) {
	r := newRig("work.fifo", func(_ context.Context, m queue.Message) error {
		if m.Group == "g" {
			return trial{temporary: true}
		}
		return nil
	})
	r.consumer.Client = &order{ConsumerAPI: r.q, fail: true}
	r.send(t, in("g", "g1"), in("h", "h1"))
	r.once(t)
	mustEqual(t, r.waits(), map[string]time.Duration{"g1": 30 * time.Second})
	r.mustNotLogContent(t)
}

// Ensure that on a standard queue a group is for fairness only.
func TestStandardQueueHasNoOrder(t *testing.T) {
	r := newRig("work", func(_ context.Context, m queue.Message) error {
		if string(m.Body) == "a" {
			return trial{temporary: true}
		}
		return nil
	})
	r.send(t, in("g", "a"), in("g", "b"), in("", "c"))
	r.once(t)
	mustEqual(t, r.waits(), map[string]time.Duration{"a": 5 * time.Second})
}

func TestGroupsRunInParallel(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	r := newRig("work.fifo", func(ctx context.Context, _ queue.Message) error {
		both.Done()
		met := make(chan struct{})
		go func() { both.Wait(); close(met) }()
		select {
		case <-met:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("alone")
		}
	})
	r.send(t, in("g", "g1"), in("h", "h1"))
	r.once(t)
	mustEqual(t, r.waits(), map[string]time.Duration{})
}

// Ensure that an outage of six days loses nothing, parks nothing, keeps the order and stays within the back-off.
func TestOutageOfSixDays(t *testing.T) {
	const outage = 6 * 24 * time.Hour
	var handled []string
	attempts := 0
	var r *rig
	r = newRig("work.fifo", func(_ context.Context, m queue.Message) error {
		if r.clock.Now().Before(start.Add(outage)) {
			attempts++
			return trial{temporary: true}
		}
		handled = append(handled, string(m.Body))
		return nil
	})
	r.send(t, in("g", "g1"), in("g", "g2"), in("g", "g3"))
	r.settle(t, outage+time.Hour)
	if want := []string{"g1", "g2", "g3"}; !slices.Equal(handled, want) {
		t.Errorf("handled %q, want %q", handled, want)
	}
	if r.dlq.Len() != 0 {
		t.Errorf("%d dead letters", r.dlq.Len())
	}
	// 5+10+…+640 s are eight attempts, then one every 900 s.
	if most := int(outage/(900*time.Second)) + 8; attempts > most {
		t.Errorf("%d attempts, want %d at most", attempts, most)
	}
}

// Ensure that a bug is parked at its fifth receive, with its reason and nothing of its content, and frees its group.
func TestParking(t *testing.T) {
	for name, bug := range map[string]func() error{
		"error: *errors.errorString":                  func() error { return errors.New(content) },
		"error: *fmt.wrapError > *errors.errorString": func() error { return fmt.Errorf("do: %w", errors.New(content)) },
		"panic: string":                               func() error { panic(content) },
		"panic: runtime.boundsError":                  func() error { return []error{}[len(content)] },
	} {
		var behind time.Duration
		var r *rig
		r = newRig("work.fifo", func(_ context.Context, m queue.Message) error {
			if string(m.Body) == content {
				return bug()
			}
			behind = r.clock.Now().Sub(start)
			return nil
		})
		r.send(t, in("g", content), in("g", "behind"))
		id := r.q.Messages()[0].ID
		r.settle(t, time.Hour)
		if want := 75 * time.Second; behind != want {
			t.Errorf("%s: the next one was handled after %s, want %s", name, behind, want)
		}
		if r.q.Len() != 0 || r.dlq.Len() != 1 {
			t.Fatalf("%s: %d in the queue, %d parked", name, r.q.Len(), r.dlq.Len())
		}
		if m := r.dlq.Messages()[0]; m.Body != content || m.Group != "g" || m.Reason != name {
			t.Errorf("parked %+v, want reason %q", m, name)
		}
		mustEqual(t, r.counts, counts{"Parked Source=work": 1})
		r.mustLog(t, id)
		r.mustNotLogContent(t)
	}
}

// Ensure that parking twice leaves one, and that a message that can't be parked is not lost.
func TestParkingFailsOrRepeats(t *testing.T) {
	r := newRig("work.fifo", func(context.Context, queue.Message) error { return errors.New("x") })
	r.send(t, in("g", "a"))
	event := r.receiveOnce(t, queue.ParkAfter)
	r.consumer.DLQURL += "-not"
	if failed := r.invoke(t, event); len(failed) != 1 {
		t.Errorf("failed %v, want the message that could not be parked", failed)
	}
	mustEqual(t, r.waits(), map[string]time.Duration{"a": 80 * time.Second})
	r.consumer.DLQURL = r.dlq.URL
	for range 2 { // the second time as if the acknowledgement had been lost
		if failed := r.invoke(t, event); len(failed) != 0 {
			t.Errorf("failed %v", failed)
		}
	}
	if r.dlq.Len() != 1 {
		t.Errorf("%d parked, want 1", r.dlq.Len())
	}
}

// Ensure that without a dead-letter queue a bug only waits.
func TestNoDLQ(t *testing.T) {
	r := newRig("work", func(context.Context, queue.Message) error { return errors.New("x") })
	r.consumer.DLQURL = ""
	r.send(t, in("", "a"))
	if failed := r.invoke(t, r.receiveOnce(t, 9)); len(failed) != 1 {
		t.Errorf("failed %v", failed)
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

// Ensure that a panic fails its message only, and that the log names the place and not the value.
func TestPanicIsContained(t *testing.T) {
	r := newRig("work", func(_ context.Context, m queue.Message) error {
		if string(m.Body) == "bad" {
			panicHere()
		}
		return nil
	})
	r.send(t, in("", "good"), in("", "bad"), in("", "good too"))
	r.once(t)
	mustEqual(t, r.waits(), map[string]time.Duration{"bad": 5 * time.Second})
	r.mustLog(t, "queue_test.panicHere")
	r.mustNotLogContent(t)
}

func panicHere() { panic(fmt.Errorf("say %q", content)) }

// Ensure that a handler that ends its goroutine acknowledges nothing.
func TestGoexit(t *testing.T) {
	r := newRig("work.fifo", func(context.Context, queue.Message) error {
		runtime.Goexit()
		return nil
	})
	r.send(t, in("g", "a"))
	r.once(t)
	if r.q.Len() != 1 {
		t.Error("the message is gone")
	}
}

// Ensure that handlers stop one second before Lambda does, and that what they didn't reach comes at once.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var deadline time.Time
		r := newRig("work.fifo", func(ctx context.Context, _ queue.Message) error {
			deadline, _ = ctx.Deadline()
			<-ctx.Done()
			return nil // done in the last moment
		})
		r.send(t, in("g", "g1"), in("g", "g2"), in("g", "g3"))
		end := time.Now().Add(15 * time.Second)
		ctx, cancel := context.WithDeadline(t.Context(), end)
		defer cancel()
		if _, err := r.pump.Once(ctx); err != nil {
			t.Fatal(err)
		}
		if want := end.Add(-time.Second); !deadline.Equal(want) || !time.Now().Equal(want) {
			t.Errorf("deadline %s, over at %s, want %s", deadline, time.Now(), want)
		}
		mustEqual(t, r.waits(), map[string]time.Duration{"g2": 0, "g3": 0})
	})
}

func TestMessage(t *testing.T) {
	var got queue.Message
	r := newRig("work.fifo", func(_ context.Context, m queue.Message) error {
		got = m
		return nil
	})
	r.send(t, in("g", "a"))
	r.clock.Advance(time.Minute)
	event := r.receiveOnce(t, 3)
	text := "webhook"
	event.Records[0].MessageAttributes = map[string]events.SQSMessageAttribute{
		"source": {DataType: "String", StringValue: &text}, "raw": {DataType: "Binary", BinaryValue: []byte{1}},
	}
	r.invoke(t, event)
	if got.ID != event.Records[0].MessageId || string(got.Body) != "a" || got.Group != "g" || got.Receives != 3 || !got.Sent.Equal(start) {
		t.Errorf("got %+v", got)
	}
	mustEqual(t, got.Attributes, map[string]string{"source": "webhook"})
}

// Ensure that an empty batch and a record without attributes are no trouble, and that the answer is never null.
func TestBareRecords(t *testing.T) {
	r := newRig("work", func(_ context.Context, m queue.Message) error {
		if m.Receives != 1 || !m.Sent.IsZero() {
			t.Errorf("got %+v", m)
		}
		return nil
	})
	for _, e := range []events.SQSEvent{{}, {Records: []events.SQSMessage{{MessageId: "m", Body: "x"}}}} {
		if failed := r.invoke(t, e); failed == nil || len(failed) != 0 {
			t.Errorf("failed %v", failed)
		}
	}
}

// Ensure that the texts of errors are logged only through the given filter.
func TestErrorText(t *testing.T) {
	r := newRig("work", func(context.Context, queue.Message) error {
		return &url.Error{Op: "Get", URL: "https://host/" + content, Err: http.ErrHandlerTimeout}
	})
	r.send(t, in("", "a"))
	r.once(t)
	r.mustLog(t, "*url.Error > *errors.errorString")
	r.mustNotLogContent(t)
	r.consumer.ErrorText = func(error) string { return "filtered" }
	r.settle(t, 5*time.Second)
	r.mustLog(t, "filtered")
}
