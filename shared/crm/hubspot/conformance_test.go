package hubspot_test

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

	sim "threadline/infra/local/hubspot"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/hubspot"
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

// account is a simulated HubSpot behind a real listener.
type account struct {
	t     *testing.T
	sim   *sim.Simulator
	url   string
	clock *clock
	http  http.RoundTripper
}

const token = "pat-test-token"

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, clock: newClock()}
	s, err := sim.New(sim.Options{Token: token, StateDir: t.TempDir(), Now: a.clock.Now, SearchLag: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s.API())
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close simulator: %v", err)
		}
	})
	a.sim, a.url = s, server.URL
	a.http = validating(t, server.Client().Transport)
	return a
}

func (a *account) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	transport := a.http
	if wrap != nil {
		transport = wrap(transport)
	}
	return hubspot.New(hubspot.Config{
		BaseURL: a.url,
		Token:   func(context.Context) (string, error) { return token, nil },
		HTTP:    &http.Client{Transport: transport},
		Now:     a.clock.Now,
	})
}

func (a *account) fixture(settle time.Duration) crmtest.Fixture {
	return crmtest.Fixture{Connect: a.connect, CRM: a, Advance: a.clock.Advance, Settle: settle}
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return newAccount(t).fixture(0) })
}

// TestConformanceWithNotes runs in an account whose communications have no attachments.
func TestConformanceWithNotes(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		a := newAccount(t)
		a.sim.Forbid("communications", "hs_attachment_ids")
		return a.fixture(0)
	})
}

// TestConformanceMarked runs in an account that refuses unique properties on communications and notes.
func TestConformanceMarked(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		a := newAccount(t)
		a.sim.Forbid("communications", "unique")
		a.sim.Forbid("communications", "hs_attachment_ids")
		a.sim.Forbid("notes", "unique")
		return a.fixture(hubspot.SearchLag)
	})
}

// account is crmtest.Inspector.

func (a *account) Contacts() []crmtest.Contact {
	var list []crmtest.Contact
	for _, c := range a.sim.Contacts() {
		list = append(list, crmtest.Contact{ID: c.ID, Key: c.Properties["threadline_id"], Name: c.Name(), Phone: c.Properties["phone"]})
	}
	return list
}

var tag = regexp.MustCompile(`<[^>]*>`)

func (a *account) Entries(contact string) []crmtest.Entry {
	var list []crmtest.Entry
	for _, e := range a.sim.Timeline(contact) {
		shown := strings.NewReplacer("<br>", "\n", "</p>", "\n").Replace(e.HTML)
		entry := crmtest.Entry{At: e.At, HTML: e.HTML, Text: html.UnescapeString(tag.ReplaceAllString(shown, ""))}
		for _, f := range e.Files {
			entry.Files = append(entry.Files, crmtest.File{
				Private: f.Access == "PRIVATE", Size: f.Size, SHA256: a.hash(f.ID),
			})
		}
		list = append(list, entry)
	}
	return list
}

func (a *account) hash(id string) [32]byte {
	a.t.Helper()
	f, err := a.sim.OpenFile(id)
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

func (a *account) AddContact(name, phone string) string {
	a.t.Helper()
	first, last, _ := strings.Cut(name, " ")
	id, err := a.sim.AddContact(map[string]string{"firstname": first, "lastname": last, "phone": phone})
	if err != nil {
		a.t.Fatal(err)
	}
	a.clock.Advance(time.Minute)
	return id
}

func (a *account) DeleteContact(id string) {
	a.t.Helper()
	if err := a.sim.DeleteContact(id); err != nil {
		a.t.Fatal(err)
	}
}

func (a *account) Forbid() string {
	const scope = "crm.objects.contacts.write"
	a.sim.Grant("crm.objects.contacts.read", "files")
	return scope
}

func (a *account) Limit(d time.Duration) { a.sim.Limit(sim.TenSecondly, a.clock.Now().Add(d)) }

func textFile(key string) crm.File {
	const content = "some text"
	return crm.File{
		Key: key, Name: "note.txt", MIME: "text/plain", Size: int64(len(content)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}
