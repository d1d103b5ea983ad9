package odoo

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"

	"threadline/shared/crm"
)

// tokenParameter is where a call of Odoo's brings the token: it signs nothing, and sends no headers of ours.
const tokenParameter = "token"

func hookURL(address, token string) string {
	return address + "?" + url.Values{tokenParameter: {token}}.Encode()
}

// ParseInbound verifies the token. A call says on which record a message was sent and not what: that is to be fetched. The
// answer must be quick, because Odoo waits for a second and doesn't call again.
func (c *Connector) ParseInbound(ctx context.Context, in crm.Call) (crm.Inbound, error) {
	const op = "read hook"
	if c.config.HookToken == nil {
		return crm.Inbound{}, crm.ErrForged
	}
	token, err := c.config.HookToken(ctx)
	if err != nil {
		return crm.Inbound{}, &crm.Error{Class: crm.Transient, Op: op, Reason: "NO_CREDENTIALS", Err: err}
	}
	address, err := url.Parse(in.URL)
	if err != nil || token == "" || in.Method != http.MethodPost || !same(address.Query().Get(tokenParameter), token) {
		return crm.Inbound{}, crm.ErrForged
	}
	var told struct {
		Model string `json:"_model"`
	}
	if err := json.Unmarshal(in.Body, &told); err != nil {
		return crm.Inbound{}, &crm.Error{Class: crm.Refused, Op: op, Reason: "NOT_JSON"}
	}
	return crm.Inbound{Fetch: told.Model == partnerModel}, nil
}

// same compares in a time that says nothing of the secret, nor of its length.
func same(given, secret string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
