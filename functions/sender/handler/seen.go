package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"threadline/shared/chat"
	"threadline/shared/redact"
	"threadline/shared/send"
	"threadline/shared/whatsapp"
)

// typingFor is how long the customer's phone shows that somebody types. What comes later is no news.
// https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators
const typingFor = 25 * time.Second

// seen shows the customer that their message was read. What Meta refuses for good is let go, and so is what comes while
// nothing may leave: it is a courtesy.
func (h *Handler) seen(ctx context.Context, s send.Seen) error {
	n := s.Conversation.Number()
	number, account, err := h.health(ctx, n)
	if err != nil {
		return err
	}
	if number.Facts.TokenRefused(account.Facts, false) || !number.Facts.Clearance(account.Facts, h.now()).Answers {
		slog.InfoContext(ctx, "nothing is marked as read: sending is stopped", "conversation", s.Conversation)
		return nil
	}
	show := h.Graph.MarkRead
	if s.Typing && h.now().Sub(s.At) < typingFor {
		show = h.Graph.Typing
	}
	err = show(ctx, string(n), s.ProviderID)
	if err == nil {
		return nil
	}
	var refusal *whatsapp.Error
	if errors.As(err, &refusal) && refusal.Class == whatsapp.ClassAccount {
		h.stopped(ctx, n, "read "+s.ProviderID, refusal)
	}
	if h.now().Sub(s.At) > time.Minute || errors.Is(err, whatsapp.ErrInvalid) ||
		errors.As(err, &refusal) && refusal.Class != whatsapp.ClassTransient && refusal.Class != whatsapp.ClassNotSent {
		slog.InfoContext(ctx, "mark as read", "conversation", s.Conversation, "error", redact.Error(err))
		return nil
	}
	return chat.E(chat.Unavailable, "", fmt.Errorf("mark as read: %w", err))
}
