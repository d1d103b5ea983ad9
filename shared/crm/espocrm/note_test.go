package espocrm_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
)

// TestNobodyIsMentioned proves that a customer who writes a user's name after an @ notifies nobody.
func TestNobodyIsMentioned(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	c := s.connector(nil)
	on := contactOf(t, c)
	ref := must(c.PutMessage(t.Context(), on, entry("ask @admin or @ana.silva"), nil))(t)
	if err := c.UpdateMessage(t.Context(), on, ref, entry("or ask @admin then"), nil); err != nil {
		t.Fatal(err)
	}
	if told := s.sim.Mentioned(); len(told) != 0 {
		t.Errorf("notified: %q", told)
	}
	if got := s.Entries(string(on))[0].Text; !strings.Contains(got, "or ask @admin then") {
		t.Errorf("shown as %q", got)
	}
}

// TestMarkupShown proves that what EspoCRM's page does before it reads Markdown changes nothing of a text.
func TestMarkupShown(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	c := s.connector(nil)
	on := contactOf(t, c)
	for _, text := range []string{"`<b>` and `</b>`", `\<i>\\`, "1 < 2", "[threadline]: # (" + entryKey + ")", "> quote\n# title\n- point"} {
		e := entry(text)
		e.Key = strings.Repeat("a", 40)
		if _, err := c.PutMessage(t.Context(), on, e, nil); err != nil {
			t.Fatal(err)
		}
		entries := s.Entries(string(on))
		if got := entries[len(entries)-1].Text; !strings.Contains(got, text) || strings.Contains(got, e.Key) {
			t.Errorf("shown as %q, want %q", got, text)
		}
	}
	if _, ok, err := c.FindMessage(t.Context(), on, entry("")); ok || err != nil {
		t.Errorf("a mark that a customer wrote was taken for ours: %v, %v", ok, err)
	}
}

