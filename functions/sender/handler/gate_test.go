package handler

import (
	"errors"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/send"
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
					} else if all := !test.text && !test.templates; err != nil && all && (chat.CodeOf(err) != chat.Unavailable || held(err) < shortGap) {
						t.Fatalf("it doesn't wait for a while: %v", err)
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

// TestWhatIsStoppedMakesWay: behind a template that may not leave stands an answer that may, and the other way round.
func TestWhatIsStoppedMakesWay(t *testing.T) {
	const first, answers = chat.FactRestriction + ":RESTRICTED_BIZ_INITIATED_MESSAGING", chat.FactRestriction + ":RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
	for fact, m := range map[string]chat.Message{first: template(), answers: text()} {
		for _, lifted := range []bool{false, true} {
			r := newRig(t)
			r.learn(fact, chat.Fact{Value: "RESTRICTED", Until: noon.Add(30 * 24 * time.Hour)})
			for range 9 {
				if err := r.receive(m); err == nil || held(err) != time.Minute {
					t.Fatalf("%s: it waits with %v", m.Kind, err)
				}
				r.now = r.now.Add(time.Minute)
			}
			if r.now = noon.Add(patience - time.Second); lifted {
				r.learn(fact, chat.Fact{})
			} else if err := r.receive(m); held(err) != time.Second {
				t.Errorf("%s: it waits with %v", m.Kind, err)
			}
			r.now = noon.Add(patience)
			if err := r.receive(m); err != nil {
				t.Fatal(err)
			}
			now := r.lookup(m.ID)
			if lifted && now.Status != chat.Accepted {
				t.Errorf("%s: in time it is %s", m.Kind, now.Status)
			}
			if p := now.Steps[chat.Failed].Error; !lifted && (now.Status != chat.Failed || p == nil || !strings.Contains(p.Reason, fact) || len(r.graph.sent) != 0) {
				t.Errorf("%s: it is %s, %+v", m.Kind, now.Status, p)
			}
		}
	}
}

// TestTemplatesThatNobodyPaysForStopNoAnswers: answers are free up to a number each month. Meta is asked about templates once
// a minute, however many wait, and an answer that it takes says nothing of them.
func TestTemplatesThatNobodyPaysForStopNoAnswers(t *testing.T) {
	unpaid := &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 400, Code: whatsapp.CodeUnpaid}
	r := newRig(t, unpaid)
	waits := func(m chat.Message, d time.Duration) {
		t.Helper()
		if err := r.receive(m); err == nil || held(err) != d {
			t.Fatalf("%s waits with %v", m.ID, err)
		}
	}
	other := template()
	other.ID, other.Conversation = "m_3", "100.01OTHER"
	waits(template(), time.Minute)
	waits(other, time.Minute)
	if err := r.receive(text()); err != nil || r.lookup("m_1").Status != chat.Accepted {
		t.Fatalf("an answer: %v", err)
	}
	r.now = noon.Add(time.Second) // the answer's acceptance is no word on templates
	waits(other, time.Minute)
	if len(r.graph.sent) != 2 || r.counts[metric.ConnectorStopped+" Connector whatsapp"] != 1 {
		t.Errorf("%d calls to Meta, counted %v", len(r.graph.sent), r.counts)
	}
	if err := r.h.seen(t.Context(), send.Seen{Conversation: "100.01CONTACT", ProviderID: "wamid.in", At: r.now}); err != nil || len(r.graph.read) != 1 {
		t.Errorf("%d are marked as read (%v)", len(r.graph.read), err)
	}
	r.now = noon.Add(patience) // the payment method is there by now, which only a template can tell
	if err := r.receive(other); err != nil || r.lookup("m_3").Status != chat.Accepted {
		t.Fatalf("once somebody pays: %v", err)
	}
	if n, _, err := r.store.Health(t.Context(), "100"); err != nil || n.Facts[chat.FactToken].Value != chat.TokenWorks {
		t.Errorf("the number says %+v (%v)", n.Facts, err)
	}
}

// TestATemplateThatNobodyPaysForMakesWay: an answer stands behind it.
func TestATemplateThatNobodyPaysForMakesWay(t *testing.T) {
	unpaid := &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 400, Code: whatsapp.CodeUnpaid}
	r := newRig(t, unpaid, unpaid)
	if err := r.receive(template()); err == nil {
		t.Fatal("it isn't repeated")
	}
	r.now = noon.Add(patience)
	if err := r.receive(template()); err != nil {
		t.Fatal(err)
	}
	m := r.lookup("m_2")
	if p := m.Steps[chat.Failed].Error; m.Status != chat.Failed || p == nil || p.Code != whatsapp.CodeUnpaid || !strings.Contains(p.Reason, "payment") {
		t.Errorf("it is %s, %+v", m.Status, p)
	}
}

