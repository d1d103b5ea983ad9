package handler

import (
	"strings"
	"testing"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// document is a message with a file that was uploaded to us.
func (r *rig) document(id chat.MessageID) chat.Message {
	r.Helper()
	f := store.File{ID: "f_1", Name: "bill.pdf", MIME: "application/pdf", Key: "uploads/f_1", Size: 8}
	if err := r.bucket.Put(r.Context(), f.Key, strings.NewReader("the bill"), f.Size, blob.PutOptions{}); err != nil {
		r.Fatal(err)
	}
	if err := r.store.PutFile(r.Context(), f); err != nil {
		r.Fatal(err)
	}
	m := text()
	m.ID, m.Kind, m.Text = id, chat.KindDocument, "your bill"
	m.Attachment = &chat.Attachment{State: chat.Stored, Key: f.Key, MIME: f.MIME, Name: f.Name, Size: f.Size}
	return m
}

func TestAFileGoesToMetaOnceAMonth(t *testing.T) {
	r := newRig(t)
	for _, id := range []chat.MessageID{"m_1", "m_2"} {
		if err := r.receive(r.document(id)); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.graph.uploaded) != 1 || r.graph.uploaded[0] != "100 bill.pdf application/pdf the bill" {
		t.Fatalf("uploaded %q", r.graph.uploaded)
	}
	for _, m := range r.graph.sent {
		if m.Document == nil || m.Document.ID != "901" || m.Document.Filename != "bill.pdf" || m.Document.Caption != "your bill" {
			t.Errorf("sent %+v", m.Document)
		}
	}
	r.now = r.now.Add(30 * 24 * time.Hour)
	late := r.document("m_3")
	late.At, late.Send.Expires = r.now, r.now.Add(time.Hour)
	if err := r.receive(late); err != nil || len(r.graph.uploaded) != 2 || r.graph.sent[2].Document.ID != "902" {
		t.Errorf("a month later: uploaded %q (%v)", r.graph.uploaded, err)
	}
	other := r.document("m_4")
	other.Conversation, other.At, other.Send.Expires = "200.01CONTACT", r.now, r.now.Add(time.Hour)
	if err := r.receive(other); err != nil || len(r.graph.uploaded) != 3 {
		t.Errorf("another number can't use it: uploaded %q (%v)", r.graph.uploaded, err)
	}
}

// TestAFileThatMetaLost: what was uploaded may be gone before its time. Once per message that is worth a try.
func TestAFileThatMetaLost(t *testing.T) {
	for _, test := range []struct {
		name     string
		code     int
		always   bool // the new upload is refused too
		status   chat.Status
		uploaded int
	}{
		{"it is gone", 100, false, chat.Accepted, 2},
		{"its id isn't one", 131009, false, chat.Accepted, 2},
		{"it isn't accepted", 131053, false, chat.Accepted, 2},
		{"it isn't about the file", 131009, true, chat.Failed, 2},
		{"the recipient", 131026, false, chat.Failed, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			refused := &whatsapp.Error{Class: whatsapp.ClassPermanent, HTTPStatus: 400, Code: test.code}
			r := newRig(t, nil, refused)
			if test.always {
				r.graph.errs = append(r.graph.errs, refused)
			}
			if err := r.receive(r.document("m_1")); err != nil {
				t.Fatal(err)
			}
			m := r.document("m_2")
			if r.drain(m) == 0 {
				t.Fatal("it comes again and again")
			}
			if now := r.lookup("m_2"); now.Status != test.status || len(r.graph.uploaded) != test.uploaded {
				t.Errorf("it is %s, uploaded %q", now.Status, r.graph.uploaded)
			}
			if last := r.graph.sent[len(r.graph.sent)-1].Document; test.uploaded == 2 && last.ID != "902" {
				t.Errorf("sent with %s", last.ID)
			}
		})
	}
}

// TestAFailedUploadSendsNothing: it isn't ambiguous, whatever became of it.
func TestAFailedUploadSendsNothing(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		status chat.Status // afterwards
		waits  bool
	}{
		{"an answer that got lost", &whatsapp.Error{Class: whatsapp.ClassAmbiguous}, chat.Queued, true},
		{"Meta is down", &whatsapp.Error{Class: whatsapp.ClassTransient, HTTPStatus: 503}, chat.Queued, true},
		{"the token", &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 401, Code: 190}, chat.Queued, true},
		{"the file isn't one", &whatsapp.Error{Class: whatsapp.ClassPermanent, HTTPStatus: 400, Code: 131053}, chat.Failed, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.graph.uploadErr = test.err
			m := r.document("m_1")
			if err := r.receive(m); (err != nil) != test.waits {
				t.Errorf("it waits with %v", err)
			}
			if now := r.lookup(m.ID); now.Status != test.status || now.Send.Attempt != 0 || len(r.graph.sent) != 0 {
				t.Errorf("it is %s after %d attempts", now.Status, now.Send.Attempt)
			}
		})
	}
	t.Run("it is gone", func(t *testing.T) {
		r := newRig(t)
		m := r.document("m_1")
		m.Attachment.Key = "uploads/f_other"
		if err := r.receive(m); err != nil || r.lookup(m.ID).Status != chat.Failed {
			t.Errorf("it is %s (%v)", r.lookup(m.ID).Status, err)
		}
	})
}

