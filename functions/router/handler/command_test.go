package handler

import (
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// do gives the router a command, twice: it comes twice in the end.
func (r *rig) do(c route.Command) {
	r.Helper()
	c.ID = "request"
	if c.At.IsZero() {
		c.At = r.now
	}
	for range 2 {
		if err := r.h.Handle(r.Context(), queue.Message{Body: c.Body(), Receives: 1}); err != nil {
			r.Fatal(err)
		}
	}
}

func TestMergeAndUnmerge(t *testing.T) {
	r := newRig(t)
	r.message(`{"id":"w1","from":"34600111222",` + at + `,"type":"text","text":{"body":"x"}}`)
	r.message(`{"id":"w2","from_user_id":"ES.abc",` + at + `,"type":"text","text":{"body":"y"}}`)
	one, two := r.lookup("w1").Contact, r.lookup("w2").Contact
	r.do(route.Command{Command: route.Merge, Contact: two, With: one})
	if c, err := r.store.Contact(t.Context(), two); err != nil || c.ID != min(one, two) {
		t.Fatalf("after joining it is %s (%v)", c.ID, err)
	}
	r.now = r.now.Add(time.Hour)
	r.do(route.Command{Command: route.Unmerge, Contact: max(one, two)})
	for _, id := range []chat.ContactID{one, two} {
		if c, err := r.store.Contact(t.Context(), id); err != nil || c.ID != id {
			t.Errorf("after separating, %s is %s (%v)", id, c.ID, err)
		}
	}
}

func TestCommandsAboutNothing(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	m := r.lookup("wamid.1")
	for _, c := range []route.Command{
		{Command: route.Merge, Contact: "nobody", With: m.Contact},
		{Command: route.Merge, Contact: m.Contact, With: m.Contact},
		{Command: route.Unmerge, Contact: "nobody"},
		{Command: route.Unmerge, Contact: m.Contact},
		{Command: route.Refetch, Conversation: m.Conversation, Message: "MSG#nothing"},
		{Command: route.Refetch, Conversation: m.Conversation, Message: store.SortKey(m)}, // has no file
	} {
		r.do(c)
	}
	if len(r.media.entries) != 0 {
		t.Errorf("%d files are fetched", len(r.media.entries))
	}
	bad := route.Command{Command: "explode", At: noon, ID: "1"}
	if err := r.h.Handle(t.Context(), queue.Message{Body: bad.Body()}); err == nil {
		t.Error("a command of tomorrow is done")
	}
	if err := r.h.Handle(t.Context(), queue.Message{Body: []byte(`{"v":1,"kind":"command"}`)}); err == nil {
		t.Error("a command without an id is done")
	}
}

// TestRefetch: a file that failed is fetched once more while Meta may have it.
func TestRefetch(t *testing.T) {
	for _, test := range []struct {
		name    string
		state   chat.FileState
		mediaID string
		age     time.Duration
		fetched bool
	}{
		{"failed", chat.FileFailed, "9", time.Hour, true},
		{"on its way", chat.Pending, "9", time.Hour, true},
		{"here", chat.Stored, "9", time.Hour, false},
		{"gone from Meta", chat.FileFailed, "9", 8 * 24 * time.Hour, false},
		{"never named", chat.FileFailed, "", time.Hour, false},
	} {
		r := newRig(t)
		r.message(`{"id":"w1","from":"34600111222",` + at + `,"type":"image","image":{"id":"` + test.mediaID + `"}}`)
		m := r.lookup("w1")
		m, err := r.store.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
			m.Attachment.State, m.Attachment.Reason = test.state, "reason"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r.media.entries, r.crm.entries = nil, nil
		r.do(route.Command{Command: route.Refetch, Conversation: m.Conversation, Message: store.SortKey(m), At: m.At.Add(test.age)})
		want := 0
		if test.fetched {
			want = 2 // the same twice
		}
		if len(r.media.entries) != want || len(r.crm.entries) != 0 {
			t.Errorf("%s: %d entries", test.name, len(r.media.entries))
		}
		got := r.lookup("w1").Attachment
		if again := test.state == chat.FileFailed && test.fetched; again != (got.State == chat.Pending && got.Reason == "") && test.state != chat.Pending {
			t.Errorf("%s: it is %s, %q", test.name, got.State, got.Reason)
		}
	}
	imported := chat.Message{Imported: true, At: noon.Add(-100 * 24 * time.Hour), Attachment: &chat.Attachment{State: chat.FileFailed, MediaID: "9"}}
	if !fetchable(imported, noon) {
		t.Error("an old message's file is named later: Meta may have it")
	}
}
