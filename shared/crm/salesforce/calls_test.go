package salesforce_test

import (
	"fmt"
	"strings"
	"testing"

	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// calls returns how many calls something makes.
func (o *org) calls(f func()) int {
	before := len(o.sim.Calls())
	f()
	return len(o.sim.Calls()) - before
}

// TestCalls pins how many of an org's daily calls things cost. A process begins with two: the token, and a look at how
// the org is set up.
func TestCalls(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		t.Run(fmt.Sprintf("metadata=%v", metadata), func(t *testing.T) {
			o := newOrg(t, metadata)
			c := o.connector()
			var contact crm.ContactRef
			var message crm.EntryRef
			var file crm.FileRef
			for _, thing := range []struct {
				what string
				want int
				do   func() error
			}{
				{"the beginning of a process: the token, the org", 3, func() error {
					_, err := c.CreateContact(t.Context(), crm.Person{Key: "01JCONTACT0000000000000002"})
					return err
				}},
				{"a new contact: by key, by number twice, made", 4, func() error {
					found, err := match.Contact(t.Context(), c, person(), noOwner)
					contact = found.Ref
					return err
				}},
				{"a contact that is known by its key: read", 2, func() error {
					_, err := match.Contact(t.Context(), c, person(), noOwner)
					return err
				}},
				{"a message", 1, func() (err error) {
					message, err = c.PutMessage(t.Context(), contact, entry("hello"), nil)
					return err
				}},
				{"a changed message", 1, func() error { return c.UpdateMessage(t.Context(), contact, message, entry("hello again"), nil) }},
				{"a photo: uploaded, linked", 2, func() (err error) {
					file, err = c.PutFile(t.Context(), contact, message, photo())
					return err
				}},
				{"a message with a photo", 1, func() error {
					return c.UpdateMessage(t.Context(), contact, message, entry("hello"), []crm.FileRef{file})
				}},
				{"reading the queue", map[bool]int{true: 1}[metadata], func() error {
					_, _, err := c.FetchOutbound(t.Context(), "2026-01-01T00:00:00Z")
					return err
				}},
				{"what became of a queued message", map[bool]int{true: 1}[metadata], func() error {
					r := crm.Request{ID: "interview", At: o.clock.Now()}
					if metadata {
						r.ID = o.add("WA_Outbound__c", map[string]string{"Contact__c": string(contact), "Text__c": "x"})
					}
					return c.Report(t.Context(), r, crm.Outcome{})
				}},
			} {
				var err error
				got := o.calls(func() { err = thing.do() })
				if err != nil {
					t.Fatalf("%s: %v", thing.what, err)
				}
				t.Logf("%d  %s", got, thing.what)
				if got != thing.want {
					t.Errorf("%s: %d calls, want %d", thing.what, got, thing.want)
				}
			}
		})
	}
}

// TestInjection proves that nothing from outside becomes a part of a query, or a reference of a composite call.
func TestInjection(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	o.add("Contact", map[string]string{"LastName": "Silva", "WA_Id__c": "of somebody else", "Phone": "+351912345678"})
	for _, key := range []string{
		"x' OR LastName LIKE '%", `x\' OR LastName LIKE '%`, `x\`, "x') OR (LastName != '", "x\n' OR Id != '", "'", `\'`, "%",
	} {
		if found, ok, err := c.ContactByKey(t.Context(), crmKey(key)); ok || err != nil {
			t.Errorf("key %q: %+v %v, want nobody", key, found, err)
		}
		p := person()
		p.Key = crmKey(key)
		ref, err := c.CreateContact(t.Context(), p)
		if err != nil {
			t.Fatalf("key %q: %v", key, err)
		}
		if found, ok, err := c.ContactByKey(t.Context(), crmKey(key)); !ok || err != nil || found.Ref != ref {
			t.Errorf("key %q: %+v %v, want %s", key, found, err, ref)
		}
		e := entry("?")
		e.Key = key
		if _, ok, err := c.FindMessage(t.Context(), ref, e); ok || err != nil {
			t.Errorf("entry %q: found %v, %v", key, ok, err)
		}
	}
	phone := crm.Phone{Digits: "1", Ways: []string{"11) OR (Silva"}, National: []string{"%' OR LastName LIKE '%", "_________"}}
	hits, err := c.SearchContacts(t.Context(), phone)
	if err != nil || len(hits) != 0 {
		t.Errorf("search: %+v %v, want nobody", hits, err)
	}
}

// TestReferencesInText proves that a customer who writes what a composite call resolves is taken at their word.
func TestReferencesInText(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		o := newOrg(t, metadata)
		c := o.connector()
		contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("?"), nil))
		file := must[crm.FileRef](t)(c.PutFile(t.Context(), contact, message, photo()))
		const said = "@{step0.id} and @{step9.body}"
		if err := c.UpdateMessage(t.Context(), contact, message, entry(said), []crm.FileRef{file}); err != nil {
			t.Fatal(err)
		}
		got := o.Entries(string(contact))
		if len(got) != 1 || !strings.Contains(got[0].Text, said) || len(got[0].Files) != 1 {
			t.Errorf("%+v, want %q with a file", got, said)
		}
	}
}
