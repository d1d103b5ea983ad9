package salesforce_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	sim "threadline/infra/local/salesforce"
	source "threadline/infra/salesforce"
	"threadline/shared/crm"
)

// without is the metadata with something else in the place of a word in the permission set.
func without(t *testing.T, word, instead string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(source.Source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(source.Source, name)
		if strings.HasSuffix(name, ".permissionset-meta.xml") {
			b = []byte(strings.ReplaceAll(string(b), word, instead))
		}
		files[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestRights proves that the permission set suffices as it is deployed, though people make the messages to send and
// Threadline may not, and that a field which is only read is missed too.
func TestRights(t *testing.T) {
	if err := newOrg(t, true).connector().Check(t.Context()); err != nil {
		t.Errorf("with the permission set: %v", err)
	}
	for _, field := range []string{"Contact.HomePhone", "WA_Outbound__c.Text__c"} {
		o := newOrg(t, true, func(s *sim.Options) { s.Metadata = without(t, field, "WA_Outbound__c.Template__c") })
		e := wantError(t, o.connector().Provision(t.Context()), crm.Stopped, "NOT_ALL_MAY_BE_WRITTEN")
		if !slices.Equal(e.Scopes, []string{field}) {
			t.Errorf("without %s: missing %v", field, e.Scopes)
		}
	}
}

// TestNoRightToTasks proves that an org with the metadata goes on without tasks, and one without it says what it lacks.
func TestNoRightToTasks(t *testing.T) {
	for _, word := range []string{"EditTask", "Task.WhoId"} {
		instead := map[string]string{"EditTask": "ViewHelpLink", "Task.WhoId": "Task.Description"}[word]
		o := newOrg(t, true, func(s *sim.Options) { s.Metadata = without(t, word, instead) })
		c := o.connector()
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("without %s: %v", word, err)
		}
		contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		if _, ok, err := c.FindMessage(t.Context(), contact, entry("hello")); ok || err != nil {
			t.Errorf("without %s: found %v, %v", word, ok, err)
		}
		must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
		err := c.Report(t.Context(), crm.Request{ID: "interview", Contact: contact, At: o.clock.Now()}, crm.Outcome{Problem: "too late"})
		wantError(t, err, crm.Stopped, "NO_RIGHT_TO_TASKS")

		o = newOrg(t, false, func(s *sim.Options) { s.Metadata = without(t, word, instead) })
		e := wantError(t, o.connector().Check(t.Context()), crm.Stopped, "NOT_ALL_MAY_BE_WRITTEN")
		if len(e.Scopes) != 1 || !strings.HasPrefix(e.Scopes[0], "Task") {
			t.Errorf("without %s and the metadata: missing %v", word, e.Scopes)
		}
	}
}
