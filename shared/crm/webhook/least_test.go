package webhook_test

import (
	"fmt"
	"slices"
	"testing"

	"threadline/infra/local/webhookcrm"
	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// TestLeast proves that a receiver which gives no refs and looks for nobody has the record of a perfect day, even if
// everything is sent to it twice.
func TestLeast(t *testing.T) {
	company := newCompany(t, webhookcrm.Options{Least: true})
	for range 2 {
		c := company.connect(nil)
		on, err := c.CreateContact(t.Context(), person())
		if err != nil || string(on) != string(person().Key) {
			t.Fatalf("ref %q, %v, want our key", on, err)
		}
		ref, err := c.PutMessage(t.Context(), on, entry("hello"), nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := c.PutFile(t.Context(), on, ref, file("bytes", hexSum("bytes")))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.UpdateMessage(t.Context(), on, ref, entry("hello"), []crm.FileRef{f}); err != nil {
			t.Fatal(err)
		}
		if found, err := c.SearchContacts(t.Context(), person().Phone); err != nil || len(found) != 0 {
			t.Errorf("%+v, %v, want nobody", found, err)
		}
	}
	all := company.Contacts()
	if len(all) != 1 || len(company.Entries(all[0].ID)) != 1 || len(company.Entries(all[0].ID)[0].Files) != 1 {
		t.Errorf("%+v with %+v", all, company.Entries(all[0].ID))
	}
}

// Ensure that one who doesn't look may answer 404 to the question, and that nothing else of theirs is read that way.
func TestDoesntLook(t *testing.T) {
	for _, status := range []int{204, 404} {
		c := (&answering{status: status}).connect(t, secret)
		if _, ok, err := c.ContactByKey(t.Context(), "k"); ok || err != nil {
			t.Errorf("%d: %v, %v", status, ok, err)
		}
	}
	for _, body := range []string{"", "{}", "[]", `{"contacts":[{"key":"k"}]}`} {
		c := (&answering{status: 200, body: body}).connect(t, secret)
		if _, _, err := c.ContactByKey(t.Context(), "k"); err == nil {
			t.Errorf("%q is an answer", body)
		}
	}
	c := (&answering{status: 200, body: `{"contacts":[{"ref":"1","key":"another"}]}`}).connect(t, secret)
	if _, ok, err := c.ContactByKey(t.Context(), "k"); ok || err != nil {
		t.Errorf("somebody else's record is taken for the person's: %v, %v", ok, err)
	}
}

// TestNumberOfCalls pins what docs/crm/webhook.md says.
func TestNumberOfCalls(t *testing.T) {
	company := newCompany(t, webhookcrm.Options{})
	c := company.connect(nil)
	var on crm.ContactRef
	var ref crm.EntryRef
	for _, step := range []struct {
		what string
		want []string
		do   func() error
	}{
		{"a new contact", []string{"contact.find.v1", "contact.find.v1", "contact.put.v1"}, func() error {
			found, err := match.Contact(t.Context(), c, person(), nobody)
			on = found.Ref
			return err
		}},
		{"a message", []string{"message.put.v1"}, func() (err error) {
			ref, err = c.PutMessage(t.Context(), on, entry("hello"), nil)
			return err
		}},
		{"a photo, and the entry that then has it", []string{"file.put.v1", "message.put.v1"}, func() error {
			f, err := c.PutFile(t.Context(), on, ref, file("bytes", hexSum("bytes")))
			if err != nil {
				return err
			}
			return c.UpdateMessage(t.Context(), on, ref, entry("hello"), []crm.FileRef{f})
		}},
	} {
		before := len(company.sim.Calls())
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, call := range company.sim.Calls()[before:] {
			types = append(types, call.Type)
		}
		t.Log(fmt.Sprintf("%s: %d calls", step.what, len(types)), types)
		if !slices.Equal(types, step.want) {
			t.Errorf("%s: %v, want %v", step.what, types, step.want)
		}
	}
}
