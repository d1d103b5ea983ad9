// Package webhook connects any CRM that has no connector of its own: it sends signed JSON documents to a receiver that
// the company writes, and takes signed requests from it. docs/crm/webhook.md is the agreement with that receiver; the
// JSON Schemas in schema/ are its exact form.
//
// It guarantees that each call is signed over the bytes that the receiver reads, with its time; that a file is streamed
// and its hash signed; that each document says all that is to be there and carries a lasting key, so that a receiver
// which stores by that key may be sent anything twice; and that what comes in counts only if it is signed, with a time
// that differs from ours by five minutes at most.
package webhook

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Config is what a Connector needs.
type Config struct {
	// URL is the receiver's whole address, path and all: https, or http on loopback.
	URL string

	// Secret returns the secret that signs, or two with a space between them while one replaces the other.
	Secret func(context.Context) (string, error)

	// MaxFile is the largest file that the receiver takes, in bytes; 0 if nobody said.
	MaxFile int64

	HTTP *http.Client     // http.DefaultClient if nil
	Now  func() time.Time // time.Now if nil
}

// Connector is a crm.Connector, crm.Receiver and crm.Reporter.
type Connector struct {
	rest    *rest.Client
	path    string // of the address, with its query
	broken  error  // what is wrong with the address
	secret  func(context.Context) (string, error)
	maxFile int64
	now     func() time.Time
}

// New returns a connector. What is wrong with the configuration is said by each call.
func New(c Config) *Connector {
	if c.Now == nil {
		c.Now = time.Now
	}
	out := &Connector{secret: c.Secret, maxFile: c.MaxFile, now: c.Now}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		out.broken = errors.New("WEBHOOK_CRM_URL isn't an address")
	case u.User != nil:
		out.broken = errors.New("WEBHOOK_CRM_URL holds a password: the signature is what the receiver checks")
	default:
		out.path = u.RequestURI()
		out.rest = rest.New(rest.Config{BaseURL: u.Scheme + "://" + u.Host, HTTP: c.HTTP, Classify: classify})
	}
	return out
}

// Name is the word in CRM_CONNECTOR.
func (c *Connector) Name() string { return "webhook" }

// Capabilities are the agreement: a receiver stores by key and shows at once what it stored.
func (c *Connector) Capabilities() crm.Capabilities {
	return crm.Capabilities{AtomicContacts: true, AtomicMessages: true, AtomicFiles: true, MaxFile: c.maxFile}
}

// Check sends a ping, and one with a wrong signature: a receiver that takes that too would believe anybody.
func (c *Connector) Check(ctx context.Context) error {
	const op = "check the receiver"
	ping := document{Type: typePing}
	if _, err := c.put(ctx, op, ping); err != nil {
		return err
	}
	_, err := c.send(ctx, op, ping, sealWith(forged))
	if err == nil {
		return &crm.Error{Class: crm.Stopped, Op: op, Status: http.StatusOK, Reason: "SIGNATURE_NOT_CHECKED"}
	}
	if e, ok := errors.AsType[*crm.Error](err); ok && e.Status >= 400 && e.Status < 500 && e.Class != crm.Limited {
		return nil
	}
	return err
}

// Provision has nothing to do: the receiver keeps what it is sent where it likes.
func (c *Connector) Provision(context.Context) error { return nil }
