package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/shared/queue"
)

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
