package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/whatsapp"
)

// Whether the business number may send at all.

// How often a number is tried again that Meta refused as a whole, and one that is said to be stopped without an end: the
// word that would lift that may have been lost. One message in this time is, of all its conversations'.
const (
	probeEvery = time.Minute
	doubtEvery = 15 * time.Minute
)

// A message waits for its number for as long as it takes: its own expiry ends the wait. A look costs no call to Meta, and
// a customer waits for the answer, so that the gaps stay short: in the day that a message lives at most it is received
// some eight hundred times, below the thousand at which the queue would give it up.
const (
	shortGap = 5 * time.Second
	longGap  = 2 * time.Minute
)

// stoppedError makes a message wait whose number may not send.
func (h *Handler) stoppedError(m chat.Message, why string) error {
	gap := min(max(h.now().Sub(m.At)/8, shortGap), longGap)
	return queue.Later(gap, chat.E(chat.Unavailable, "", fmt.Errorf("sending is stopped: %s", why)))
}

// heldError says that a message's kind is stopped while the other leaves.
type heldError struct {
	why  string
	code int // Meta's, if it said so to a message
}

func (e heldError) Error() string { return "sending is stopped: " + e.why }

// gate lets a message pass when nothing is known that stops its number, or when it is time to try in spite of it. It
// returns what stands in the way of one that passes: to be noted once Meta takes it.
func (h *Handler) gate(ctx context.Context, m chat.Message) (doubt doubt, err error) {
	n := m.Conversation.Number()
	number, account, err := h.health(ctx, n)
	if err != nil {
		return doubt, err
	}
	now := h.now()
	c := number.Facts.Clearance(account.Facts, now)
	template := m.Kind == chat.KindTemplate
	cleared := c.Answers
	if template {
		cleared = c.Templates
	}
	if !cleared {
		said := number.Facts[c.Why].Stamp.At
		if at := account.Facts[c.Why].Stamp.At; at.After(said) {
			said = at
		}
		doubt.stop = c.Until.IsZero() && now.Sub(said) >= doubtEvery && h.mayProbe(ctx, n, "stop", doubtEvery)
		switch {
		case doubt.stop:
		case c.Answers || c.Templates:
			return doubt, heldError{why: c.Why}
		default:
			return doubt, h.stoppedError(m, c.Why)
		}
	}
	doubt.token = number.Facts.TokenDoubted(template)
	if !number.Facts.TokenRefused(account.Facts, template) {
		return doubt, nil
	}
	token := number.Facts[chat.FactToken]
	switch {
	case now.Sub(token.Stamp.At) >= probeEvery && h.mayProbe(ctx, n, "token", probeEvery):
		return doubt, nil
	case !number.Facts.TokenRefused(account.Facts, false):
		return doubt, heldError{token.Why, whatsapp.CodeUnpaid}
	}
	return doubt, h.stoppedError(m, "Meta refused this number a moment ago, code "+token.Value)
}

// doubt is why an attempt is a probe.
type doubt struct{ token, stop bool }

// mayProbe tells whether nobody has tried for a while.
func (h *Handler) mayProbe(ctx context.Context, n chat.NumberID, what string, every time.Duration) bool {
	taken, err := h.Store.TakeSlot(ctx, "probe "+what+" "+string(n), h.newToken(), 1, every)
	if err != nil {
		slog.WarnContext(ctx, "take turns at trying a stopped number", "error", redact.Error(err))
	}
	return taken && err == nil
}

// held keeps a message back whose kind is stopped while the other leaves: for a while since it was asked for, however
// many like it stand before it, because an agent's answer may wait behind them all.
func (h *Handler) held(ctx context.Context, m chat.Message, cause heldError) error {
	if left := patience - h.now().Sub(m.At); left > 0 {
		return queue.Later(min(left, time.Minute), cause)
	}
	return h.refused(ctx, m, "", &chat.Problem{Code: cause.code, Reason: cause.Error()})
}

// stopped notes that Meta refuses the number as a whole, counts it for the alarm, and reads the token again: somebody
// may have replaced it.
func (h *Handler) stopped(ctx context.Context, n chat.NumberID, id string, refusal *whatsapp.Error) {
	h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", "whatsapp")
	slog.ErrorContext(ctx, "Meta refuses to send for this number", "code", refusal.Code)
	if err := h.Refresh(ctx); err != nil {
		slog.WarnContext(ctx, "refresh the token", "error", redact.Error(err))
	}
	h.learn(ctx, n, id, map[string]chat.Fact{
		chat.FactToken: {Value: strconv.Itoa(refusal.Code), Why: refusal.Reason()},
	})
}

// works notes that Meta takes messages of the number again.
func (h *Handler) works(ctx context.Context, m chat.Message, d doubt) {
	facts := map[string]chat.Fact{}
	if d.token {
		facts[chat.FactToken] = chat.Fact{Value: chat.TokenWorks}
	}
	if d.stop {
		facts[chat.FactStatus] = chat.Fact{Value: chat.StatusConnected}
	}
	if len(facts) > 0 {
		h.learn(ctx, m.Conversation.Number(), string(m.ID), facts)
	}
}

// learn is a note for people and for the next attempts: a failure to write it is nobody's loss.
func (h *Handler) learn(ctx context.Context, n chat.NumberID, id string, facts map[string]chat.Fact) {
	for name, f := range facts {
		f.Stamp = chat.Stamp{At: h.now().UTC(), ID: id}
		facts[name] = f
	}
	if _, _, err := h.Store.LearnNumber(ctx, n, "", facts); err != nil {
		slog.WarnContext(ctx, "note the number's state", "error", redact.Error(err))
	}
	h.healths.forget(n)
}

// errOptedOut says that the customer doesn't want messages of the category.
var errOptedOut = errors.New("the customer stopped marketing messages")

// lease changes a message as its attempt begins. One for marketing begins only while the customer's consent stands:
// the check is part of the write.
func (h *Handler) lease(ctx context.Context, m chat.Message, edit func(*chat.Message) error) (chat.Message, error) {
	if m.Send.Category != chat.CategoryMarketing || m.Contact == "" {
		return h.change(ctx, m, edit)
	}
	var out chat.Message
	err := persist(ctx, func() (err error) {
		out, err = h.Store.ChangeIf(ctx, m.Conversation, m.At, m.ID, m.Contact, func(c chat.Contact) error {
			if c.Refuses(chat.CategoryMarketing) {
				return errOptedOut
			}
			return nil
		}, edit)
		return err
	})
	return out, err
}

// noteOptOut remembers what Meta knows of the customer and we didn't.
func (h *Handler) noteOptOut(ctx context.Context, m chat.Message, refusal *whatsapp.Error) {
	if refusal.Code != whatsapp.CodeOptedOut {
		return
	}
	now := h.now().UTC()
	seen := chat.Seen{Phone: m.Send.To.Phone, BSUID: m.Send.To.BSUID, At: now, Source: chat.SourceRequest, ID: string(m.ID)}
	_, err := h.Store.Prefer(ctx, seen, chat.CategoryMarketing, chat.Consent{Source: "code 131050", Stamp: chat.Stamp{At: now, ID: string(m.ID)}})
	if err != nil {
		slog.WarnContext(ctx, "note an opt-out", "id", m.ID, "error", redact.Error(err))
	}
}
