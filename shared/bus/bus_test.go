package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"threadline/shared/event"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// note is a detail of any size.
type note struct {
	Text string `json:"text"`
}

func (note) Type() string { return "note.v1" }

func notes(sizes ...int) (all []event.Event) {
	for i, size := range sizes {
		all = append(all, event.New(fmt.Sprint(i), at, note{strings.Repeat("x", size)}))
	}
	return all
}

func many(n, size int) []event.Event {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return notes(sizes...)
}

// client takes what AWS takes and refuses what AWS refuses.
type client struct {
	t       *testing.T
	calls   [][]types.PutEventsRequestEntry
	answers []error           // of the first calls
	refuse  map[string]string // code by event id
}

func (c *client) PutEvents(_ context.Context, in *eventbridge.PutEventsInput, _ ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error) {
	c.calls = append(c.calls, in.Entries)
	if n := len(in.Entries); n == 0 || n > 10 {
		c.t.Errorf("a call with %d entries", n)
	}
	size := 0
	out := &eventbridge.PutEventsOutput{}
	for _, e := range in.Entries {
		size += len(*e.Detail) + len(*e.DetailType) + len(*e.Source) + 14
		var detail struct{ ID string }
		if err := json.Unmarshal([]byte(*e.Detail), &detail); err != nil {
			c.t.Error(err)
		}
		result := types.PutEventsResultEntry{EventId: aws.String("aws-" + detail.ID)}
		if code := c.refuse[detail.ID]; code != "" {
			result = types.PutEventsResultEntry{ErrorCode: &code}
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	if size > 262144 {
		c.t.Errorf("a call with %d bytes", size)
	}
	if n := len(c.calls); n <= len(c.answers) && c.answers[n-1] != nil {
		return nil, c.answers[n-1]
	}
	return out, nil
}

func TestPut(t *testing.T) {
	c := &client{t: t}
	if err := New(c, "b-1").Put(t.Context(), notes(3)...); err != nil {
		t.Fatal(err)
	}
	e := c.calls[0][0]
	if *e.EventBusName != "b-1" || *e.Source != "threadline" || *e.DetailType != "note.v1" || !e.Time.Equal(at) {
		t.Errorf("%+v", e)
	}
	if want := `{"at":"2026-11-22T09:00:00Z","id":"0","text":"xxx","v":1}`; *e.Detail != want {
		t.Errorf("detail %s, want %s", *e.Detail, want)
	}
}

func TestBatches(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []event.Event
		want   []int // entries of each call
	}{
		{"nothing", nil, nil},
		{"ten", many(10, 10), []int{10}},
		{"eleven", many(11, 10), []int{10, 1}},
		{"large", many(5, 100<<10), []int{2, 2, 1}},
		{"the largest", many(3, 262144-len(`{"at":"2026-11-22T09:00:00Z","id":"0","text":"","v":1}`)-len("note.v1")-len("threadline")-14), []int{1, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &client{t: t}
			if err := New(fake, "b").Put(t.Context(), c.events...); err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, call := range fake.calls {
				got = append(got, len(call))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("calls of %v, want %v", got, c.want)
			}
		})
	}
}

// Ensure that an error counts what isn't on the bus, says nothing of what it was, and tells whether waiting helps.
func TestFailures(t *testing.T) {
	network := errors.New("connection refused")
	for _, c := range []struct {
		name      string
		fake      client
		text      string
		temporary bool
	}{
		{"throttled in part", client{refuse: map[string]string{"3": "ThrottlingException", "11": "InternalFailure"}},
			"put events: 2 of 12 not on the bus (1 InternalFailure, 1 ThrottlingException)", true},
		{"refused in part", client{refuse: map[string]string{"3": "ThrottlingException", "4": "MalformedDetail"}},
			"put events: 2 of 12 not on the bus (1 MalformedDetail, 1 ThrottlingException)", false},
		{"call failed", client{answers: []error{network}}, "put events: 10 of 12 not on the bus (10 call failed)", false},
		{"call refused", client{answers: []error{nil, &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "secret"}}},
			"put events: 2 of 12 not on the bus (2 AccessDeniedException)", false},
		{"both", client{answers: []error{network}, refuse: map[string]string{"11": "ThrottlingException"}},
			"put events: 11 of 12 not on the bus (1 ThrottlingException, 10 call failed)", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.fake.t = t
			err := New(&c.fake, "b").Put(t.Context(), many(12, 10)...)
			if err == nil || err.Error() != c.text {
				t.Fatalf("%v, want %s", err, c.text)
			}
			var passes interface{ Temporary() bool }
			if !errors.As(err, &passes) || passes.Temporary() != c.temporary {
				t.Errorf("temporary: %t, want %t", !c.temporary, c.temporary)
			}
			if len(c.fake.calls) != 2 {
				t.Errorf("%d calls, want both in spite of the failure", len(c.fake.calls))
			}
			if len(c.fake.answers) > 0 && c.fake.answers[0] != nil && !errors.Is(err, network) {
				t.Error("the cause is lost, which says whether it passes")
			}
		})
	}
}

// unreadable is a detail that isn't an object.
type unreadable string

func (unreadable) Type() string { return "unreadable.v1" }

// publisher is what both buses are.
type publisher interface {
	Put(ctx context.Context, events ...event.Event) error
}

// Ensure that the twin refuses what the bus refuses, whole.
func TestNothingIsPutIfOneIsWrong(t *testing.T) {
	fake, memory := &client{t: t}, &Memory{}
	for name, bus := range map[string]publisher{"EventBridge": New(fake, "b"), "Memory": memory} {
		t.Run(name, func(t *testing.T) {
			for _, wrong := range []event.Event{notes(256 << 10)[0], event.New("w", at, unreadable("x"))} {
				err := bus.Put(t.Context(), append(notes(1), wrong)...)
				if err == nil || strings.Contains(err.Error(), "xxx") || !strings.Contains(err.Error(), wrong.Type) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	if len(fake.calls) > 0 || len(memory.Events()) > 0 {
		t.Error("some were put")
	}
}

func TestMemory(t *testing.T) {
	var m Memory
	if err := m.Put(t.Context(), many(12, 1)...); err != nil {
		t.Fatal(err)
	}
	all := m.Events()
	if len(all) != 12 || all[11].Type != "note.v1" || string(all[11].Detail) != `{"at":"2026-11-22T09:00:00Z","id":"11","text":"x","v":1}` {
		t.Errorf("%d events, the last %s", len(all), all[len(all)-1].Detail)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := m.Put(ended, notes(1)...); !errors.Is(err, context.Canceled) || len(m.Events()) != 12 {
		t.Errorf("after the end: %v", err)
	}
}