// TestOldNote proves that a photo which comes when EspoCRM doesn't let the note be changed any more is on the record all
// the same, once.
func TestOldNote(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	c := s.connector(nil)
	on := contactOf(t, c)
	ref := must(c.PutMessage(t.Context(), on, entry("look"), nil))(t)
	s.clock.Advance(8 * 24 * time.Hour)
	for range 2 { // the second time from an upload that nobody remembers
		photo := must(c.PutFile(t.Context(), on, "", file("photo.jpg", "photo")))(t)
		for range 2 {
			if err := c.UpdateMessage(t.Context(), on, ref, entry("look"), []crm.FileRef{photo}); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries := s.Entries(string(on))
	if len(entries) != 2 || len(entries[0].Files) != 0 || len(entries[1].Files) != 1 {
		t.Fatalf("%+v, want the old note and one with the photo", entries)
	}
	s.clock.Advance(8 * 24 * time.Hour)
	err := c.UpdateMessage(t.Context(), on, ref, entry("changed"), nil)
	if e := crmError(t, err); e.Class != crm.Refused || e.Reason != "NOTE_TOO_OLD" {
		t.Errorf("%v, want Refused", err)
	}
}

// TestNoInternalNotes proves that an instance which forbids internal notes gets ordinary ones, and that it is asked once.
func TestNoInternalNotes(t *testing.T) {
	s := newSimulated(t, sim.Options{Version: 10})
	c := s.connector(nil)
	on := contactOf(t, c)
	for _, want := range []int{2, 1} {
		before := len(s.sim.Calls())
		must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
		if n := len(s.sim.Calls()) - before; n != want {
			t.Errorf("%d calls, want %d", n, want)
		}
	}
	if n := len(s.Entries(string(on))); n != 2 {
		t.Errorf("%d notes, want 2", n)
	}
}

// TestNoteOfDeletedContact proves that a note which nobody may read any more, because its contact was deleted, counts as
// gone and not as a permission that is missing.
func TestNoteOfDeletedContact(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	c := s.connector(nil)
	on := contactOf(t, c)
	ref := must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
	s.DeleteContact(string(on))
	if err := c.UpdateMessage(t.Context(), on, ref, entry("changed"), nil); !errors.Is(err, crm.ErrGone) {
		t.Errorf("%v, want ErrGone", err)
	}
}

// TestUnchangedNote proves that a note that shows what it is to show is left alone.
func TestUnchangedNote(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	c := s.connector(nil)
	on := contactOf(t, c)
	ref := must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
	before := len(s.sim.Calls())
	if err := c.UpdateMessage(t.Context(), on, ref, entry("hello"), nil); err != nil {
		t.Fatal(err)
	}
	for _, call := range s.sim.Calls()[before:] {
		if call.Method != http.MethodGet {
			t.Errorf("%s %s", call.Method, call.Path)
		}
	}
}

// TestAttachmentsOfOthers proves that what a person attached stays.
func TestAttachmentsOfOthers(t *testing.T) {
	for name, o := range map[string]sim.Options{"notes": {}, "messages": {SetUp: true}} {
		t.Run(name, func(t *testing.T) {
			s := newSimulated(t, o)
			c := s.connector(nil)
			on := contactOf(t, c)
			theirs := must(c.PutFile(t.Context(), on, "", crm.File{
				Key: strings.Repeat("9", 40), Name: "theirs.txt", MIME: "text/plain", Size: 5, Open: file("", "their").Open,
			}))(t)
			ref := must(c.PutMessage(t.Context(), on, entry("look"), []crm.FileRef{theirs}))(t)
			ours := must(c.PutFile(t.Context(), on, "", file("photo.jpg", "photo")))(t)
			if err := c.UpdateMessage(t.Context(), on, ref, entry("look"), []crm.FileRef{ours}); err != nil {
				t.Fatal(err)
			}
			if n := len(s.Entries(string(on))[0].Files); n != 2 {
				t.Errorf("%d files, want theirs and ours", n)
			}
		})
	}
}

// TestFoundOnItsContact proves that an entry is looked for on the contact that it was to be on: after that one was deleted
// or merged there is another, which doesn't have it.
func TestFoundOnItsContact(t *testing.T) {
	for name, o := range map[string]sim.Options{"notes": {}, "messages": {SetUp: true}} {
		t.Run(name, func(t *testing.T) {
			s := newSimulated(t, o)
			c := s.connector(nil)
			on := contactOf(t, c)
			must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
			another, _ := s.AddContact("Ana Silva", "")
			for on, want := range map[crm.ContactRef]bool{on: true, crm.ContactRef(another): false} {
				if ref, ok, err := c.FindMessage(t.Context(), on, entry("hello")); ok != want || err != nil {
					t.Errorf("%q, %v, %v, want found: %v", ref, ok, err, want)
				}
			}
			s.DeleteContact(string(on))
			if _, _, err := c.FindMessage(t.Context(), on, entry("hello")); name == "notes" && !errors.Is(err, crm.ErrGone) {
				t.Errorf("on a deleted contact: %v, want ErrGone", err)
			}
		})
	}
}

// TestEntityTakenAway proves that a connector whose entity an administrator removed asks to be provisioned, and then does
// without.
func TestEntityTakenAway(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	var removed atomic.Bool
	c := s.connector(func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			if removed.Load() && strings.Contains(r.URL.String(), "CWhatsappMessage") {
				r = r.Clone(r.Context())
				r.URL.Path = "/api/v1/CNothing"
			}
			return next.RoundTrip(r)
		})
	})
	on := contactOf(t, c)
	removed.Store(true)
	if _, err := c.PutMessage(t.Context(), on, entry("hello"), nil); !errors.Is(err, crm.ErrNotProvisioned) {
		t.Fatalf("%v, want ErrNotProvisioned", err)
	}
	if err := c.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	ref := must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
	if !strings.HasPrefix(string(ref), "note.") {
		t.Errorf("ref %q, want a note", ref)
	}
}
