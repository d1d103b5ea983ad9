package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/redact"
	"threadline/shared/whatsapp"
)

// What is made of a file that can't be fetched.

// refusals is the receive from which on Meta's no is believed.
const refusals = 3

// unseen is Meta's code for an object that doesn't exist, or that the token may not see.
const unseen = 100

// giveUp returns the file as failed when Meta will never give it out, else the error to wait with. What a person can
// mend (a token, a host that this release doesn't trust) is waited for as long as Meta keeps the file.
func (h *Handler) giveUp(ctx context.Context, m chat.Message, qm queue.Message, cause error) (chat.Attachment, error) {
	if errors.Is(cause, errTooLong) {
		return failed(m, errTooLong.Error()), nil
	}
	if h.now().Sub(qm.Sent) > whatsapp.MediaLife {
		return failed(m, "Meta keeps files for 7 days, and it couldn't be fetched within them"), nil
	}
	var refusal *whatsapp.Error
	if !errors.As(cause, &refusal) && !errors.Is(cause, whatsapp.ErrUntrustedURL) {
		return chat.Attachment{}, waiting(cause)
	}
	if refusal == nil {
		refusal = &whatsapp.Error{Class: whatsapp.ClassAccount, Err: cause}
	}
	believed := qm.Receives >= refusals
	switch {
	case refusal.Class == whatsapp.ClassPermanent && refusal.HTTPStatus != http.StatusUnauthorized && believed,
		refusal.Class == whatsapp.ClassTransient && errors.Is(cause, errNoFile) && believed,
		refusal.Class == whatsapp.ClassAccount && refusal.Code == unseen && believed && h.now().Sub(m.At) > whatsapp.MediaLife:
		return failed(m, fmt.Sprintf("Meta doesn't give it out (code %d)", refusal.Code)), nil
	}
	if refusal.Class == whatsapp.ClassAccount {
		h.Metrics.Count(ctx, metric.ConnectorStopped, 1, "Connector", "whatsapp")
		slog.ErrorContext(ctx, "Meta refuses to give out files", "error", redact.Error(cause))
		if err := h.Refresh(ctx); err != nil {
			slog.WarnContext(ctx, "refresh the token", "error", redact.Error(err))
		}
	}
	return chat.Attachment{}, &chat.Error{Kind: chat.Unavailable, After: refusal.RetryAfter, Err: fmt.Errorf("fetch a file: %w", cause)}
}

func failed(m chat.Message, reason string) chat.Attachment {
	a := *m.Attachment
	a.State, a.Reason = chat.FileFailed, reason
	return a
}

// waiting makes any failure one that the queue repeats: a file is given up by decision, never by accident.
func waiting(cause error) error {
	var own *chat.Error
	if errors.As(cause, &own) && own.Temporary() {
		return cause
	}
	return chat.E(chat.Unavailable, "", fmt.Errorf("fetch a file: %w", cause))
}
