package hubspot_test

import (
	"context"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// TestCalls pins how many calls things cost, in a process that has been running for a while. docs/crm/hubspot.md has the
// table.
func TestCalls(t *testing.T) {
	for _, account := range []struct {
		name  string
		lacks []string
		// the calls
		known, created, filled, text, photo, late, first, refused int
	}{
		{name: "as HubSpot is", known: 2, created: 3, filled: 4, text: 1, photo: 2, late: 4, first: 1, refused: 1},
		{name: "notes", lacks: []string{"communications.hs_attachment_ids"},
			known: 2, created: 3, filled: 4, text: 1, photo: 3, late: 4, first: 2, refused: 1},
		{name: "searched", lacks: []string{"communications.hs_attachment_ids", "communications.unique", "notes.unique"},
			known: 2, created: 3, filled: 4, text: 1, photo: 4, late: 7, first: 2, refused: 2},
		{name: "marked", lacks: []string{"communications.hs_attachment_ids", "communications.custom", "notes.custom"},
			known: 2, created: 3, filled: 4, text: 1, photo: 4, late: 7, first: 0, refused: 2},
	} {
		t.Run(account.name, func(t *testing.T) {
			a := lacking(t, account.lacks...)
			c := ready(t, a)
			count := func(what string, want int, do func() error) {
				t.Helper()
				before := len(a.sim.Calls())
				if err := do(); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				got := len(a.sim.Calls()) - before
				t.Logf("%-60s %d", what, got)
				if got != want {
					t.Errorf("%s costs %d calls, want %d", what, got, want)
				}
			}
			person := crm.Person{Key: "k1", Name: "María García", Phone: match.Phone("34600111222")}
			find := func(p crm.Person) func() error {
				return func() error {
					_, err := match.Contact(t.Context(), c, p, nobody)
					return err
				}
			}
			count("a person who is new to the CRM", account.created, find(person))
			count("a person who has a record of ours", account.known, find(person))
			a.clock.Advance(time.Hour)
			a.AddContact("Ana Silva", "+351912345678")
			count("a person whose number is on a record", account.filled, find(crm.Person{Key: "k2", Phone: match.Phone("351912345678")}))

			owner, _, err := c.ContactByKey(t.Context(), "k1")
			if err != nil {
				t.Fatal(err)
			}
			count("a text", account.text, func() error {
				_, err := c.PutMessage(t.Context(), owner.Ref, entry(a, "m1", "hello"), nil)
				return err
			})
			count("a photo that is there at once", account.photo, func() error { return photo(t, c, a, owner.Ref, "m2", false) })
			count("a photo that arrives after its entry", account.late, func() error { return photo(t, c, a, owner.Ref, "m3", true) })
			refuse := func(id string) func() error {
				return func() error {
					return c.Report(t.Context(), crm.Request{ID: id, Contact: owner.Ref, At: a.clock.Now()}, crm.Outcome{Problem: "they opted out"})
				}
			}
			if account.lacks == nil {
				if err := refuse("r0")(); err != nil { // which gives notes their key
					t.Fatal(err)
				}
			}
			count("a request that is refused and nobody waits for", account.refused, refuse("r1"))
			// What a new process has to learn before its first photo.
			c = a.connector(nil)
			if account.name != "marked" { // it has to provision again, to be told no
				count("a photo that is there at once, in a new process", account.photo+account.first,
					func() error { return photo(t, c, a, owner.Ref, "m4", false) })
			}
		})
	}
}

func nobody(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", nil }

// photo puts a message with a file, which is there beforehand or arrives late.
func photo(t *testing.T, c crm.Connector, a *account, owner crm.ContactRef, key string, late bool) error {
	e := entry(a, key, "look")
	if !late {
		f, err := c.PutFile(t.Context(), owner, "", textFile(key))
		if err != nil {
			return err
		}
		_, err = c.PutMessage(t.Context(), owner, e, []crm.FileRef{f})
		return err
	}
	ref, err := c.PutMessage(t.Context(), owner, e, nil)
	if err != nil {
		return err
	}
	f, err := c.PutFile(t.Context(), owner, "", textFile(key))
	if err != nil {
		return err
	}
	return c.UpdateMessage(t.Context(), owner, ref, e, []crm.FileRef{f})
}
