// Package handler is crmsync: it puts a message, and later its file, on the customer's record in a CRM, and asks the API
// to send what somebody in the CRM wants to be sent.
//
// It reads the present state and writes what is missing, so a second effect for the same message only completes. What
// it is about to make it notes on the table before, what it made after; what it may have made it looks for. That makes
// one contact, one entry and one file of any number of tries, whether the CRM has keys or not. All instances together
// keep to the CRM's rate, and leave one alone that is down. It decides nothing about the conversation.
package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/link"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/store"
)

// stoppedFor is how long at least to leave a CRM alone that only a person can mend.
const stoppedFor = time.Minute

// Blobs gives out files; *blob.S3 does.
type Blobs interface {
	Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error)
}

// Links makes links to files; link.Links does.
type Links interface {
	To(ctx context.Context, c link.Claim) (string, error)
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Handler handles entries of CRM.fifo. Use a pointer.
type Handler struct {
	Store      *store.Store
	Blobs      Blobs
	Connectors map[string]crm.Connector
	Wanted     []string // the connectors of the configuration, also those that couldn't be made
	Metrics    Counter
	Links      Links         // nil: an entry has no link to a file that the CRM doesn't take
	Sender     Sender        // nil: nothing is sent for the CRM
	Bundle     time.Duration // how long a conversation's messages are added to one entry; 0: each has its own
	PublicURL  string        // where CRMs call us: what is provisioned names it
	Now        func() time.Time

	gates gates
	ready ready
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// Handle handles one entry: an effect that brings a message's entry up to date, or what a CRM said.
func (h *Handler) Handle(ctx context.Context, qm queue.Message) error {
	err := h.handle(context.WithValue(ctx, begunKey{}, &atomic.Bool{}), qm)
	if failure, ok := errors.AsType[*crm.Error](err); ok && failure.Class == crm.Limited {
		// As long as the CRM asks for and little more: after an outage the queue's own pauses would be a quarter of an hour.
		// The more receives there were the longer, so that a thousand of them last for nine days.
		grown := time.Duration(min(3*qm.Receives, 900)) * time.Second
		return queue.Later(failure.After+grown+rand.N(scatter), err)
	}
	return err
}

func (h *Handler) handle(ctx context.Context, qm queue.Message) error {
	var head struct {
		Kind   string
		Target string
	}
	if err := json.Unmarshal(qm.Body, &head); err != nil {
		return fmt.Errorf("read entry: %w", err)
	}
	switch head.Kind {
	case crm.KindDelivery:
		return h.delivery(ctx, qm)
	case string(chat.EffectPerson):
		return h.person(ctx, qm)
	case string(chat.EffectFetch):
		return h.tick(ctx, head.Target, qm)
	}
	return h.effect(ctx, qm)
}

// connector returns a configured connector; nil if nobody wants it any more. One that is wanted and lacks a setting is an
// error that waits for a person.
func (h *Handler) connector(ctx context.Context, name string) (crm.Connector, error) {
	c := h.Connectors[name]
	switch {
	case c != nil:
		return c, nil
	case slices.Contains(h.Wanted, name):
		h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", name)
		return nil, &chat.Error{Kind: chat.Unavailable, After: stoppedFor, Err: fmt.Errorf("the connector %s lacks a setting: see the log of the start", name)}
	}
	slog.WarnContext(ctx, "dropped an entry for a connector that isn't configured", "connector", name)
	return nil, nil
}

// target reads an effect, and returns it with the connector that it is for; nil as connector says.
func (h *Handler) target(ctx context.Context, qm queue.Message) (route.Ref, crm.Connector, error) {
	r, err := route.ParseRef(qm.Body)
	if err != nil {
		return route.Ref{}, nil, err
	}
	c, err := h.connector(ctx, r.Target)
	return r, c, err
}

// effect brings one message's entry in one CRM up to date.
func (h *Handler) effect(ctx context.Context, qm queue.Message) error {
	r, c, err := h.target(ctx, qm)
	if c == nil || err != nil {
		return err
	}
	m, err := h.Store.Message(ctx, r.Conversation, r.Message)
	if chat.CodeOf(err) == chat.NotFound {
		return nil // past its retention
	}
	if err != nil || !route.OnRecord(m) {
		return err
	}
	s := &sync{h: h, connector: c, can: c.Capabilities(), m: m, since: qm.Sent}
	if later, err := s.imported(ctx, r.Cause); later || err != nil {
		return err
	}
	if route.HasTurn(r.Cause) {
		ctx = context.WithValue(ctx, timeKey{}, true)
	}
	if left := s.heldBack(r.Cause); left > 0 {
		return queue.Later(left, errors.New("the file is arriving"))
	}
	return h.through(ctx, c.Name(), qm.ID, func() error {
		err := h.provisioned(ctx, c, func() error { return s.run(ctx) })
		slog.DebugContext(ctx, "synced", "connector", c.Name(), "conversation", m.Conversation, "ok", err == nil)
		if refusal, ok := errors.AsType[*crm.Error](err); ok && (refusal.Class == crm.Refused || h.hopeless(ctx, c.Name(), refusal, qm.Sent)) {
			return s.refused(ctx, refusal)
		}
		return err
	})
}

// patience is how long one entry may be answered no while others are taken: the contact's next messages stand behind it.
const patience = 24 * time.Hour

// hopeless tells whether an entry is given up that the CRM answers no for a day, for a reason that might have passed. While
// the CRM takes nothing at all, nothing is given up.
func (h *Handler) hopeless(ctx context.Context, name string, f *crm.Error, since time.Time) bool {
	answered := f.Status == http.StatusOK || f.Status == http.StatusBadRequest || f.Status == http.StatusForbidden || f.Status == http.StatusNotFound ||
		f.Status == http.StatusUnprocessableEntity
	if f.Class == crm.Limited || !answered || since.IsZero() || h.now().Sub(since) < patience {
		return false
	}
	g, err := h.Store.Gate(ctx, name)
	return err == nil && !g.Down()
}

// failed turns a failure of a CRM into what the queue shall do, and notes it for everybody else.
func (h *Handler) failed(ctx context.Context, name, entry string, err error) error {
	if errors.Is(err, crm.ErrNotProvisioned) || errors.Is(err, crm.ErrGone) {
		// It doesn't stay provisioned, or records vanish as we make them: a person has to look.
		err = &crm.Error{Class: crm.Stopped, Op: "sync", Err: err}
	}
	failure, ok := errors.AsType[*crm.Error](err)
	if !ok {
		return err
	}
	switch failure.Class {
	case crm.Limited:
		if failure.Reason != ownPace {
			h.note(ctx, name, entry, failure, failure.After)
		}
		if slow := h.Store.Slow(ctx, name); slow != nil { // the next objection says so again
			slog.WarnContext(ctx, "slow an import down", "connector", name, "error", redact.Error(slow))
		}
	case crm.Stopped:
		h.note(ctx, name, entry, failure, whole(failure))
		h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", name)
		slog.ErrorContext(ctx, "the CRM refuses until somebody changes something", "connector", name, "error", redact.Error(failure))
		return &chat.Error{Kind: chat.Unavailable, After: max(stoppedFor, failure.After), Err: err}
	case crm.Transient:
		if failure.Reason != ownPace && (failure.Status == 0 || failure.Status >= 500) {
			h.note(ctx, name, entry, failure, 0)
		}
	}
	return err
}

// whole is how long at least a CRM is left alone by everybody that a person has to mend: its login or its plan is no good.
// What it forbids may be about one record: then the others go on, and it counts like other failures.
func whole(f *crm.Error) time.Duration {
	login := f.Status == http.StatusUnauthorized || f.Status == http.StatusPaymentRequired
	if here := f.Status == 0 && !errors.Is(f.Err, crm.ErrGone); !login && !here {
		return 0
	}
	return max(stoppedFor, f.After)
}
