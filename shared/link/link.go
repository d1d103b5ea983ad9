// Package link makes and reads links to files: /m/<token>, which whoever has one may open without a key.
//
// A token says which message's file it leads to and until when, sealed with AES-GCM under a key that is derived from the
// API's. Without that key it can be neither made nor read, and another API key ends all links. Nothing of a token is read
// before its seal is known to be ours. The same claim has the same token, so that what is shown again has the same links.
package link

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
	"strings"
	"time"

	"threadline/shared/chat"
)

// Claim is what a link says: whose file, until when. Its names are in links that were given out.
type Claim struct {
	Until        int64               `json:"u"` // Unix time; 0: as long as the file is kept
	Conversation chat.ConversationID `json:"c"`
	Message      string              `json:"m"` // its sort key, which holds Meta's id and so perhaps a phone number
}

// Ended tells whether the link is too old.
func (c Claim) Ended(now time.Time) bool { return c.Until != 0 && !now.Before(time.Unix(c.Until, 0)) }

// Links makes and reads links.
type Links struct {
	URL string                                // scheme and host; empty: links are paths
	Key func(context.Context) (string, error) // the API's
}

// To returns the link that says this.
func (l Links) To(ctx context.Context, c Claim) (string, error) {
	s, err := l.seal(ctx)
	if err != nil {
		return "", err
	}
	token, err := s.put(c)
	return strings.TrimRight(l.URL, "/") + "/m/" + token, err
}

// Read returns what a token says; ok is false if it isn't one of ours.
func (l Links) Read(ctx context.Context, token string) (c Claim, ok bool, err error) {
	s, err := l.seal(ctx)
	if err != nil {
		return Claim{}, false, err
	}
	c, ok = s.open(token)
	return c, ok, nil
}

// seal hides and signs what links say.
type seal struct {
	cipher.AEAD
	nonces []byte // the key for these
}

// seal is made of the API's key. An empty one makes none, for anybody knows it.
func (l Links) seal(ctx context.Context) (seal, error) {
	key, err := l.Key(ctx)
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
func (s seal) put(c Claim) (string, error) {
	said, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, s.nonces)
	h.Write(said)
	nonce := h.Sum(nil)[:s.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.Seal(nonce, nonce, said, nil)), nil
}

// open returns what was sealed; ok is false if it wasn't by us.
func (s seal) open(token string) (c Claim, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < s.NonceSize() {
		return Claim{}, false
	}
	said, err := s.Open(nil, raw[:s.NonceSize()], raw[s.NonceSize():], nil)
	if err != nil || json.Unmarshal(said, &c) != nil {
		return Claim{}, false
	}
	return c, true
}
