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
	d, err := s.asked(ctx, id)
	return d.val.At, err
}

// Ask remembers that something is asked for under this id, and returns when it first was. Who asks again later asks for
// what they wanted then: what was decided in between stands.
func (s *Store) Ask(ctx context.Context, id string, at time.Time) (first time.Time, err error) {
	err = s.contend(ctx, func() error {
		d, err := s.asked(ctx, id)
		if first = d.val.At; err != nil || !first.IsZero() {
			return err
		}
		first = at.UTC()
		d.val.At, d.ttl = first, s.expiry()
		o, err := d.put()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
	return first, err
}

func (s *Store) asked(ctx context.Context, id string) (doc[asked], error) {
	k := askedKey(id)
	items, err := s.get(ctx, k)
	if err != nil {
		return doc[asked]{}, err
	}
	return read[asked](items, k)
}

func askedKey(id string) key { return key{"ASKED#" + id, "ASKED"} }
