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
	"threadline/shared/redact"
	"threadline/shared/whatsapp"
)

// Whether the business number may send at all.

// probeEvery is how often a number is tried again that Meta refused as a whole: one call in this time for all of its
// conversations.
const probeEvery = time.Minute

// tokenWorks is what FactToken says once an attempt got through again.
const tokenWorks = "ok"

// errStopped makes a message wait, with growing gaps and for as long as it takes: its own expiry ends the wait.
func errStopped(why string) error {
	return chat.E(chat.Unavailable, "", fmt.Errorf("sending is stopped: %s", why))
}

// gate lets a message pass when nothing is known that stops its number.
func (h *Handler) gate(ctx context.Context, m chat.Message) (number chat.Facts, err error) {
	n, account, err := h.Store.Health(ctx, m.Conversation.Number())
	if err != nil {
		return nil, err
	}
	c := n.Facts.Clearance(account.Facts, h.now())
	cleared := c.Answers
	if m.Kind == chat.KindTemplate {
		cleared = c.Templates
	}
	if !cleared {
		return nil, errStopped(c.Why)
	}
	token := n.Facts[chat.FactToken]
	if refusedToken(token) && h.now().Sub(token.Stamp.At) < probeEvery {
		return nil, errStopped("Meta refused this number a moment ago, code " + token.Value)
	}
	return n.Facts, nil
}

func refusedToken(f chat.Fact) bool { return f.Value != "" && f.Value != tokenWorks }

// stopped notes that Meta refuses the number as a whole, counts it for the alarm, and reads the token again: somebody
// may have replaced it.
func (h *Handler) stopped(ctx context.Context, m chat.Message, refusal *whatsapp.Error) {
	h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", "whatsapp")
	slog.ErrorContext(ctx, "Meta refuses to send for this number", "code", refusal.Code)
	if err := h.Refresh(ctx); err != nil {
		slog.WarnContext(ctx, "refresh the token", "error", redact.Error(err))
	}
	h.learnToken(ctx, m, strconv.Itoa(refusal.Code), refusal.Reason())
}

// works notes that Meta takes messages of the number again.
func (h *Handler) works(ctx context.Context, m chat.Message, before chat.Facts) {
	if refusedToken(before[chat.FactToken]) {
		h.learnToken(ctx, m, tokenWorks, "")
	}
}

// learnToken is a note for people and for the next attempts: a failure to write it is nobody's loss.
func (h *Handler) learnToken(ctx context.Context, m chat.Message, value, why string) {
	now := h.now().UTC()
	fact := chat.Fact{Value: value, Why: why, Stamp: chat.Stamp{At: now, ID: string(m.ID)}}
	_, _, err := h.Store.LearnNumber(ctx, m.Conversation.Number(), "", map[string]chat.Fact{chat.FactToken: fact})
	if err != nil {
		slog.WarnContext(ctx, "note the token's state", "error", redact.Error(err))
	}
}

// errOptedOut says that the customer doesn't want messages of the category.
var errOptedOut = errors.New("the customer stopped marketing messages")

// optedOut is Meta's code for it.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
const optedOut = 131050

// marketing is the category that a customer can refuse.
const marketing = "marketing"

// lease changes a message as its attempt begins. One for marketing begins only while the customer's consent stands:
// the check is part of the write.
func (h *Handler) lease(ctx context.Context, m chat.Message, edit func(*chat.Message) error) (chat.Message, error) {
	if m.Send.Category != marketing || m.Contact == "" {
		return h.change(ctx, m, edit)
	}
	var out chat.Message
	err := persist(ctx, func() (err error) {
		out, err = h.Store.ChangeIf(ctx, m.Conversation, m.At, m.ID, m.Contact, func(c chat.Contact) error {
			if c.Refuses(marketing) {
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
	if refusal.Code != optedOut {
		return
	}
	now := h.now().UTC()
	seen := chat.Seen{Phone: m.Send.To.Phone, BSUID: m.Send.To.BSUID, At: now, Source: chat.SourceRequest, ID: string(m.ID)}
	_, err := h.Store.Prefer(ctx, seen, marketing, chat.Consent{Source: "code 131050", Stamp: chat.Stamp{At: now, ID: string(m.ID)}})
	if err != nil {
		slog.WarnContext(ctx, "note an opt-out", "id", m.ID, "error", redact.Error(err))
	}
}
