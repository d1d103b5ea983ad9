package handler

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// A CRM that is connected later gets all that is stored. One job counts the conversations and then begins a job for each,
// a few ahead of those that are done, so that however many there are few wait at a time.

// kindBackfill is the entry of the job that goes through the conversations.
const kindBackfill = "backfill"

const (
	pageOfConversations = 100
	ahead               = 10 * feeders // conversations that have a job that hasn't ended
	// standstill is how long nobody has looked at a job when its entry counts as parked or lost. One that waits, for an entry
	// or for its turn, is looked at every few minutes.
	standstill = 24 * time.Hour
)

// backfillJob is that entry.
type backfillJob struct {
	V         int    `json:"v"`
	Kind      string `json:"kind"`
	Connector string `json:"connector"`
	ID        string `json:"id"` // of the request
}

// stoppedUnconfigured is why a backfill ends before it is done.
const stoppedUnconfigured = "the connector isn't configured"

// beginBackfill begins to bring everything into a CRM, again if it was begun before: what is there already is passed over.
func (h *Handler) beginBackfill(ctx context.Context, connector, id string) error {
	if !slices.Contains(h.Connectors, connector) {
		return chat.E(chat.Invalid, "", nil)
	}
	if err := h.Store.BeginBackfill(ctx, connector, id); err != nil {
		return err
	}
	return h.queueJob(ctx, backfillJob{V: 1, Kind: kindBackfill, Connector: connector, ID: id})
}

// backfill looks at a backfill once and does what is next.
func (h *Handler) backfill(ctx context.Context, m queue.Message, body []byte) error {
	var j backfillJob
	if err := json.Unmarshal(body, &j); err != nil || j.Connector == "" || j.ID == "" {
		return errNoJob
	}
	if m.Receives >= renewal {
		return h.queueJob(ctx, j)
	}
	b, err := h.Store.Backfill(ctx, j.Connector)
	switch {
	case err != nil || b.ID != j.ID || !b.Running():
		return err // a later one does all that this one would
	case !slices.Contains(h.Connectors, j.Connector):
		return h.endBackfill(ctx, b, stoppedUnconfigured)
	case !b.Counted:
		return h.count(ctx, b)
	}
	return h.goOn(ctx, b)
}

// count counts a page of conversations.
func (h *Handler) count(ctx context.Context, b store.Backfill) error {
	convs, last, err := h.Store.EveryConversation(ctx, b.Cursor, pageOfConversations)
	if err != nil {
		return err
	}
	_, err = h.Store.SaveBackfill(ctx, b, func(now *store.Backfill) {
		now.Found, now.Cursor = now.Found+len(convs), last
		if len(convs) < pageOfConversations {
			now.Counted, now.Cursor = true, ""
		}
	})
	if err != nil {
		return err
	}
	return queue.Later(0, nil)
}

// goOn begins the jobs of the next conversations, or ends when all are done.
func (h *Handler) goOn(ctx context.Context, b store.Backfill) error {
	free := min(ahead-b.Open(), pageOfConversations)
	if free <= 0 {
		return h.awaitParts(ctx, b)
	}
	convs, last, err := h.Store.EveryConversation(ctx, b.Cursor, free)
	if err != nil {
		return err
	}
	if len(convs) == 0 {
		if b.Open() > 0 {
			return h.awaitParts(ctx, b)
		}
		return h.endBackfill(ctx, b, "")
	}
	for _, conv := range convs {
		if err := h.Store.BeginPart(ctx, conv, b); err != nil {
			return err
		}
		j := feedJob{V: 1, Kind: kindFeed, Conversation: conv, ID: b.ID, Connector: b.Connector}
		if err := h.queueJob(ctx, j); err != nil {
			return err
		}
	}
	if _, err = h.Store.SaveBackfill(ctx, b, func(now *store.Backfill) { now.Cursor = last }); err != nil {
		return err
	}
	return queue.Later(h.pace().firstLook()/5, nil)
}

// awaitParts waits for conversations that have a job. Those whose job stands still are given up: nothing would end them.
func (h *Handler) awaitParts(ctx context.Context, b store.Backfill) error {
	since := h.now().Add(-standstill)
	still, err := h.Store.StillParts(ctx, b.Connector, since, ahead)
	if err != nil {
		return err
	}
	for _, conv := range still {
		given, err := h.Store.GiveUpPart(ctx, conv, b.Connector, since)
		if err != nil {
			return err
		}
		if given {
			h.Metrics.Count(ctx, metric.CRMOverdue, 1, "Connector", b.Connector)
			slog.ErrorContext(ctx, "a conversation's part of a backfill stood still for a day and is given up: see the runbook, attention-needed",
				"connector", b.Connector, "conversation", conv)
		}
	}
	return queue.Later(h.pace().firstLook(), nil)
}

// endBackfill notes that a backfill is over.
func (h *Handler) endBackfill(ctx context.Context, b store.Backfill, why string) error {
	slog.InfoContext(ctx, "a backfill is over", "connector", b.Connector, "conversations", b.Finished,
		"given_up", b.GivenUp, "messages", b.Fed, "stopped", why)
	_, err := h.Store.SaveBackfill(ctx, b, func(now *store.Backfill) {
		now.Ended, now.Stopped = h.now().UTC().Truncate(time.Second), why
		if why == "" {
			now.Found = now.Finished + now.GivenUp // one that went on while they were counted was counted twice
		}
	})
	return err
}

// adopt returns the effect that brings a message into a CRM, nil if it doesn't belong there, or not yet. It adds the
// effect to the message's plan, so that what is said of the message later reaches the CRM too.
func (h *Handler) adopt(ctx context.Context, m chat.Message, connector string) ([]chat.Effect, error) {
	plan := slices.DeleteFunc(route.Plan(m, []string{connector}), func(e chat.Effect) bool { return e.Kind != chat.EffectCRM })
	if len(plan) == 0 {
		return nil, nil
	}
	if !route.For(m, connector) {
		var err error
		m, err = h.Store.Change(ctx, m.Conversation, m.At, m.ID, func(now *chat.Message) error {
			if route.For(*now, connector) {
				return store.Same()
			}
			now.Effects = slices.Concat(plan, now.Effects)
			return nil
		})
		if chat.CodeOf(err) == chat.NotFound {
			return nil, nil // past its retention
		}
		if err != nil {
			return nil, err
		}
	}
	if !route.OnRecord(m) {
		return nil, nil // whoever hears that Meta took it finds the effect
	}
	return plan, nil
}
