package handler

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
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
	Message      string              `json:"m"` // its sort key, which holds Meta's id and so perhaps a phone number
}

// seal hides and signs what links say.
type seal struct {
	cipher.AEAD
	nonces []byte // the key for these
}

// seal is made of the API's key: another key ends all links. An empty one makes none, for anybody knows it.
func (a *API) seal(ctx context.Context) (seal, error) {
	key, err := a.Key(ctx)
	if err == nil && key == "" {
		err = errors.New("there is no API key")
	}
	if err != nil {
		return seal{}, chat.E(chat.Unavailable, "links to files can't be checked now: try again", err)
	}
	const half = sha256.Size
	keys, err := hkdf.Key(sha256.New, []byte(key), nil, "links to files", 2*half)
	if err != nil {
		return seal{}, err
	}
	block, err := aes.NewCipher(keys[:half])
	if err != nil {
		return seal{}, err
	}
	aead, err := cipher.NewGCM(block)
	return seal{aead, keys[half:]}, err
}

// put seals a claim. The nonce is made of it, so that the same claim has the same token, and no two claims the same nonce.
func (s seal) put(c claim) string {
	said := encode(c)
	h := hmac.New(sha256.New, s.nonces)
	h.Write(said)
	nonce := h.Sum(nil)[:s.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.Seal(nonce, nonce, said, nil))
}

// open returns what was sealed; ok is false if it wasn't by us.
func (s seal) open(token string) (c claim, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < s.NonceSize() {
		return c, false
	}
	said, err := s.Open(nil, raw[:s.NonceSize()], raw[s.NonceSize():], nil)
	return c, err == nil && json.Unmarshal(said, &c) == nil
}

// token names a message's file until a time.
func (a *API) token(s seal, m chat.Message) string {
	until := a.now().Add(linkFor).Truncate(time.Hour).Add(time.Hour)
	return s.put(claim{until.Unix(), m.Conversation, store.SortKey(m)})
}

var errLink = chat.E(chat.NotFound, "the link isn't one of ours, or too old: fetch the message again", nil)

// getFile leads to the file itself.
func (a *API) getFile(w http.ResponseWriter, r *http.Request) error {
	s, err := a.seal(r.Context())
	if err != nil {
		return err
	}
	c, ok := s.open(r.PathValue("token"))
	if !ok || !a.now().Before(time.Unix(c.Until, 0)) {
		return errLink
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
