package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/smithy-go"

	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
)

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
