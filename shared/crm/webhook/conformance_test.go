package webhook_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"html"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"threadline/infra/local/webhookcrm"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/webhook"
)

// clock is the time of a test: it passes when the test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const secret = "a-secret-of-the-tests"

// company is a simulated receiver behind a real listener.
type company struct {
	t     *testing.T
	sim   *webhookcrm.Simulator
	url   string
	clock *clock
	http  http.RoundTripper
}

func newCompany(t *testing.T, o webhookcrm.Options) *company {
	t.Helper()
	c := &company{t: t, clock: newClock()}
	o.Secret, o.StateDir, o.Now = secret, t.TempDir(), c.clock.Now
	sim, err := webhookcrm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(sim.API())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each cut connection
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := sim.Close(); err != nil {
			t.Errorf("close simulator: %v", err)
		}
	})
	c.sim, c.url = sim, server.URL+"/threadline?from=tests"
	c.http = validating(t, server.Client().Transport)
	return c
}

func (c *company) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	transport := c.http
	if wrap != nil {
		transport = wrap(transport)
	}
	return webhook.New(webhook.Config{URL: c.url, Secret: knows(secret), HTTP: &http.Client{Transport: transport}, Now: c.clock.Now})
}

func knows(secret string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return secret, nil }
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		c := newCompany(t, webhookcrm.Options{})
		return crmtest.Fixture{Connect: c.connect, CRM: c, Advance: c.clock.Advance, Ready: true}
	})
}

// company is crmtest.Inspector.

func (c *company) Contacts() []crmtest.Contact {
	var list []crmtest.Contact
	for _, one := range c.sim.Contacts() {
		list = append(list, crmtest.Contact{ID: one.ID, Key: c.sim.Key(one.ID), Name: one.Name, Phone: one.Phone})
	}
	return list
}

var tag = regexp.MustCompile(`<[^>]*>`)

func (c *company) Entries(contact string) []crmtest.Entry {
	var list []crmtest.Entry
	for _, e := range c.sim.Timeline(contact) {
		shown := strings.NewReplacer("<br>", "\n", "</p>", "\n").Replace(e.HTML)
		entry := crmtest.Entry{At: e.At, HTML: e.HTML, Text: html.UnescapeString(tag.ReplaceAllString(shown, ""))}
		for _, f := range e.Files {
			entry.Files = append(entry.Files, crmtest.File{Private: f.Private, Size: f.Size, SHA256: c.hash(f.ID)})
		}
		list = append(list, entry)
	}
	return list
}

func (c *company) hash(id string) [32]byte {
	c.t.Helper()
	f, _, err := c.sim.Open(id)
	if err != nil {
		c.t.Fatal(err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		c.t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

func (c *company) AddContact(name, phone string) (string, bool) {
	c.t.Helper()
	id, err := c.sim.AddContact(name, phone)
	if err != nil {
		c.t.Fatal(err)
	}
	return id, true
}

func (c *company) DeleteContact(id string) {
	c.t.Helper()
	if err := c.sim.DeleteContact(id); err != nil {
		c.t.Fatal(err)
	}
}

func (c *company) Forbid() string { return c.sim.Forbid() }

func (c *company) Limit(d time.Duration) bool {
	c.sim.Limit(c.clock.Now().Add(d))
	return true
}
