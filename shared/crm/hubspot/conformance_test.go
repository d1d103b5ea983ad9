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

	config hubspot.Config // of the connectors, apart from how to reach the account
}

const token = "pat-test-token"

func newAccount(t *testing.T) *account {
	t.Helper()
	return openAccount(t, sim.Options{})
}

func openAccount(t *testing.T, o sim.Options) *account {
	t.Helper()
	a := &account{t: t, clock: newClock()}
	o.Token, o.StateDir, o.Now, o.SearchLag = token, t.TempDir(), a.clock.Now, 20*time.Second
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
	a.http = validating(t, server.Client().Transport)
	return a
}

func (a *account) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	return a.connector(wrap)
}

func (a *account) connector(wrap func(http.RoundTripper) http.RoundTripper) *hubspot.Connector {
	transport := a.http
	if wrap != nil {
		transport = wrap(transport)
	}
	c := a.config
	c.BaseURL = a.url
	c.Token = func(context.Context) (string, error) { return token, nil }
	c.HTTP = &http.Client{Transport: transport}
	c.Now = a.clock.Now
	return hubspot.New(c)
}

func (a *account) fixture() crmtest.Fixture {
	return crmtest.Fixture{Connect: a.connect, CRM: a, Advance: a.clock.Advance}
}

// lacking returns an account without some abilities, each as "object.ability".
func lacking(t *testing.T, abilities ...string) *account {
	t.Helper()
	a := newAccount(t)
	for _, ability := range abilities {
		kind, name, _ := strings.Cut(ability, ".")
		a.sim.Forbid(kind, name)
	}
	return a
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return newAccount(t).fixture() })
}

// TestConformanceNewVersion runs with the later version of the APIs.
func TestConformanceNewVersion(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		a := newAccount(t)
		a.config.Version = "2026-09"
		return a.fixture()
	})
}

// TestConformanceWithNotes runs in an account whose communications have no attachments.
func TestConformanceWithNotes(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		return lacking(t, "communications.hs_attachment_ids").fixture()
	})
}

// TestConformanceSearched runs in an account that refuses unique properties on communications and notes.
func TestConformanceSearched(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		return lacking(t, "communications.unique", "communications.hs_attachment_ids", "notes.unique").fixture()
	})
}

// TestConformanceMarked runs in an account that refuses any property of ours on communications and notes.
func TestConformanceMarked(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		return lacking(t, "communications.custom", "communications.hs_attachment_ids", "notes.custom").fixture()
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

// shown is what somebody sees of HTML.
func shown(body string) string {
	lines := strings.NewReplacer("<br>", "\n", "</p>", "\n").Replace(body)
	return html.UnescapeString(tag.ReplaceAllString(lines, ""))
}

func (a *account) Entries(contact string) []crmtest.Entry {
	var list []crmtest.Entry
	for _, e := range a.sim.Timeline(contact) {
		entry := crmtest.Entry{At: e.At, HTML: e.HTML, Text: shown(e.HTML)}
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

func (a *account) AddContact(name, phone string) (string, bool) {
	a.t.Helper()
	first, last, _ := strings.Cut(name, " ")
	id, err := a.sim.AddContact(map[string]string{"firstname": first, "lastname": last, "phone": phone})
	if err != nil {
		a.t.Fatal(err)
	}
	a.clock.Advance(time.Minute)
	return id, true
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

func (a *account) Limit(d time.Duration) bool {
	a.sim.Limit(sim.TenSecondly, a.clock.Now().Add(d))
	return true
}

func textFile(key string) crm.File {
	const content = "some text"
	return crm.File{
		Key: key, Name: "note.txt", MIME: "text/plain", Size: int64(len(content)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}
