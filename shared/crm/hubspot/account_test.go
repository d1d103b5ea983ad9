package hubspot_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/hubspot"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/hubspot"
)

func ready(t *testing.T, a *account) crm.Connector {
	t.Helper()
	c := a.connect(nil)
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func contact(t *testing.T, c crm.Connector, key chat.ContactID, phone string) crm.ContactRef {
	t.Helper()
	ref, err := c.EnsureContact(t.Context(), crm.Person{Key: key, Name: "Somebody " + string(key), Phone: phone})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// request makes a call that the connector itself never makes.
func (a *account) request(method, path, body string) {
	a.t.Helper()
	r, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode > 299 {
		a.t.Fatalf("%s %s: %d", method, path, res.StatusCode)
	}
}

// TestMergedContact proves that a message for a contact which a user of HubSpot merged goes to the survivor.
func TestMergedContact(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	survivor, merged := contact(t, c, "k1", "34600111222"), contact(t, c, "k2", "34600333444")
	a.request("POST", "/crm/objects/2026-03/contacts/merge",
		`{"primaryObjectId":"`+string(survivor)+`","objectIdToMerge":"`+string(merged)+`"}`)
	if _, err := c.EnsureEntry(t.Context(), merged, crm.Entry{Key: "m1", At: a.clock.Now(), Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if n := len(a.Entries(string(survivor))); n != 1 {
		t.Errorf("%d entries on the survivor, want 1", n)
	}
}

// TestFilledNotOverwritten proves that what becomes known later is added, and what a user typed stays.
func TestFilledNotOverwritten(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	ref, err := c.EnsureContact(t.Context(), crm.Person{Key: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		person      crm.Person
		typed       string
		name, phone string
	}{
		{crm.Person{Key: "k1"}, "", "WhatsApp customer", ""},
		{crm.Person{Key: "k1", Name: "Ana Silva", Phone: "351912345678"}, "", "Ana Silva", "+351912345678"},
		{crm.Person{Key: "k1", Name: "A.", Phone: "351999999999"}, `{"properties":{"firstname":"Doctor"}}`, "Doctor Silva", "+351912345678"},
	} {
		if step.typed != "" {
			a.request("PATCH", "/crm/objects/2026-03/contacts/"+string(ref), step.typed)
		}
		if _, err := c.EnsureContact(t.Context(), step.person); err != nil {
			t.Fatal(err)
		}
		if got := a.Contacts()[0]; got.Name != step.name || got.Phone != step.phone {
			t.Errorf("name %q, phone %q, want %q and %q", got.Name, got.Phone, step.name, step.phone)
		}
	}
}

// TestAttachmentsOfOthersStay proves that a file which somebody attached by hand survives.
func TestAttachmentsOfOthersStay(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	owner := contact(t, c, "k1", "")
	e := crm.Entry{Key: "m1", At: a.clock.Now(), Text: "hello"}
	ref, err := c.EnsureEntry(t.Context(), owner, e)
	if err != nil {
		t.Fatal(err)
	}
	var files []crm.FileRef
	for _, key := range []string{"theirs", "ours"} {
		f, err := c.EnsureFile(t.Context(), textFile(key))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	a.request("PATCH", "/crm/objects/2026-03/communications/"+string(ref), `{"properties":{"hs_attachment_ids":"`+string(files[0])+`"}}`)
	if err := c.Complete(t.Context(), owner, ref, e, files[1:]); err != nil {
		t.Fatal(err)
	}
	if n := len(a.Entries(string(owner))[0].Files); n != 2 {
		t.Errorf("%d files, want theirs and ours", n)
	}
}

// TestMarkedWaits proves that after an answer that was lost nothing is created again before search can be trusted.
func TestMarkedWaits(t *testing.T) {
	a := newAccount(t)
	a.sim.Forbid("communications", "unique")
	c := ready(t, a)
	owner := contact(t, c, "k1", "")
	e := crm.Entry{Key: "m1", At: a.clock.Now(), Text: "hello"}
	lose := false
	c = a.connect(func(next http.RoundTripper) http.RoundTripper {
		return transport(func(r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			if lose && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/communications") {
				_ = res.Body.Close()
				return nil, errors.New("lost")
			}
			return res, err
		})
	})
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	lose = true
	for _, wait := range []time.Duration{0, 5 * time.Second} {
		a.clock.Advance(wait)
		_, err := c.EnsureEntry(t.Context(), owner, e)
		failure, ok := errors.AsType[*crm.Error](err)
		if !ok || failure.Class != crm.Transient || failure.After != hubspot.SearchLag-wait {
			t.Fatalf("%v, want Transient after %s", err, hubspot.SearchLag-wait)
		}
	}
	a.clock.Advance(hubspot.SearchLag)
	if _, err := c.EnsureEntry(t.Context(), owner, e); err != nil {
		t.Fatal(err)
	}
	if n := len(a.Entries(string(owner))); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

// TestMissingFileScope proves that the scope of another API is named too.
func TestMissingFileScope(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	a.sim.Grant("crm.objects.contacts.read", "crm.objects.contacts.write")
	_, err := c.EnsureFile(t.Context(), textFile("f1"))
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped || !strings.Contains(err.Error(), "files") {
		t.Errorf("%v, want Stopped naming files", err)
	}
}

// TestOutage proves that the connection's end after the work is done counts as unknown, and a daily limit as a long wait.
func TestOutage(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	a.sim.Drop(10) // net/http repeats a GET by itself
	_, err := c.EnsureContact(t.Context(), crm.Person{Key: "k1"})
	a.sim.Drop(0)
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Transient {
		t.Errorf("%v, want Transient", err)
	}
	a.sim.Limit(sim.Daily, a.clock.Now().Add(8*time.Hour))
	_, err = c.EnsureContact(t.Context(), crm.Person{Key: "k1"})
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Limited || e.After < time.Hour {
		t.Errorf("%v, want Limited for an hour at least", err)
	}
}

// TestPropertyNotUnique proves what happens where somebody made our property by hand, without uniqueness: contacts can't
// do without it, and a person must be told.
func TestPropertyNotUnique(t *testing.T) {
	a := newAccount(t)
	a.request("POST", "/crm/v3/properties/contacts",
		`{"name":"threadline_id","label":"Mine","groupName":"contactinformation","type":"string","fieldType":"text"}`)
	err := a.connect(nil).Provision(t.Context())
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped || e.Reason != "NOT_UNIQUE" {
		t.Errorf("%v, want Stopped because it is NOT_UNIQUE", err)
	}
}
