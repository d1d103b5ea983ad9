package odoo_test

import (
	"context"
	"io"
	"slices"
	"strconv"
	"testing"
	"time"

	sim "threadline/infra/local/odoo"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
	"threadline/shared/crm/odoo"
)

// The tests of what is particular to Odoo use these people, messages and files.

var written = time.Date(2026, 10, 30, 17, 5, 0, 0, time.UTC)

const customer chat.ContactID = "01JCONTACT0000000000000001"

func maria() crm.Person {
	return crm.Person{Key: customer, Name: "María García", Phone: match.Phone("34600111222")}
}

func received(key, text string) crm.Entry {
	return crm.Entry{Key: key, At: written, Messages: []crm.Message{{
		At: written, Direction: chat.In, Kind: chat.KindText, Author: "María García", Text: text,
	}}}
}

func sent(key, text string) crm.Entry {
	e := received(key, text)
	e.Messages[0].Direction, e.Messages[0].Author = chat.Out, "Ana"
	return e
}

func photo(key, content string) crm.File {
	return crm.File{
		Key: key, Name: "photo.jpg", MIME: "image/jpeg", Size: int64(len(content)),
		Open: crmtest.Content(content),
	}
}

// acquainted is an account that has María, and a connector to it.
func acquainted(t *testing.T, o sim.Options) (*account, *odoo.Connector, crm.ContactRef) {
	t.Helper()
	a := newAccount(t, o)
	c := a.connector()
	return a, c, must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
}

// must fails the test on an error, and returns the value.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// operations returns what was called meanwhile.
func (a *account) operations(f func()) []string {
	a.t.Helper()
	before := len(a.sim.Calls())
	f()
	var list []string
	for _, c := range a.sim.Calls()[before:] {
		list = append(list, c.Operation)
	}
	return list
}

// TestCalls pins how many calls things cost. docs/crm/odoo.md says the same.
func TestCalls(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		t.Run(version(v), func(t *testing.T) {
			a := newAccount(t, sim.Options{Version: v})
			c := a.connector()
			nobody := func(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", nil }
			var on crm.ContactRef
			var text crm.EntryRef
			expect := func(what string, want []string, f func()) {
				t.Helper()
				got := a.operations(f)
				t.Logf("%s: %d calls", what, len(got))
				if !slices.Equal(got, want) {
					t.Errorf("%s called %q, want %q", what, got, want)
				}
			}
			first := []string{"/json/version"}
			if v < 19 {
				first = append(first, "common/authenticate")
			}
			expect("the first call of a process, and asking for a contact", append(first, "ir.model.data/check_object_reference"), func() {
				if _, ok, err := c.ContactByKey(t.Context(), customer); ok || err != nil {
					t.Fatal(ok, err)
				}
			})
			expect("the first search", []string{"res.partner/fields_get", "res.partner/search_read"}, func() {
				must[[]crm.Contact](t)(c.SearchContacts(t.Context(), maria().Phone))
			})
			expect("a new contact", []string{"ir.model.data/check_object_reference", "res.partner/search_read", "res.partner/load"}, func() {
				on = must[match.Found](t)(match.Contact(t.Context(), c, maria(), nobody)).Ref
			})
			expect("a contact that is known", []string{"ir.model.data/check_object_reference", "res.partner/read"}, func() {
				must[match.Found](t)(match.Contact(t.Context(), c, maria(), nobody))
			})
			expect("a text", []string{"mail.message/load"}, func() {
				text = must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m1", "hello"), nil))
			})
			expect("a photo that is there", []string{"ir.attachment/load", "mail.message/load"}, func() {
				f := must[crm.FileRef](t)(c.PutFile(t.Context(), on, "", photo("f2", "pixels")))
				must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m2", ""), []crm.FileRef{f}))
			})
			expect("a photo that arrives later", []string{"mail.message/load", "ir.attachment/load", "mail.message/write"}, func() {
				ref := must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m3", ""), nil))
				f := must[crm.FileRef](t)(c.PutFile(t.Context(), on, "", photo("f3", "pixels")))
				must[int](t)(0, c.UpdateMessage(t.Context(), on, ref, received("m3", ""), []crm.FileRef{f}))
			})
			expect("an edit", []string{"mail.message/read", "mail.message/write"}, func() {
				must[int](t)(0, c.UpdateMessage(t.Context(), on, text, received("m1", "hello!"), nil))
			})
			expect("looking for what is to be sent, in vain", []string{"mail.message/search"}, func() {
				fetch(t, c, strconv.Itoa(1<<40))
			})
			must[int](t)(0, a.sim.Write(string(on), "hello"))
			var requests []crm.Request
			expect("looking for it and finding", []string{"mail.message/search", "mail.message/read", "res.partner/search_read"}, func() {
				var err error
				requests, _, err = c.FetchOutbound(t.Context(), "0")
				must[int](t)(len(requests), err)
			})
			must[int](t)(0, a.sim.WriteWith(string(on), "look", pdf("bytes"), pdf("more bytes")))
			looking := []string{"mail.message/search", "mail.message/read", "res.partner/search_read", "ir.attachment/get_external_id", "ir.attachment/search_read"}
			var files []crm.RequestFile
			expect("looking for it and finding files", looking, func() {
				found, _, err := c.FetchOutbound(t.Context(), requests[0].ID)
				must[int](t)(len(found), err)
				files = found[0].Files
			})
			expect("reading a file", []string{"ir.attachment/read"}, func() {
				must[int](t)(0, must[io.ReadCloser](t)(c.OpenFile(t.Context(), files[0].Ref)).Close())
			})
			expect("saying that it was sent", []string{"mail.message/read", "mail.message/write"}, func() {
				must[int](t)(0, c.Report(t.Context(), requests[0], crm.Outcome{}))
			})
			expect("saying why it wasn't", []string{"mail.message/load", "mail.message/read", "mail.message/write"}, func() {
				must[int](t)(0, c.Report(t.Context(), requests[0], crm.Outcome{Problem: "too late"}))
			})
		})
	}
}
