package handler

import (
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp"
)

// learn is what the router does with an account event.
func (r *rig) learn(name string, f chat.Fact) {
	r.Helper()
	f.Stamp = chat.Stamp{At: r.now, ID: "event " + f.Value}
	if _, _, err := r.store.LearnNumber(r.Context(), "100", "waba", map[string]chat.Fact{name: f}); err != nil {
		r.Fatal(err)
	}
}

func template() chat.Message {
	m := text()
	m.ID, m.Kind, m.Text, m.Content, m.Send.Category = "m_2", chat.KindTemplate, "", []byte(`{"name":"order","language":"es"}`), "utility"
	return m
}

// TestAStoppedNumberWaits: nothing is burnt, and it goes on by itself.
func TestAStoppedNumberWaits(t *testing.T) {
	const first = chat.FactRestriction + ":RESTRICTED_BIZ_INITIATED_MESSAGING"
	for _, test := range []struct {
		name      string
		fact      string
		stop      chat.Fact
		again     *chat.Fact // what ends it; nil: time
		text      bool       // whether an answer leaves meanwhile
		templates bool
	}{
		{"a ban", chat.FactBan, chat.Fact{Value: "DISABLE"}, &chat.Fact{Value: "REINSTATE"}, false, false},
		{"a ban that is announced", chat.FactBan, chat.Fact{Value: "SCHEDULE_FOR_DISABLE"}, nil, true, true},
		{"disconnected", chat.FactStatus, chat.Fact{Value: "DISCONNECTED"}, &chat.Fact{Value: "CONNECTED"}, false, false},
		{"a restriction of what may be begun", first, chat.Fact{Value: "ACTIVE", Until: noon.Add(time.Hour)}, nil, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, c := range []struct {
				m      chat.Message
				leaves bool
			}{{text(), test.text}, {template(), test.templates}} {
				r := newRig(t)
				r.learn(test.fact, test.stop)
				for range 20 {
					if err := r.receive(c.m); (err == nil) != c.leaves {
						t.Fatalf("%s: %v", c.m.Kind, err)
					} else if err != nil && (chat.CodeOf(err) != chat.Unavailable || held(err) > time.Second) {
						t.Fatalf("the queue isn't left to wait with growing gaps: %v", err)
					}
				}
				if c.leaves {
					continue
				}
				if m := r.lookup(c.m.ID); m.Status != chat.Queued || len(r.graph.sent) != 0 {
					t.Fatalf("meanwhile it is %s", m.Status)
				}
				r.now = r.now.Add(2 * time.Hour)
				if test.again != nil {
					r.learn(test.fact, *test.again)
				}
				if err := r.receive(c.m); err != nil || r.lookup(c.m.ID).Status != chat.Accepted {
					t.Errorf("afterwards: %v", err)
				}
			}
		})
	}
}

func TestARefusedTokenShowsAndIsProbedOnceAMinute(t *testing.T) {
	expired := &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 401, Code: 190}
	r := newRig(t, expired, expired)
	number := func() chat.Fact {
		n, _, err := r.store.Health(t.Context(), "100")
		if err != nil {
			t.Fatal(err)
		}
		return n.Facts[chat.FactToken]
	}
	if err := r.receive(text()); err == nil || number().Value != "190" {
		t.Fatalf("%v: the number says %+v", err, number())
	}
	other := text()
	other.ID, other.Conversation = "m_3", "100.01OTHER"
	for range 5 { // other conversations don't try for themselves
		if err := r.receive(other); err == nil {
			t.Fatal("it was sent")
		}
	}
	if len(r.graph.sent) != 1 {
		t.Errorf("%d calls to Meta within a minute", len(r.graph.sent))
	}
	r.now = r.now.Add(time.Minute)
	if err := r.receive(other); err == nil || len(r.graph.sent) != 2 {
		t.Errorf("%d calls to Meta (%v)", len(r.graph.sent), err)
	}
	r.now = r.now.Add(time.Minute)
	if err := r.receive(text()); err != nil || number().Value != tokenWorks {
		t.Errorf("%v: the number says %+v", err, number())
	}
	if r.counts[metric.ConnectorStopped+" Connector whatsapp"] != 2 || r.refreshed != 2 {
		t.Errorf("counted %v, read the token %d times", r.counts, r.refreshed)
	}
}

// customer makes the recipient of the rig's messages known.
func (r *rig) customer() chat.ContactID {
	r.Helper()
	c, err := r.store.Person(r.Context(), chat.Seen{Phone: "34600111222", At: noon, Source: chat.SourceMessage, ID: "1"})
	if err != nil {
		r.Fatal(err)
	}
	return c.ID
}

func (r *rig) says(marketing bool) {
	r.Helper()
	_, err := r.store.Prefer(r.Context(), chat.Seen{Phone: "34600111222", At: r.now, Source: chat.SourceMessage, ID: "2"}, "marketing",
		chat.Consent{Given: marketing, Source: "user_preferences", Stamp: chat.Stamp{At: r.now, ID: "2"}})
	if err != nil {
		r.Fatal(err)
	}
}

func TestStopIsLaw(t *testing.T) {
	promotion := func(r *rig) chat.Message {
		m := template()
		m.Contact, m.Send.Category = r.customer(), "marketing"
		m.Conversation = chat.Direct("100", m.Contact)
		return m
	}
	t.Run("before", func(t *testing.T) {
		r := newRig(t)
		m := promotion(r)
		r.says(false)
		if err := r.receive(m); err != nil {
			t.Fatal(err)
		}
		if m := r.lookup(m.ID); m.Status != chat.Failed || m.Steps[chat.Failed].Error.Code != optedOut || len(r.graph.sent) != 0 {
			t.Errorf("it is %s, %d sent", m.Status, len(r.graph.sent))
		}
	})
	t.Run("other categories", func(t *testing.T) {
		r := newRig(t)
		m := promotion(r)
		m.Send.Category = "utility"
		r.says(false)
		if err := r.receive(m); err != nil || len(r.graph.sent) != 1 {
			t.Errorf("%d sent (%v)", len(r.graph.sent), err)
		}
	})
	t.Run("taken back", func(t *testing.T) {
		r := newRig(t)
		m := promotion(r)
		r.says(false)
		r.now = r.now.Add(time.Second)
		r.says(true)
		if err := r.receive(m); err != nil || len(r.graph.sent) != 1 {
			t.Errorf("%d sent (%v)", len(r.graph.sent), err)
		}
	})
	t.Run("Meta knows of it", func(t *testing.T) {
		r := newRig(t, &whatsapp.Error{Class: whatsapp.ClassPermanent, HTTPStatus: 400, Code: optedOut})
		m := promotion(r)
		if err := r.receive(m); err != nil {
			t.Fatal(err)
		}
		if c, err := r.store.Contact(t.Context(), m.Contact); err != nil || !c.Refuses("marketing") {
			t.Errorf("it isn't noted: %+v (%v)", c.Consent, err)
		}
	})
}

func TestMetasNameForTheRecipientIsKept(t *testing.T) {
	r := newRig(t)
	r.graph.answer = whatsapp.Sent{WAID: "34600111333"}
	m := text()
	m.Contact = r.customer()
	m.Conversation = chat.Direct("100", m.Contact)
	if err := r.receive(m); err != nil {
		t.Fatal(err)
	}
	c, known, err := r.store.FindContact(t.Context(), chat.AliasWAID, "34600111333")
	if err != nil || !known || c.ID != m.Contact {
		t.Errorf("%+v, %t (%v)", c, known, err)
	}
}
