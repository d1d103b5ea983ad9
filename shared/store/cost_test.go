package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"threadline/shared/chat"
)

// crowded is a table with a conversation of so many messages, and as many other people.
func crowded(t testing.TB, messages, contacts int) *Meter {
	t.Helper()
	m := NewMemory()
	s := newStore(m, "table")
	r, err := s.Receive(context.Background(), inbound("w0", noon, both("ES.1", "34600111222")))
	if err != nil {
		t.Fatal(err)
	}
	copies := func(of key, n int, to func(int) key) {
		for i := range n {
			it := maps.Clone(m.items[of])
			k := to(i)
			it["PK"], it["SK"] = text(k.pk), text(k.sk)
			m.put(it)
		}
	}
	at := messageKey(r.Message.Conversation, r.Message.At, r.Message.ID)
	copies(at, messages-1, func(i int) key {
		return messageKey(r.Message.Conversation, after(-i), chat.MessageID(fmt.Sprint("x", i)))
	})
	copies(contactKey(r.Message.Contact), contacts-1, func(i int) key { return contactKey(chat.ContactID(fmt.Sprint("X", i))) })
	c := m.items[conversationKey(r.Message.Conversation)]
	c["arrivals"] = number(int64(messages))
	return NewMeter(m)
}

// operations are what is charged for, each on a conversation that there is already.
var operations = []struct {
	name string
	do   func(*Store, int) error
}{
	{"inbound", func(s *Store, i int) error {
		_, err := s.Receive(context.Background(), inbound(fmt.Sprint("wamid.", i), after(100+i), both("ES.1", "34600111222")))
		return err
	}},
	{"redelivered", func(s *Store, _ int) error {
		_, err := s.Receive(context.Background(), inbound("w0", noon, both("ES.1", "34600111222")))
		return err
	}},
	{"receipt", func(s *Store, i int) error { // one that is before its message
		_, _, err := s.Settle(context.Background(), receipt(fmt.Sprint("wamid.out.", i), chat.Sent, after(i)))
		return err
	}},
	{"amendment", func(s *Store, i int) error {
		m := amendment(inbound(fmt.Sprint("a", i), after(i), chat.Seen{}), chat.KindReaction, "w0", "👍").Message
		m.Conversation = chat.Direct(ourNumber, "01ABC")
		_, found, err := s.Amend(context.Background(), m)
		if err == nil && !found {
			err = errors.New("there is no such message")
		}
		return err
	}},
	{"page", func(s *Store, _ int) error {
		c, _, err := s.FindContact(context.Background(), chat.AliasBSUID, "ES.1")
		if err != nil {
			return err
		}
		_, _, err = s.Messages(context.Background(), chat.Direct(ourNumber, c.ID), "", 50)
		return err
	}},
}

// The cost of a message doesn't depend on how long its conversation is or how many people there are.
func TestCostIsConstant(t *testing.T) {
	for _, op := range operations {
		var want Cost
		for i, n := range []int{60, 1000, 5000} {
			m := crowded(t, n, n)
			before := m.Cost()
			if err := op.do(newStore(m, "table"), 1); err != nil {
				t.Fatal(err)
			}
			got := m.Cost().Less(before)
			got.Stored = 0 // the arrival counter has more digits
			if i == 0 {
				want = got
			}
			if got != want || got.Calls == 0 {
				t.Errorf("%s: among %d it costs %+v, among 60 %+v", op.name, n, got, want)
			}
		}
	}
}

// BenchmarkCost prints request units for each operation. The time is that of the twin in memory and says nothing, so
// -benchtime 3x is enough.
func BenchmarkCost(b *testing.B) {
	for _, op := range operations {
		for _, n := range []int{10, 1_000, 100_000} {
			for _, size := range []struct {
				name               string
				messages, contacts int
			}{{"messages", n, 10}, {"contacts", 10, n}} {
				b.Run(fmt.Sprintf("%s/%s=%d", op.name, size.name, n), func(b *testing.B) {
					m := crowded(b, size.messages, size.contacts)
					s := newStore(m, "table")
					before, times := m.Cost(), 0
					for b.Loop() {
						if err := op.do(s, times); err != nil {
							b.Fatal(err)
						}
						times++
					}
					c := m.Cost().Less(before)
					for unit, v := range map[string]float64{"calls/op": float64(c.Calls), "items-written/op": float64(c.Written),
						"items-read/op": float64(c.Read), "WRU/op": c.Writes, "RRU/op": c.Reads} {
						b.ReportMetric(v/float64(times), unit)
					}
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
