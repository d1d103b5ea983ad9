package store

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"

	"threadline/shared/chat"
)

func TestReceiveStoresOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("w1", noon, chat.Seen{Phone: "34600111222", Name: "Ana"})
		first := receive(t, s, in)
		if !first.First || first.Differs || first.Gone {
			t.Fatalf("the first time: %+v", first)
		}
		again := receive(t, s, in)
		if again.First || again.Differs || !reflect.DeepEqual(again.Message, first.Message) {
			t.Errorf("again:\n%+v\nwant\n%+v", again.Message, first.Message)
		}
		other := in
		other.Message.Text, other.Message.Hash = "something else", "other"
		if r := receive(t, s, other); r.First || !r.Differs || r.Message.Text != in.Message.Text {
			t.Errorf("other content: %+v", r)
		}
		c, err := s.Conversation(t.Context(), first.Message.Conversation)
		if err != nil || c.Arrivals != 1 || !c.Activity.Equal(noon) || c.State != chat.InQueue || c.Team != DefaultTeam {
			t.Errorf("the conversation: %+v, %v", c, err)
		}
	})
}

func TestReceiveTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const n = 6
		var firsts atomic.Int32
		together(n, func(i int) {
			in := inbound("w1", noon, chat.Seen{BSUID: "ES.1"})
			in.Message.Hash = fmt.Sprint("content ", i)
			persist(t, func() error {
				r, err := s.Receive(t.Context(), in)
				if err == nil && r.First {
					firsts.Add(1)
				}
				return err
			})
		})
		c, _, err := s.FindContact(t.Context(), chat.AliasBSUID, "ES.1")
		if err != nil {
			t.Fatal(err)
		}
		conv, err := s.Conversation(t.Context(), chat.Direct(ourNumber, c.ID))
		if err != nil || firsts.Load() != 1 || conv.Arrivals != 1 {
			t.Errorf("%d were first, %d arrivals, %v", firsts.Load(), conv.Arrivals, err)
		}
	})
}

func TestArrivalsUnderContention(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const n = 8
		together(n, func(i int) {
			in := inbound(fmt.Sprintf("w%d", i), noon, chat.Seen{BSUID: "ES.1", Phone: "34600111222"})
			persist(t, func() error { _, err := s.Receive(t.Context(), in); return err })
		})
		c, ok, err := s.FindContact(t.Context(), chat.AliasWAID, "34600111222")
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		ms := messages(t, s, chat.Direct(ourNumber, c.ID), 50)
		if len(ms) != n {
			t.Fatalf("%d messages, want %d", len(ms), n)
		}
		for i, m := range ms {
			if m.Arrival != int64(i+1) {
				t.Errorf("message %d arrived as number %d", i+1, m.Arrival)
			}
		}
	})
}

// A redelivery is answered with what is stored, whoever the update would be taken for today.
func TestReceiveFollowsTheStoredPlace(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("w1", noon, chat.Seen{Phone: "34600111222"})
		first := receive(t, s, in)
		receive(t, s, inbound("w2", after(1), chat.Seen{Phone: "34600111222", BSUID: "ES.1", Scope: "waba"}))
		receive(t, s, inbound("w3", after(-9), chat.Seen{Phone: "34600111222", BSUID: "ES.2", Scope: "waba"}))
		if r := receive(t, s, in); r.First || r.Message.Conversation != first.Message.Conversation || r.Message.Contact != first.Message.Contact {
			t.Errorf("stored for %s, redelivered for %s", first.Message.Contact, r.Message.Contact)
		}
		in.Seen = chat.Seen{BSUID: "ES.9", At: noon}
		if r := receive(t, s, in); r.Message.Conversation != first.Message.Conversation {
			t.Errorf("stored in %s, redelivered in %s", first.Message.Conversation, r.Message.Conversation)
		}
		if _, known, err := s.FindContact(t.Context(), chat.AliasBSUID, "ES.9"); known || err != nil {
			t.Errorf("a redelivery made a contact: %v", err)
		}
	})
}

func TestReceiveInGroup(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("w1", noon, chat.Seen{BSUID: "ES.1"})
		in.Group = "g1"
		r := receive(t, s, in)
		if r.Message.Conversation != chat.Group(ourNumber, "g1") || r.Message.Contact == "" {
			t.Fatalf("%+v", r.Message)
		}
		direct := receive(t, s, inbound("w2", after(1), chat.Seen{BSUID: "ES.1"}))
		if direct.Message.Conversation != chat.Direct(ourNumber, r.Message.Contact) {
			t.Errorf("the same person's own thread is %s", direct.Message.Conversation)
		}
		c, err := s.Conversation(t.Context(), chat.Group(ourNumber, "g1"))
		if err != nil || c.Contact != "" || c.Group != "g1" || c.Arrivals != 1 {
			t.Errorf("%+v, %v", c, err)
		}
		if got := ids(messages(t, s, chat.Group(ourNumber, "g1"), 10)); got != "w1" {
			t.Errorf("the group holds %s", got)
		}
	})
}

// A message without any identity has a place too.
func TestReceiveFromNobody(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		r := receive(t, s, inbound("w1", noon, chat.Seen{}))
		if r.Message.Contact != "" || !receive(t, s, inbound("w2", noon, chat.Seen{})).First {
			t.Fatalf("%+v", r.Message)
		}
		if got := ids(messages(t, s, r.Message.Conversation, 10)); got != "w1 w2" {
			t.Errorf("it holds %q", got)
		}
	})
}

// What the retention took away is not stored a second time while its name is still there.
func TestReceiveAfterRetention(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	in := inbound("w1", noon, chat.Seen{BSUID: "ES.1"})
	m := receive(t, s, in).Message
	mem.forget(messageKey(m.Conversation, m.At, m.ID))
	if r := receive(t, s, in); !r.Gone || r.First {
		t.Errorf("%+v", r)
	}
	if _, ok := settle(t, s, receipt("w1", chat.Read, after(1))); ok {
		t.Error("a receipt found the message")
	}
	if _, err := s.Lookup(t.Context(), "w1"); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("look-up: %v", err)
	}
}

// The same id on two business numbers is two messages.
func TestReceiveOnTwoNumbers(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("w1", noon, chat.Seen{BSUID: "ES.1"})
		a := receive(t, s, in)
		in.Number = "200"
		b := receive(t, s, in)
		if !a.First || !b.First || a.Message.Conversation == b.Message.Conversation || a.Message.Contact != b.Message.Contact {
			t.Errorf("%+v\n%+v", a, b)
		}
	})
}
