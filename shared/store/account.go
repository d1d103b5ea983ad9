package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"threadline/shared/chat"
)

// Event is an update that is no message and no receipt.
type Event struct {
	WABA   string        `json:"waba,omitempty"`
	Number chat.NumberID `json:"number,omitempty"`
	Field  string        `json:"field,omitempty"`
	At     time.Time     `json:"at"` // the provider's; zero if it gave none
	Reason string        `json:"reason,omitempty"`
	Body   []byte        `json:"body,omitempty"`
	Key    string        `json:"key,omitempty"` // the object that holds a long body
	Hash   string        `json:"hash"`
}

// PutAccountEvent keeps what Meta says about an account. first is false when it is there already.
func (s *Store) PutAccountEvent(ctx context.Context, e Event) (first bool, err error) {
	return s.putEvent(ctx, key{"ACCOUNT#" + e.WABA + "#" + month(e.At), "EVT#" + millis(e.At) + "#" + e.Hash}, e)
}

// PutRaw keeps an update that became nothing else, for inspection.
func (s *Store) PutRaw(ctx context.Context, e Event) (first bool, err error) {
	return s.putEvent(ctx, key{rawPartition(e.At, shardOf(e.Hash)), millis(e.At) + "#" + e.Hash}, e)
}

func (s *Store) putEvent(ctx context.Context, k key, e Event) (first bool, err error) {
	err = s.contend(ctx, func() error {
		o, err := doc[Event]{key: k, val: e, ttl: s.expiry()}.put()
		if err != nil {
			return err
		}
		first = true
		if err = s.write(ctx, o); !errors.Is(err, errChanged) {
			return err
		}
		there, err := s.get(ctx, k)
		if err != nil || len(there) == 0 {
			return cmp.Or(err, errChanged)
		}
		first = false // what is there is equal: its hash is in the key
		return nil
	})
	return first && err == nil, err
}

// Raw returns the updates of a day that became nothing else.
func (s *Store) Raw(ctx context.Context, day time.Time) ([]Event, error) {
	var out []Event
	for shard := range shards {
		items, err := s.query(ctx, span{pk: rawPartition(day, shard), from: "0", to: newestFirst})
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			d, err := decode[Event](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			out = append(out, d.val)
		}
	}
	return out, nil
}

func rawPartition(at time.Time, shard int) string {
	return "RAW#" + at.UTC().Format(time.DateOnly) + "#" + string(rune('0'+shard))
}

func month(t time.Time) string { return t.UTC().Format("2006-01") }
