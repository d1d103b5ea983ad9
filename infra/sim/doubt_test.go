package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sender "threadline/functions/sender/handler"
	"threadline/shared/chat"
	"threadline/shared/whatsapp/whatsapptest"
)

// doubt is an answer that is held, because what Meta said of it was lost, in a run to its end.
func doubt(t *testing.T, receipts []Receipt, fault func(Call) Fault) (*Sim, chat.Message) {
	lost := dropSends(1)
	s := New(t, Options{Ambiguous: sender.Hold, Receipts: receipts, Fault: func(c Call) Fault {
		if f := fault(c); f.strikes(c) && f != None {
			return f
		}
		return lost(c)
	}})
	s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
	var id chat.MessageID
	s.After(time.Hour, func() { id = s.Reply("key", customer, "on our way") })
	s.Quiet()
	m, err := s.Store.Lookup(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

// TestADoubtUnderEveryFault: whatever goes wrong at whatever call, the message reaches the phone once at most, and the CRM
// shows it once, as one that may have been delivered for as long as nobody knows.
func TestADoubtUnderEveryFault(t *testing.T) {
	for name, receipts := range map[string][]Receipt{
		"never settled": silent, "settled late": {{"delivered", 3 * time.Minute}}, "failed late": {{"failed", 3 * time.Minute}},
		"settled at the end of the wait": {{"sent", ambiguousAfter}, {"delivered", ambiguousAfter + time.Second}},
	} {
		s, m := doubt(t, receipts, func(Call) Fault { return None })
		want := m.Status
		if (want == chat.Unknown) != (len(receipts) == 0) {
			t.Fatalf("%s: without a fault it is %s", name, want)
		}
		for _, c := range s.Calls() {
			for i, fault := range Faults {
				if !fault.strikes(c) || (c.N+i+int(*seed%4))%4 != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s, call %d %s", name, c.N, fault), func(t *testing.T) {
					t.Parallel()
					s, m := doubt(t, receipts, hit(map[int]Fault{c.N: fault}))
					shown, doubts := 0, 0
					for _, e := range s.HubSpot.Timeline(s.HubSpot.Contacts()[0].ID) {
						if strings.Contains(e.HTML, "on our way") {
							shown++
							doubts += strings.Count(e.HTML, "May have been delivered")
						}
					}
					if shown != 1 || doubts > 1 || (doubts == 1) != (m.Status == chat.Unknown) {
						t.Errorf("%s of %s: it is %s, %d entries show it, %d of them with a doubt", c.Op, c.Function, m.Status, shown, doubts)
					}
					if n := len(s.Delivered()); n > 1 || n == 1 && want != m.Status && len(receipts) > 0 {
						t.Errorf("%s of %s: the phone got %d, and it is %s", c.Op, c.Function, n, m.Status)
					}
					for _, q := range []interface{ Len() int }{s.InboundDLQ, s.CRMDLQ, s.SendDLQ} {
						if q.Len() > 0 {
							t.Errorf("%s of %s: something was parked", c.Op, c.Function)
						}
					}
				})
			}
		}
	}
}
