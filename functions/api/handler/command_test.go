package handler

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/route"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// commands are what the router is to do.
func (r *rig) commands() []route.Command {
	r.Helper()
	var out []route.Command
	for _, e := range r.inbox.entries {
		c, err := route.ParseCommand(e.Body)
		if err != nil {
			r.Fatal(err)
		}
		if e.Group != c.Group() || len(e.DedupID) != 64 {
			r.Errorf("group %s, dedup id %s", e.Group, e.DedupID)
		}
		out = append(out, c)
	}
	return out
}

// asked returns the only command, which an answer told of.
func (r *rig) asked(a answer) route.Command {
	r.Helper()
	var d done
	a.want(http.StatusAccepted, &d)
	all := r.commands()
	if len(all) == 0 {
		r.Fatal("nothing was asked for")
	}
	c := all[len(all)-1]
	if d.ID != c.ID || d.Status != "queued" || !c.At.Equal(r.now) {
		r.Errorf("answered %+v of %+v", d, c)
	}
	return c
}

// two makes two contacts, the older one first.
func (r *rig) two() (chat.ContactID, chat.ContactID) {
	r.Helper()
	return r.receive("w1", chat.Seen{Phone: ana}, nil).Contact, r.receive("w2", chat.Seen{BSUID: "ES.1"}, nil).Contact
}

func (r *rig) merge(one, other chat.ContactID, headers ...string) answer {
	r.Helper()
	return r.call("POST", "/api/v1/contacts/"+string(one)+"/merge", `{"with":"`+string(other)+`"}`, headers...)
}

func (r *rig) unmerge(id chat.ContactID, headers ...string) answer {
	r.Helper()
	return r.call("POST", "/api/v1/contacts/"+string(id)+"/unmerge", "", headers...)
}

// execute does what the router does with a merge or an unmerge.
func (r *rig) execute(c route.Command) {
	r.Helper()
	by := chat.Stamp{At: c.At, ID: c.ID}
	var err error
	if c.Command == route.Merge {
		_, err = r.store.Join(r.Context(), c.Contact, c.With, by)
	} else {
		_, err = r.store.Part(r.Context(), c.Contact, by)
	}
	if err != nil {
		r.Fatal(err)
	}
}

func TestMergeAndUnmerge(t *testing.T) {
	r := newRig(t)
	a, b := r.two()
	c := r.asked(r.merge(b, a))
	if c.Command != route.Merge || c.Contact != b || c.With != a {
		t.Errorf("%+v", c)
	}
	r.merge(a, b).want(http.StatusAccepted, nil) // nothing has happened yet
	r.execute(c)
	r.merge(a, b).refused(http.StatusConflict, "conflict", "these are one contact already")
	var joined contactView
	if r.get("/api/v1/contacts/"+string(b)).want(http.StatusOK, &joined); joined.ID != a || len(joined.Joined) != 1 || joined.Joined[0] != b || len(joined.Identities) != 2 {
		t.Errorf("%+v", joined)
	}

	r.now = r.now.Add(time.Minute)
	r.unmerge(a).refused(http.StatusConflict, "conflict", "name the one that was joined")
	c = r.asked(r.unmerge(b))
	if c.Command != route.Unmerge || c.Contact != b || c.With != "" {
		t.Errorf("%+v", c)
	}
	r.execute(c)
	r.unmerge(b).refused(http.StatusConflict, "conflict", "isn't joined")
	if len(r.queue.entries) > 0 {
		t.Error("something is to be sent")
	}
}

func TestMergeOfNobody(t *testing.T) {
	r := newRig(t)
	a, _ := r.two()
	r.merge("01NOBODY", a).refused(http.StatusNotFound, "notfound", "there is no such contact")
	r.merge(a, "01NOBODY").refused(http.StatusBadRequest, "invalid", "with: there is no such contact")
	r.merge(a, chat.ContactID(strings.Repeat("x", 5000))).refused(http.StatusBadRequest, "invalid", "with: there is no such contact")
	r.merge(a, a).refused(http.StatusBadRequest, "invalid", "with: a contact can't be joined with itself")
	r.unmerge("01NOBODY").refused(http.StatusNotFound, "notfound", "there is no such contact")
	for body, says := range map[string]string{``: "empty", `{}`: "with: there is no such contact", `{"with":5}`: `"with" must be a string`, `{"contact":"x"}`: "unknown field"} {
		r.callBadly("POST", "/api/v1/contacts/"+string(a)+"/merge", body).refused(http.StatusBadRequest, "invalid", says)
	}
	if len(r.inbox.entries) > 0 {
		t.Errorf("%d commands", len(r.inbox.entries))
	}
}

