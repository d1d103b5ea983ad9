package handler

import (
	"context"
	"net/http"
	gosync "sync"
	"sync/atomic"
	"time"

	"threadline/shared/crm"
	"threadline/shared/store"
)

// Pace is a connector's way to the CRM: it keeps all instances together to the rate that the CRM takes. Use a pointer.
type Pace struct {
	Store *store.Store
	Name  string
	Next  http.RoundTripper
	// Capabilities name the rate; nil or no calls: there is none.
	Capabilities func() crm.Capabilities

	Now  func() time.Time                                 // time.Now if nil
	Wait func(ctx context.Context, d time.Duration) error // nil: by the real clock

	mu    gosync.Mutex
	left  int
	until time.Time // when what is left is no longer ours
}

// ownPace is the Reason of failures that aren't the CRM's.
const ownPace = "OUR_OWN_PACE"

// begunKey is whether an entry has made a call yet, in its context.
type begunKey struct{}

// called notes that it has.
func called(ctx context.Context) {
	if made, ok := ctx.Value(begunKey{}).(*atomic.Bool); ok {
		made.Store(true)
	}
}

func hasCalled(ctx context.Context) bool {
	made, ok := ctx.Value(begunKey{}).(*atomic.Bool)
	return ok && made.Load()
}

// timeKey marks the context of what has time: an import, a backfill.
type timeKey struct{}

const (
	handful = 4 // calls that are leased at once, of budgets that have more

	// How long to wait for a call here rather than in the queue: for the first one of an entry, and for the next ones, without
	// which the first were made for nothing.
	patient = 3 * time.Second
	begun   = 45 * time.Second
)

// RoundTrip makes a call when it is its turn. One whose turn is far away fails as one that the CRM itself would limit.
func (p *Pace) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.take(r.Context()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	called(r.Context())
	return p.Next.RoundTrip(r)
}

func (p *Pace) take(ctx context.Context) error {
	if p.Capabilities == nil {
		return nil
	}
	can := p.Capabilities()
	if can.Calls == 0 {
		return nil
	}
	patience := patient
	if hasCalled(ctx) {
		patience = begun
	}
	wait, ok, err := p.lease(ctx, can, patience)
	switch {
	case err != nil:
		return &crm.Error{Class: crm.Transient, Op: "take a call of the CRM's budget", Reason: ownPace, Err: err}
	case !ok:
		return &crm.Error{Class: crm.Limited, Op: "take a call of the CRM's budget", Reason: ownPace, After: wait}
	}
	if err := p.wait(ctx, wait); err != nil {
		return &crm.Error{Class: crm.Transient, Op: "wait for the CRM's budget", Reason: ownPace, Err: err}
	}
	return nil
}

func (p *Pace) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if p.Wait != nil {
		return p.Wait(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (p *Pace) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// lease takes a call of those that are ours, or some more of everybody's; it is to be made after the wait. ok is false if
// that would be longer than patience. Some may be kept for a while, so that what is made within Per was leased within Per
// and that while: this is how long the budget is made to last.
func (p *Pace) lease(ctx context.Context, can crm.Capabilities, patience time.Duration) (wait time.Duration, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.left > 0 && now.Before(p.until) {
		p.left--
		return 0, true, nil
	}
	most, keep := min(handful, max(can.Calls/16, 1)), time.Duration(0)
	if most > 1 {
		keep = can.Per / 8
	}
	hasTime := ctx.Value(timeKey{}) != nil
	got, wait, err := p.Store.Lease(ctx, p.Name, store.Budget{Calls: can.Calls, Per: can.Per + keep}, most, hasTime, patience)
	if err != nil || got == 0 {
		return wait, false, err
	}
	p.left, p.until = got-1, now.Add(keep)
	return wait, true, nil
}
