package handler

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/store"
)

// Links to files: /m/<token>, which whoever has it may open for a while, without a key.

const (
	linkFor   = time.Hour       // how long a link works at least; at most an hour longer, so that a page read again has the same
	objectFor = 2 * time.Minute // how long the address works to which it leads
)

// claim is what a link says: whose file, until when.
type claim struct {
	Until        int64               `json:"u"` // Unix time
	Conversation chat.ConversationID `json:"c"`
	Message      string              `json:"m"` // its sort key
}

// token names a message's file until a time. It is signed with the API's key: another key ends all links.
func (a *API) token(ctx context.Context, m chat.Message) (string, error) {
	key, err := a.signingKey(ctx)
	if err != nil {
		return "", err
	}
	until := a.now().Add(linkFor).Truncate(time.Hour).Add(time.Hour)
	said := encode(claim{until.Unix(), m.Conversation, store.SortKey(m)})
	return base64.RawURLEncoding.EncodeToString(append(seal(key, said), said...)), nil
}

// signingKey is the API's key. An empty one opens nothing, and signs nothing: anybody knows it.
func (a *API) signingKey(ctx context.Context) (string, error) {
	key, err := a.Key(ctx)
	if err == nil && key == "" {
		err = errors.New("there is no API key")
	}
	if err != nil {
		return "", chat.E(chat.Unavailable, "links to files can't be checked now: try again", err)
	}
	return key, nil
}

const sealSize = 16 // bytes of the signature that are kept: 2^128 guesses

func seal(key string, said []byte) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte("link to a file\x00"))
	h.Write(said)
	return h.Sum(nil)[:sealSize]
}

var errLink = chat.E(chat.NotFound, "the link isn't one of ours, or too old: fetch the message again", nil)

// parseToken returns what a link says. Nothing in it is read before its signature is known to be ours.
func (a *API) parseToken(ctx context.Context, token string) (c claim, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= sealSize {
		return c, errLink
	}
	key, err := a.signingKey(ctx)
	if err != nil {
		return c, err
	}
	said := raw[sealSize:]
	if !hmac.Equal(raw[:sealSize], seal(key, said)) || json.Unmarshal(said, &c) != nil || !a.now().Before(time.Unix(c.Until, 0)) {
		return claim{}, errLink
	}
	return c, nil
}

// getFile leads to the file itself.
func (a *API) getFile(w http.ResponseWriter, r *http.Request) error {
	c, err := a.parseToken(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	m, err := a.Store.Message(r.Context(), c.Conversation, c.Message)
	if err != nil {
		return err
	}
	if m.Attachment == nil || !m.Attachment.State.Have() {
		return chat.E(chat.NotFound, "the file isn't here (yet)", nil)
	}
	link, err := a.Links.Link(r.Context(), m.Attachment.Key, showing(*m.Attachment))
	if err != nil {
		return unsigned(err)
	}
	w.Header().Set("Location", link)
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
