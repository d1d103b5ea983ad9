package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/redact"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Files that were given to us go to Meta before the message does: an upload may be repeated, a message may not.

// keptFor is how long an upload's id is used: a day less than Meta keeps it.
const keptFor = whatsapp.UploadLife - 24*time.Hour

// errNoFile says that the file is past its retention.
var errNoFile = errors.New("the file isn't there any more")

// upload returns the message with Meta's id of its file, giving Meta the file if it doesn't have it. before tells that
// Meta was given it earlier.
func (h *Handler) upload(ctx context.Context, m chat.Message) (ready chat.Message, before bool, err error) {
	if m.Attachment == nil {
		return m, false, nil
	}
	file, ours := store.FileOf(m.Attachment.Key)
	if !ours {
		return m, false, nil
	}
	number := m.Conversation.Number()
	f, err := h.Store.File(ctx, file)
	if chat.CodeOf(err) == chat.NotFound {
		return m, false, errNoFile
	}
	if err != nil {
		return m, false, err
	}
	a := *m.Attachment
	m.Attachment = &a
	if known := f.Media[number]; h.now().Before(known.Until) {
		a.MediaID = known.ID
		return m, true, nil
	}
	body, info, err := h.Files.Get(ctx, a.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return m, false, errNoFile
	}
	if err != nil {
		return m, false, chat.E(chat.Unavailable, "", fmt.Errorf("read a file: %w", err))
	}
	defer body.Close()
	id, err := h.Graph.Upload(ctx, string(number), f.Name, f.MIME, info.Size, body)
	if err != nil {
		return m, false, err
	}
	a.MediaID = id
	// Failing to remember it costs another upload.
	return m, false, h.Store.SetUploaded(ctx, f.ID, number, store.Uploaded{ID: id, Until: h.now().Add(keptFor).UTC()})
}

// forgotten tells whether Meta may have refused a message because it doesn't have its file any more, and if so sees to it
// that it is given the file again.
func (h *Handler) forgotten(ctx context.Context, m chat.Message, cause error) bool {
	var refusal *whatsapp.Error
	if !errors.As(cause, &refusal) || refusal.Class != whatsapp.ClassPermanent || !slices.Contains(noSuchMedia, refusal.Code) {
		return false
	}
	file, _ := store.FileOf(m.Attachment.Key)
	err := persist(ctx, func() error {
		return h.Store.ForgetUploaded(ctx, file, m.Conversation.Number(), m.Attachment.MediaID)
	})
	if err != nil {
		slog.WarnContext(ctx, "forget an upload", "id", m.ID, "error", redact.Error(err))
	}
	return err == nil
}

// noSuchMedia is how Meta refuses the id of a file that it doesn't have, among other things.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
var noSuchMedia = []int{100, 131009, 131053}

// notUploaded decides about a message whose file Meta doesn't have. Nothing was sent, whatever the failure.
func (h *Handler) notUploaded(ctx context.Context, m chat.Message, cause error) error {
	var refusal *whatsapp.Error
	switch {
	case errors.Is(cause, errNoFile):
		return h.refused(ctx, m, "", &chat.Problem{Reason: cause.Error()})
	case errors.Is(cause, whatsapp.ErrInvalid):
		return h.refused(ctx, m, "", &chat.Problem{Reason: "malformed: " + cause.Error()})
	case errors.As(cause, &refusal) && refusal.Class == whatsapp.ClassPermanent:
		return h.refused(ctx, m, "", &chat.Problem{Code: refusal.Code, Reason: "the file was refused: " + refusal.Reason()})
	case refusal != nil:
		return h.wait(ctx, m, refusal, cause)
	}
	return cause
}
