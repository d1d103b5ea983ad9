package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
)

// The headers of a signed call, in both directions.
const (
	headerTimestamp = "Threadline-Timestamp"
	headerSignature = "Threadline-Signature"
	headerDocument  = "Threadline-Document" // of a call whose body is a file
	headerDelivery  = "Idempotency-Key"
)

const (
	// window is how far a call's time may be from the clock of whoever reads it.
	window = 5 * time.Minute

	// shortest is how many characters a secret must have: nobody guesses sixteen random ones.
	shortest = 16

	// most is how many secrets there may be: a new one and the one that it replaces.
	most = 2
)

// secrets returns the secrets that sign now.
func (c *Connector) secrets(ctx context.Context, op string) ([]string, error) {
	value, err := c.secret(ctx)
	if err != nil {
		return nil, &crm.Error{Class: crm.Transient, Op: op, Reason: "NO_CREDENTIALS", Err: err}
	}
	all := strings.Fields(value)
	if len(all) == 0 || len(all) > most {
		return nil, &crm.Error{Class: crm.Stopped, Op: op, Reason: "ONE_OR_TWO_SECRETS_NEEDED"}
	}
	for _, s := range all {
		if len(s) < shortest {
			return nil, &crm.Error{Class: crm.Stopped, Op: op, Reason: "SECRET_TOO_SHORT"}
		}
	}
	return all, nil
}

// signature is what a secret makes of a time and a document.
func signature(secret, timestamp string, document []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(document)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// seal returns the headers that make a document believable.
type seal func(ctx context.Context, op, timestamp string, document []byte) (http.Header, error)

// sealed signs with each secret, so that a receiver that knows one of them believes.
func (c *Connector) sealed(ctx context.Context, op, timestamp string, document []byte) (http.Header, error) {
	secrets, err := c.secrets(ctx, op)
	if err != nil {
		return nil, err
	}
	return sealWith(secrets...)(ctx, op, timestamp, document)
}

// forged is a secret that nobody knows.
var forged = rand.Text()

func sealWith(secrets ...string) seal {
	return func(_ context.Context, _, timestamp string, document []byte) (http.Header, error) {
		var all []string
		for _, secret := range secrets {
			all = append(all, signature(secret, timestamp, document))
		}
		return http.Header{
			headerTimestamp: {timestamp},
			headerSignature: {strings.Join(all, ",")},
			// It names this call, not the thing: a receiver that answers a known key from a cache must not miss that a
			// contact is again what it was before.
			headerDelivery: {rand.Text()},
		}, nil
	}
}

// believable tells whether one of the secrets signed a call just now. It takes as long whichever byte is wrong.
func believable(secrets []string, h http.Header, body []byte, now time.Time) bool {
	timestamp := h.Get(headerTimestamp)
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(sent, 0)).Abs() > window {
		return false
	}
	given := strings.Split(h.Get(headerSignature), ",")
	ok := false
	for _, secret := range secrets {
		want := []byte(signature(secret, timestamp, body))
		for _, g := range given {
			ok = hmac.Equal([]byte(strings.TrimSpace(g)), want) || ok
		}
	}
	return ok
}
