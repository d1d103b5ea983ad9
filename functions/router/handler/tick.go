package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// kindTick is the entry that a schedule puts on the queue every few minutes. It says nothing but that time has passed: what
// is due is on the table, so one that comes twice, late or not at all for hours leads to the same.
const kindTick = "tick"

const (
	// grace is how long after an hour its messages are compared: what came in its last second has its entry by then, and the
	// functions' clocks may differ a little.
	grace = 15 * time.Minute
	// firstReach is how far the very first tick looks back.
	firstReach = 24 * time.Hour
	// longestReach is how far one looks back after a long time without any.
	longestReach = 30 * 24 * time.Hour
	// hoursATick is how many hours are begun at once: after a long time without ticks the next ones go on.
	hoursATick = 24
)

// tick has the CRMs asked for what they want to be sent, and begins the comparison of hours that are over.
func (h *Handler) tick(ctx context.Context, _ queue.Message, _ []byte) error {
	var entries []queue.Entry
	for _, c := range h.Connectors {
		r := route.NewFetch(c, h.now())
		entries = append(entries, queue.Entry{Body: r.Body(), Group: r.Group(""), DedupID: r.DedupID()})
	}
	if len(entries) == 0 {
		return nil
	}
	if err := h.CRM.Send(ctx, entries...); err != nil {
		return fmt.Errorf("have the CRMs asked: %w", err)
	}
	return h.beginOver(ctx)
}

// beginOver begins the hours that are over and weren't begun, and notes which have been compared.
func (h *Handler) beginOver(ctx context.Context) error {
	so, err := h.Store.Reconciliation(ctx)
	if err != nil {
		return err
	}
	last := h.now().Add(-grace).UTC().Truncate(time.Hour).Add(-time.Hour)
	if so.Begun.IsZero() {
		so.Begun = last.Add(-firstReach)
		so.Compared = so.Begun
	}
	next := so
	next.Begun = latest(so.Begun, last.Add(-longestReach))
	for range hoursATick {
		hour := next.Begun.Add(time.Hour)
		if hour.After(last) {
			break
		}
		if err := h.beginHour(ctx, hour, kindTick); err != nil {
			return err
		}
		next.Begun = hour
	}
	next.Compared = latest(so.Compared, last.Add(-longestReach))
	for next.Compared.Before(next.Begun) {
		hour := next.Compared.Add(time.Hour)
		done, err := h.Store.Compared(ctx, hour)
		if err != nil {
			return err
		}
		if !done {
			break
		}
		next.Compared = hour
	}
	if next == so && !so.Begun.IsZero() {
		return nil
	}
	_, err = h.Store.SaveReconciliation(ctx, next)
	return err
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// kindHours is the entry of a job that begins hours at somebody's request.
const kindHours = "hours"

// hoursJob is that entry.
type hoursJob struct {
	V    int       `json:"v"`
	Kind string    `json:"kind"`
	Hour time.Time `json:"hour"` // the latest of them
	Left int       `json:"left"` // how many they are
	ID   string    `json:"id"`   // of the request
}

// beginLast begins so many hours now, the present one included.
func (h *Handler) beginLast(ctx context.Context, hours int, id string) error {
	return h.beginHours(ctx, hoursJob{V: 1, Kind: kindHours, Hour: h.now().UTC().Truncate(time.Hour), Left: hours, ID: id})
}

// hours goes on with what beginLast began.
func (h *Handler) hours(ctx context.Context, _ queue.Message, body []byte) error {
	var j hoursJob
	if err := json.Unmarshal(body, &j); err != nil || j.Hour.IsZero() || j.ID == "" {
		return errNoJob
	}
	return h.beginHours(ctx, j)
}

// beginHours begins as many hours as one run does, and queues the rest.
func (h *Handler) beginHours(ctx context.Context, j hoursJob) error {
	for range min(j.Left, hoursATick) {
		if err := h.beginHour(ctx, j.Hour, j.ID); err != nil {
			return err
		}
		j.Hour, j.Left = j.Hour.Add(-time.Hour), j.Left-1
	}
	if j.Left <= 0 {
		return nil
	}
	return h.queueJob(ctx, j)
}

// beginHour begins the comparison of an hour, where something came in it.
func (h *Handler) beginHour(ctx context.Context, hour time.Time, id string) error {
	for shard := range store.Shards {
		marked, err := h.Store.Marked(ctx, hour, shard, "", 1)
		if err != nil {
			return err
		}
		if len(marked) == 0 {
			continue
		}
		if err := h.Store.BeginComparison(ctx, hour, shard, id); err != nil {
			return err
		}
		if err := h.queueJob(ctx, reconcileJob{V: 1, Kind: kindReconcile, Hour: hour, Shard: shard, ID: id}); err != nil {
			return err
		}
	}
	return nil
}
