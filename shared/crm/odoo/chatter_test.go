package odoo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	sim "threadline/infra/local/odoo"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
	"threadline/shared/crm/odoo"
)

func (m message) author() string {
	if pair, ok := m.Author.([]any); ok {
		name, _ := pair[1].(string)
		return name
	}
	return ""
}

// only returns the one message of a contact.
func (a *account) only(on crm.ContactRef) message {
	a.t.Helper()
	list := a.chatter(string(on))
	if len(list) != 1 {
		a.t.Fatalf("%d messages, want 1", len(list))
	}
	return list[0]
}

// TestWhoWrote proves who the author is, and that entries are internal notes: nobody is mailed.
func TestWhoWrote(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		both := received("m3", "a")
		both.Messages = append(both.Messages, sent("m3", "b").Messages...)
		for i, e := range []crm.Entry{received("m1", "hello"), sent("m2", "how can I help?"), both} {
			must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, e, nil))
			got := a.chatter(string(on))[i]
			if want := []string{"María García", "Threadline", "Threadline"}[i]; got.author() != want {
				t.Errorf("%s: entry %d is by %q, want %q", version(v), i, got.author(), want)
			}
			if pair, ok := got.Subtype.([]any); !ok || pair[1] != "Note" {
				t.Errorf("%s: entry %d is a %v, want a note", version(v), i, got.Subtype)
			}
			if !strings.HasSuffix(got.MessageID, "@threadline>") {
				t.Errorf("%s: entry %d has the message id %q", version(v), i, got.MessageID)
			}
		}
	}
}

// TestWorkOfOthersStays proves that nothing is overwritten that people did meanwhile: a name, a file on our entry.
func TestWorkOfOthersStays(t *testing.T) {
	for _, o := range []sim.Options{{Version: 17}, {Version: 19}, {Version: 19, Admin: true}} {
		a, c, on := acquainted(t, o)
		ref := must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m1", "look"), nil))

		id, done := a.id(string(on)), false
		a.call("res.partner", "write", []any{[]int64{id}, map[string]any{"name": "Doctor García", "phone": "600 111 222"}}, nil, &done)
		var theirs int64
		a.call("ir.attachment", "create", []any{map[string]any{"name": "contract.pdf", "datas": "aGk=", "res_model": "res.partner", "res_id": id}}, nil, &theirs)
		a.call("mail.message", "write", []any{[]int64{a.id(string(ref))}, map[string]any{"attachment_ids": []any{[]int64{4, theirs}}}}, nil, &done)

		again := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
		must[int](t)(0, c.FillContact(t.Context(), on, maria()))
		if got := a.Contacts(); len(got) != 1 || again != on || got[0].Name != "Doctor García" || got[0].Phone != "600 111 222" {
			t.Errorf("contacts %+v, want the one as it was changed", got)
		}
		f := must[crm.FileRef](t)(c.PutFile(t.Context(), on, "", photo("f1", "pixels")))
		must[int](t)(0, c.UpdateMessage(t.Context(), on, ref, received("m1", "look here"), []crm.FileRef{f}))
		if same := must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m1", "look there"), []crm.FileRef{f})); same != ref {
			t.Errorf("the same entry is %q and %q", ref, same)
		}
		got := a.only(on)
		if len(got.Attachments) != 2 || !strings.Contains(got.html(), "look there") {
			t.Errorf("%d files on %q, want theirs and ours on the last text", len(got.Attachments), got.html())
		}
	}
}

func (a *account) id(ref string) int64 {
	a.t.Helper()
	var id int64
	for _, r := range ref {
		id = id*10 + int64(r-'0')
	}
	return id
}

// TestNothingElse proves that a new contact has what we know of the customer and nothing of ours: Odoo takes over a language
// and a time zone, and mails whoever follows.
func TestNothingElse(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		a := newAccount(t, sim.Options{Version: v, UserTZ: "Europe/Madrid"})
		on := must[crm.ContactRef](t)(a.connector().CreateContact(t.Context(), maria()))
		var got []map[string]any
		a.call("res.partner", "read", []any{[]int64{a.id(string(on))}, []string{"lang", "tz", "message_partner_ids"}}, nil, &got)
		if followers, _ := got[0]["message_partner_ids"].([]any); got[0]["lang"] != false || got[0]["tz"] != false || len(followers) != 0 {
			t.Errorf("%s: the contact is %v", version(v), got)
		}
	}
}

// TestPictureAsItIs proves that Odoo is told to keep a picture's own bytes.
func TestPictureAsItIs(t *testing.T) {
	for _, v := range []int{17, 19} {
		a := newAccount(t, sim.Options{Version: v})
		config := a.config()
		var asked []byte
		config.HTTP.Transport = crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.Body != nil {
				asked = must[[]byte](t)(io.ReadAll(r.Body))
				r.Body = io.NopCloser(bytes.NewReader(asked))
			}
			return http.DefaultTransport.RoundTrip(r)
		})
		must[crm.FileRef](t)(odoo.New(config).PutFile(t.Context(), "12", "", photo("f1", "pixels")))
		if !bytes.Contains(asked, []byte(`"context":{"image_no_postprocess":true}`)) {
			t.Errorf("%s: asked for %s", version(v), asked)
		}
	}
}

