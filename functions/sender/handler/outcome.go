package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What came of an attempt, and how it is recorded.

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
	h.met(ctx, now, sent)
	if err := h.dispatch(ctx, now); err != nil {
		return err
	}
	h.markRead(ctx, now)
	return nil
}

// met remembers under which identity Meta knows the recipient, where that isn't the one written to. It will say so
// again with the next message: a failure is nobody's loss.
func (h *Handler) met(ctx context.Context, m chat.Message, sent whatsapp.Sent) {
	to := m.Send.To
	if to.Group != "" || (sent.WAID == "" || sent.WAID == to.Phone) && (sent.BSUID == "" || sent.BSUID == to.BSUID) {
		return
	}
	if err := h.Store.Answered(ctx, m, sent.WAID, sent.BSUID); err != nil {
		slog.WarnContext(ctx, "note a recipient's identity", "id", m.ID, "error", redact.Error(err))
	}
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

// failed records what is known of an attempt that didn't end in an acceptance. again says that a refusal isn't the last
// word.
func (h *Handler) failed(ctx context.Context, m chat.Message, token string, cause error, again bool) error {
	if errors.Is(cause, whatsapp.ErrInvalid) {
		return h.refused(ctx, m, token, &chat.Problem{Reason: "malformed: " + cause.Error()})
	}
	if whatsapp.OutcomeOf(cause) != whatsapp.NotSent {
		return h.lost(ctx, m, h.now())
	}
	var refusal *whatsapp.Error
	if errors.As(cause, &refusal) && hopeless(m, refusal) && !again {
		h.noteOptOut(ctx, m, refusal)
		return h.refused(ctx, m, token, &chat.Problem{Code: refusal.Code, Reason: refusal.Reason()})
	}
	_, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease != token {
			return store.Same()
		}
		now.Send.Lease = ""
		now.Send.Attempt--
		if now.Status == chat.Sending {
			now.Status = chat.Queued
			delete(now.Steps, chat.Sending) // it wasn't sent after all
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.wait(ctx, m, refusal, cause)
}

// patience is how long a template may hold up its conversation for a reason of its own (a paused template, the
// recipient's marketing limit): an agent's answer stands behind it.
const patience = 10 * time.Minute

// hopeless tells whether a refusal is about this message, and waiting wouldn't help or would hurt others.
func hopeless(m chat.Message, refusal *whatsapp.Error) bool {
	switch refusal.Class {
	case whatsapp.ClassPermanent:
		return true
	case whatsapp.ClassWait:
		return m.Kind == chat.KindTemplate && refusal.RetryAfter > patience
	}
	return false
}

// wait says when to come again after a refusal that isn't about this message.
func (h *Handler) wait(ctx context.Context, m chat.Message, refusal *whatsapp.Error, cause error) error {
	after := time.Duration(0)
	if refusal != nil {
		after = refusal.RetryAfter
		switch refusal.Class {
		case whatsapp.ClassAccount:
			h.stopped(ctx, m.Conversation.Number(), string(m.ID), refusal)
			unpaid := refusal.Code == whatsapp.CodeUnpaid
			switch {
			case unpaid && m.Kind == chat.KindTemplate:
				return h.held(ctx, m, heldError{refusal.Reason(), refusal.Code}) // answers leave
			case unpaid:
				after = max(after, probeEvery) // each answer asks for itself
			case after == 0: // the gate sees to it that Meta isn't asked at each look
				return h.stoppedError(m, fmt.Sprintf("Meta refused this number, code %d", refusal.Code))
			}
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

// refused records that Meta will never take the message. If an earlier attempt may have got through, nobody knows
// whether the customer has it, and so it stays unknown.
func (h *Handler) refused(ctx context.Context, m chat.Message, token string, why *chat.Problem) error {
	now, err := h.change(ctx, m, func(now *chat.Message) error {
		if now.Send.Lease != token {
			return store.Same()
		}
		now.Send.Lease = ""
		switch {
		case now.Status.AtMeta(): // by a receipt of that earlier attempt
		case now.Send.UnknownSince.IsZero():
			now.Reach(chat.Failed, h.now(), why)
		default:
			now.Reach(chat.Unknown, now.Send.UnknownSince, why)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "a message was refused", "id", m.ID, "code", why.Code, "status", now.Status)
	switch now.Status {
	case chat.Failed:
		h.Metrics.Count(ctx, metric.SendFailed, 1)
	case chat.Unknown:
		return h.doubtful(ctx, now)
	}
	return h.tell(ctx, now)
}

// doubtful has the CRM say that a message may have been delivered, so that nobody writes it again unawares, and rings for
// somebody to find out. A receipt that tells later has the CRM corrected by the router, as the first one of every message.
func (h *Handler) doubtful(ctx context.Context, m chat.Message) error {
	if err := h.put(ctx, m, route.Doubtful); err != nil {
		return err
	}
	h.Metrics.Count(ctx, metric.SendUnknown, 1)
	return nil
}

// tell has the CRM say what became of a message that somebody asked for there. Receipts, which tell of all others, don't
// come for what Meta never took.
func (h *Handler) tell(ctx context.Context, m chat.Message) error {
	if m.Status != chat.Failed || m.Origin != chat.FromCRM || m.ProviderID != "" {
		return nil
	}
	return h.put(ctx, m, route.Failed)
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
		if err = write(); err == nil || !chat.Temporary(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// dispatch puts the message on the customer's record, or what it says of an earlier one.
func (h *Handler) dispatch(ctx context.Context, m chat.Message) error {
	target, found, err := h.Store.Amend(ctx, m)
	if err != nil {
		return err
	}
	if found {
		if err := h.put(ctx, target, string(m.ID)); err != nil {
			return err
		}
	}
	return h.put(ctx, m, route.Accepted)
}

func (h *Handler) put(ctx context.Context, m chat.Message, cause string) error {
	sort := store.SortKey(m)
	for _, e := range route.Due(m, cause) {
		r := route.NewRef(m, sort, e, cause)
		if err := h.CRM.Send(ctx, queue.Entry{Body: r.Body(), Group: r.Group(m.Contact), DedupID: r.DedupID()}); err != nil {
			return fmt.Errorf("dispatch %s: %w", e.Kind, err)
		}
	}
	return nil
}
