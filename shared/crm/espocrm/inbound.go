package espocrm

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// ParseInbound reads a call of the webhook CWhatsappMessage.create: what somebody made by hand is to be sent.
func (c *Connector) ParseInbound(ctx context.Context, call crm.Call) (crm.Inbound, error) {
	if c.secret == nil {
		return crm.Inbound{}, crm.ErrForged
	}
	secret, err := c.secret(ctx)
	if err != nil {
		return crm.Inbound{}, &crm.Error{Class: crm.Transient, Op: "read webhook secret", Err: err}
	}
	if !signed(call, strings.TrimSpace(secret)) {
		return crm.Inbound{}, crm.ErrForged
	}
	var records []record
	if json.Unmarshal(call.Body, &records) != nil {
		return crm.Inbound{}, &crm.Error{Class: crm.Refused, Op: "read webhook", Err: errors.New("the call isn't the JSON expected")}
	}
	var in crm.Inbound
	for _, r := range records {
		if asked(r) {
			in.Requests = append(in.Requests, requestOf(r))
		}
	}
	return in, nil
}

// signed checks the signature over the bytes as they came: of version 9 in hexadecimal, of earlier ones raw. Version 9
// sends both, until version 11. https://docs.espocrm.com/administration/webhooks/#signature-checking
func signed(call crm.Call, secret string) bool {
	if secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(call.Body)
	sum := mac.Sum(nil)
	header, want := call.Header.Get("Signature"), hex.EncodeToString(sum)
	if header == "" {
		header, want = call.Header.Get("X-Signature"), string(sum)
	}
	decoded, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return false
	}
	_, got, ok := strings.Cut(string(decoded), ":") // after the webhook's id
	return ok && hmac.Equal([]byte(got), []byte(want))
}

// asked tells whether a record was made by hand to be sent: what we make has a key from the start.
func asked(r record) bool {
	return r.id() != "" && r.text(keyField) == "" && r.text("direction") == "Out" && strings.TrimSpace(r.text("body")) != ""
}

func requestOf(r record) crm.Request {
	return crm.Request{
		ID: r.id(), Contact: crm.ContactRef(r.text("contactId")), Text: r.text("body"), Actor: r.text("createdByName"),
		At: r.time("createdAt"), Entry: crm.EntryRef(asMessage + r.id()),
	}
}

const (
	fetchPage  = 50
	fetchPages = 10 // at once; the cursor leads to the rest
)

// FetchOutbound lists what was made by hand and has no key yet. The cursor is the time of the latest, by the server's
// clock; what was made in the same second is returned again.
func (c *Connector) FetchOutbound(ctx context.Context, since string) ([]crm.Request, string, error) {
	has, err := c.schema(ctx)
	if err != nil || !has.messages {
		return nil, since, err
	}
	if since == "" {
		_, now, err := c.list(ctx, opFindMessage, path(messageType), where(keyField, "isNull", "").attributes("id").oldestFirst(1))
		if err != nil {
			return nil, "", c.orNotThere(err)
		}
		return nil, now.UTC().Format(datetime), nil
	}
	var requests []crm.Request
	next := since
	for n := range fetchPages {
		found, err := c.madeByHand(ctx, since, n*fetchPage)
		if err != nil {
			return nil, "", err
		}
		for _, r := range found {
			next = r.text("createdAt")
			if !asked(r) {
				continue
			}
			request := requestOf(r)
			if request.Phone, err = c.phoneOf(ctx, request.Contact); err != nil {
				return nil, "", err
			}
			requests = append(requests, request)
		}
		if len(found) < fetchPage {
			break
		}
	}
	return requests, next, nil
}

func (c *Connector) madeByHand(ctx context.Context, since string, offset int) ([]record, error) {
	q := where(keyField, "isNull", "").and("direction", "equals", "Out").and("createdAt", "greaterThanOrEquals", since)
	q.Set("offset", strconv.Itoa(offset))
	found, _, err := c.list(ctx, opFindMessage, path(messageType), q.oldestFirst(fetchPage))
	return found, c.orNotThere(err)
}

// phoneOf is a contact's primary number; empty if it has none, or is gone.
func (c *Connector) phoneOf(ctx context.Context, ref crm.ContactRef) (string, error) {
	if ref == "" {
		return "", nil
	}
	r, err := c.read(ctx, opReadContact, contactType, string(ref))
	if missing(err) {
		return "", nil
	}
	return r.text("phoneNumber"), err
}

// maxStatus is the length of the field status, in characters.
const maxStatus = 255

// Report says on the record itself why it wasn't sent, or that nobody knows: there whoever made it looks for it. One that
// was sent looks like those that we make, and has a key like them, by which it isn't asked for again.
func (c *Connector) Report(ctx context.Context, r crm.Request, o crm.Outcome) error {
	line := o.Problem
	if !o.Unknown {
		line = "Not sent: " + line
	}
	status := []rune(line)
	with := map[string]any{"status": string(status[:min(len(status), maxStatus)])}
	if o.Problem == "" {
		sent := crm.Entry{Messages: []crm.Message{{Direction: chat.Out, Author: r.Actor, Text: r.Text}}}
		with = map[string]any{
			"name": nameOf(sent), "dateSent": r.At.UTC().Format(datetime), "status": string(chat.Sent), keyField: "request_" + r.ID,
		}
	}
	return gone(c.update(ctx, opReport, messageType, r.ID, with))
}
