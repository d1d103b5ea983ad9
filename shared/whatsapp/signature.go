package whatsapp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// SignatureHeader carries the HMAC of a webhook's raw body.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
const SignatureHeader = "X-Hub-Signature-256"

// MaxBody is the largest webhook body that Meta sends, in bytes.
// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks
const MaxBody = 3 << 20

// ErrSignature means that a body was not signed with a secret that we know.
var ErrSignature = errors.New("whatsapp: signature missing or wrong")

// Verifier checks that a webhook body was signed by our Meta app. It accepts
// several app secrets, so that one can be replaced without losing a webhook.
// The zero Verifier accepts nothing.
type Verifier struct{ secrets [][]byte }

// NewVerifier returns a Verifier for these app secrets. Empty ones are
// ignored; without any other every signature is wrong.
func NewVerifier(secrets ...string) Verifier {
	var v Verifier
	for _, s := range secrets {
		if s != "" {
			v.secrets = append(v.secrets, []byte(s))
		}
	}
	return v
}

// Verify compares header, the value of [SignatureHeader], with the HMAC-SHA256
// of body: the exact bytes received, before any decoding of JSON. It returns
// nil or [ErrSignature]; how long it takes doesn't tell which secret matched.
func (v Verifier) Verify(body []byte, header string) error {
	digits, ok := strings.CutPrefix(header, "sha256=")
	got, err := hex.DecodeString(digits)
	if !ok || err != nil || len(got) != sha256.Size {
		return ErrSignature
	}
	match := 0
	for _, secret := range v.secrets {
		match |= subtle.ConstantTimeCompare(got, sum(secret, body))
	}
	if match != 1 {
		return ErrSignature
	}
	return nil
}

func sum(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return mac.Sum(nil)
}

// Format keeps the secrets out of logs, whatever the verb.
func (v Verifier) Format(f fmt.State, _ rune) {
	io.WriteString(f, fmt.Sprintf("whatsapp.Verifier(%d secrets)", len(v.secrets)))
}

// Challenge answers the GET request with which Meta checks a callback URL:
// where ok, the response is 200 with challenge as its whole body, else 403.
// An empty verifyToken matches nothing.
func Challenge(query url.Values, verifyToken string) (challenge string, ok bool) {
	want := sha256.Sum256([]byte(verifyToken))
	got := sha256.Sum256([]byte(query.Get("hub.verify_token")))
	same := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	if !same || verifyToken == "" || query.Get("hub.mode") != "subscribe" {
		return "", false
	}
	return query.Get("hub.challenge"), true
}
