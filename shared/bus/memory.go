package bus

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"threadline/shared/event"
)

// Published is an event as somebody who listens gets it.
type Published struct {
	Type   string
	Detail json.RawMessage
}

// Memory is a bus that remembers. The zero value is ready; it is safe for parallel use.
type Memory struct {
	mu  sync.Mutex
	all []Published
}

// Put publishes events as Bus does.
func (m *Memory) Put(ctx context.Context, events ...event.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	batches, err := split("memory", events)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, batch := range batches {
		for _, e := range batch {
			m.all = append(m.all, Published{Type: *e.DetailType, Detail: json.RawMessage(*e.Detail)})
		}
	}
	return nil
}

// Events returns what was published, in order.
func (m *Memory) Events() []Published {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}