// The same request under the same key is answered the same, before and after it was done, and queued as one.
func TestCommandsUnderAKey(t *testing.T) {
	r := newRig(t)
	a, b := r.two()
	const header, key = "Idempotency-Key", "merge 7"
	for _, ask := range []func() answer{
		func() answer { return r.merge(a, b, header, key) },
		func() answer { return r.unmerge(b, header, key) },
	} {
		first := ask()
		c := r.asked(first)
		r.now = r.now.Add(time.Minute)
		before := len(r.inbox.entries)
		if again := ask(); again.status != first.status || !bytes.Equal(again.body, first.body) {
			t.Errorf("before it is done: %d %s", again.status, again.body)
		}
		if e := r.inbox.entries; e[len(e)-1].DedupID != e[before-1].DedupID {
			t.Error("SQS doesn't see that it is the same")
		}
		r.execute(c)
		before = len(r.inbox.entries)
		if again := ask(); again.status != first.status || !bytes.Equal(again.body, first.body) || len(r.inbox.entries) != before {
			t.Errorf("after it: %d %s", again.status, again.body)
		}
		r.now = r.now.Add(time.Minute)
	}
	r.unmerge(b, header, "another").refused(http.StatusConflict, "conflict", "isn't joined")
}

// What somebody decided since isn't undone by a request that comes again, at any time and in whatever state it finds them.
func TestARepeatedCommandUndoesNothing(t *testing.T) {
	r := newRig(t)
	a, b := r.two()
	const header = "Idempotency-Key"
	merge := func() answer { return r.merge(a, b, header, "merge 7") }
	unmerge := func() answer { return r.unmerge(b, header, "unmerge 7") }
	joined := func() bool {
		c, err := r.store.Contact(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		return c.ID == a
	}
	// again repeats a request and does what it queues, if anything.
	again := func(ask func() answer, first answer, want bool) {
		t.Helper()
		r.now = r.now.Add(time.Hour)
		before := len(r.inbox.entries)
		if now := ask(); now.status != first.status || !bytes.Equal(now.body, first.body) {
			t.Errorf("answered %d %s", now.status, now.body)
		}
		for _, c := range r.commands()[before:] {
			r.execute(c)
		}
		if joined() != want {
			t.Errorf("they are joined: %t", !want)
		}
	}
	merged := merge()
	r.execute(r.asked(merged))
	r.now = r.now.Add(time.Hour)
	parted := unmerge()
	r.execute(r.asked(parted))
	again(merge, merged, false)
	again(unmerge, parted, false)
	r.now = r.now.Add(time.Hour)
	r.execute(r.asked(r.merge(a, b)))
	again(unmerge, parted, true)
	again(merge, merged, true)
	r.merge(a, b, header, "another").refused(http.StatusConflict, "conflict", "these are one contact already")
}

// A key that was used for something else doesn't make SQS drop a request.
func TestOneKeyForTwoCommands(t *testing.T) {
	r := newRig(t)
	a, b := r.two()
	c := r.receive("w3", chat.Seen{BSUID: "ES.2"}, nil).Contact
	r.merge(a, b, "Idempotency-Key", "k").want(http.StatusAccepted, nil)
	r.merge(a, c, "Idempotency-Key", "k").want(http.StatusAccepted, nil)
	r.merge(c, a, "Idempotency-Key", "k").want(http.StatusAccepted, nil)
	r.merge(a, b).want(http.StatusAccepted, nil)
	r.merge(a, b).want(http.StatusAccepted, nil)
	seen := map[string]bool{}
	for _, e := range r.inbox.entries {
		if seen[e.DedupID] {
			t.Error("two requests are one entry")
		}
		seen[e.DedupID] = true
	}
}

func TestCommandsOutOfReach(t *testing.T) {
	r := newRig(t)
	a, b := r.two()
	r.inbox.err, r.queue.err = errors.New("no connection"), errors.New("no connection")
	r.merge(a, b).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	conversation := string(chat.Direct(ourNumber, a))
	r.call("POST", "/api/v1/conversations/"+conversation+"/read", `{}`).refused(http.StatusServiceUnavailable, "unavailable", "try again")
}

func TestRefetch(t *testing.T) {
	failed := chat.Attachment{State: chat.FileFailed, MediaID: "77", Reason: "gone"}
	for _, c := range []struct {
		name  string
		file  chat.Attachment
		later time.Duration
		says  string
	}{
		{name: "failed", file: failed},
		{name: "failed a week ago", file: failed, later: whatsapp.MediaLife, says: "7 days"},
		{name: "failed six days ago", file: failed, later: whatsapp.MediaLife - time.Second},
		{name: "pending", file: chat.Attachment{State: chat.Pending, MediaID: "77"}, says: "the file is here, or on its way"},
		{name: "stored", file: chat.Attachment{State: chat.Stored, MediaID: "77", Key: "media/1"}, says: "the file is here"},
		{name: "never named", file: chat.Attachment{State: chat.FileFailed}, says: "no file"},
		{name: "the company's own", file: chat.Attachment{State: chat.Remote, MediaID: "77"}, says: "no file"},
	} {
		r := newRig(t)
		r.receiveFile("wamid.1", c.file)
		r.now = noon.Add(c.later)
		a := r.call("POST", "/api/v1/messages/wamid.1/refetch", "")
		if c.says != "" {
			a.refused(http.StatusConflict, "conflict", c.says)
			continue
		}
		m, err := r.store.Lookup(t.Context(), "wamid.1")
		if err != nil {
			t.Fatal(err)
		}
		if got := r.asked(a); got.Command != route.Refetch || got.Conversation != m.Conversation || got.Message != store.SortKey(m) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

// Ids hold slashes, which API Gateway passes on decoded.
func TestRefetchOfAnyMessage(t *testing.T) {
	for _, id := range []string{"wamid.A/B+C//D==", "wamid./refetch", "wamid.a b?c#d"} {
		r := newRig(t)
		r.receiveFile(id, chat.Attachment{State: chat.FileFailed, MediaID: "77"})
		first := r.asked(r.call("POST", "/api/v1/messages/"+url.PathEscape(id)+"/refetch", ""))
		var out done
		r.invoke(event("POST", "/api/v1/messages/"+id+"/refetch", "", "", nil), http.StatusAccepted, &out)
		if all := r.commands(); len(all) != 2 || all[1].Message != first.Message || all[1].Conversation != first.Conversation || all[1].ID != out.ID {
			t.Errorf("%s: %+v", id, all)
		}
	}
}

func TestRefetchOfNothing(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("wamid.text", chat.Seen{Phone: ana}, nil)
	refetch := func(id string, headers ...string) answer {
		return r.call("POST", "/api/v1/messages/"+id+"/refetch", "", headers...)
	}
	refetch("wamid.text").refused(http.StatusConflict, "conflict", "no file")
	refetch("wamid.nothing").refused(http.StatusNotFound, "notfound", "no such message")
	refetch(string(r.post(text).sent())).refused(http.StatusConflict, "conflict", "no file")
}

func TestRefetchUnderAKey(t *testing.T) {
	r := newRig(t)
	r.receiveFile("wamid.1", chat.Attachment{State: chat.FileFailed, MediaID: "77"})
	ask := func() answer { return r.call("POST", "/api/v1/messages/wamid.1/refetch", "", "Idempotency-Key", "k") }
	first := ask()
	r.asked(first)
	m, err := r.store.Lookup(t.Context(), "wamid.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
		m.Attachment.State = chat.Pending
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if again := ask(); again.status != first.status || !bytes.Equal(again.body, first.body) || len(r.inbox.entries) != 1 {
		t.Errorf("%d %s", again.status, again.body)
	}
}

// A file that was imported is younger than its message.
func TestRefetchOfAnImportedFile(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	r.receive("wamid.1", chat.Seen{Phone: ana, At: noon.AddDate(0, -3, 0)}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.Imported = chat.KindImage, true
		in.Message.Attachment = &chat.Attachment{State: chat.FileFailed, MediaID: "77"}
	})
	r.asked(r.call("POST", "/api/v1/messages/wamid.1/refetch", ""))
}

func TestRead(t *testing.T) {
	r := newRig(t)
	m := r.receive("wamid.1", chat.Seen{Phone: ana}, nil)
	r.receive("wamid.2", chat.Seen{Phone: ana, At: noon.Add(time.Second)}, nil)
	r.now = noon.Add(time.Minute)
	read := func(conversation chat.ConversationID, body string, headers ...string) answer {
		r.Helper()
		return r.callBadly("POST", "/api/v1/conversations/"+string(conversation)+"/read", body, headers...)
	}
	var bodies []string
	for i, body := range []string{`{}`, `{"typing":false}`, `{"typing":true}`} {
		bodies = append(bodies, string(read(m.Conversation, body, "Idempotency-Key", "k").want(http.StatusAccepted, nil).body))
		e, err := send.Parse(r.queue.entries[i].Body)
		want := send.Seen{Conversation: m.Conversation, ProviderID: "wamid.2", Typing: i == 2, At: r.now}
		if err != nil || e.Seen == nil || *e.Seen != want {
			t.Errorf("%s: %+v, %v", body, e.Seen, err)
		}
	}
	if bodies[0] != bodies[1] || bodies[0] != bodies[2] {
		t.Errorf("%v", bodies)
	}
	read("100.01NOBODY", `{}`).refused(http.StatusNotFound, "notfound", "no such conversation")
	read(m.Conversation, ``).refused(http.StatusBadRequest, "invalid", "empty")
	read(m.Conversation, `{"typing":"yes"}`).refused(http.StatusBadRequest, "invalid", `"typing" must be true or false`)
	fresh := r.post(`{"to":"+34600111999","text":"hello"}`).sent()
	sent, err := r.store.Lookup(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	read(sent.Conversation, `{}`).refused(http.StatusConflict, "conflict", "no message of the customer")
}
