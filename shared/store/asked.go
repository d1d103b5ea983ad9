package store

import (
	"context"
	"time"
)

// asked is when somebody first asked for something under an id that they chose.
type asked struct {
	At time.Time `json:"at"`
}

// Asked tells when something was first asked for under this id; zero: never.
func (s *Store) Asked(ctx context.Context, id string) (at time.Time, err error) {
	items, err := s.get(ctx, askedKey(id))
	if err != nil {
		return time.Time{}, err
	}
	d, err := read[asked](items, askedKey(id))
	return d.val.At, err
}

// Ask remembers that something is asked for under this id, and returns when it first was. Who asks again later asks for
// what they wanted then: what was decided in between stands.
func (s *Store) Ask(ctx context.Context, id string, at time.Time) (first time.Time, err error) {
	now, err := edit(ctx, s, askedKey(id), func(d *doc[asked]) (bool, error) {
		if !d.val.At.IsZero() {
			return false, nil
		}
		d.val.At, d.ttl = at.UTC(), s.expiry()
		return true, nil
	})
	return now.At, err
}

func askedKey(id string) key { return key{"ASKED#" + id, "ASKED"} }
