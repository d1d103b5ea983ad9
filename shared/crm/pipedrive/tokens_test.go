package pipedrive_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
	"threadline/shared/crm/pipedrive"
)

var maria = crm.Person{Key: "01JCONTACT0000000000000001", Name: "María García", Phone: match.Phone("34600111222")}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func hello() crm.Entry {
	return crm.Entry{Key: strings.Repeat("a1", 20), At: noon, Messages: []crm.Message{{
		ID: "wamid.1", At: noon, Direction: chat.In, Kind: chat.KindText, Author: "María", Text: "hello",
	}}}
}

func photo(name string) crm.File {
	const content = "not really a photo"
	return crm.File{
		Key: strings.Repeat("b2", 20), Name: name, MIME: "image/jpeg", Size: int64(len(content)), At: noon,
		Open: crmtest.Content(content),
	}
}

func nobody(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", nil }

// contact is María's person in the account.
func (a *account) contact(c *pipedrive.Connector) crm.ContactRef {
	a.t.Helper()
	found, err := match.Contact(a.t.Context(), c, maria, nobody)
	if err != nil {
		a.t.Fatalf("contact: %v", err)
	}
	return found.Ref
}

// acquainted is an account that has María, and a connector to it.
func acquainted(t *testing.T) (*account, *pipedrive.Connector, crm.ContactRef) {
	t.Helper()
	a := newAccount(t)
	c := a.provisioned()
	return a, c, a.contact(c)
}

// spending measures what something costs: calls, and tokens by Pipedrive's documents, with which the simulator must agree.
func (a *account) spending(do func()) (calls, tokens int) {
	a.t.Helper()
	all := documented.Documents(a.t)
	before := len(a.sim.Calls())
	do()
	for _, call := range a.sim.Calls()[before:] {
		calls++
		tokens += call.Tokens
		if all == nil {
			continue
		}
		if want, err := price(all, call.Method, call.Path); err != nil || want != call.Tokens {
			a.t.Errorf("%s costs %d tokens by the document (%v), %d in the simulator", call.Operation, want, err, call.Tokens)
		}
	}
	return calls, tokens
}

// TestTokens pins what docs/crm/pipedrive.md says about the price of things.
func TestTokens(t *testing.T) {
	a := newAccount(t)
	c := a.connector(nil)
	var on crm.ContactRef
	var ref crm.EntryRef
	var file crm.FileRef
	var cursor string
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		what          string
		calls, tokens int
		do            func()
	}{
		{"provision", 6, 45, func() { check(c.Provision(t.Context())) }},
		{"look by key, cold", 3, 40, func() {
			_, _, err := c.ContactByKey(t.Context(), maria.Key)
			check(err)
		}},
		{"new contact", 7, 105, func() { on = a.contact(c) }},
		{"message", 2, 11, func() {
			var err error
			ref, err = c.PutMessage(t.Context(), on, hello(), nil)
			check(err)
		}},
		{"photo, beside its message", 3, 21, func() {
			var err error
			file, err = c.PutFile(t.Context(), on, ref, photo("photo.jpg"))
			check(err)
			check(c.UpdateMessage(t.Context(), on, ref, hello(), []crm.FileRef{file}))
		}},
		{"look for a message", 1, 20, func() {
			_, ok, err := c.FindMessage(t.Context(), on, hello())
			check(err)
			if !ok {
				t.Error("the message isn't found")
			}
		}},
		{"look for a file", 1, 20, func() {
			_, ok, err := c.FindFile(t.Context(), on, ref, photo("photo.jpg"))
			check(err)
			if !ok {
				t.Error("the file isn't found")
			}
		}},
		{"contact that is there", 3, 22, func() { a.clock.Advance(time.Hour); a.contact(c) }},
		{"taken over by number", 9, 107, func() {
			a.AddContact("Mrs Silva", "+351 912 345 678")
			_, err := match.Contact(t.Context(), c, crm.Person{Key: "01JCONTACT0000000000000002", Phone: match.Phone("351912345678")}, nobody)
			check(err)
		}},
		{"outcome on a note", 2, 12, func() {
			id, err := a.sim.AddNote(string(on), "<p>/wa hello</p>")
			check(err)
			check(c.Report(t.Context(), crm.Request{Entry: crm.EntryRef("asks/" + id)}, crm.Outcome{}))
		}},
		{"begin to ask for answers", 0, 0, func() {
			var err error
			_, cursor, err = c.FetchOutbound(t.Context(), "")
			check(err)
		}},
		{"ask for answers", 1, 20, func() {
			_, _, err := c.FetchOutbound(t.Context(), cursor)
			check(err)
		}},
	} {
		calls, tokens := a.spending(row.do)
		t.Logf("%-28s %2d calls %4d tokens", row.what, calls, tokens)
		if calls != row.calls || tokens != row.tokens {
			t.Errorf("%s: %d calls, %d tokens; want %d, %d", row.what, calls, tokens, row.calls, row.tokens)
		}
	}
}

// TestPriceList proves that the simulator charges what the documents say, for every call that it knows.
func TestPriceList(t *testing.T) {
	all := documented.Need(t)
	for pattern, tokens := range newAccount(t).sim.Tokens() {
		method, path, _ := strings.Cut(pattern, " ")
		if want, err := price(all, method, strings.ReplaceAll(path, "{id}", "1")); err != nil || want != tokens {
			t.Errorf("%s: %d tokens, want %d (%v)", pattern, tokens, want, err)
		}
	}
}
