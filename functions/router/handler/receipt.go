package handler

import (
	"context"
	"log/slog"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What became of messages that we sent.

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
	if err := h.refused(ctx, u, s, r, m); err != nil {
		return err
	}
	if !found || m.Settled != r.Hash {
		return nil
	}
	if m.Status == chat.Failed {
		h.Metrics.Count(ctx, metric.SendFailed, 1)
		h.failsAll(ctx, s)
	}
	return h.dispatch(ctx, m, r.Hash)
}

// failsAll rings for somebody when a message failed for what will fail the next ones too. Meta takes them all the same,
// and says so afterwards: no answer to a send tells.
func (h *Handler) failsAll(ctx context.Context, s whatsapp.Status) {
	for _, e := range s.Errors {
		if e.Class == whatsapp.ClassAccount {
			slog.ErrorContext(ctx, "Meta takes messages of this number and fails them", "code", e.Code)
			h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", "whatsapp")
			return
		}
	}
}

// receipt makes one of a status; ok is false for what isn't about a message, or names none.
func receipt(u whatsapp.Update, s whatsapp.Status) (chat.Receipt, bool) {
	r := chat.Receipt{
		Number: chat.NumberID(u.Number), ProviderID: s.ID, ID: chat.MessageID(s.CallbackData),
		Status: chat.Status(s.State), At: provided(s.Timestamp, u), Hash: store.Hash(u.Body),
	}
	if s.Participant.Known() {
		r.Participant = store.Hash([]byte(s.Participant.BSUID + "\x00" + s.Participant.WAID))[:16]
	}
	if len(s.Errors) > 0 {
		p := problem(s.Errors[0])
		r.Error = &p
	}
	r.Charged = charged(s, chat.Stamp{At: r.At, ID: r.Hash})
	isMessage := s.Type == "" || s.Type == "message"
	named := placed(u, "") && string(store.ProviderMessageID(s.ID, nil)) == s.ID
	return r, isMessage && named && r.Status.Outranks(chat.Accepted)
}

// charged is what a status says of a message's price.
func charged(s whatsapp.Status, stamp chat.Stamp) (c chat.Charged) {
	if p := s.Pricing; p != nil {
		c.Pricing = &chat.Pricing{
			Model: clip(p.Model, maxWord), Type: clip(p.Type, maxWord), Category: clip(p.Category, maxWord), Billable: p.Billable,
			Stamp: stamp,
		}
	}
	if f := s.Conversation; f != nil {
		c.FreeEntry = &chat.FreeEntry{
			ID: clip(f.ID, maxWord), Origin: clip(f.Origin, maxWord), Expires: utc(f.Expires), Stamp: stamp,
		}
	}
	return c
}
