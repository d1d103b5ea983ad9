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
	"threadline/shared/crm/match"
)

func (f Fixture) person() crm.Person {
	return crm.Person{Key: f.key(0), Name: "María García López", Phone: match.Phone("34600111222")}
}

func testUnprovisioned(t *testing.T, f Fixture) {
	c := f.Connect(nil)
	_, err := f.putContact(t.Context(), c, f.person())
	if !f.Ready && !f.Live && !errors.Is(err, crm.ErrNotProvisioned) {
		t.Fatalf("a contact in an empty account: %v, want ErrNotProvisioned", err)
	}
	for range 2 { // it is idempotent
		provisioned(t, c)
	}
	owner := f.contact(t, c, f.person())
	message(t, c, owner, f.entry("m1", "hello"))
	if n := len(f.CRM.Entries(onlyContact(t, f).ID)); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}

func testCheck(t *testing.T, f Fixture) {
	if err := ready(t, f).Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
	if n := len(f.CRM.Contacts()); n != 0 {
		t.Errorf("%d contacts: a check changes nothing", n)
	}
}

// testSameContactTwice proves that two callers with one key end with one contact, where the CRM says that it keeps that.
func testSameContactTwice(t *testing.T, f Fixture) {
	c := ready(t, f)
	first := f.contact(t, c, f.person())
	if again := f.contact(t, f.Connect(nil), f.person()); again != first {
		t.Errorf("a second time: %q, want %q", again, first)
	}
	if !c.Capabilities().AtomicContacts {
		return
	}
	other := f.person()
	other.Key, other.Phone = f.key(1), crm.Phone{}
	refs := make([]crm.ContactRef, 6)
	var group sync.WaitGroup
	for i := range refs {
		group.Go(func() {
			for range 20 { // the loser of a race may be told to come again, never to give up
				ref, err := f.Connect(nil).CreateContact(t.Context(), other)
				if class, ok := classOf(err); ok && class == crm.Transient {
					continue
				}
				if err != nil {
					t.Errorf("create contact: %v", err)
				}
				refs[i] = ref
				return
			}
			t.Error("still told to come again after 20 times")
		})
	}
	group.Wait()
	for _, ref := range refs {
		if ref != refs[0] {
			t.Errorf("refs %q and %q", ref, refs[0])
		}
	}
	if n := len(f.CRM.Contacts()); n != 2 {
		t.Errorf("%d contacts, want 2", n)
	}
}

func (f Fixture) typeIn(t *testing.T, name, phone string) crm.ContactRef {
	t.Helper()
	id, ok := f.CRM.AddContact(name, phone)
	if !ok {
		t.Fatalf("the CRM doesn't take %s", phone)
	}
	return crm.ContactRef(id)
}

func testTakenOverByPhone(t *testing.T, f Fixture) {
	c := ready(t, f)
	id := f.typeIn(t, "Mrs Garcia", "+34 600 111 222")
	before := onlyContact(t, f)
	if ref := f.contact(t, c, f.person()); ref != id {
		t.Fatalf("ref %q, want the contact that has the number: %q", ref, id)
	}
	got := onlyContact(t, f)
	if got.Key != "" && got.Key != string(f.person().Key) {
		t.Errorf("key %q, want ours", got.Key)
	}
	if got.Name != before.Name || got.Phone != before.Phone {
		t.Errorf("name %q, phone %q: overwritten", got.Name, got.Phone)
	}
	if ref := f.contact(t, f.Connect(nil), f.person()); ref != id {
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
		{"06 12348765", "31612348765", true}, // not what a vendor's demonstration data has
		{"+52 55 1234 5678", "5215512345678", true},
		{"+54 11 2345 8765", "5491123458765", true},
		{"+54 9 11 2345 6780", "5491123456780", true},
		{"+55 11 98765-4321", "551187654321", true},
		{"+49 600 555 666", "34600555666", false}, // another country
		{"+34 600 666 7778", "34600666777", false},
		{"666 777", "34600666777", false},
	} {
		id, ok := f.CRM.AddContact("Somebody "+fmt.Sprint(i), row.typed)
		if !ok {
			t.Logf("the CRM holds no %q", row.typed)
			continue
		}
		p := crm.Person{Key: f.key(10 + i), Name: "Somebody", Phone: match.Phone(row.ours)}
		if ref := f.contact(t, c, p); (string(ref) == id) != row.same {
			t.Errorf("%s typed, %s on WhatsApp: the same contact is %v, want %v", row.typed, row.ours, !row.same, row.same)
		}
	}
}

func testSeveralMatches(t *testing.T, f Fixture) {
	c := ready(t, f)
	first := f.typeIn(t, "One Garcia", "+34600111222")
	second, ok := f.CRM.AddContact("Two Garcia", "600 111 222")
	if !ok {
		second = string(f.typeIn(t, "Two Garcia", "+34 600 111 222"))
	}
	found, err := f.putContact(t.Context(), c, f.person())
	if err != nil {
		t.Fatal(err)
	}
	if found.Ref == first || string(found.Ref) == second {
		t.Fatalf("ref %q is one of two that might be meant", found.Ref)
	}
	if len(found.Others) != 2 {
		t.Errorf("told of %q, want both", found.Others)
	}
	for _, got := range f.CRM.Contacts() {
		if got.ID != string(found.Ref) && got.Key != "" {
			t.Errorf("contact %s was given our key", got.ID)
		}
	}
}

