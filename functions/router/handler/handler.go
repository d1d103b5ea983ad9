// Package handler is the router: it stores what the webhook queued, and dispatches what that causes.
//
// It guarantees that an update is stored exactly once and its effects are dispatched at least once: the plan is stored
// with the message, and a redelivery dispatches the stored plan again. It calls neither Meta nor a CRM.
package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Queue takes entries; *queue.Sender does.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Blobs holds what is too long for the queue or the table; *blob.S3 does.
type Blobs interface {
	Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error
	Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error)
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Handler handles entries of Inbound.fifo.
type Handler struct {
	Store      *store.Store
	Media, CRM Queue
	Blobs      Blobs
	Metrics    Counter
	Connectors []string
	Numbers    []string // the phone_number_ids that are ours; empty: every one
}

// entry is the body of a queue entry: an update, or where a long one lies.
type entry struct {
	V     int    `json:"v"`
	Claim string `json:"claim"`
	whatsapp.Update
}

// Handle stores one update and dispatches its effects.
func (h *Handler) Handle(ctx context.Context, m queue.Message) error {
	e, err := h.read(ctx, m.Body)
	if err != nil {
		return err
	}
	e.WABA, e.Display, e.Field = clip(e.WABA, maxID), clip(e.Display, maxID), clip(e.Field, maxID)
	if e.Number != "" && len(h.Numbers) > 0 && !slices.Contains(h.Numbers, e.Number) {
		h.Metrics.Count(ctx, metric.UnknownNumber, 1)
	}
	switch e.Kind {
	case whatsapp.KindMessage:
		return h.message(ctx, e.Update)
	case whatsapp.KindStatus:
		return h.status(ctx, e.Update)
	case whatsapp.KindEvent:
		return h.event(ctx, e.Update)
	}
	return fmt.Errorf("read entry: kind isn't one that this release knows")
}

// read follows the pointer of an entry that was too long for the queue.
func (h *Handler) read(ctx context.Context, body []byte) (entry, error) {
	for {
		var e entry
		if err := json.Unmarshal(body, &e); err != nil {
			return e, fmt.Errorf("read entry: %w", err)
		}
		if e.V != 1 {
			return e, fmt.Errorf("read entry: version %d isn't one that this release knows", e.V)
		}
		if e.Claim == "" {
			return e, nil
		}
		r, _, err := h.Blobs.Get(ctx, e.Claim)
		if err != nil {
			return e, fmt.Errorf("fetch a long update: %w", err)
		}
		body, err = io.ReadAll(r)
		r.Close()
		if err != nil {
			return e, chat.E(chat.Unavailable, "", fmt.Errorf("fetch a long update: %w", err))
		}
	}
}

// message stores a customer's message, or keeps it raw when nobody can be found whom it is from.
func (h *Handler) message(ctx context.Context, u whatsapp.Update) error {
	w, err := whatsapp.ParseMessage(u)
	if err != nil || u.Number == "" || len(u.Number) > maxID || len(w.GroupID) > maxID {
		return h.raw(ctx, u, "shape")
	}
	in := inbound(u, w)
	if !in.Seen.Someone() && in.Group == "" {
		return h.raw(ctx, u, "nobody")
	}
	if len(u.Body) > chat.MaxInlineRaw {
		if in.Message.RawKey, err = h.keep(ctx, in.Message.At, u.Body); err != nil {
			return err
		}
	}
	in.Plan = func(m chat.Message) []chat.Effect { return route.Plan(m, h.Connectors) }
	received, err := h.Store.Receive(ctx, in)
	if err != nil || received.Gone {
		return err
	}
	if received.Differs {
		return h.raw(ctx, u, "differs")
	}
	if err := h.seeNumber(ctx, u, in); err != nil {
		return err
	}
	if received.First {
		h.Metrics.Count(ctx, metric.MessageReceived, 1)
	}
	m := received.Message
	slog.DebugContext(ctx, "stored a message", "conversation", m.Conversation, "kind", m.Kind, "first", received.First)
	return h.dispatch(ctx, m, route.Stored)
}

// seeNumber remembers the business number that a message came through.
func (h *Handler) seeNumber(ctx context.Context, u whatsapp.Update, in store.Inbound) error {
	n := store.Number{ID: in.Number, Display: u.Display, WABA: u.WABA, Seen: chat.Stamp{At: in.Message.At, ID: in.Message.Hash}}
	_, err := h.Store.SeeNumber(ctx, n)
	return err
}

// status applies a receipt.
func (h *Handler) status(ctx context.Context, u whatsapp.Update) error {
	s, err := whatsapp.ParseStatus(u)
	if err != nil {
		return h.raw(ctx, u, "shape")
	}
	r, ok := receipt(u, s)
	if !ok {
		return h.raw(ctx, u, "shape")
	}
	m, found, err := h.Store.Settle(ctx, r)
	if err != nil {
		return err
	}
	slog.DebugContext(ctx, "settled a receipt", "status", r.Status, "parked", !found, "conversation", m.Conversation)
	if found && m.Direction == chat.In {
		return h.raw(ctx, u, "receipt of a customer's message")
	}
	if !found || m.Settled != r.Hash {
		return nil
	}
	if m.Status == chat.Failed {
		h.Metrics.Count(ctx, metric.SendFailed, 1)
	}
	return h.dispatch(ctx, m, r.Hash)
}

// dispatch queues the stored plan of a message. Doing it again gives the same entries.
func (h *Handler) dispatch(ctx context.Context, m chat.Message, cause string) error {
	sort := store.SortKey(m)
	for _, e := range m.Effects {
		to := h.CRM
		if e.Kind == chat.EffectMedia {
			to = h.Media
		}
		r := route.NewRef(m, sort, e, cause)
		if err := to.Send(ctx, queue.Entry{Body: r.Body(), Group: r.Group(m.Contact), DedupID: r.DedupID()}); err != nil {
			return fmt.Errorf("dispatch %s: %w", e.Kind, err)
		}
	}
	return nil
}
