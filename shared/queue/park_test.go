package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"threadline/shared/queue"
)

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
