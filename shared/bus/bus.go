// Package bus publishes events on an EventBridge bus; Memory is its twin for tests.
//
// It guarantees that Put returns nil only when every event was taken, and that an error says how many were not and
// whether waiting may help (Temporary). Whoever calls it again puts all of them again: an event has an id of its own for
// those who mustn't act on it twice. No error holds what an event says.
//
// An event of up to 64 KB costs $1 per million (us-east-1, 2026); who listens pays nothing for the bus.
package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"threadline/shared/event"
)

// Source is the source of every event, for rules to match.
const Source = "threadline"

const (
	// mostEntries and mostBytes are the limits of one call.
	// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
	mostEntries = 10
	mostBytes   = 256 << 10
	// timeBytes is what an entry's time counts for.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
	timeBytes = 14
)

// API is the part of the EventBridge client that is used.
type API interface {
	PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
}

// Bus is an EventBridge bus. It is safe for parallel use.
type Bus struct {
	client API
	name   string
}

// New returns the bus of that name or ARN. It needs events:PutEvents on it.
func New(client API, name string) *Bus { return &Bus{client: client, name: name} }

// Put publishes events. It puts nothing if one of them can't be encoded or is larger than a bus takes (256 KB);
// otherwise it puts what it can.
func (b *Bus) Put(ctx context.Context, events ...event.Event) error {
	batches, err := split(b.name, events)
	if err != nil {
		return err
	}
	lost := lost{of: len(events), codes: map[string]int{}}
	for _, batch := range batches {
		out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: batch})
		if err != nil {
			lost.call(len(batch), err)
			continue
		}
		for _, result := range out.Entries {
			if code := aws.ToString(result.ErrorCode); code != "" {
				lost.codes[code]++
			}
		}
	}
	return lost.error()
}

// split encodes events into calls within the limits.
func split(bus string, events []event.Event) (batches [][]types.PutEventsRequestEntry, err error) {
	bytes := 0
	for _, e := range events {
		entry, size, err := encode(bus, e)
		if err != nil {
			return nil, err
		}
		if n := len(batches); n == 0 || len(batches[n-1]) == mostEntries || bytes+size > mostBytes {
			batches, bytes = append(batches, nil), 0
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], entry)
		bytes += size
	}
	return batches, nil
}

// encode returns an event as EventBridge takes it, and what it counts for.
func encode(bus string, e event.Event) (entry types.PutEventsRequestEntry, size int, err error) {
	detail, err := json.Marshal(e)
	if err != nil {
		return entry, 0, fmt.Errorf("put events: %w", err)
	}
	size = len(detail) + len(e.Type) + len(Source) + timeBytes
	if size > mostBytes {
		return entry, 0, fmt.Errorf("put events: an event %s has %d bytes, at most %d", e.Type, size, mostBytes)
	}
	return types.PutEventsRequestEntry{
		EventBusName: &bus, Source: aws.String(Source), DetailType: aws.String(e.Type),
		Detail: aws.String(string(detail)), Time: aws.Time(e.At.UTC()),
	}, size, nil
}

// lost counts what the bus did not take.
type lost struct {
	of    int
	codes map[string]int // EventBridge's words, and how many events each was said of
	calls []error        // that failed as a whole
}

func (l *lost) call(events int, err error) {
	code := "call failed"
	if api := smithy.APIError(nil); errors.As(err, &api) {
		code = api.ErrorCode()
	}
	l.codes[code] += events
	l.calls = append(l.calls, err)
}

func (l *lost) error() error {
	if len(l.codes) == 0 {
		return nil
	}
	return &putError{*l}
}

// putError is what Put returns when the bus didn't take everything. Its text holds counts and EventBridge's codes only.
type putError struct{ lost lost }

func (e *putError) Error() string {
	n := 0
	var counts []string
	for _, code := range slices.Sorted(maps.Keys(e.lost.codes)) {
		n += e.lost.codes[code]
		counts = append(counts, fmt.Sprintf("%d %s", e.lost.codes[code], code))
	}
	return fmt.Sprintf("put events: %d of %d not on the bus (%s)", n, e.lost.of, strings.Join(counts, ", "))
}

// Unwrap returns the errors of calls, which say themselves whether they pass.
func (e *putError) Unwrap() []error { return e.lost.calls }

// Temporary tells that entries were refused for reasons that pass.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
func (e *putError) Temporary() bool {
	for code := range e.lost.codes {
		switch code {
		case "ThrottlingException", "InternalFailure", "InternalException":
		default:
			return false
		}
	}
	return true
}
