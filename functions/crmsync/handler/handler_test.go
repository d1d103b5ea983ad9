package handler

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

func TestAnEntryIsMadeOnce(t *testing.T) {
	r := newRig(t)
	m := r.text("wamid.1", "hello")
	r.mustSync(m)
	r.called("key", "search", "contact", "entry")
	r.mustSync(m)
	r.called()
	e := r.entry(m)
	if s := e.said(); s.Text != "hello" || s.Author != "Test Customer" || !e.shows.At.Equal(noon) || s.Direction != chat.In || s.Note != "" {
		t.Errorf("it shows %+v", e.shows)
	}
	if p := r.crm.people[e.on]; p.Key != m.Contact || p.Phone.Digits != ana || p.Name != "Test Customer" {
		t.Errorf("it is on the record of %+v", p)
	}
	r.mustSync(r.text("wamid.2", "again"))
	r.called("entry") // the contact is known
}

func TestAFileCompletesItsEntry(t *testing.T) {
	for _, test := range []struct {
		state  chat.FileState
		reason string
		note   string
		files  int
	}{
		{chat.Stored, "", "", 1},
		{chat.Unverified, "it is image/png", "The file may not be what was sent: it is image/png.", 1},
		{chat.FileFailed, "Meta doesn't give it out (code 100)", "The file could not be fetched: Meta doesn't give it out (code 100).", 0},
	} {
		t.Run(string(test.state), func(t *testing.T) {
			r := newRig(t)
			m := r.photo()
			r.mustSync(m)
			if e := r.entry(m); e.said().Text != "Photo" || e.said().Note != "The file is arriving." || len(e.files) != 0 {
				t.Errorf("meanwhile it shows %+v", e)
			}
			r.crm.calls = nil
			r.arrives(m, test.state, test.reason)
			r.mustSync(m)
			e := r.entry(m)
			if e.said().Note != test.note || len(e.files) != test.files {
				t.Errorf("it shows %+v", e)
			}
			if test.files == 1 {
				r.called("file", "update")
				if got := r.crm.files[e.files[0]]; got != entryKey(m)+" photo.jpg image/jpeg the bytes" {
					t.Errorf("the file is %q", got)
				}
			} else {
				r.called("update")
			}
			r.mustSync(m)
			r.called()
		})
	}
	for filesFirst, want := range map[bool][]string{
		false: {"key", "search", "contact", "entry", "file", "update"},
		true:  {"key", "search", "contact", "file", "entry"},
	} {
		t.Run(fmt.Sprint("there from the start, files first: ", filesFirst), func(t *testing.T) {
			r := newRig(t)
			r.crm.can.FilesFirst = filesFirst
			m := r.photo()
			r.arrives(m, chat.Stored, "")
			r.mustSync(m)
			r.called(want...)
			if e := r.entry(m); len(e.files) != 1 {
				t.Errorf("it shows %+v", e)
			}
		})
	}
}

func TestWhatWeSent(t *testing.T) {
	at := noon.Add(time.Minute)
	for _, test := range []struct {
		name   string
		change func(*chat.Message)
		due    bool
		note   string
	}{
		{"not yet accepted", func(m *chat.Message) {}, false, ""},
		{"its outcome is unknown", func(m *chat.Message) { m.Reach(chat.Unknown, at, nil) }, true, "May have been delivered: WhatsApp's answer was lost."},
		{"refused at once", func(m *chat.Message) { m.Reach(chat.Failed, at, &chat.Problem{Code: 131047, Reason: "r"}) }, false, ""},
		{"accepted", func(m *chat.Message) { m.ProviderID = "w"; m.Reach(chat.Accepted, at, nil) }, true, ""},
		{"unknown until a receipt", func(m *chat.Message) {
			m.Reach(chat.Unknown, at, nil)
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Delivered, At: at})
		}, true, ""},
		{"undelivered", func(m *chat.Message) {
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Failed, At: at, Error: &chat.Problem{Code: 131026, Reason: "Message undeliverable"}})
		}, true, "Not delivered: Message undeliverable."},
		{"undelivered, in a whole sentence", func(m *chat.Message) {
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Failed, At: at, Error: &chat.Problem{Code: 131049, Reason: "It was not delivered."}})
		}, true, "Not delivered: It was not delivered."},
		{"undelivered, with a code", func(m *chat.Message) {
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Failed, At: at, Error: &chat.Problem{Code: 131026}})
		}, true, "Not delivered: code 131026."},
		{"undelivered, without a word", func(m *chat.Message) {
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Failed, At: at})
		}, true, "Not delivered."},
		{"failed, and delivered after all", func(m *chat.Message) {
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Failed, At: at})
			m.Apply(chat.Receipt{ProviderID: "w", Status: chat.Delivered, At: at})
		}, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			first := r.text("wamid.1", "hello")
			m, _, err := r.store.Queue(t.Context(), chat.Message{
				ID: "m_1", Conversation: first.Conversation, Contact: first.Contact, At: noon, Direction: chat.Out, Kind: chat.KindText,
				Text: "answer", Status: chat.Queued, Send: &chat.Send{To: chat.Address{Phone: ana}},
			})
			if err != nil {
				t.Fatal(err)
			}
			r.change(m, test.change)
			r.mustSync(m)
			if !test.due {
				r.called()
				return
			}
			if e := r.entry(m); e.said().Author != "Company" || e.said().Text != "answer" || e.said().Note != test.note || e.said().Direction != chat.Out {
				t.Errorf("it shows %+v", e.shows)
			}
		})
	}
}

