package pipedrive_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
	sim "threadline/infra/local/pipedrive"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/pipedrive"
)

// account is a simulated Pipedrive behind a real listener, and the address where its webhooks arrive.
type account struct {
	t     *testing.T
	sim   *sim.Simulator
	url   string
	hooks *receiver
	clock *crmtest.Clock
	http  http.RoundTripper
}

const (
	token    = "0123456789abcdef"
	password = "webhook-password"
)

func newAccount(t *testing.T, changes ...func(*sim.Options)) *account {
	t.Helper()
	a := &account{t: t, clock: crmtest.NewClock(), hooks: newReceiver(t)}
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
	server := crmtest.Serve(t, s)
	a.sim, a.url = s, server.URL
	a.http = a.paced(documented.Transport(t, server.Client().Transport))
	return a
}

// paced lets as much time pass before each call as the caller of a connector would.
func (a *account) paced(next http.RoundTripper) http.RoundTripper {
	may := pipedrive.New(pipedrive.Config{}).Capabilities()
	return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
		a.clock.Advance(may.Per / time.Duration(may.Calls))
		return next.RoundTrip(r)
	})
}

func (a *account) connector(wrap func(http.RoundTripper) http.RoundTripper) *pipedrive.Connector {
	return a.connectorWith(func(c *pipedrive.Config) { c.HTTP = crmtest.Through(wrap, a.http) })
}

func (a *account) connectorWith(change func(*pipedrive.Config)) *pipedrive.Connector {
	c := pipedrive.Config{
		URL: a.url, Token: crmtest.Secret(token), HookURL: a.hooks.url, HookPassword: crmtest.Secret(password),
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

func (a *account) Entries(contact string) []crmtest.Entry {
	return demotest.Entries(a.t, a.sim, contact)
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
	a.sim.Grant("base", "contacts:read", "search:read", "admin")
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
