package handler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// command does what somebody asked for. Doing it twice is doing it once. What can't be done any more, because what it is
// about has gone or become something else, is left: api said so to whoever asked, as far as it was known then.
func (h *Handler) command(ctx context.Context, m queue.Message, body []byte) error {
	c, err := route.ParseCommand(body)
	if err != nil {
		return err
	}
	by := chat.Stamp{At: c.At.UTC(), ID: c.ID}
	switch c.Command {
	case route.Merge:
		_, err = h.Store.Join(ctx, c.Contact, c.With, by)
	case route.Unmerge:
		_, err = h.Store.Part(ctx, c.Contact, by)
	case route.Refetch:
		err = h.refetch(ctx, c)
	case route.Reconcile:
		err = h.beginLast(ctx, c.Hours, c.ID)
	case route.Backfill:
		err = h.beginBackfill(ctx, c.Connector, c.ID)
	default:
		return h.unknown(m, errors.New("read command: it isn't one that this release knows"))
	}
	switch chat.CodeOf(err) {
	case chat.NotFound, chat.Invalid:
		slog.WarnContext(ctx, "left a command", "command", c.Command, "code", chat.CodeOf(err))
		return nil
	}
	return err
}

// refetch has a file that couldn't be got fetched once more.
func (h *Handler) refetch(ctx context.Context, c route.Command) error {
	m, err := h.Store.Message(ctx, c.Conversation, c.Message)
	if err != nil {
		return err
	}
	m, err = h.Store.Change(ctx, m.Conversation, m.At, m.ID, func(now *chat.Message) error {
		if !fetchable(*now, c.At) {
			return store.Same()
		}
		now.Attachment.State, now.Attachment.Reason = chat.Pending, ""
		return nil
	})
	if err != nil || m.Attachment == nil || m.Attachment.State != chat.Pending {
		return err
	}
	return h.send(ctx, m, chat.Effect{Kind: chat.EffectMedia}, c.ID)
}

// fetchable tells whether Meta may still give out a file that failed. How old an imported one's id is isn't known: the
// message is older than the id.
func fetchable(m chat.Message, now time.Time) bool {
	a := m.Attachment
	return a != nil && a.State == chat.FileFailed && a.MediaID != "" && (m.Imported || now.Sub(m.At) < whatsapp.MediaLife)
}
