package handler

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	gosync "sync"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/redact"
	"threadline/shared/store"
)

// A CRM that is down is asked by one at a time, and ever more rarely: a thousand waiting entries are one call in a quarter
// of an hour. How things stand is on the table, for all instances.

const (
	openFor  = 10 * time.Second // how long this process takes a CRM for working without looking
	probeFor = 2 * time.Minute  // as long as this function may run
	scatter  = 5 * time.Second  // so that what waited doesn't come at once

	// othersFirst is how long the entry that failed last lets others try first: it may have failed for itself.
	othersFirst = 30 * time.Second
)

// gates is what this process knows of CRMs. The zero value knows nothing.
type gates struct {
	mu     gosync.Mutex
	opened map[string]time.Time // when it was last seen open and without failures
}

func (g *gates) fresh(name string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen, ok := g.opened[name]
	return ok && now.Sub(seen) < openFor
}

func (g *gates) saw(name string, open bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = map[string]time.Time{}
	}
	delete(g.opened, name)
	if open {
		g.opened[name] = now
	}
}

// through makes calls to a CRM unless it is to be left alone, and notes how that went. Who had nothing to call for has
// learnt nothing of it.
func (h *Handler) through(ctx context.Context, name, holder string, do func() error) error {
	if h.gates.fresh(name, h.now()) {
		return h.settle(ctx, name, holder, do())
	}
	g, err := h.Store.Gate(ctx, name)
	if err != nil {
		return err
	}
	probe := "probe " + name
	switch {
	case h.now().Before(g.Until):
		return leftAlone(g.Until.Sub(h.now()), g.Why)
	case g.Until.IsZero():
		h.gates.saw(name, g == store.Gate{}, h.now())
		if err := h.settle(ctx, name, holder, do()); err != nil || g == (store.Gate{}) || !hasCalled(ctx) {
			return err
		}
		return h.recovered(ctx, name)
	}
	if g.Down() && g.Entry == holder && h.now().Before(g.Until.Add(othersFirst)) {
		return leftAlone(scatter, "another entry tries whether it works again")
	}
	taken, err := h.Store.TakeSlot(ctx, probe, holder, 1, probeFor)
	if err != nil {
		return err
	}
	if !taken {
		return leftAlone(scatter, "somebody else tries whether it works again")
	}
	err = h.settle(ctx, name, holder, do())
	if err == nil && hasCalled(ctx) {
		err = h.recovered(ctx, name)
	}
	return errors.Join(err, h.Store.FreeSlot(ctx, probe, holder))
}

// leftAlone makes an entry wait at least so long, and ever longer: an outage of days must not use up its receives.
func leftAlone(least time.Duration, why string) error {
	return &chat.Error{Kind: chat.Unavailable, After: least + rand.N(scatter), Err: errors.New("the CRM is left alone: " + why)}
}

// settle notes a failure.
func (h *Handler) settle(ctx context.Context, name, entry string, err error) error {
	if err == nil {
		return nil
	}
	return h.failed(ctx, name, entry, err)
}

func (h *Handler) recovered(ctx context.Context, name string) error {
	slog.InfoContext(ctx, "the CRM works", "connector", name)
	return h.Store.Recover(ctx, name)
}

// note says on the table that the CRM failed: a failure to write it is nobody's loss, the next one says so again.
func (h *Handler) note(ctx context.Context, name, entry string, failure *crm.Error, least time.Duration) {
	h.gates.saw(name, false, h.now())
	g, err := h.Store.Fail(ctx, name, entry, failure.Error(), least)
	if err != nil {
		slog.WarnContext(ctx, "note that the CRM failed", "connector", name, "error", redact.Error(err))
		return
	}
	slog.WarnContext(ctx, "the CRM failed", "connector", name, "in_a_row", g.Failures, "error", redact.Error(failure))
}
