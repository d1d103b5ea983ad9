package handler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Files that were given to us go to Meta before the message does: an upload may be repeated, a message may not.

// uploads is where the bucket keeps them, by id.
const uploads = "uploads/"

// keptFor is how long an upload's id is used: a day less than Meta keeps it.
const keptFor = whatsapp.UploadLife - 24*time.Hour

// errNoFile says that the file is past its retention.
var errNoFile = errors.New("the file isn't there any more")

// upload returns the message with Meta's id of its file, giving Meta the file if it doesn't have it.
func (h *Handler) upload(ctx context.Context, m chat.Message) (chat.Message, error) {
	if m.Attachment == nil || !strings.HasPrefix(m.Attachment.Key, uploads) {
		return m, nil
	}
	number := m.Conversation.Number()
	f, err := h.Store.File(ctx, strings.TrimPrefix(m.Attachment.Key, uploads))
	if chat.CodeOf(err) == chat.NotFound {
		return m, errNoFile
	}
	if err != nil {
		return m, err
	}
	a := *m.Attachment
	m.Attachment = &a
	if known := f.Media[number]; h.now().Before(known.Until) {
		a.MediaID = known.ID
		return m, nil
	}
	body, info, err := h.Files.Get(ctx, a.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return m, errNoFile
	}
	if err != nil {
		return m, chat.E(chat.Unavailable, "", fmt.Errorf("read a file: %w", err))
	}
	defer body.Close()
	id, err := h.Graph.Upload(ctx, string(number), f.Name, f.MIME, info.Size, body)
	if err != nil {
		return m, err
	}
	a.MediaID = id
	// Failing to remember it costs another upload.
	return m, h.Store.SetUploaded(ctx, f.ID, number, store.Uploaded{ID: id, Until: h.now().Add(keptFor).UTC()})
}

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
