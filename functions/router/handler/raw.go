package handler

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// raw keeps an update that became nothing else, for somebody to look at.
func (h *Handler) raw(ctx context.Context, u whatsapp.Update, reason string) error {
	e, err := h.keepEvent(ctx, u)
	if err != nil {
		return err
	}
	e.Reason = reason
	first, err := h.Store.PutRaw(ctx, e)
	if err != nil {
		return err
	}
	if first {
		h.Metrics.Count(ctx, metric.RawUpdate, 1)
	}
	slog.DebugContext(ctx, "kept an update raw", "field", u.Field, "reason", reason, "first", first)
	return nil
}

// keepEvent makes the item of an update; a long body becomes an object.
func (h *Handler) keepEvent(ctx context.Context, u whatsapp.Update) (store.Event, error) {
	at := time.Unix(u.Time, 0).UTC() // not the clock: the same update is the same item
	e := store.Event{WABA: u.WABA, Number: chat.NumberID(clip(u.Number, maxID)), Field: u.Field, At: at, Body: u.Body}
	// Two numbers may be told the same in the same words.
	e.Hash = store.Hash(fmt.Appendf(nil, "%q %q %q %s", u.WABA, u.Number, u.Field, u.Body))
	if len(u.Body) <= chat.MaxInlineRaw {
		return e, nil
	}
	e.Body = nil
	var err error
	e.Key, err = h.keep(ctx, at, u.Body)
	return e, err
}

// keep stores a long raw update as an object, named by its content.
func (h *Handler) keep(ctx context.Context, at time.Time, body []byte) (string, error) {
	key := fmt.Sprintf("raw/%s/%s", at.UTC().Format(time.DateOnly), store.Hash(body))
	err := h.Blobs.Put(ctx, key, bytes.NewReader(body), int64(len(body)), blob.PutOptions{ContentType: "application/json"})
	if err != nil {
		return "", fmt.Errorf("keep a raw update: %w", err)
	}
	return key, nil
}
