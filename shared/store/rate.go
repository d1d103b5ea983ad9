package store

import (
	"context"
	"time"
)

// A CRM says how much it takes only by refusing what is too much, and then it refuses what customers write just now as
// well. So what has time comes at a rate that begins low, grows while nobody objects, and halves when somebody does.

// The rates, in entries a second. HubSpot's lowest limit is ten calls a second; an entry is two calls or three.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
const (
	firstRate = 2.0
	rateStep  = 0.5
	leastRate = 0.1
	mostRate  = 20.0
)

const (
	objection = 30 * time.Second // objections within it are one: they are about what was there already
	idleRate  = time.Hour        // a rate that hasn't changed for so long begins anew
)

type rate struct {
	PerSecond float64   `json:"per_second"`
	Since     time.Time `json:"since"`
}

func rateKey(name string) key { return key{"LIMIT#" + name, "RATE"} }

// Rate returns how many a second may come to what name stands for. It grows whenever it has stood for a step.
func (s *Store) Rate(ctx context.Context, name string, step time.Duration) (perSecond float64, err error) {
	now, err := s.editRate(ctx, name, func(r *rate) bool {
		switch {
		case r.Since.IsZero():
			return true
		case s.now().Sub(r.Since) < step:
			return false
		}
		r.PerSecond = min(r.PerSecond+rateStep, mostRate)
		return true
	})
	return now.PerSecond, err
}

// Slow halves a rate: what name stands for said that it was too much.
func (s *Store) Slow(ctx context.Context, name string) error {
	_, err := s.editRate(ctx, name, func(r *rate) bool {
		if s.now().Sub(r.Since) < objection {
			return false
		}
		r.PerSecond = max(r.PerSecond/2, leastRate)
		return true
	})
	return err
}

// editRate replaces a rate by what change makes of it, if change says that it did. Since is zero for one that begins.
func (s *Store) editRate(ctx context.Context, name string, change func(*rate) bool) (rate, error) {
	return edit(ctx, s, rateKey(name), func(d *doc[rate]) (bool, error) {
		if s.now().Sub(d.val.Since) > idleRate {
			d.val = rate{PerSecond: firstRate}
		}
		if !change(&d.val) {
			return false, nil
		}
		d.val.Since = s.now().UTC()
		return true, nil
	})
}
