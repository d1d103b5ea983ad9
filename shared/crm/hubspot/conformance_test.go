package hubspot_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
	sim "threadline/infra/local/hubspot"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/hubspot"
)

// account is a simulated HubSpot behind a real listener.
type account struct {
	t     *testing.T
	sim   *sim.Simulator
	url   string
	clock *crmtest.Clock
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
	a := &account{t: t, clock: crmtest.NewClock()}
	o.Token, o.StateDir, o.Now, o.SearchLag = token, t.TempDir(), a.clock.Now, 20*time.Second
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := crmtest.Serve(t, s)
	a.sim, a.url = s, server.URL
	a.http = documented.Transport(t, server.Client().Transport)
	return a
}

func (a *account) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	return a.connector(wrap)
}

func (a *account) connector(wrap func(http.RoundTripper) http.RoundTripper) *hubspot.Connector {
	c := a.config
	c.BaseURL, c.Token, c.HTTP, c.Now = a.url, crmtest.Secret(token), crmtest.Through(wrap, a.http), a.clock.Now
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

func (a *account) Entries(contact string) []crmtest.Entry {
	return demotest.Entries(a.t, a.sim.Demo(), contact)
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
		Open: crmtest.Content(content),
	}
}
