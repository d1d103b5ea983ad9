package salesforce_test

import (
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/salesforce"
	source "threadline/infra/salesforce"
	"threadline/shared/chat"
	"threadline/shared/crm"
)

// TestMetadataComesLater proves that a task which was made before the metadata was deployed isn't made again as a message.
func TestMetadataComesLater(t *testing.T) {
	dir := t.TempDir()
	before := newOrg(t, false, func(s *sim.Options) { s.StateDir = dir })
	c := before.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	task := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))

	after := newOrg(t, true, func(s *sim.Options) { s.StateDir, s.Metadata = dir, source.Source })
	c = after.connector()
	ref, ok, err := c.FindMessage(t.Context(), contact, entry("hello"))
	if !ok || err != nil || ref != task {
		t.Fatalf("found %q %v %v, want %q", ref, ok, err, task)
	}
	if err := c.UpdateMessage(t.Context(), contact, ref, entry("hello again"), nil); err != nil {
		t.Fatal(err)
	}
	message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
	if !strings.HasPrefix(string(message), "WA_Message__c/") {
		t.Errorf("%q, want a message", message)
	}
}

// TestManyTasks proves that a task is found among more of them than one answer holds.
func TestManyTasks(t *testing.T) {
	o := newOrg(t, false, func(s *sim.Options) { s.Batch = 2 })
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	var last crm.Entry
	var refs []crm.EntryRef
	for i := range 5 {
		last = entry("hello")
		last.Key = last.Key[:39] + string(rune('0'+i))
		refs = append(refs, must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, last, nil)))
	}
	ref, ok, err := c.FindMessage(t.Context(), contact, last)
	if !ok || err != nil || ref != refs[4] {
		t.Errorf("found %q %v %v, want %q", ref, ok, err, refs[4])
	}
}

// TestLineBreaks proves that an entry of many lines fits, though Salesforce counts each break twice.
func TestLineBreaks(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		o := newOrg(t, metadata)
		c := o.connector()
		contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		for i, piece := range []string{"a\n", "\n", "🙂 and more\n"} {
			e := entry(strings.Repeat(piece, 70_000) + ".")
			e.Key = e.Key[:39] + string(rune('0'+i))
			must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, e, nil))
		}
		for _, e := range o.Entries(string(contact)) {
			if !strings.Contains(e.Text, "(shortened)") {
				t.Errorf("metadata=%v: an entry of %d bytes doesn't say that it was shortened", metadata, len(e.Text))
			}
		}
	}
}

// TestTaskIsDone proves that no to-do is left for anybody, in an org whose statuses aren't English either.
func TestTaskIsDone(t *testing.T) {
	o := newOrg(t, false)
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
	if status := o.sim.Rows("Task")[0].Values["Status"]; status != "Completada" {
		t.Errorf("status %q", status)
	}
}

// TestMessageFields proves what the record of an entry shows beside its text.
func TestMessageFields(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	e := entry("question")
	e.Messages = append(e.Messages, crm.Message{
		ID: "m_2", At: e.At.Add(time.Minute), Direction: chat.Out, Kind: chat.KindText, Status: chat.Delivered, Author: "Support", Text: "answer",
	})
	must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, e, nil))
	got := o.sim.Rows("WA_Message__c")[0].Values
	for field, want := range map[string]string{
		"WAMID__c": e.Key, "Contact__c": string(contact), "Direction__c": "Both", "Status__c": string(chat.Delivered), "SentAt__c": "2026-01-02T12:00:00.000+0000",
	} {
		if got[field] != want {
			t.Errorf("%s is %q, want %q", field, got[field], want)
		}
	}
	doubtful := entry("question")
	doubtful.Key = strings.Repeat("0b", 20)
	doubtful.Messages[0].Direction, doubtful.Messages[0].Status = chat.Out, chat.Unknown
	must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, doubtful, nil))
	if status := o.sim.Rows("WA_Message__c")[1].Values["Status__c"]; status != "maybe delivered" {
		t.Errorf("what nobody knows has the status %q", status)
	}
}

// TestFileOnBoth proves that a file is on the entry and on the contact, for internal users where there are others, under
// its own name.
func TestFileOnBoth(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		o := newOrg(t, metadata)
		c := o.connector()
		contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
		file := must[crm.FileRef](t)(c.PutFile(t.Context(), contact, message, photo()))
		_, id, _ := strings.Cut(string(message), "/")
		on := map[string]string{}
		for _, link := range o.sim.Rows("ContentDocumentLink") {
			if link.Values["ContentDocumentId"] == string(file) {
				on[link.Values["LinkedEntityId"]] = link.Values["Visibility"]
			}
		}
		if on[string(contact)] != "InternalUsers" || on[id] != "InternalUsers" || len(on) != 2 {
			t.Errorf("metadata=%v: on %v", metadata, on)
		}
		if v := o.sim.Rows("ContentVersion")[0].Values; v["PathOnClient"] != "foto mía.jpg" || v["Title"] != "foto mía" {
			t.Errorf("called %q, %q", v["PathOnClient"], v["Title"])
		}
		// Somebody deletes the file: the entry can still be changed.
		if err := o.sim.Delete(string(file)); err != nil {
			t.Fatal(err)
		}
		if err := c.UpdateMessage(t.Context(), contact, message, entry("hello again"), []crm.FileRef{file}); err != nil {
			t.Errorf("a change after the file was deleted: %v", err)
		}
	}
}

// TestManyFiles proves that more files than one composite call holds are all linked.
func TestManyFiles(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
	other := entry("other")
	other.Key = other.Key[:38] + "ff"
	elsewhere := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, other, nil))
	var files []crm.FileRef
	for i := range 30 {
		f := photo()
		f.Key = f.Key[:38] + string(rune('a'+i/26)) + string(rune('a'+i%26))
		files = append(files, must[crm.FileRef](t)(c.PutFile(t.Context(), contact, elsewhere, f)))
	}
	if err := c.UpdateMessage(t.Context(), contact, message, entry("hello"), files); err != nil {
		t.Fatal(err)
	}
	for _, e := range o.Entries(string(contact)) {
		if len(e.Files) != 30 {
			t.Errorf("%d files on %q, want 30", len(e.Files), e.Text)
		}
	}
}