// testNotAnothersContact proves that a contact which belongs to somebody else of ours is not taken over: a number can
// be recycled. That holds at once, when a search may still show the contact as nobody's, and later.
func testNotAnothersContact(t *testing.T, f Fixture) {
	c := ready(t, f)
	f.typeIn(t, "Mrs Garcia", "+34600111222")
	old := f.contact(t, c, f.person())
	for i, wait := range []time.Duration{0, time.Hour} {
		f.Advance(wait)
		heir := f.person()
		heir.Key, heir.Name = f.key(1+i), "Juan"
		if ref := f.contact(t, c, heir); ref == old {
			t.Errorf("after %s the new holder of the number was given the old holder's record", wait)
		}
	}
	if ref := f.contact(t, c, f.person()); ref != old {
		t.Errorf("the first holder's record is %q now, want %q", ref, old)
	}
}

func testNoPhone(t *testing.T, f Fixture) {
	c := ready(t, f)
	shy := crm.Person{Key: f.key(0), Username: "maria.g", BSUID: "ES.1234567890"}
	owner := f.contact(t, c, shy)
	got := onlyContact(t, f)
	if got.Phone != "" {
		t.Errorf("phone %q, want none", got.Phone)
	}
	if strings.TrimSpace(got.Name) == "" {
		t.Error("the contact has no name to find it by")
	}
	f.contact(t, c, crm.Person{Key: f.key(1)})
	if n := len(f.CRM.Contacts()); n != 2 {
		t.Errorf("%d contacts, want 2: two strangers without a number are two people", n)
	}
	if err := c.FillContact(t.Context(), owner, f.person()); err != nil { // now the number is known
		t.Fatalf("fill: %v", err)
	}
	for _, got := range f.CRM.Contacts() {
		if got.ID == string(owner) && !strings.HasSuffix(strings.ReplaceAll(got.Phone, " ", ""), "600111222") {
			t.Errorf("phone %q, want the number that became known", got.Phone)
		}
	}
}

// testFilled proves that what becomes known later is added, and that a name somebody typed stays.
func testFilled(t *testing.T, f Fixture) {
	c := ready(t, f)
	named := f.typeIn(t, "Doctor Garcia", "+34600111222")
	anonymous := f.contact(t, c, crm.Person{Key: f.key(1)})
	for _, fill := range []struct {
		ref crm.ContactRef
		key chat.ContactID
	}{{named, f.key(0)}, {anonymous, f.key(1)}} {
		p := crm.Person{Key: fill.key, Name: "Ana Silva", Phone: match.Phone("351912345678"), Marketing: "withdrawn"}
		for range 2 {
			if err := c.FillContact(t.Context(), fill.ref, p); err != nil {
				t.Fatalf("fill: %v", err)
			}
		}
	}
	for _, got := range f.CRM.Contacts() {
		want := "Ana Silva"
		if got.ID == string(named) {
			want = "Doctor Garcia"
		}
		if got.Name != want {
			t.Errorf("the name is %q, want %q", got.Name, want)
		}
	}
}

func testDeletedContact(t *testing.T, f Fixture) {
	c := ready(t, f)
	owner := f.contact(t, c, f.person())
	f.CRM.DeleteContact(onlyContact(t, f).ID)
	if _, err := c.PutMessage(t.Context(), owner, f.entry("m1", "hello"), nil); !errors.Is(err, crm.ErrGone) {
		t.Fatalf("a message on a deleted contact: %v, want ErrGone", err)
	}
	f.Advance(time.Minute)
	delete(f.owners, owner)
	owner = f.contact(t, c, f.person())
	message(t, c, owner, f.entry("m1", "hello"))
	if n := len(f.CRM.Entries(onlyContact(t, f).ID)); n != 1 {
		t.Errorf("%d entries on the new contact, want 1", n)
	}
}

func testMissingScope(t *testing.T, f Fixture) {
	if f.Live {
		t.Skip("nobody takes a real server's permissions away")
	}
	c := ready(t, f)
	scope := f.CRM.Forbid()
	_, err := f.putContact(t.Context(), c, f.person())
	if class, ok := classOf(err); !ok || class != crm.Stopped {
		t.Fatalf("without %s: %v, want Stopped", scope, err)
	}
	if !strings.Contains(err.Error(), scope) {
		t.Errorf("%q doesn't name %s", err, scope)
	}
}

func testRateLimit(t *testing.T, f Fixture) {
	if f.Live {
		t.Skip("a real server isn't driven to its limits")
	}
	c := ready(t, f)
	const pause = 7 * time.Second
	if !f.CRM.Limit(pause) {
		return // the CRM has no limits
	}
	_, err := f.putContact(t.Context(), c, f.person())
	e, ok := errors.AsType[*crm.Error](err)
	if !ok || e.Class != crm.Limited {
		t.Fatalf("%v, want Limited", err)
	}
	if e.After < pause {
		t.Fatalf("wait %s, want %s at least", e.After, pause)
	}
	f.Advance(e.After)
	f.contact(t, c, f.person())
	if strings.Contains(err.Error(), "600111222") || strings.Contains(err.Error(), "María") {
		t.Errorf("%q holds the customer's data", err)
	}
}
