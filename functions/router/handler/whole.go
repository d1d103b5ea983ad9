package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/whatsapp"
)

// whole takes in an event. A former release queued fields that it didn't know whole, as events; such an entry may have
// waited across a deployment, or two weeks in the dead-letter queue. What is in it is handled as if it had come alone.
func (h *Handler) whole(ctx context.Context, u whatsapp.Update, m queue.Message) error {
	parts := whatsapp.Resplit(u)
	if len(parts) > 1 {
		slog.InfoContext(ctx, "took an entry of a former release apart", "field", u.Field, "parts", len(parts))
	}
	var errs []error
	for _, part := range parts {
		err := h.part(ctx, part, m)
		errs = append(errs, err) // one that can't be handled holds back none of the others
		if chat.Temporary(err) || ctx.Err() != nil {
			break // all of it comes again, and what is stored costs little then
		}
	}
	return errors.Join(errs...)
}

// part handles one part of an event, which may be the event itself.
func (h *Handler) part(ctx context.Context, u whatsapp.Update, m queue.Message) error {
	switch u.Kind {
	case whatsapp.KindEvent:
		return h.event(ctx, u, m.Sent)
	case whatsapp.KindHistory:
		return h.later(ctx, u, m)
	}
	return handlers[u.Kind](h, ctx, u)
}

// later puts a part of a history on the queue where it belongs: thousands of messages are more than one call stores in
// its time. A part that is too long for the queue is stored at once.
func (h *Handler) later(ctx context.Context, u whatsapp.Update, m queue.Message) error {
	body, err := json.Marshal(struct {
		V int `json:"v"`
		whatsapp.Update
	}{1, u})
	if err != nil {
		return err
	}
	body = whatsapp.ASCII(body)
	if len(body) > queue.MaxBody {
		return h.history(ctx, u, m.Receives)
	}
	if err := h.Bulk.Send(ctx, queue.Entry{Body: body, Group: u.GroupKey()}); err != nil {
		return fmt.Errorf("queue a part of a history: %w", err)
	}
	return nil
}
