package salesforce_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
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

// org is a simulated Salesforce behind a real listener.
type org struct {
	t        *testing.T
	sim      *sim.Simulator
	url      string
	clock    *crmtest.Clock
	metadata bool
}

// newOrg returns one with the metadata of infra/salesforce, or with the field on contacts only.
func newOrg(t *testing.T, metadata bool, change ...func(*sim.Options)) *org {
	t.Helper()
	o := &org{t: t, clock: crmtest.NewClock(), metadata: metadata}
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
	o.sim, o.url = s, crmtest.Serve(t, s).URL
	return o
}

func (o *org) config() salesforce.Config {
	return salesforce.Config{
		URL: o.url, ClientID: clientID, Now: o.clock.Now,
		ClientSecret: crmtest.Secret(clientSecret),
		HookSecret:   crmtest.Secret(hookSecret),
		HTTP:         &http.Client{Transport: checked{o.t, http.DefaultTransport}},
	}
}

func (o *org) connector() *salesforce.Connector { return salesforce.New(o.config()) }

func (o *org) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	c := o.config()
	c.HTTP = crmtest.Through(wrap, c.HTTP.Transport)
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

func (o *org) Entries(contact string) []crmtest.Entry {
	list := demotest.Entries(o.t, o.sim, contact)
	for i := range list {
		list[i].HTML = "" // texts are stored
	}
	return list
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
		Open: crmtest.Content(bytes),
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
