// Package handler is the sender: the last checks, one call to Meta, and an honest record of what came of it.
//
// Meta has no idempotency key, so a send whose answer is lost is neither sent nor unsent. The message then is
// `unknown` and waits at the head of its conversation for a receipt to settle it. Without one, the company's choice
// applies: Retry sends once more, twice at most in all; Hold leaves it as it is.
package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// leaseFor is how long an attempt may take before it is given up for lost: longer than the function's time-out (30 s),
// shorter than the queue's visibility (60 s).
const leaseFor = 50 * time.Second

// maxAttempts is how often a message may be handed to Meta when the first outcome stays unknown.
const maxAttempts = 2

// Graph sends; *whatsapp.Client does.
type Graph interface {
	Send(ctx context.Context, number string, m whatsapp.Outgoing) (whatsapp.Sent, error)
	MarkRead(ctx context.Context, number, messageID string) error
}

// Queue takes entries; *queue.Sender does.
type Queue interface {
	Send(ctx context.Context, entries ...queue.Entry) error
}

// Counter counts; *metric.Metrics does.
type Counter interface {
	Count(ctx context.Context, name string, n int, dims ...string)
}

// Ambiguity is the company's choice for a send whose outcome stays unknown.
type Ambiguity string

// The choices. By default free text is sent once more and a template is held.
const (
	Default Ambiguity = ""
	Retry   Ambiguity = "retry"
	Hold    Ambiguity = "hold"
)

// Handler handles entries of Outbound.fifo.
type Handler struct {
	Store     *store.Store
	Graph     Graph
	CRM       Queue
	Metrics   Counter
	Refresh   func(context.Context) error // reads the access token again
	Ambiguous Ambiguity
	After     time.Duration    // how long a receipt may settle an unknown outcome
	Now       func() time.Time // default time.Now
	NewToken  func() string    // names an attempt; default: ULIDs
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func (h *Handler) newToken() string {
	if h.NewToken == nil {
		return ulid.Make().String()
	}
	return h.NewToken()
}

// Handle brings one message as far as it gets.
func (h *Handler) Handle(ctx context.Context, qm queue.Message) error {
	asked, err := send.Parse(qm.Body)
	if err != nil {
		return err
	}
	m, _, err := h.Store.Queue(ctx, asked)
	switch {
	case errors.Is(err, store.ErrOtherRequest):
		// Two requests raced under one Idempotency-Key. One message is sent: the stored one.
		slog.WarnContext(ctx, "dropped a request whose id is another's", "id", asked.ID)
		if m, err = h.Store.Lookup(ctx, asked.ID); err != nil {
			return err
		}
	case chat.CodeOf(err) == chat.NotFound:
		return nil // past its retention
	case err != nil:
		return err
	}
	slog.DebugContext(ctx, "sending", "id", m.ID, "conversation", m.Conversation, "status", m.Status)
	return h.advance(ctx, m)
}

// advance looks where the message stands and takes the next step.
func (h *Handler) advance(ctx context.Context, m chat.Message) error {
	now := h.now()
	switch {
	case m.Status.AtMeta():
		return h.dispatch(ctx, m)
	case m.Status == chat.Failed:
		return nil
	case m.Send.Lease != "" && now.Before(m.Send.LeaseUntil):
		return queue.Later(m.Send.LeaseUntil.Sub(now), errors.New("another attempt is under way"))
	case m.Send.Lease != "":
		return h.lost(ctx, m, m.Send.LeaseUntil)
	case m.Status == chat.Unknown && now.Before(m.Send.UnknownSince.Add(h.After)):
		return queue.Later(m.Send.UnknownSince.Add(h.After).Sub(now), errors.New("waiting for a receipt to settle the outcome"))
	case m.Status == chat.Unknown && !h.repeats(m):
		h.Metrics.Count(ctx, metric.SendUnknown, 1)
		return nil
	case !now.Before(m.Send.Expires):
		return h.expire(ctx, m)
	}
	return h.attempt(ctx, m)
}

// repeats tells whether a message with an unknown outcome is sent once more.
func (h *Handler) repeats(m chat.Message) bool {
	if m.Send.Attempt >= maxAttempts || !h.now().Before(m.Send.Expires) {
		return false
	}
	if h.Ambiguous == Default {
		return m.Kind != chat.KindTemplate
	}
	return h.Ambiguous == Retry
}

// expire gives up a message that waited too long. One that may have been delivered stays unknown.
func (h *Handler) expire(ctx context.Context, m chat.Message) error {
	_, err := h.change(ctx, m, func(m *chat.Message) error {
		m.Reach(chat.Failed, h.now(), &chat.Problem{Reason: "expired"})
		return nil
	})
	h.Metrics.Count(ctx, metric.SendFailed, 1)
	return err
}

// attempt takes the lease, calls Meta and records the outcome.
func (h *Handler) attempt(ctx context.Context, m chat.Message) error {
	out, err := outgoing(m)
	if err != nil {
		return h.refused(ctx, m, "", &chat.Problem{Reason: "malformed: " + err.Error()})
	}
	token := h.newToken()
	leased, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease == token {
			return store.Same() // an earlier try of this very write
		}
		if now.Status != m.Status || now.Send.Attempt != m.Send.Attempt || now.Send.Lease != "" {
			return errMoved
		}
		now.Reach(chat.Sending, h.now(), nil)
		now.Send.Lease, now.Send.LeaseUntil = token, h.now().Add(leaseFor)
		now.Send.Attempt++
		return nil
	})
	if errors.Is(err, errMoved) {
		return h.advance(ctx, leased) // a receipt settled it, or another attempt began
	}
	if err != nil {
		return err
	}
	sent, err := h.Graph.Send(ctx, string(m.Conversation.Number()), out)
	if err == nil {
		return h.accepted(ctx, leased, sent)
	}
	return h.failed(ctx, leased, token, err)
}

