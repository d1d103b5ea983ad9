// Package event says what Threadline publishes on its event bus, for programs of a company's own to react to.
//
// A type is a name with a version, such as number.health.v1, and never changes but by gaining fields. Each has a JSON
// Schema (2020-12), which Schema returns and what is published is tested against. An event may come twice, and late: its
// ID is the same each time, and At orders those about one thing. None holds a key, a token or what a customer wrote.
package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is one fact. Its JSON is the detail's fields and beside them v, id and at.
type Event struct {
	V      int       // version of Type's shape
	ID     string    // the same when the event comes again
	Type   string    // one of the types of this package
	At     time.Time // when it became so
	Detail any       // what Type says of it; a struct
}

// Detail is what an event of one type says.
type Detail interface {
	// Type returns the event's type, with its version.
	Type() string
}

// New returns an event of a detail's type.
func New(id string, at time.Time, d Detail) Event {
	return Event{V: 1, ID: id, Type: d.Type(), At: at, Detail: d}
}

// MarshalJSON writes the detail with v, id and at among its fields. A detail that isn't an object, or has fields of
// those names, is an error.
func (e Event) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(e.Detail)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.Type, err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("encode %s: the detail isn't an object", e.Type)
	}
	for name, value := range map[string]any{"v": e.V, "id": e.ID, "at": e.At.UTC()} {
		if _, taken := fields[name]; taken {
			return nil, fmt.Errorf("encode %s: the detail has a field %s of its own", e.Type, name)
		}
		if fields[name], err = json.Marshal(value); err != nil {
			return nil, fmt.Errorf("encode %s: %w", e.Type, err)
		}
	}
	return json.Marshal(fields)
}
