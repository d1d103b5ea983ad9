package pipedrive_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
	"threadline/shared/crm/pipedrive"
)

// TestMerged proves that a person who was merged into another one is gone, and that the survivor is found by the key.
func TestMerged(t *testing.T) {
	a := newAccount(t)
	c := a.provisioned()
	lost := a.contact(c)
	if _, err := c.PutMessage(t.Context(), lost, hello(), nil); err != nil {
		t.Fatal(err)
	}
	survivor, _ := a.AddContact("María García López", "+34 955 123 456")
	if err := a.sim.Merge(string(lost), survivor); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutMessage(t.Context(), lost, hello(), nil)
	if !errors.Is(err, crm.ErrGone) {
		t.Fatalf("a message on the merged person: %v, want ErrGone", err)
	}
	if on := a.contact(c); string(on) != survivor {
		t.Errorf("the person is %s now, want the survivor %s", on, survivor)
	}
	if n := len(a.Entries(survivor)); n != 1 {
		t.Errorf("%d notes on the survivor, want the one that moved", n)
	}
}

// TestPurged proves that a person whom Pipedrive has removed for good is gone too, whatever is asked.
func TestPurged(t *testing.T) {
	a, c, on := acquainted(t)
	a.DeleteContact(string(on))
	for _, wait := range []time.Duration{0, 31 * 24 * time.Hour} {
		a.clock.Advance(wait)
		_, put := c.PutMessage(t.Context(), on, hello(), nil)
		_, file := c.PutFile(t.Context(), on, "", photo("photo.jpg"))
		for what, err := range map[string]error{"message": put, "file": file, "fill": c.FillContact(t.Context(), on, maria)} {
			if !errors.Is(err, crm.ErrGone) {
				t.Errorf("%s after %s: %v, want ErrGone", what, wait, err)
			}
		}
	}
	if _, err := c.PutMessage(t.Context(), "no number", hello(), nil); !errors.Is(err, crm.ErrGone) {
		t.Errorf("a ref that names nothing: %v, want ErrGone", err)
	}
}

// TestFieldDeleted proves that a field which an administrator deletes while the connector runs is asked for again.
func TestFieldDeleted(t *testing.T) {
	a := newAccount(t)
	c := a.provisioned()
	a.contact(c)
	if err := a.sim.DeleteField("Threadline ID"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateContact(t.Context(), maria); !errors.Is(err, crm.ErrNotProvisioned) {
		t.Fatalf("create: %v, want ErrNotProvisioned", err)
	}
	if _, _, err := c.ContactByKey(t.Context(), maria.Key); !errors.Is(err, crm.ErrNotProvisioned) {
		t.Fatalf("look: %v, want ErrNotProvisioned", err)
	}
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ref := a.contact(c); len(a.Contacts()) != 1 {
		t.Errorf("%d persons with %s, want the one that has the number", len(a.Contacts()), ref)
	}
}

// TestPlanWithoutFields proves that a plan which has room for our key and no other field of ours is enough, and that the key
// itself is a matter for a person.
func TestPlanWithoutFields(t *testing.T) {
	a := newAccount(t)
	a.sim.AllowFields(1)
	c := a.provisioned()
	p := maria
	p.Username, p.Marketing = "maria.g", "granted"
	for range 2 { // made, then completed
		found, err := match.Contact(t.Context(), c, p, nobody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.PutMessage(t.Context(), found.Ref, hello(), nil); err != nil {
			t.Fatal(err)
		}
		p.Marketing = "withdrawn"
	}
	if got := a.sim.Persons(); len(got) != 1 || got[0].Fields["Threadline ID"] != string(p.Key) {
		t.Errorf("persons %+v", got)
	}
	if err := a.sim.DeleteField("Threadline ID"); err != nil {
		t.Fatal(err)
	}
	a.sim.Grant("base", "contacts:read", "contacts:full", "search:read")
	if e, ok := errors.AsType[*crm.Error](c.Provision(t.Context())); !ok || e.Class != crm.Stopped {
		t.Errorf("without the key: %v, want Stopped", e)
	}
}

// TestEmptyNumber proves that a number which is there and empty is filled.
func TestEmptyNumber(t *testing.T) {
	written := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := `{"success":true,"data":{"id":7,"name":"Mrs Garcia","phones":[{"value":"","primary":true,"label":"work"}]}}`
		if strings.HasSuffix(r.URL.Path, "/personFields") {
			answer = `{"success":true,"data":[{"field_name":"Threadline ID","field_code":"k","field_type":"varchar","is_custom_field":true}]}`
		}
		if r.Method == http.MethodPatch {
			body, _ := io.ReadAll(r.Body) // a short one fails the test
			written = string(body)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	c := pipedrive.New(pipedrive.Config{URL: server.URL, Token: crmtest.Secret(token)})
	if err := c.FillContact(t.Context(), "7", maria); err != nil || !strings.Contains(written, `"+34600111222"`) {
		t.Errorf("written %s, %v", written, err)
	}
}

// TestJustTyped proves that a person is found whom somebody typed in a moment ago, before search can show it, and all of
// whose numbers count.
func TestJustTyped(t *testing.T) {
	a := newAccount(t)
	c := a.provisioned()
	id, err := a.sim.AddPerson("Mrs Garcia", "+34 955 123 456", "600 11 12 22")
	if err != nil {
		t.Fatal(err)
	}
	if on := a.contact(c); string(on) != id {
		t.Errorf("person %s, want %s", on, id)
	}
}

// TestTypedInPairs proves that numbers are found in the groupings of Spain, France and the Americas.
func TestTypedInPairs(t *testing.T) {
	a := newAccount(t)
	c := a.provisioned()
	for typed, digits := range map[string]string{
		"600 11 12 22": "34600111222", "600 111 223": "34600111223", "+34 600.111.224": "34600111224",
		"(202) 555-0143": "12025550143", "06 12 34 56 78": "33612345678", "011 15-2345-6789": "5491123456789",
	} {
		id, _ := a.AddContact("Somebody", typed)
		found, err := c.SearchContacts(t.Context(), match.Phone(digits))
		if err != nil || !slices.ContainsFunc(found, func(c crm.Contact) bool { return string(c.Ref) == id }) {
			t.Errorf("%s: found %+v, %v; want %s", typed, found, err, id)
		}
	}
}

// TestOwnFields proves what is kept beside the key, and that somebody's own telephone numbers stay.
func TestOwnFields(t *testing.T) {
	a := newAccount(t)
	c := a.provisioned()
	p := maria
	p.Username, p.Marketing = "maria.g", "granted"
	id, _ := a.AddContact("Mrs Garcia", "+34 955 123 456")
	for _, word := range []string{"granted", "withdrawn"} {
		p.Marketing = word
		if err := c.FillContact(t.Context(), crm.ContactRef(id), p); err != nil {
			t.Fatal(err)
		}
		got := a.sim.Persons()[0]
		if got.Fields["WhatsApp username"] != "maria.g" || got.Fields["WhatsApp marketing"] != word || got.Fields["Threadline ID"] != string(p.Key) {
			t.Errorf("fields %v", got.Fields)
		}
		if strings.Join(got.Phones, ",") != "+34 955 123 456" || got.Name != "Mrs Garcia" {
			t.Errorf("%s %v: overwritten", got.Name, got.Phones)
		}
	}
}
