package handler

import (
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/route"
)

// amends stores what the customer says of an earlier message, as the router does.
func (r *rig) amends(id string, kind chat.Kind, target, text string) (m chat.Message) {
	r.Helper()
	m = r.received(chat.Message{ID: chat.MessageID(id), Kind: kind, Text: text, ReplyTo: target, At: noon.Add(time.Minute)}, chat.Seen{Phone: ana})
	if _, found, err := r.store.Amend(r.Context(), m); err != nil || !found {
		r.Fatalf("the message that it is about wasn't found (%v)", err)
	}
	return m
}

func TestAReactionShowsOnTheEntryOfItsMessage(t *testing.T) {
	r := newRig(t)
	hello := r.text("wamid.1", "hello")
	r.mustSync(hello)
	r.crm.calls = nil
	reaction := r.amends("wamid.2", chat.KindReaction, "wamid.1", "👍")
	r.mustSync(reaction)
	r.called() // it has no entry of its own
	r.mustSync(hello)
	r.called("update")
	if e := r.entry(hello); e.said().Note != "Reactions: 👍 by the customer." || e.said().Text != "hello" {
		t.Errorf("it shows %+v", e.shows)
	}
}

func TestAnEditShowsInBothPlaces(t *testing.T) {
	r := newRig(t)
	hello := r.text("wamid.1", "helo")
	r.mustSync(hello)
	edit := r.amends("wamid.2", chat.KindEdit, "wamid.1", "hello")
	r.mustSync(edit)
	r.mustSync(hello)
	if e := r.entry(edit); e.said().Text != "Edited a message:\nhello" || e.said().Note != "" {
		t.Errorf("its own entry shows %+v", e.shows)
	}
	if e := r.entry(hello); e.said().Text != "hello" || e.said().Note != "Edited. Before: helo" {
		t.Errorf("the message's entry shows %+v", e.shows)
	}
}

func TestADeletionShowsInBothPlaces(t *testing.T) {
	r := newRig(t)
	hello := r.text("wamid.1", "hello")
	revoke := r.amends("wamid.2", chat.KindRevoke, "wamid.1", "")
	r.mustSync(hello)
	r.mustSync(revoke)
	if e := r.entry(hello); e.said().Text != "hello" || e.said().Note != "The customer deleted this message." {
		t.Errorf("the message's entry shows %+v", e.shows)
	}
	if e := r.entry(revoke); e.said().Text != "Deleted a message" {
		t.Errorf("its own entry shows %+v", e.shows)
	}
}

func TestAReplyShowsWhatItAnswers(t *testing.T) {
	r := newRig(t)
	r.text("wamid.1", "Shall we come?")
	reply := r.received(chat.Message{ID: "wamid.2", Kind: chat.KindText, Text: "yes", ReplyTo: "wamid.1"}, chat.Seen{Phone: ana})
	dangling := r.received(chat.Message{ID: "wamid.3", Kind: chat.KindText, Text: "no", ReplyTo: "wamid.old"}, chat.Seen{Phone: ana})
	r.mustSync(reply)
	r.mustSync(dangling)
	if e := r.entry(reply); e.said().Note != "In reply to: Shall we come?" {
		t.Errorf("it shows %+v", e.shows)
	}
	if e := r.entry(dangling); e.said().Note != "In reply to a message that isn't here." {
		t.Errorf("it shows %+v", e.shows)
	}
}

// TestTheJobBringsTheImportedHistory: entries in the order of their job, whatever else makes one due.
func TestTheJobBringsTheImportedHistory(t *testing.T) {
	r := newRig(t)
	old := r.received(chat.Message{
		ID: "wamid.1", Kind: chat.KindImage, Imported: true, Attachment: &chat.Attachment{State: chat.Pending, MIME: "image/jpeg"},
	}, chat.Seen{Phone: ana})
	r.arrives(old, chat.Stored, "")
	for _, cause := range []string{route.Stored, route.FileHere, "the hash of a receipt"} {
		if err := r.due(old, cause); err != nil {
			t.Fatal(err)
		}
	}
	r.called()
	if err := r.due(old, route.Imported); err != nil {
		t.Fatal(err)
	}
	if e := r.entry(old); len(e.files) != 1 {
		t.Errorf("it shows %+v", e)
	}
	r.crm.calls = nil
	r.change(old, func(m *chat.Message) { m.Text = "the roof" })
	if err := r.due(old, "an edit"); err != nil {
		t.Fatal(err)
	}
	r.called("update")
}