func TestAReactionShowsOnItsMessage(t *testing.T) {
	r := newRig(t)
	received, err := r.store.Receive(t.Context(), store.Inbound{
		Message: chat.Message{
			ID: "wamid.in", ProviderID: "wamid.in", At: noon, Direction: chat.In, Kind: chat.KindText, Text: "thanks", Status: chat.Delivered,
		},
		Number: "100", Seen: chat.Seen{Phone: "34600111222", At: noon, Source: chat.SourceMessage, ID: "wamid.in"},
		Plan: func(chat.Message) []chat.Effect { return []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}} },
	})
	if err != nil {
		t.Fatal(err)
	}
	m := text()
	m.Contact, m.Conversation = received.Message.Contact, received.Message.Conversation
	m.Kind, m.Text, m.ReplyTo = chat.KindReaction, "❤️", "wamid.in"
	for range 2 {
		if err := r.receive(m); err != nil {
			t.Fatal(err)
		}
	}
	if out := r.graph.sent[0]; out.ReplyTo != "" || out.Reaction == nil || out.Reaction.MessageID != "wamid.in" || out.Reaction.Emoji != "❤️" {
		t.Errorf("sent %+v", out)
	}
	if now, err := r.store.Message(t.Context(), m.Conversation, store.SortKey(received.Message)); err != nil || now.Reactions["out"].Emoji != "❤️" {
		t.Errorf("the message has %+v", now.Reactions)
	}
	if len(r.crm.entries) != 4 || r.crm.entries[0].DedupID == r.crm.entries[1].DedupID {
		t.Errorf("the CRM is told %d times", len(r.crm.entries))
	}
}

func TestReadAndTyping(t *testing.T) {
	ask := func(r *rig, typing bool) error {
		var l lane
		if err := send.Read(t.Context(), &l, send.Seen{Conversation: "100.a", ProviderID: "wamid.in", Typing: typing, At: noon}); err != nil {
			t.Fatal(err)
		}
		return r.h.Handle(t.Context(), queue.Message{Body: l.entries[0].Body, Receives: 1})
	}
	r := newRig(t)
	if err := ask(r, true); err != nil || len(r.graph.typed) != 1 || len(r.graph.read) != 0 {
		t.Errorf("typed %q, read %q (%v)", r.graph.typed, r.graph.read, err)
	}
	r.now = noon.Add(typingFor)
	if err := ask(r, true); err != nil || len(r.graph.typed) != 1 || len(r.graph.read) != 1 {
		t.Errorf("too late to type: typed %q, read %q (%v)", r.graph.typed, r.graph.read, err)
	}
	r = newRig(t)
	r.graph.readErr = &whatsapp.Error{Class: whatsapp.ClassTransient, HTTPStatus: 500}
	if err := ask(r, false); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("Meta is down: %v", err)
	}
	r.now = noon.Add(2 * time.Minute)
	if err := ask(r, false); err != nil {
		t.Errorf("a courtesy isn't repeated for ever: %v", err)
	}
	r = newRig(t)
	r.learn(chat.FactBan, chat.Fact{Value: "DISABLE"})
	if err := ask(r, true); err != nil || len(r.graph.typed)+len(r.graph.read) != 0 {
		t.Errorf("from a number that is banned: typed %q, read %q (%v)", r.graph.typed, r.graph.read, err)
	}
	r = newRig(t)
	r.graph.readErr = &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 401, Code: 190}
	for range 2 {
		if err := ask(r, false); err != nil || len(r.graph.read) != 1 {
			t.Errorf("Meta refuses the token: read %q (%v)", r.graph.read, err)
		}
	}
	if n, _, err := r.store.Health(t.Context(), "100"); err != nil || n.Facts[chat.FactToken].Value != "190" || r.refreshed != 1 {
		t.Errorf("the number says %+v, the token was read %d times (%v)", n.Facts, r.refreshed, err)
	}
	r = newRig(t)
	r.graph.readErr = &whatsapp.Error{Class: whatsapp.ClassPermanent, HTTPStatus: 400, Code: 131009}
	if err := ask(r, false); err != nil {
		t.Errorf("a message that Meta has forgotten: %v", err)
	}
}
