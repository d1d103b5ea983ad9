package store

import (
	"context"
	"time"
)

// What a CRM takes of everybody together. Each running function leases some calls at a time, so that the item is written
// for a handful of calls and not for each.

// Budget is so many calls in each Per.
type Budget struct {
	Calls int
	Per   time.Duration
}

// burst is the part of a budget that may be spent at once, as a divisor. What flows in while Per goes by is the rest, so
// that no stretch of that length ever sees more calls than the budget has.
const burst = 4

// spent is until when calls were leased, each standing for the time in which another one flows in.
type spent struct {
	Until time.Time `json:"until"`
}

func budgetKey(name string) key { return key{"LIMIT#" + name, "BUDGET"} }

// Lease takes up to want calls of a budget. If there is none, it takes the next one that comes within patience, which is to
// be made after the wait; a longer wait takes nothing. So those who wait are as many as have their turn soon, and no more.
// What has time leaves half of what may be spent at once to what hasn't, and so never makes it wait.
func (s *Store) Lease(ctx context.Context, name string, b Budget, want int, hasTime bool, patience time.Duration) (got int, wait time.Duration, err error) {
	most := max(b.Calls/burst, 1)
	each := b.Per / time.Duration(max(b.Calls-most, 1))
	if hasTime {
		most = max(most/2, 1)
	}
	_, err = edit(ctx, s, budgetKey(name), func(d *doc[spent]) (bool, error) {
		now := s.now().UTC()
		if d.val.Until.Before(now) {
			d.val.Until = now
		}
		ahead := d.val.Until.Sub(now)
		got = min(int((time.Duration(most)*each-ahead)/each), want)
		wait = 0
		if got < 1 {
			got, wait = 1, ahead-time.Duration(most-1)*each
		}
		if wait > patience {
			got = 0
			return false, nil
		}
		d.val.Until = d.val.Until.Add(time.Duration(got) * each)
		return true, nil
	})
	return got, wait, err
}

// Gate is whether a CRM is left alone because it is down.
type Gate struct {
	Failures int       `json:"failures"`        // in a row, of different entries
	Entry    string    `json:"entry,omitempty"` // whose was the last one
	Until    time.Time `json:"until,omitzero"`  // when one call may try
	Why      string    `json:"why,omitempty"`
}

// Down tells whether several entries failed in a row, so that it isn't about one of them.
func (g Gate) Down() bool { return g.Failures >= gateFailures }

func gateKey(name string) key { return key{"LIMIT#" + name, "GATE"} }

// Gate returns how things stand with a CRM.
func (s *Store) Gate(ctx context.Context, name string) (Gate, error) {
	items, err := s.get(ctx, gateKey(name))
	if err != nil {
		return Gate{}, err
	}
	d, err := read[Gate](items, gateKey(name))
	return d.val, err
}

// The pauses of a gate: it takes failures in a row to close it, because one may be about one entry only.
const (
	gateFailures = 3
	gateFirst    = 10 * time.Second
	gateLongest  = 15 * time.Minute
	gateMost     = 24 * time.Hour // whatever the CRM asks for
)

// Fail notes that a CRM failed an entry. From the third one in a row on it is left alone, each time for twice as long; at
// once for least, if that is known. What fails again and again by itself is about itself, and doesn't count. While the CRM
// is left alone, further failures are of calls that had begun before, and count for nothing.
func (s *Store) Fail(ctx context.Context, name, entry, why string, least time.Duration) (Gate, error) {
	return edit(ctx, s, gateKey(name), func(d *doc[Gate]) (bool, error) {
		now := s.now().UTC()
		if now.Before(d.val.Until) {
			return false, nil
		}
		if d.val.Entry == entry && d.val.Failures < gateFailures && least == 0 {
			return false, nil
		}
		d.val.Failures++
		d.val.Why, d.val.Entry = why, entry
		if pause := min(max(gatePause(d.val.Failures), least), gateMost); pause > 0 {
			d.val.Until = now.Add(pause)
		}
		return true, nil
	})
}

func gatePause(failures int) time.Duration {
	if failures < gateFailures {
		return 0
	}
	return min(gateFirst<<min(failures-gateFailures, 10), gateLongest)
}

// Recover notes that a CRM works.
func (s *Store) Recover(ctx context.Context, name string) error {
	_, err := edit(ctx, s, gateKey(name), func(d *doc[Gate]) (bool, error) {
		if d.val == (Gate{}) {
			return false, nil
		}
		d.val = Gate{}
		return true, nil
	})
	return err
}

// Cursor is how far something that is asked again and again has come; empty: it wasn't asked yet.
func (s *Store) Cursor(ctx context.Context, name string) (string, error) {
	items, err := s.get(ctx, cursorKey(name))
	if err != nil {
		return "", err
	}
	d, err := read[cursor](items, cursorKey(name))
	return d.val.At, err
}

// SetCursor remembers it.
func (s *Store) SetCursor(ctx context.Context, name, at string) error {
	return s.contend(ctx, func() error {
		o, err := doc[cursor]{key: cursorKey(name), val: cursor{at}}.overwrite()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
}

type cursor struct {
	At string `json:"at"`
}

func cursorKey(name string) key { return key{"LIMIT#" + name, "CURSOR"} }
