package queuetest

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Clock is a virtual clock, safe for parallel use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at start.
func NewClock(start time.Time) *Clock { return &Clock{now: start} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// Set moves the clock to t, unless it is past it.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// Settle runs pumps, moving the clock from one visible message to the next, until their queues are empty or nothing
// becomes visible before until. It returns whether they are empty. The Client of each must be its Queue.
func Settle(ctx context.Context, clock *Clock, until time.Time, pumps ...*Pump) (bool, error) {
	for {
		if err := drainAll(ctx, pumps); err != nil {
			return false, err
		}
		var next time.Time
		for _, p := range pumps {
			q, ok := p.Client.(*Queue)
			if !ok {
				return false, errors.New("settle: a pump's client is not its queue")
			}
			if at := q.NextVisible(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if next.IsZero() || next.After(until) {
			return next.IsZero(), nil
		}
		clock.Set(next)
	}
}

// drainAll goes on until no pump finds anything: one queue's handler may feed another.
func drainAll(ctx context.Context, pumps []*Pump) error {
	for busy := true; busy; {
		busy = false
		for _, p := range pumps {
			n, err := p.Drain(ctx)
			if err != nil {
				return err
			}
			busy = busy || n > 0
		}
	}
	return nil
}