// TestDeletedFile proves that a file which somebody deleted doesn't keep the entry from being written.
func TestDeletedFile(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		var files []crm.FileRef
		for _, name := range []string{"f1", "f2"} {
			files = append(files, must[crm.FileRef](t)(c.PutFile(t.Context(), on, "", photo(name, "pixels"))))
		}
		var done bool
		a.call("ir.attachment", "unlink", []any{[]int64{a.id(string(files[0]))}}, nil, &done)
		ref := must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m1", "two photos"), files))
		must[int](t)(0, c.UpdateMessage(t.Context(), on, ref, received("m1", "one photo"), files))
		if got := a.only(on); len(got.Attachments) != 1 || !strings.Contains(got.html(), "one photo") {
			t.Errorf("%d files on %q, want one", len(got.Attachments), got.html())
		}
	}
}

// TestArchivedContact proves that a contact which was archived still gets its messages, with the customer as author.
func TestArchivedContact(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{})
	var done bool
	a.call("res.partner", "write", []any{[]int64{a.id(string(on))}, map[string]any{"active": false}}, nil, &done)
	if again := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria())); again != on {
		t.Errorf("the contact is %q now, want %q", again, on)
	}
	must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m1", "hello"), nil))
	if got := a.only(on); got.author() != "María García" {
		t.Errorf("written by %q", got.author())
	}
}

// TestFound proves that what was made is found by its key, as if nobody remembered it.
func TestFound(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{Version: 18})
	if ref, ok, err := c.FindMessage(t.Context(), on, received("m1", "hello")); ok || err != nil {
		t.Errorf("found %q, %v", ref, err)
	}
	put := must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, received("m1", "hello"), nil))
	file := must[crm.FileRef](t)(c.PutFile(t.Context(), on, "", photo("f1", "pixels")))
	if ref, ok, err := c.FindMessage(t.Context(), on, received("m1", "hello")); !ok || err != nil || ref != put {
		t.Errorf("message %q, %v, %v, want %q", ref, ok, err, put)
	}
	if ref, ok, err := c.FindFile(t.Context(), on, "", photo("f1", "pixels")); !ok || err != nil || ref != file {
		t.Errorf("file %q, %v, %v, want %q", ref, ok, err, file)
	}
	if got, ok, err := c.ContactByKey(t.Context(), customer); !ok || err != nil || got.Ref != on || got.Key != customer {
		t.Errorf("contact %+v, %v, %v, want %q", got, ok, err, on)
	}
	found := must[[]crm.Contact](t)(c.SearchContacts(t.Context(), maria().Phone))
	if len(found) != 1 || found[0].Key != customer || len(found[0].Phones) != 1 {
		t.Errorf("by number %+v, want the contact with its key", found)
	}
	a.DeleteContact(string(on))
	if err := c.FillContact(t.Context(), on, maria()); !errors.Is(err, crm.ErrGone) {
		t.Errorf("fill a deleted contact: %v, want ErrGone", err)
	}
}

// TestPastedNumber proves that a number is found whatever is between its digits, with and without phone_validation.
func TestPastedNumber(t *testing.T) {
	for _, typed := range []string{"600\u00a0111\u00a0222", "600\u2013111\u2013222", "+34 600\u2011111\u2011222", "+34\u202f600\u202f111\u202f222"} {
		for _, o := range []sim.Options{{Version: 17}, {Version: 19}, {Version: 19, NoPhoneValidation: true}} {
			a := newAccount(t, o)
			want, _ := a.AddContact("María", typed)
			nobody := func(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", nil }
			if got := must[match.Found](t)(match.Contact(t.Context(), a.connector(), maria(), nobody)); string(got.Ref) != want {
				t.Errorf("%+v: %q isn't found", o, typed)
			}
		}
	}
}

// TestEveryNumber proves that a contact with a landline and a mobile is found by each, and shows both.
func TestEveryNumber(t *testing.T) {
	for _, bare := range []bool{false, true} {
		a := newAccount(t, sim.Options{Version: 17, NoPhoneValidation: bare})
		var id int64
		a.call("res.partner", "create", []any{map[string]any{"name": "María", "phone": "911 22 33 44", "mobile": "+34 600-111-222"}}, nil, &id)
		p := maria().Phone
		p.Digits, p.Ways, p.National = "34911223344", []string{"34911223344"}, []string{"911223344"}
		found := must[[]crm.Contact](t)(a.connector().SearchContacts(t.Context(), p))
		if len(found) != 1 || len(found[0].Phones) != 2 {
			t.Errorf("by the landline: %+v, want one contact with two numbers", found)
		}
		if found := must[[]crm.Contact](t)(a.connector().SearchContacts(t.Context(), maria().Phone)); len(found) != 1 {
			t.Errorf("by the mobile: %+v", found)
		}
	}
}