// errMoved says that the message is no longer where the decision to send it was made.
var errMoved = errors.New("the message has moved on")

func (h *Handler) accepted(ctx context.Context, m chat.Message, sent whatsapp.Sent) error {
	var now chat.Message
	err := persist(ctx, func() (err error) {
		now, err = h.Store.Accept(ctx, m, sent.MessageID)
		return err
	})
	if err != nil {
		return err
	}
	h.Metrics.Count(ctx, metric.MessageSent, 1)
	slog.DebugContext(ctx, "accepted", "id", now.ID)
	if err := h.dispatch(ctx, now); err != nil {
		return err
	}
	h.markRead(ctx, now)
	return nil
}

// markRead gives the customer blue ticks on what was just answered. It is a courtesy: a failure is nobody's loss.
func (h *Handler) markRead(ctx context.Context, m chat.Message) {
	if m.Send.Answers == "" {
		return
	}
	if err := h.Graph.MarkRead(ctx, string(m.Conversation.Number()), m.Send.Answers); err != nil {
		slog.InfoContext(ctx, "mark as read", "id", m.ID, "error", redact.Error(err))
	}
}

// failed records what is known of an attempt that didn't end in an acceptance.
func (h *Handler) failed(ctx context.Context, m chat.Message, token string, cause error) error {
	if errors.Is(cause, whatsapp.ErrInvalid) {
		return h.refused(ctx, m, token, &chat.Problem{Reason: "malformed: " + cause.Error()})
	}
	if whatsapp.OutcomeOf(cause) != whatsapp.NotSent {
		return h.lost(ctx, m, h.now())
	}
	var refusal *whatsapp.Error
	if errors.As(cause, &refusal) && refusal.Class == whatsapp.ClassPermanent {
		return h.refused(ctx, m, token, &chat.Problem{Code: refusal.Code, Reason: refusal.Title})
	}
	_, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease != token {
			return store.Same()
		}
		now.Send.Lease = ""
		now.Send.Attempt--
		if now.Status == chat.Sending {
			now.Status = chat.Queued
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.wait(ctx, refusal, cause)
}

// wait says when to come again after a refusal that isn't about this message.
func (h *Handler) wait(ctx context.Context, refusal *whatsapp.Error, cause error) error {
	after := time.Duration(0)
	if refusal != nil {
		after = refusal.RetryAfter
		switch refusal.Class {
		case whatsapp.ClassAccount:
			h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", "whatsapp")
			slog.ErrorContext(ctx, "Meta refuses to send for this number", "code", refusal.Code)
			if err := h.Refresh(ctx); err != nil {
				slog.WarnContext(ctx, "refresh the token", "error", redact.Error(err))
			}
			after = max(after, time.Minute)
		case whatsapp.ClassWait:
			after = max(after, time.Minute)
		}
	}
	return &chat.Error{Kind: chat.Unavailable, After: after, Err: fmt.Errorf("send: %w", cause)}
}

// lost records that nobody knows what became of an attempt, and waits for a receipt.
func (h *Handler) lost(ctx context.Context, m chat.Message, since time.Time) error {
	m, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease != m.Send.Lease {
			return store.Same()
		}
		now.Send.Lease = ""
		now.Send.UnknownSince = since
		now.Reach(chat.Unknown, since, nil)
		return nil
	})
	if err != nil {
		return err
	}
	slog.WarnContext(ctx, "the outcome of a send is unknown", "id", m.ID, "attempt", m.Send.Attempt)
	return h.advance(ctx, m)
}

// refused records that Meta will never take the message.
func (h *Handler) refused(ctx context.Context, m chat.Message, token string, why *chat.Problem) error {
	_, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease != token {
			return store.Same()
		}
		now.Send.Lease = ""
		now.Reach(chat.Failed, h.now(), why)
		return nil
	})
	if err == nil {
		h.Metrics.Count(ctx, metric.SendFailed, 1)
		slog.InfoContext(ctx, "a message was refused", "id", m.ID, "code", why.Code)
	}
	return err
}

// change edits the message, and doesn't give up at the first failure: what was just learnt from Meta exists nowhere
// else.
func (h *Handler) change(ctx context.Context, m chat.Message, edit func(*chat.Message) error) (chat.Message, error) {
	var out chat.Message
	err := persist(ctx, func() (err error) {
		out, err = h.Store.Change(ctx, m.Conversation, m.At, m.ID, edit)
		return err
	})
	return out, err
}

// persist tries a write three times.
func persist(ctx context.Context, write func() error) error {
	var err error
	for range 3 {
		if err = write(); err == nil || !temporary(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// dispatch puts the message on the customer's record.
func (h *Handler) dispatch(ctx context.Context, m chat.Message) error {
	sort := store.SortKey(m)
	for _, e := range m.Effects {
		r := route.NewRef(m, sort, e, route.Accepted)
		if err := h.CRM.Send(ctx, queue.Entry{Body: r.Body(), Group: r.Group(m.Contact), DedupID: r.DedupID()}); err != nil {
			return fmt.Errorf("dispatch %s: %w", e.Kind, err)
		}
	}
	return nil
}
