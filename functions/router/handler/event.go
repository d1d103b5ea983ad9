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

// accountFields are the webhook fields that tell of an account, a number or a template rather than of a customer.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference
var accountFields = map[string]bool{
	"account_alerts": true, "account_review_update": true, "account_settings_update": true, "account_update": true,
	"business_capability_update": true, "business_username_update": true, "flows": true,
	"message_template_components_update": true, "message_template_quality_update": true,
	"message_template_status_update": true, "partner_solutions": true, "payment_configuration_update": true,
	"phone_number_name_update": true, "phone_number_quality_update": true, "security": true,
	"template_category_update": true,
}

// event keeps what is no message and no receipt: with its account when it is about that, else raw.
func (h *Handler) event(ctx context.Context, u whatsapp.Update) error {
	ofAccount := u.WABA != "" && (accountFields[u.Field] || u.Field == "messages" && bytes.HasPrefix(u.Body, []byte(`{"errors":`)))
	if !ofAccount {
		return h.raw(ctx, u, "unknown")
	}
	e, err := h.keepEvent(ctx, u)
	if err != nil {
		return err
	}
	first, err := h.Store.PutAccountEvent(ctx, e)
	slog.DebugContext(ctx, "stored an account event", "field", u.Field, "first", first)
	return err
}

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