func TestNothingToSync(t *testing.T) {
	r := newRig(t)
	m := r.text("wamid.1", "hello")
	gone := m
	gone.ID = "wamid.gone"
	for name, ref := range map[string]route.Ref{
		"a connector that isn't configured": route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectCRM, Target: "odoo"}, route.Stored),
		"past its retention":                route.NewRef(gone, store.SortKey(gone), chat.Effect{Kind: chat.EffectCRM, Target: "fake"}, route.Stored),
	} {
		if err := r.h.Handle(t.Context(), queue.Message{Body: ref.Body()}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.called()
	}
	var passing interface{ Temporary() bool }
	if err := r.h.Handle(t.Context(), queue.Message{Body: []byte(`{"v":2}`)}); err == nil || errors.As(err, &passing) {
		t.Errorf("garbage: %v", err)
	}
}

// TestMoreIsLearntOfAPerson: the record is completed with the next message.
func TestMoreIsLearntOfAPerson(t *testing.T) {
	r := newRig(t)
	by := func(id string, seen chat.Seen) chat.Message {
		return r.received(chat.Message{ID: chat.MessageID(id), Kind: chat.KindText, Text: "x", At: noon.Add(time.Duration(len(r.crm.entries)) * time.Minute)}, seen)
	}
	m := by("wamid.1", chat.Seen{BSUID: "ES.abc"})
	r.mustSync(m)
	on := r.entry(m).on
	if p := r.crm.people[on]; p.Name != "" || p.Phone.Known() || p.Key != m.Contact {
		t.Errorf("at first it is %+v", p)
	}
	if e := r.entry(m); e.said().Author != "Customer" {
		t.Errorf("written by %s", e.said().Author)
	}
	for i, seen := range []chat.Seen{
		{BSUID: "ES.abc", Username: "user"},
		{BSUID: "ES.abc", Username: "user", Name: "Test Customer"},
		{BSUID: "ES.abc", Username: "user", Name: "Test Customer", Phone: ana},
	} {
		r.crm.calls = nil
		m := by(fmt.Sprintf("wamid.2%d", i), seen)
		r.mustSync(m)
		r.called("fill", "entry")
		if p := r.crm.people[on]; p.Username != seen.Username || p.Name != seen.Name || p.Phone.Digits != seen.Phone {
			t.Errorf("after %+v it is %+v", seen, p)
		}
		if want := map[bool]string{true: "@user", false: "Test Customer"}[i == 0]; r.entry(m).said().Author != want {
			t.Errorf("written by %s", r.entry(m).said().Author)
		}
	}
	r.mustSync(by("wamid.3", chat.Seen{BSUID: "ES.abc"}))
	r.called("entry") // it says nothing new
}

// TestOfTwoThatAreOneTheSurvivorHasTheRecord: what was made stays where it is, what comes goes to the survivor.
func TestOfTwoThatAreOneTheSurvivorHasTheRecord(t *testing.T) {
	r := newRig(t)
	elder := r.received(chat.Message{ID: "wamid.1", Kind: chat.KindText, Text: "1"}, chat.Seen{BSUID: "ES.abc"})
	younger := r.received(chat.Message{
		ID: "wamid.2", Kind: chat.KindImage, Attachment: &chat.Attachment{State: chat.Pending, MediaID: "900"},
	}, chat.Seen{Phone: ana})
	late := r.received(chat.Message{ID: "wamid.3", Kind: chat.KindText, Text: "3"}, chat.Seen{Phone: ana})
	r.mustSync(elder)
	r.mustSync(younger)
	before := r.entry(younger).on
	if before == r.entry(elder).on {
		t.Fatal("they are one before anybody knows")
	}
	both := r.received(chat.Message{ID: "wamid.4", Kind: chat.KindText, Text: "4", At: noon.Add(time.Minute)}, chat.Seen{BSUID: "ES.abc", Phone: ana})
	if both.Contact != elder.Contact {
		t.Fatalf("the survivor is %s, want the elder", both.Contact)
	}
	r.arrives(younger, chat.Stored, "")
	for _, m := range []chat.Message{younger, late, both} {
		r.mustSync(m)
	}
	if e := r.entry(younger); e.on != before || len(e.files) != 1 {
		t.Errorf("what was begun is now %+v", e)
	}
	on := r.entry(elder).on
	if r.entry(late).on != on || r.entry(both).on != on {
		t.Errorf("what came is on %s and %s, want %s", r.entry(late).on, r.entry(both).on, on)
	}
	if p := r.crm.people[on]; p.Phone.Digits != ana || p.Key != elder.Contact {
		t.Errorf("the survivor's record is %+v", p)
	}
}
