package crmtest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

func testUnprovisioned(t *testing.T, f Fixture) {
	c := f.Connect(nil)
	if _, err := c.EnsureContact(t.Context(), person()); !errors.Is(err, crm.ErrNotProvisioned) {
		t.Fatalf("ensure contact in an empty account: %v, want ErrNotProvisioned", err)
	}
	for range 2 { // it is idempotent
		if err := c.Provision(t.Context()); err != nil {
			t.Fatalf("provision: %v", err)
		}
	}
	owner := ensureContact(t, c, person())
	ensureEntry(t, c, owner, entry("m1", "hello"))
	if n := len(f.CRM.Entries(onlyContact(t, f).ID)); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

func testSameContactTwice(t *testing.T, f Fixture) {
	ready(t, f)
	refs := make([]crm.ContactRef, 8)
	var group sync.WaitGroup
	for i := range refs {
		group.Go(func() {
			// The loser of a race may be told to come again, never to give up.
			for range 20 {
				ref, err := f.Connect(nil).EnsureContact(t.Context(), person())
				if class, ok := classOf(err); ok && class == crm.Transient {
					continue
				}
				if err != nil {
					t.Errorf("ensure contact: %v", err)
				}
				refs[i] = ref
				return
			}
			t.Error("still told to come again after 20 times")
		})
	}
	group.Wait()
	only := onlyContact(t, f)
	for _, ref := range refs {
		if string(ref) != only.ID {
			t.Errorf("ref %q, want %q", ref, only.ID)
		}
	}
}

func testTakenOverByPhone(t *testing.T, f Fixture) {
	c := ready(t, f)
	id := f.CRM.AddContact("Mrs Garcia", "+34 600 111 222")
	if ref := ensureContact(t, c, person()); string(ref) != id {
		t.Fatalf("ref %q, want the contact that has the number: %q", ref, id)
	}
	got := onlyContact(t, f)
	if got.Key != string(person().Key) {
		t.Errorf("key %q, want ours", got.Key)
	}
	if got.Name != "Mrs Garcia" || got.Phone != "+34 600 111 222" {
		t.Errorf("name %q, phone %q: overwritten", got.Name, got.Phone)
	}
	if ref := ensureContact(t, f.Connect(nil), person()); string(ref) != id {
		t.Errorf("a second time: ref %q, want %q", ref, id)
	}
}

// testPhoneFormats proves that numbers are compared by what they dial, and that a longer or shorter one is another one.
func testPhoneFormats(t *testing.T, f Fixture) {
	c := ready(t, f)
	for i, row := range []struct {
		typed, ours string
		same        bool
	}{
		{"600 222 333", "34600222333", true},
		{"0034600333444", "34600333444", true},
		{"(+34) 600-444-555", "34600444555", true},
		{"06 12345678", "31612345678", true},
		{"+52 55 1234 5678", "5215512345678", true},
		{"+54 11 2345 6789", "5491123456789", true},
		{"+55 11 98765-4321", "551187654321", true},
		{"+49 600 555 666", "34600555666", false}, // another country
		{"+34 600 666 7778", "34600666777", false},
		{"666 777", "34600666777", false},
	} {
		id := f.CRM.AddContact("Somebody", row.typed)
		p := crm.Person{Key: chat.ContactID(fmt.Sprintf("01JCONTACT00000000000001%02d", i)), Name: "Somebody", Phone: row.ours}
		if ref := ensureContact(t, c, p); (string(ref) == id) != row.same {
			t.Errorf("%s typed, %s on WhatsApp: the same contact is %v, want %v", row.typed, row.ours, !row.same, row.same)
		}
	}
}

func testSeveralMatches(t *testing.T, f Fixture) {
	c := ready(t, f)
	first := f.CRM.AddContact("One Garcia", "+34600111222")
	second := f.CRM.AddContact("Two Garcia", "600 111 222")
	ref := ensureContact(t, c, person())
	if string(ref) == first || string(ref) == second {
		t.Fatalf("ref %q is one of two that might be meant", ref)
	}
	for _, got := range f.CRM.Contacts() {
		if got.ID != string(ref) && got.Key != "" {
			t.Errorf("contact %s was given our key", got.ID)
		}
	}
}

// testNotAnothersContact proves that a contact which belongs to somebody else of ours is not taken over: a number can
// be recycled. That holds at once, when a search may still show the contact as nobody's, and later.
func testNotAnothersContact(t *testing.T, f Fixture) {
	c := ready(t, f)
	f.CRM.AddContact("Mrs Garcia", "+34600111222")
	old := ensureContact(t, c, person())
	for i, wait := range []time.Duration{0, time.Hour} {
		f.Advance(wait)
		heir := person()
		heir.Key, heir.Name = chat.ContactID(fmt.Sprintf("01JCONTACT00000000000001%02d", i)), "Juan"
		if ref := ensureContact(t, c, heir); ref == old {
			t.Errorf("after %s the new holder of the number was given the old holder's record", wait)
		}
	}
	if ref := ensureContact(t, c, person()); ref != old {
		t.Errorf("the first holder's record is %q now, want %q", ref, old)
	}
}

func testNoPhone(t *testing.T, f Fixture) {
	c := ready(t, f)
	shy := crm.Person{Key: person().Key, Username: "maria.g"}
	owner := ensureContact(t, c, shy)
	if again := ensureContact(t, f.Connect(nil), shy); again != owner {
		t.Errorf("a second time: %q, want %q", again, owner)
	}
	got := onlyContact(t, f)
	if got.Phone != "" {
		t.Errorf("phone %q, want none", got.Phone)
	}
	if strings.TrimSpace(got.Name) == "" {
		t.Error("the contact has no name to find it by")
	}
	ensureContact(t, c, crm.Person{Key: "01JCONTACT0000000000000002"})
	if n := len(f.CRM.Contacts()); n != 2 {
		t.Errorf("%d contacts, want 2: two strangers without a number are two people", n)
	}
	ensureContact(t, c, person()) // now the number is known
	for _, got := range f.CRM.Contacts() {
		if got.Key == string(person().Key) && !strings.HasSuffix(got.Phone, "600111222") {
			t.Errorf("phone %q, want the number that became known", got.Phone)
		}
	}
}

func testDeletedContact(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := ensureContact(t, c, person())
	f.CRM.DeleteContact(onlyContact(t, f).ID)
	if _, err := c.EnsureEntry(t.Context(), owner, entry("m1", "hello")); !errors.Is(err, crm.ErrGone) {
		t.Fatalf("ensure entry on a deleted contact: %v, want ErrGone", err)
	}
	f.Advance(time.Minute)
	owner = ensureContact(t, c, person())
	ensureEntry(t, c, owner, entry("m1", "hello"))
	if n := len(f.CRM.Entries(onlyContact(t, f).ID)); n != 1 {
		t.Errorf("%d entries on the new contact, want 1", n)
	}
}

func testMissingScope(t *testing.T, f Fixture) {
	c := ready(t, f)
	scope := f.CRM.Forbid()
	_, err := c.EnsureContact(t.Context(), person())
	e, ok := errors.AsType[*crm.Error](err)
	if !ok || e.Class != crm.Stopped {
		t.Fatalf("without %s: %v, want Stopped", scope, err)
	}
	if !strings.Contains(err.Error(), scope) {
		t.Errorf("%q doesn't name %s", err, scope)
	}
}

func testRateLimit(t *testing.T, f Fixture) {
	c := ready(t, f)
	const pause = 7 * time.Second
	f.CRM.Limit(pause)
	_, err := c.EnsureContact(t.Context(), person())
	e, ok := errors.AsType[*crm.Error](err)
	if !ok || e.Class != crm.Limited {
		t.Fatalf("%v, want Limited", err)
	}
	if e.After < pause {
		t.Fatalf("wait %s, want %s at least", e.After, pause)
	}
	f.Advance(e.After)
	ensureContact(t, c, person())
	if strings.Contains(err.Error(), "600111222") || strings.Contains(err.Error(), "María") {
		t.Errorf("%q holds the customer's data", err)
	}
}
