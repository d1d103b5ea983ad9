package salesforce

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"threadline/shared/crm"
)

// SignatureHeader may hold "sha256=" and the HMAC-SHA256 of the body in hex; a flow, which can't calculate, sends the
// secret itself as a bearer token, or in SecretHeader where the named credential doesn't leave Authorization to it.
const (
	SignatureHeader = "X-Threadline-Signature"
	SecretHeader    = "X-Threadline-Secret"
)

const maxRequestID = 255

// ParseInbound reads what a flow or a trigger posts: who a message is for, and what it says. Salesforce signs nothing
// itself: the secret is one of ours, kept in a named credential.
func (c *Connector) ParseInbound(ctx context.Context, in crm.Call) (crm.Inbound, error) {
	if err := c.authentic(ctx, in); err != nil {
		return crm.Inbound{}, err
	}
	var body struct {
		ID       string          `json:"id"`
		Contact  string          `json:"contact"`
		Phone    string          `json:"phone"`
		Text     string          `json:"text"`
		Template json.RawMessage `json:"template"`
		Actor    string          `json:"actor"`
		At       string          `json:"at"`
	}
	if json.Unmarshal(in.Body, &body) != nil {
		return crm.Inbound{}, unreadable("NOT_THE_JSON_EXPECTED")
	}
	at := in.At
	if body.At != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, body.At); err != nil {
			return crm.Inbound{}, unreadable("NOT_A_TIME")
		}
	}
	template, ok := object(body.Template)
	if !ok {
		return crm.Inbound{}, unreadable("NOT_A_TEMPLATE")
	}
	isContact := isID(body.Contact) && strings.HasPrefix(body.Contact, "003")
	switch {
	case body.ID == "" || len(body.ID) > maxRequestID:
		return crm.Inbound{}, unreadable("NO_ID")
	case body.Contact != "" && !isContact:
		return crm.Inbound{}, unreadable("NOT_A_CONTACT")
	case !isContact && strings.TrimSpace(body.Phone) == "":
		return crm.Inbound{}, unreadable("NO_CONTACT")
	case (strings.TrimSpace(body.Text) == "") == (template == nil):
		return crm.Inbound{}, unreadable("TEXT_OR_TEMPLATE")
	}
	r := crm.Request{
		ID: body.ID, Contact: crm.ContactRef(long(body.Contact)), Phone: body.Phone,
		Text: lines(body.Text), Template: template, Actor: body.Actor, At: at,
	}
	if isID(r.ID) {
		r.ID = long(r.ID)
	}
	// An HTTP callout reads JSON.
	answer, err := json.Marshal(map[string]any{"accepted": true, "id": r.ID})
	if err != nil {
		return crm.Inbound{}, fmt.Errorf("answer: %w", err)
	}
	return crm.Inbound{Requests: []crm.Request{r}, Status: http.StatusOK, ContentType: "application/json", Answer: answer}, nil
}

// object reads a JSON object, or the text of one, which is what a flow makes of a field. Nothing, null and an empty text
// are none.
func object(raw json.RawMessage) (json.RawMessage, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, true
	}
	return raw, raw[0] == '{' && json.Valid(raw)
}

// lines undoes what Salesforce makes of a line break.
func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func unreadable(reason string) error {
	return &crm.Error{Class: crm.Refused, Op: "read call", Reason: reason}
}

// authentic compares in constant time. Without a secret nothing is.
func (c *Connector) authentic(ctx context.Context, in crm.Call) error {
	if c.config.HookSecret == nil {
		return crm.ErrForged
	}
	secret, err := c.config.HookSecret(ctx)
	if err != nil {
		return fmt.Errorf("read secret: %w", err)
	}
	if secret == "" {
		return crm.ErrForged
	}
	if signature := in.Header.Get(SignatureHeader); signature != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(in.Body)
		given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			return crm.ErrForged
		}
		return nil
	}
	bearer, _ := strings.CutPrefix(in.Header.Get("Authorization"), "Bearer ")
	given := sha256.Sum256([]byte(cmp.Or(in.Header.Get(SecretHeader), bearer)))
	want := sha256.Sum256([]byte(secret))
	if !hmac.Equal(given[:], want[:]) {
		return crm.ErrForged
	}
	return nil
}
