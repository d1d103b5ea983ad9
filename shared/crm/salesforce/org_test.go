package salesforce_test

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

	sim "threadline/infra/local/salesforce"
	source "threadline/infra/salesforce"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
	"threadline/shared/crm/salesforce"
)

const (
	clientID     = "3MVG9test"
	clientSecret = "client-secret-of-a-test"
	hookSecret   = "hook-secret-of-a-test"
	lag          = 20 * time.Second
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

// org is a simulated Salesforce behind a real listener.
type org struct {
	t        *testing.T
	sim      *sim.Simulator
	url      string
	clock    *clock
	metadata bool
}

// newOrg returns one with the metadata of infra/salesforce, or with the field on contacts only.
func newOrg(t *testing.T, metadata bool, change ...func(*sim.Options)) *org {
	t.Helper()
	o := &org{t: t, clock: &clock{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}, metadata: metadata}
	options := sim.Options{
		StateDir: t.TempDir(), ClientID: clientID, ClientSecret: clientSecret, Now: o.clock.Now, SearchLag: lag,
		Metadata: source.Source, Assigned: "Threadline_Integration", Sites: true,
	}
	if !metadata {
		options.Objects = []string{"Contact"}
	}
	for _, f := range change {
		f(&options)
	}
	s, err := sim.New(options)
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
	o.sim, o.url = s, server.URL
	return o
}

func (o *org) config() salesforce.Config {
	return salesforce.Config{
		URL: o.url, ClientID: clientID, Now: o.clock.Now,
		ClientSecret: func(context.Context) (string, error) { return clientSecret, nil },
		HookSecret:   func(context.Context) (string, error) { return hookSecret, nil },
		HTTP:         &http.Client{Transport: checked{o.t, http.DefaultTransport}},
	}
}

func (o *org) connector() *salesforce.Connector { return salesforce.New(o.config()) }

func (o *org) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	c := o.config()
	if wrap != nil {
		c.HTTP.Transport = wrap(c.HTTP.Transport)
	}
	return salesforce.New(c)
}

func (o *org) fixture() crmtest.Fixture {
	f := crmtest.Fixture{Connect: o.connect, CRM: o, Advance: o.clock.Advance, Ready: true}
	if !o.metadata {
		f.TimeInText, f.MaxText = true, 30_000
	}
	return f
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return newOrg(t, true).fixture() })
}

// TestConformanceWithoutMetadata runs in an org that has nothing of ours but the field on contacts.
func TestConformanceWithoutMetadata(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return newOrg(t, false).fixture() })
}

// org is crmtest.Inspector.

func (o *org) Contacts() []crmtest.Contact {
	var list []crmtest.Contact
	for _, r := range o.sim.Rows("Contact") {
		phone := r.Values["MobilePhone"]
		if phone == "" {
			phone = r.Values["Phone"]
		}
		name := strings.TrimSpace(r.Values["FirstName"] + " " + r.Values["LastName"])
		list = append(list, crmtest.Contact{ID: r.ID, Key: r.Values["WA_Id__c"], Name: name, Phone: phone})
	}
	return list
}

var tag = regexp.MustCompile(`<[^>]*>`)

func (o *org) Entries(contact string) []crmtest.Entry {
	var list []crmtest.Entry
	for _, e := range o.sim.Timeline(contact) {
		shown := strings.NewReplacer("<br>", "\n", "</p>", "\n").Replace(e.HTML)
		entry := crmtest.Entry{At: e.At, Text: html.UnescapeString(tag.ReplaceAllString(shown, ""))}
		for _, f := range e.Files {
			entry.Files = append(entry.Files, crmtest.File{Private: f.Private, Size: f.Size, SHA256: o.hash(f.ID)})
		}
		list = append(list, entry)
	}
	return list
}

func (o *org) hash(id string) [32]byte {
	o.t.Helper()
	f, _, err := o.sim.Open(id)
	if err != nil {
		o.t.Fatal(err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		o.t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

func (o *org) AddContact(name, phone string) (string, bool) {
	first, last, _ := strings.Cut(name, " ")
	id := o.add("Contact", map[string]string{"FirstName": first, "LastName": last, "Phone": phone})
	o.clock.Advance(lag + time.Second)
	return id, true
}

func (o *org) DeleteContact(id string) {
	o.t.Helper()
	if err := o.sim.Delete(id); err != nil {
		o.t.Fatal(err)
	}
}

func (o *org) Forbid() string {
	o.sim.Forbid("Contact")
	return "Contact"
}

func (o *org) Limit(d time.Duration) bool {
	o.sim.Limit(o.clock.Now().Add(d))
	return true
}

func (o *org) add(object string, values map[string]string) string {
	o.t.Helper()
	id, err := o.sim.Add(object, values)
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

// What the tests of what is particular to Salesforce use.

func person() crm.Person {
	return crm.Person{Key: "01JCONTACT0000000000000001", Name: "María García López", Phone: match.Phone("34600111222")}
}

func entry(text string) crm.Entry {
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	return crm.Entry{Key: strings.Repeat("0a", 20), At: at, Messages: []crm.Message{{
		ID: "m_1", At: at, Direction: chat.In, Kind: chat.KindText, Author: "María", Text: text,
	}}}
}

func photo() crm.File {
	const bytes = "not really a photo"
	return crm.File{
		Key: strings.Repeat("0f", 20), Name: "foto mía.jpg", MIME: "image/jpeg", Size: int64(len(bytes)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(bytes)), nil },
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantError(t *testing.T, err error, class crm.Class, reason string) *crm.Error {
	t.Helper()
	e, ok := errors.AsType[*crm.Error](err)
	if !ok || e.Class != class || e.Reason != reason {
		t.Fatalf("%v, want class %d, reason %s", err, class, reason)
	}
	return e
}

func crmKey(s string) chat.ContactID { return chat.ContactID(s) }

func noOwner(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", nil }
