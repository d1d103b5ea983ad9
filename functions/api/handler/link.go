package handler

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/store"
)

// Links to files: /m/<token>, which whoever has it may open for a while, without a key.

const (
	linkFor   = time.Hour       // how long a link works at least; at most an hour longer, so that it stays the same for caches
	objectFor = 2 * time.Minute // how long the address works to which it leads
)

// token names a message's file until a time. It is signed with the API's key: another key ends all links.
func (a *API) token(ctx context.Context, m chat.Message) (string, error) {
	key, err := a.Key(ctx)
	if err != nil {
		return "", err
	}
	until := a.now().Add(linkFor).Truncate(time.Hour).Add(time.Hour).Unix()
	claim := fmt.Sprintf("%d %s %s", until, store.SortKey(m), m.Conversation)
	return base64.RawURLEncoding.EncodeToString(append(seal(key, claim), claim...)), nil
}

const sealSize = 16 // bytes of the signature that are kept: 2^128 guesses

func seal(key, claim string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte("link to a file\x00" + claim))
	return h.Sum(nil)[:sealSize]
}

var errLink = chat.E(chat.NotFound, "the link isn't one of ours, or too old: fetch the message again", nil)

// parseToken returns what a link names.
func (a *API) parseToken(ctx context.Context, token string) (conversation chat.ConversationID, sort string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= sealSize {
		return "", "", errLink
	}
	key, err := a.Key(ctx)
	if err != nil {
		return "", "", err
	}
	claim := string(raw[sealSize:])
	if !hmac.Equal(raw[:sealSize], seal(key, claim)) {
		return "", "", errLink
	}
	parts := strings.SplitN(claim, " ", 3)
	until, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || len(parts) != 3 || !a.now().Before(time.Unix(until, 0)) {
		return "", "", errLink
	}
	return chat.ConversationID(parts[2]), parts[1], nil
}

// getFile leads to the file itself.
func (a *API) getFile(w http.ResponseWriter, r *http.Request) error {
	conversation, sort, err := a.parseToken(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	m, err := a.Store.Message(r.Context(), conversation, sort)
	if err != nil {
		return err
	}
	if m.Attachment == nil || !m.Attachment.State.Have() {
		return chat.E(chat.NotFound, "the file isn't here (yet)", nil)
	}
	link, err := a.Links.Link(r.Context(), m.Attachment.Key, showing(*m.Attachment))
	if err != nil {
		return err
	}
	http.Redirect(w, r, link, http.StatusFound)
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
	return blob.LinkOptions{For: objectFor, ContentType: f.MIME, Name: f.SafeName(), Inline: true}
}
