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
	"threadline/shared/crm/match"
)

func ready(t *testing.T, a *account) *hubspot.Connector {
	t.Helper()
	c := a.connector(nil)
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func contact(t *testing.T, c crm.Connector, p crm.Person) crm.ContactRef {
	t.Helper()
	ref, err := c.CreateContact(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func entry(a *account, key, text string) crm.Entry {
	at := a.clock.Now()
	return crm.Entry{Key: key, At: at, Messages: []crm.Message{{ID: "wamid." + chat.MessageID(key), At: at, Direction: chat.In, Text: text}}}
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

// merge lets a user of HubSpot merge the only two contacts, and returns what became of them.
func (a *account) merge(primary, second string) crm.ContactRef {
	a.t.Helper()
	a.request("POST", "/crm/objects/2026-03/contacts/merge", `{"primaryObjectId":"`+primary+`","objectIdToMerge":"`+second+`"}`)
	for _, c := range a.sim.Contacts() {
		if c.ID != primary && c.ID != second {
			return crm.ContactRef(c.ID)
		}
	}
	a.t.Fatal("no contact is left")
	return ""
}

// TestMergedContact proves that the caller is told of the survivor when a user of HubSpot merged a contact.
func TestMergedContact(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	first, second := contact(t, c, crm.Person{Key: "k1"}), contact(t, c, crm.Person{Key: "k2"})
	survivor := a.merge(string(first), string(second))
	for _, merged := range []crm.ContactRef{first, second} {
		_, put := c.PutMessage(t.Context(), merged, entry(a, "m1", "hello"), nil)
		for name, err := range map[string]error{"put": put, "fill": c.FillContact(t.Context(), merged, crm.Person{Key: "k2"})} {
			if moved, ok := errors.AsType[*crm.Moved](err); !ok || moved.To != survivor {
				t.Errorf("%s: %v, want that it moved to %s", name, err, survivor)
			}
		}
	}
	// The survivor stays who it is.
	if err := c.FillContact(t.Context(), survivor, crm.Person{Key: "k2", Username: "maria.g"}); err != nil {
		t.Fatal(err)
	}
	got := a.sim.Contacts()[0].Properties
	if got["threadline_id"] != "k1" || got["threadline_username"] != "" {
		t.Errorf("%v, want the properties of the first person", got)
	}
}

// TestTakenKey proves that a contact which was created with our key meanwhile is used instead of one without.
func TestTakenKey(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	id, _ := a.AddContact("Mrs Garcia", "+34600111222")
	other := contact(t, c, crm.Person{Key: "k1"})
	err := c.FillContact(t.Context(), crm.ContactRef(id), crm.Person{Key: "k1"})
	if moved, ok := errors.AsType[*crm.Moved](err); !ok || moved.To != other {
		t.Errorf("%v, want that it moved to %s", err, other)
	}
}

// TestOwnProperties proves that what is ours follows the person, and that nothing is lost where it isn't there.
func TestOwnProperties(t *testing.T) {
	p := crm.Person{Key: "k1", Name: "María", Phone: match.Phone("34600111222"), Username: "maria.g", BSUID: "ES.123", Marketing: "granted"}
	all := map[string]string{
		"threadline_whatsapp_id": "34600111222", "threadline_bsuid": "ES.123",
		"threadline_username": "maria.g", "threadline_marketing": "granted",
	}
	for _, refused := range []string{"", "threadline_bsuid", "threadline_marketing"} {
		a := newAccount(t)
		a.sim.Forbid("contacts", refused)
		c := ready(t, a)
		ref := contact(t, c, p)
		later := p
		later.Username, later.Marketing = "garcia.m", "withdrawn"
		for _, step := range []crm.Person{p, later, {Key: "k1"}} { // what isn't known any more stays
			if err := c.FillContact(t.Context(), ref, step); err != nil {
				t.Fatalf("without %q: %v", refused, err)
			}
		}
		want := map[string]string{"threadline_username": "garcia.m", "threadline_marketing": "withdrawn"}
		for name, value := range all {
			if changed, ok := want[name]; ok {
				value = changed
			}
			if name == refused {
				value = ""
			}
			if got := a.sim.Contacts()[0].Properties[name]; got != value {
				t.Errorf("without %q: %s is %q, want %q", refused, name, got, value)
			}
		}
	}
}

// TestOlderAccount proves that an account which was provisioned before there were so many properties is provisioned again.
func TestOlderAccount(t *testing.T) {
	a := newAccount(t)
	a.request("POST", "/crm/v3/properties/contacts", `{"name":"threadline_id","label":"Threadline ID",
		"groupName":"contactinformation","type":"string","fieldType":"text","hasUniqueValue":true}`)
	c := a.connector(nil)
	p := crm.Person{Key: "k1", Username: "maria.g"}
	if _, err := c.CreateContact(t.Context(), p); !errors.Is(err, crm.ErrNotProvisioned) {
		t.Fatalf("%v, want ErrNotProvisioned", err)
	}
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	contact(t, c, p)
}

// TestConflictBringsUpToDate proves that an entry which is there already shows what was to be put.
func TestConflictBringsUpToDate(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	owner := contact(t, c, crm.Person{Key: "k1"})
	first, err := c.PutMessage(t.Context(), owner, entry(a, "m1", "hello"), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.PutFile(t.Context(), owner, "", textFile("f1"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.PutMessage(t.Context(), owner, entry(a, "m1", "hello again"), []crm.FileRef{f})
	if err != nil || again != first {
		t.Fatalf("%q, %v, want %q", again, err, first)
	}
	if all := a.Entries(string(owner)); len(all) != 1 || len(all[0].Files) != 1 || !strings.Contains(all[0].Text, "again") {
		t.Errorf("%+v, want the one entry with its file", all)
	}
}

// TestAttachmentsOfOthersStay proves that a file which somebody attached by hand survives.
func TestAttachmentsOfOthersStay(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	owner := contact(t, c, crm.Person{Key: "k1"})
	e := entry(a, "m1", "hello")
	ref, err := c.PutMessage(t.Context(), owner, e, nil)
	if err != nil {
		t.Fatal(err)
	}
	var files []crm.FileRef
	for _, key := range []string{"theirs", "ours"} {
		f, err := c.PutFile(t.Context(), owner, "", textFile(key))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	a.request("PATCH", "/crm/objects/2026-03/communications/"+string(ref), `{"properties":{"hs_attachment_ids":"`+string(files[0])+`"}}`)
	if err := c.UpdateMessage(t.Context(), owner, ref, e, files[1:]); err != nil {
		t.Fatal(err)
	}
	if n := len(a.Entries(string(owner))[0].Files); n != 2 {
		t.Errorf("%d files, want theirs and ours", n)
	}
}

// TestHalfDone proves that a failure after the communication was made doesn't say that nothing was made.
func TestHalfDone(t *testing.T) {
	a := lacking(t, "communications.hs_attachment_ids")
	c := ready(t, a)
	owner := contact(t, c, crm.Person{Key: "k1"})
	_, err := c.PutMessage(t.Context(), owner, entry(a, "m1", "hello"), []crm.FileRef{"999"})
	if e, ok := errors.AsType[*crm.Error](err); !ok || !e.Unknown {
		t.Errorf("%v, want an unknown outcome", err)
	}
}

// TestCheck proves that all missing permissions are told at once, and none that is there.
func TestCheck(t *testing.T) {
	a := newAccount(t)
	a.sim.Grant("crm.objects.contacts.read", "crm.schemas.contacts.read")
	err := a.connector(nil).Check(t.Context())
	e, ok := errors.AsType[*crm.Error](err)
	if !ok || e.Class != crm.Stopped || strings.Join(e.Scopes, " ") != "crm.objects.contacts.write crm.schemas.contacts.write files" {
		t.Errorf("%v, want Stopped with three scopes", err)
	}
	if _, err := ready(t, newAccount(t)).PutFile(t.Context(), "", "", textFile("f1")); err != nil {
		t.Fatal(err)
	}
	a.sim.Grant("crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.write", "files")
	if err := a.connector(nil).Check(t.Context()); err != nil {
		t.Errorf("a token that may not read the account: %v", err)
	}
	a.sim.Grant("crm.objects.contacts.read", "crm.objects.contacts.write")
	_, err = a.connector(nil).PutFile(t.Context(), "", "", textFile("f1"))
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped || !strings.Contains(err.Error(), "files") {
		t.Errorf("%v, want Stopped naming files", err)
	}
}

// TestOutage proves that the connection's end after the work is done counts as unknown.
func TestOutage(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	a.sim.Drop(10) // net/http repeats a GET by itself
	_, err := c.CreateContact(t.Context(), crm.Person{Key: "k1"})
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Transient || !e.Unknown {
		t.Errorf("%v, want Transient and unknown", err)
	}
}

// TestDailyLimit proves that nothing is asked for until the account's midnight, where its time zone is known.
func TestDailyLimit(t *testing.T) {
	madrid := time.FixedZone("", 3600)
	for _, known := range []bool{true, false} {
		a := openAccount(t, sim.Options{Zone: madrid}) // 09:00 UTC
		c := ready(t, a)
		if known {
			if err := c.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		a.sim.Limit(sim.Daily, a.clock.Now().Add(20*time.Hour))
		_, err := c.CreateContact(t.Context(), crm.Person{Key: "k1"})
		want := map[bool]time.Duration{true: 14*time.Hour + time.Minute, false: time.Hour}[known]
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Limited || e.After != want {
			t.Errorf("zone known %v: %v, want Limited for %s", known, err, want)
		}
	}
}

// TestPropertyNotUnique proves what happens where somebody made our property by hand, without uniqueness: contacts can't
// do without it, and a person must be told.
func TestPropertyNotUnique(t *testing.T) {
	a := newAccount(t)
	a.request("POST", "/crm/v3/properties/contacts",
		`{"name":"threadline_id","label":"Mine","groupName":"contactinformation","type":"string","fieldType":"text"}`)
	err := a.connector(nil).Provision(t.Context())
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped || e.Reason != "NOT_UNIQUE" {
		t.Errorf("%v, want Stopped because it is NOT_UNIQUE", err)
	}
}
