package pipedrive_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	sim "threadline/infra/local/pipedrive"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/pipedrive"
)

// clock is the time of a test: it passes when the test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

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

// account is a simulated Pipedrive behind a real listener, and the address where its webhooks arrive.
type account struct {
	t     *testing.T
	sim   *sim.Simulator
	url   string
	hooks *receiver
	clock *clock
	http  http.RoundTripper
}

const (
	token    = "0123456789abcdef"
	password = "webhook-password"
)

func newAccount(t *testing.T, changes ...func(*sim.Options)) *account {
	t.Helper()
	a := &account{t: t, clock: &clock{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}, hooks: newReceiver(t)}
	o := sim.Options{
		Token: token, StateDir: t.TempDir(), Now: a.clock.Now, SearchLag: 20 * time.Second,
		Sleep: func(_ context.Context, d time.Duration) error { a.clock.Advance(d); return nil },
	}
	for _, change := range changes {
		change(&o)
	}
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.API())
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close simulator: %v", err)
		}
	})
	a.sim, a.url = s, server.URL
	a.http = a.paced(validating(t, server.Client().Transport))
	return a
}

// paced lets as much time pass before each call as the caller of a connector would.
func (a *account) paced(next http.RoundTripper) http.RoundTripper {
	may := pipedrive.New(pipedrive.Config{}).Capabilities()
	return transport(func(r *http.Request) (*http.Response, error) {
		a.clock.Advance(may.Per / time.Duration(may.Calls))
		return next.RoundTrip(r)
	})
}

func secret(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

func (a *account) connector(wrap func(http.RoundTripper) http.RoundTripper) *pipedrive.Connector {
	return a.connectorWith(func(c *pipedrive.Config) {
		if wrap != nil {
			c.HTTP = &http.Client{Transport: wrap(a.http)}
		}
	})
}

func (a *account) connectorWith(change func(*pipedrive.Config)) *pipedrive.Connector {
	c := pipedrive.Config{
		URL: a.url, Token: secret(token), HookURL: a.hooks.url, HookPassword: secret(password),
		HTTP: &http.Client{Transport: a.http}, Now: a.clock.Now,
	}
	change(&c)
	return pipedrive.New(c)
}

func (a *account) provisioned() *pipedrive.Connector {
	a.t.Helper()
	c := a.connector(nil)
	if err := c.Provision(a.t.Context()); err != nil {
		a.t.Fatalf("provision: %v", err)
	}
	return c
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		a := newAccount(t)
		return crmtest.Fixture{
			Connect: func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector { return a.connector(wrap) },
			CRM:     a, Advance: a.clock.Advance,
		}
	})
}

// account is crmtest.Inspector.

func (a *account) Contacts() []crmtest.Contact {
	var list []crmtest.Contact
	for _, p := range a.sim.Persons() {
		list = append(list, crmtest.Contact{ID: p.ID, Key: p.Fields["Threadline ID"], Name: p.Name, Phone: strings.Join(p.Phones, ", ")})
	}
	return list
}

var tag = regexp.MustCompile(`<[^>]*>`)

func shown(content string) string {
	content = strings.NewReplacer("<br>", "\n", "</p>", "\n").Replace(content)
	return html.UnescapeString(tag.ReplaceAllString(content, ""))
}

func (a *account) Entries(contact string) []crmtest.Entry {
	var list []crmtest.Entry
	for _, e := range a.sim.Timeline(contact) {
		entry := crmtest.Entry{At: e.At, HTML: e.HTML, Text: shown(e.HTML)}
		for _, f := range e.Files {
			entry.Files = append(entry.Files, crmtest.File{Private: f.Private, Size: f.Size, SHA256: a.hash(f.ID)})
		}
		list = append(list, entry)
	}
	return list
}

func (a *account) hash(id string) [32]byte {
	a.t.Helper()
	f, _, err := a.sim.Open(id)
	if err != nil {
		a.t.Fatal(err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		a.t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

func (a *account) AddContact(name, phone string) (string, bool) {
	a.t.Helper()
	id, err := a.sim.AddPerson(name, phone)
	if err != nil {
		a.t.Fatal(err)
	}
	a.clock.Advance(10 * time.Minute) // it is found by search, and not only among what changed last
	return id, true
}

func (a *account) DeleteContact(id string) {
	a.t.Helper()
	if err := a.sim.DeletePerson(id); err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) Forbid() string {
	a.sim.Grant("base", "contacts:read", "search:read", "admin", "recents:read")
	return "contacts:full"
}

func (a *account) Limit(d time.Duration) bool {
	a.sim.Limit(a.clock.Now().Add(d))
	return true
}

// receiver is where webhooks arrive.
type receiver struct {
	url string

	mu     sync.Mutex
	calls  []crm.Call
	status int
}

func newReceiver(t *testing.T) *receiver {
	h := &receiver{status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read webhook: %v", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, crm.Call{Method: r.Method, URL: h.url, Header: r.Header, Body: body, At: time.Now()})
		w.WriteHeader(h.status)
	}))
	t.Cleanup(server.Close)
	h.url = server.URL + "/crm/pipedrive/events"
	return h
}

// fail makes it answer with a status from now on.
func (h *receiver) fail(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// take returns what arrived since the last time.
func (h *receiver) take() []crm.Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := h.calls
	h.calls = nil
	return calls
}
