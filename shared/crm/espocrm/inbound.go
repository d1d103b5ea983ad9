package espocrm

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// ParseInbound reads a call of the webhook CWhatsappMessage.create: what somebody made by hand is to be sent. Of files it
// says no more than their ids: records that have some are to be fetched, and with them, for the order, all that it told.
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
		if !byHand(r) {
			continue
		}
		if files, told := r["filesIds"].([]any); !told || len(files) > 0 {
			return crm.Inbound{Fetch: true}, nil
		}
		if !empty(r) {
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

// byHand tells whether a record was made by hand to be sent: what we make has a key from the start.
func byHand(r record) bool {
	return r.id() != "" && r.text(keyField) == "" && r.text("direction") == "Out"
}

func empty(r record) bool { return words(r) == "" && len(r.ids("files")) == 0 }

func words(r record) string {
	text := r.text("body")
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return text
}

func requestOf(r record) crm.Request {
	return crm.Request{
		ID: r.id(), Contact: crm.ContactRef(r.text("contactId")), Text: words(r), Actor: r.text("createdByName"),
		At: r.time("createdAt"), Entry: crm.EntryRef(asMessage + r.id()),
	}
}

const (
	fetchPage  = 50
	fetchPages = 10 // at once; the cursor leads to the rest
)

// settled is how old a record is by when its files are on it, and none that is older can still appear: EspoCRM dates a
// record, writes it, and then its links, each by itself.
const settled = 5 * time.Second

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
		found, now, err := c.madeByHand(ctx, since, n*fetchPage)
		if err != nil {
			return nil, "", err
		}
		for _, r := range found {
			if now.Sub(r.time("createdAt")) < settled {
				return requests, next, nil
			}
			next = r.text("createdAt")
			if !byHand(r) || empty(r) {
				continue
			}
			request, err := c.whole(ctx, r)
			if err != nil {
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

// asked are the attributes of a record that a request is made of. A list has a record's files only if it is asked for them.
const asked = "body,contactId,createdAt,createdById,createdByName,direction,filesIds," + keyField

func (c *Connector) madeByHand(ctx context.Context, since string, offset int) (found []record, now time.Time, err error) {
	q := where(keyField, "isNull", "").and("direction", "equals", "Out").and("createdAt", "greaterThanOrEquals", since)
	q.Set("offset", strconv.Itoa(offset))
	found, now, err = c.list(ctx, opFindMessage, path(messageType), q.attributes(asked).oldestFirst(fetchPage))
	return found, now, c.orNotThere(err)
}

// whole is a request with what its record doesn't tell.
func (c *Connector) whole(ctx context.Context, r record) (crm.Request, error) {
	request := requestOf(r)
	var err error
	if request.Phone, err = c.phoneOf(ctx, request.Contact); err != nil {
		return request, err
	}
	request.Files, err = c.attached(ctx, r)
	return request, err
}

// phoneOf is a contact's primary number; empty if it has none, is gone, or isn't ours to read: one of those must not keep
// all others from being found.
func (c *Connector) phoneOf(ctx context.Context, ref crm.ContactRef) (string, error) {
	if ref == "" {
		return "", nil
	}
	r, err := c.read(ctx, opReadContact, contactType, string(ref))
	if missing(err) || rest.HasStatus(err, http.StatusForbidden) {
		return "", nil
	}
	return r.text("phoneNumber"), err
}
