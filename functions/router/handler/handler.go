// Package handler is the router: it stores what the webhook queued, and dispatches what that causes. It does what people
// ask of it (commands), brings what was written before a number or a CRM was connected to the CRM, and compares what came
// in an hour with what the CRMs have (jobs).
//
// It guarantees that an update is stored exactly once and its effects are dispatched at least once: the plan is stored
// with the message, and a redelivery dispatches the stored plan again. What it can't make anything of is kept raw. It
// calls neither Meta nor a CRM, and the clock decides about nothing that is stored of a message.
package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/event"
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

// Bus publishes events; *bus.Bus does.
type Bus interface {
	Put(ctx context.Context, events ...event.Event) error
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Handler handles entries of Inbound.fifo and of Bulk, which are of one form.
type Handler struct {
	Store      *store.Store
	Media, CRM Queue
	Bulk       Queue // takes jobs
	Blobs      Blobs
	Bus        Bus // nil: nobody is told
	Metrics    Counter
	Connectors []string
	Numbers    []string         // the phone_number_ids that are ours; empty: every one
	Settled    time.Duration    // how long an import must be quiet before the CRM gets it; 0: 2 minutes, else at least 10 s
	Now        func() time.Time // default time.Now
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// entry is the body of a queue entry: an update, or where a long one lies. Commands and jobs share its first fields.
type entry struct {
	V     int    `json:"v"`
	Claim string `json:"claim"`
	whatsapp.Update
}

// Handle does what one entry says.
func (h *Handler) Handle(ctx context.Context, m queue.Message) error {
	e, body, err := h.read(ctx, m)
	if err != nil {
		return err
	}
	if do := jobs[e.Kind]; do != nil {
		return do(h, ctx, m, body)
	}
	u := e.Update
	u.WABA, u.Display, u.Field = clip(u.WABA, maxID), clip(u.Display, maxID), clip(u.Field, maxID)
	if u.Number != "" && len(h.Numbers) > 0 && !slices.Contains(h.Numbers, u.Number) {
		h.Metrics.Count(ctx, metric.UnknownNumber, 1)
	}
	switch u.Kind {
	case whatsapp.KindHistory:
		return h.history(ctx, u, m.Receives)
	case whatsapp.KindEvent:
		return h.whole(ctx, u, m)
	}
	handle := handlers[u.Kind]
	if handle == nil {
		return h.unknown(m, errors.New("read entry: kind isn't one that this release knows"))
	}
	return handle(h, ctx, u)
}

// newer is how long an entry that isn't understood may be one of a release whose deployment isn't over: the functions of
// a stack change one after the other.
const newer = time.Hour

// unknown fails an entry that this release doesn't understand: it waits while a newer one may be on its way.
func (h *Handler) unknown(m queue.Message, err error) error {
	if h.now().Sub(m.Sent) < newer {
		return chat.E(chat.Unavailable, "", err)
	}
	return err
}

// jobs are what is done with entries that are no updates.
var jobs = map[whatsapp.UpdateKind]func(*Handler, context.Context, queue.Message, []byte) error{
	route.KindCommand: (*Handler).command, kindTick: (*Handler).tick, kindHours: (*Handler).hours,
	kindImport: (*Handler).feedJob, kindFeed: (*Handler).feedJob, kindBackfill: (*Handler).backfill, kindReconcile: (*Handler).reconcile,
}

// handlers are what is done with an update of each kind but histories and events.
var handlers = map[whatsapp.UpdateKind]func(*Handler, context.Context, whatsapp.Update) error{
	whatsapp.KindMessage: (*Handler).message, whatsapp.KindEcho: (*Handler).echo, whatsapp.KindStatus: (*Handler).status,
	whatsapp.KindCall: (*Handler).call, whatsapp.KindHandover: (*Handler).handover, whatsapp.KindGroup: (*Handler).groupEvent,
	whatsapp.KindContact: (*Handler).savedContact, whatsapp.KindPreference: (*Handler).preference,
	whatsapp.KindSignal: (*Handler).signal,
}

// read follows the pointer of an entry that was too long for the queue.
func (h *Handler) read(ctx context.Context, m queue.Message) (entry, []byte, error) {
	for body := m.Body; ; {
		var e entry
		if err := json.Unmarshal(body, &e); err != nil {
			return e, nil, fmt.Errorf("read entry: %w", err)
		}
		if e.V != 1 {
			return e, nil, h.unknown(m, fmt.Errorf("read entry: version %d isn't one that this release knows", e.V))
		}
		if e.Claim == "" {
			return e, body, nil
		}
		r, _, err := h.Blobs.Get(ctx, e.Claim)
		if err != nil {
			return e, nil, fmt.Errorf("fetch a long update: %w", err)
		}
		body, err = io.ReadAll(r)
		r.Close()
		if err != nil {
			return e, nil, chat.E(chat.Unavailable, "", fmt.Errorf("fetch a long update: %w", err))
		}
	}
}

// message stores a customer's message.
func (h *Handler) message(ctx context.Context, u whatsapp.Update) error {
	w, err := whatsapp.ParseMessage(u)
	if err != nil || !placed(u, w.GroupID) {
		return h.raw(ctx, u, "shape")
	}
	return h.take(ctx, u, inbound(u, w))
}

// echo stores what the company said from elsewhere. What we sent ourselves is known already, and stays as it is.
func (h *Handler) echo(ctx context.Context, u whatsapp.Update) error {
	w, err := whatsapp.ParseMessage(u)
	if err != nil || !placed(u, w.GroupID) {
		return h.raw(ctx, u, "shape")
	}
	return h.take(ctx, u, echo(u, w))
}

// call stores a call, or what became of one.
func (h *Handler) call(ctx context.Context, u whatsapp.Update) error {
	c, err := whatsapp.ParseCall(u)
	if err != nil || !placed(u, "") || c.ID == "" {
		return h.raw(ctx, u, "shape")
	}
	return h.take(ctx, u, call(u, c))
}

// handover stores who answers a customer from now on.
func (h *Handler) handover(ctx context.Context, u whatsapp.Update) error {
	c, err := whatsapp.ParseHandover(u)
	if err != nil || !placed(u, "") || c.Type == "" {
		return h.raw(ctx, u, "shape")
	}
	return h.take(ctx, u, handover(u, c))
}

// groupEvent stores what happened to a group chat, in its conversation.
func (h *Handler) groupEvent(ctx context.Context, u whatsapp.Update) error {
	g, err := whatsapp.ParseGroupEvent(u)
	if err != nil || !placed(u, g.GroupID) || g.GroupID == "" {
		return h.raw(ctx, u, "shape")
	}
	return h.take(ctx, u, groupEvent(u, g))
}

// take stores what an update became in a conversation and dispatches what it causes, or keeps the update raw when nobody
// can be found whom it is about.
func (h *Handler) take(ctx context.Context, u whatsapp.Update, in store.Inbound) error {
	if !in.Seen.Someone() && in.Group == "" {
		return h.raw(ctx, u, "nobody")
	}
	received, err := h.receive(ctx, in, u.Body)
	if err != nil || received.Gone {
		return err
	}
	if received.Differs {
		return h.raw(ctx, u, "differs")
	}
	if err := h.seeNumber(ctx, u, in.Message); err != nil {
		return err
	}
	m := received.Message
	if received.First && m.Direction == chat.In {
		h.Metrics.Count(ctx, metric.MessageReceived, 1)
	}
	slog.DebugContext(ctx, "stored a message", "conversation", m.Conversation, "kind", m.Kind, "first", received.First)
	if !of(received, in) {
		return nil
	}
	return h.follow(ctx, received)
}

// receive stores a message with its plan. raw is what it was made from.
func (h *Handler) receive(ctx context.Context, in store.Inbound, raw []byte) (store.Received, error) {
	if len(raw) > chat.MaxInlineRaw {
		var err error
		if in.Message.RawKey, err = h.keep(ctx, in.Message.At, raw); err != nil {
			return store.Received{}, err
		}
	}
	in.Plan = func(m chat.Message) []chat.Effect { return route.Plan(m, h.Connectors) }
	return h.Store.Receive(ctx, in)
}

// of tells whether what is stored came of this update, now or in an earlier try, so that its effects are ours to
// dispatch.
func of(r store.Received, in store.Inbound) bool {
	return r.First || r.Filled || r.Message.Hash == in.Message.Hash
}

// follow dispatches what a stored message causes: its own plan, and what it changes on the record of an earlier one.
func (h *Handler) follow(ctx context.Context, r store.Received) error {
	m := r.Message
	target, found, err := h.Store.Amend(ctx, m)
	if err != nil {
		return err
	}
	if found {
		if err := h.dispatch(ctx, target, m.Hash); err != nil {
			return err
		}
	}
	if err := h.dispatch(ctx, m, route.Stored); err != nil || !r.Filled {
		return err
	}
	return h.dispatch(ctx, m, m.Hash) // it may be on the record already, without its file
}

// seeNumber remembers the business number that a message came through.
func (h *Handler) seeNumber(ctx context.Context, u whatsapp.Update, m chat.Message) error {
	n := store.Number{ID: chat.NumberID(u.Number), Display: u.Display, WABA: u.WABA, Seen: chat.Stamp{At: m.At, ID: m.Hash}}
	_, err := h.Store.SeeNumber(ctx, n)
	return err
}

// dispatch queues those effects in the stored plan of a message that a cause makes due. Doing it again gives the same
// entries.
func (h *Handler) dispatch(ctx context.Context, m chat.Message, cause string) error {
	for _, e := range route.Due(m, cause) {
		if err := h.send(ctx, m, e, cause); err != nil {
			return err
		}
	}
	return nil
}

// send queues one effect of a message.
func (h *Handler) send(ctx context.Context, m chat.Message, e chat.Effect, cause string) error {
	to := h.CRM
	if e.Kind == chat.EffectMedia {
		to = h.Media
	}
	r := route.NewRef(m, store.SortKey(m), e, cause)
	if err := to.Send(ctx, queue.Entry{Body: r.Body(), Group: r.Group(m.Contact), DedupID: r.DedupID()}); err != nil {
		return fmt.Errorf("dispatch %s: %w", e.Kind, err)
	}
	return nil
}