// TestAStopWithoutAnEndIsDoubted: what lifts it may never be told.
func TestAStopWithoutAnEndIsDoubted(t *testing.T) {
	locked := &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 400, Code: 131031}
	r := newRig(t, locked)
	r.learn(chat.FactStatus, chat.Fact{Value: "DISCONNECTED"})
	other := text()
	other.ID, other.Conversation = "m_3", "100.01OTHER"
	waits := func(sent int, when string) {
		t.Helper()
		for range 5 {
			for _, m := range []chat.Message{text(), other} {
				if err := r.receive(m); chat.CodeOf(err) != chat.Unavailable {
					t.Fatalf("%s: %v", when, err)
				}
			}
		}
		if len(r.graph.sent) != sent {
			t.Errorf("%s: %d calls to Meta", when, len(r.graph.sent))
		}
	}
	r.now = noon.Add(doubtEvery - time.Second)
	waits(0, "at first")
	r.now = noon.Add(doubtEvery)
	waits(1, "after a while")
	r.now = r.now.Add(doubtEvery - time.Second)
	waits(1, "soon after that")
	r.now = r.now.Add(time.Minute)
	if err := r.receive(text()); err != nil || len(r.graph.sent) != 2 {
		t.Errorf("Meta takes messages again: %v, %d calls", err, len(r.graph.sent))
	}
	n, _, err := r.store.Health(t.Context(), "100")
	if f := n.Facts[chat.FactStatus]; err != nil || f.Value != chat.StatusConnected || !f.Stamp.At.Equal(r.now) || n.Facts[chat.FactToken].Value != chat.TokenWorks {
		t.Errorf("the number says %+v (%v)", n.Facts, err)
	}
	if err := r.receive(other); err != nil || len(r.graph.sent) != 3 {
		t.Errorf("the others: %v, %d calls", err, len(r.graph.sent))
	}
}

// TestAStoppedMessageIsLookedAtOften: an answer leaves soon after its number may send again, and the day that it lives at
// most doesn't use up its receives.
func TestAStoppedMessageIsLookedAtOften(t *testing.T) {
	r := newRig(t)
	r.learn(chat.FactStatus, chat.Fact{Value: "BANNED", Until: noon.Add(20 * time.Hour)}) // nobody doubts what has an end
	m := text()
	receives, start := 0, r.now
	for ; r.now.Sub(start) < 19*time.Hour; receives++ {
		var held interface{ Wait() time.Duration }
		if err := r.receive(m); !errors.As(err, &held) {
			t.Fatalf("after %s: %v", r.now.Sub(start), err)
		}
		if late := r.now.Sub(start) < time.Minute && held.Wait() > 8*time.Second; late || held.Wait() > longGap {
			t.Fatalf("after %s it waits %s", r.now.Sub(start), held.Wait())
		}
		r.now = r.now.Add(held.Wait())
	}
	if receives > 700 {
		t.Errorf("%d receives in 19 hours", receives)
	}
}

// TestALiftedBanIsBelieved: a message that Meta refused while the ban wasn't known yet waits for the next probe no longer
// than the others once the ban is lifted, and doesn't keep them waiting.
func TestALiftedBanIsBelieved(t *testing.T) {
	r := newRig(t, &whatsapp.Error{Class: whatsapp.ClassAccount, HTTPStatus: 400, Code: 131031})
	if err := r.receive(text()); err == nil || held(err) != shortGap {
		t.Fatalf("Meta refuses it: %v", err)
	}
	if err := r.receive(text()); err == nil || len(r.graph.sent) != 1 {
		t.Fatalf("tried again at once: %v, %d calls", err, len(r.graph.sent))
	}
	r.now = noon.Add(10 * time.Second)
	r.learn(chat.FactBan, chat.Fact{Value: "REINSTATE"})
	if err := r.receive(text()); err != nil || len(r.graph.sent) != 2 {
		t.Errorf("after the ban: %v, %d calls", err, len(r.graph.sent))
	}
	if n, _, err := r.store.Health(t.Context(), "100"); err != nil || n.Facts[chat.FactToken].Value != chat.TokenWorks {
		t.Errorf("the number says %+v (%v)", n.Facts, err)
	}
}

// TestAStopWithAnEndIsWaitedFor: it needs no doubt.
func TestAStopWithAnEndIsWaitedFor(t *testing.T) {
	r := newRig(t)
	r.learn(chat.FactStatus, chat.Fact{Value: "BANNED", Until: noon.Add(20 * time.Hour)})
	for range 19 {
		r.now = r.now.Add(time.Hour)
		if err := r.receive(text()); err == nil {
			t.Fatal("it was sent")
		}
	}
	if len(r.graph.sent) != 0 {
		t.Errorf("%d calls to Meta", len(r.graph.sent))
	}
}

// TestABurstReadsTheNumberOnce: and what this process learns counts at once.
func TestABurstReadsTheNumberOnce(t *testing.T) {
	r := newRig(t)
	if err := r.receive(text()); err != nil {
		t.Fatal(err)
	}
	r.learn(chat.FactBan, chat.Fact{Value: "DISABLE"}) // by another process
	send := func(id chat.MessageID) error {
		m := text()
		m.ID = id
		return r.receive(m)
	}
	r.now = noon.Add(healthFor - time.Millisecond)
	if err := send("m_2"); err != nil {
		t.Errorf("within the time: %v", err)
	}
	r.now = noon.Add(healthFor)
	if err := send("m_3"); err == nil {
		t.Error("it goes by what it knew")
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
	if err := r.receive(text()); err != nil || number().Value != chat.TokenWorks {
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
		if m := r.lookup(m.ID); m.Status != chat.Failed || m.Steps[chat.Failed].Error.Code != whatsapp.CodeOptedOut || len(r.graph.sent) != 0 {
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
		r := newRig(t, &whatsapp.Error{Class: whatsapp.ClassPermanent, HTTPStatus: 400, Code: whatsapp.CodeOptedOut})
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
