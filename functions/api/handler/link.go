package handler

import (
	"context"
	"mime"
	"net/http"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/link"
	"threadline/shared/store"
)

// Links to files: /m/<token>, which whoever has it may open without a key. Those that the API gives end soon; what crmsync
// puts into a CRM works as long as the file is kept.

const (
	linkFor   = time.Hour       // how long one of ours works at least; at most an hour longer, so that a page read again has the same
	objectFor = 2 * time.Minute // how long the address works to which it leads
)

// fileLink leads to a message's file for a while.
func (a *API) fileLink(ctx context.Context, m chat.Message) (string, error) {
	until := a.now().Add(linkFor).Truncate(time.Hour).Add(time.Hour)
	return a.links().To(ctx, link.Claim{Until: until.Unix(), Conversation: m.Conversation, Message: store.SortKey(m)})
}

func (a *API) links() link.Links { return link.Links{Key: a.Key} }

var errLink = chat.E(chat.NotFound, "the link isn't one of ours, or too old: fetch the message again", nil)

// getFile leads to the file itself.
func (a *API) getFile(w http.ResponseWriter, r *http.Request) error {
	c, ok, err := a.links().Read(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if !ok || c.Ended(a.now()) {
		return errLink
	}
	m, err := a.Store.Message(r.Context(), c.Conversation, c.Message)
	if err != nil {
		return err
	}
	if m.Attachment == nil || !m.Attachment.State.Have() {
		return chat.E(chat.NotFound, "the file isn't here (yet)", nil)
	}
	address, err := a.Links.Link(r.Context(), m.Attachment.Key, showing(*m.Attachment))
	if err != nil {
		return unsigned(err)
	}
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusFound)
	return nil
}

// inline are the types that browsers show without running anything in them. Everything else is saved, whatever it says
// that it is: HTML, SVG and scripts would run with the bucket's address as their origin.
var inline = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/webp": true, "image/gif": true,
	"audio/aac": true, "audio/amr": true, "audio/mpeg": true, "audio/mp4": true, "audio/ogg": true,
	"video/mp4": true, "video/3gpp": true, "application/pdf": true,
}

// showing says how a browser is to treat a file.
func showing(f chat.Attachment) blob.LinkOptions {
	t, _, err := mime.ParseMediaType(f.MIME)
	if err != nil || !inline[t] {
		return blob.LinkOptions{For: objectFor, ContentType: "application/octet-stream", Name: f.SafeName()}
	}
	return blob.LinkOptions{For: objectFor, ContentType: t, Name: f.SafeName(), Inline: true}
}
