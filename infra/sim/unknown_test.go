package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sender "threadline/functions/sender/handler"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp/whatsapptest"
)

// silent is a Meta that issues no receipts.
var silent = []Receipt{}

// dropSends loses the answers of the first n sends.
func dropSends(n int) func(Call) Fault {
	return func(c Call) Fault {
		if c.Service == "graph" && strings.HasPrefix(c.Op, "POST") && n > 0 {
			n--
			return Lost
		}
		return None
	}
}

// TestLostAnswers: Meta takes a message and drops the connection.
func TestLostAnswers(t *testing.T) {
	free := map[string]any{"to": "+" + customer, "text": "first"}
	template := map[string]any{"to": "+" + customer, "template": map[string]any{"name": "hello", "language": "en"}}
	code := map[string]any{"to": "+" + customer, "category": "authentication", "template": template["template"]}
	for _, test := range []struct {
		name     string
		lost     int
		o        Options
		body     any
		copies   int // that reach the phone
		status   chat.Status
		attempts int
		counted  int // as unknown
	}{
		{"a receipt settles it", 1, Options{}, free, 1, "read", 1, 0},
		{"a receipt settles it, also if it may not be repeated", 1, Options{Ambiguous: sender.Hold}, free, 1, "read", 1, 0},
		{"a receipt settles a template", 1, Options{}, template, 1, "read", 1, 0},
		{"free text is sent once more", 1, Options{Receipts: silent}, free, 2, "accepted", 2, 0},
		{"and twice at most", 2, Options{Receipts: silent}, free, 2, "unknown", 2, 1},
		{"unless it is to be held", 1, Options{Receipts: silent, Ambiguous: sender.Hold}, free, 1, "unknown", 1, 1},
		{"a template is held", 1, Options{Receipts: silent}, template, 1, "unknown", 1, 1},
		{"a one-time code is held", 1, Options{Receipts: silent}, code, 1, "unknown", 1, 1},
		{"a template may be sent once more", 1, Options{Receipts: silent, Ambiguous: sender.Retry}, template, 2, "accepted", 2, 0},
		{"a receipt that is late makes a repeat", 1, Options{Receipts: []Receipt{{"delivered", 3 * time.Minute}}}, free, 2, "delivered", 2, 0},
		{"a receipt may be late if it is held", 1, Options{Receipts: []Receipt{{"delivered", 3 * time.Minute}}}, template, 1, "delivered", 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.o.Fault = dropSends(test.lost)
			s := New(t, test.o)
			s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
			s.Run(time.Minute)
			first := s.Ask("first", test.body)
			second := s.Reply("second", customer, "second")
			s.Run(0)
			if m, err := s.Store.Lookup(t.Context(), first); err != nil || m.Status != chat.Unknown {
				t.Errorf("right after the loss it is %s (%v), want unknown", m.Status, err)
			}
			s.Quiet()
			m, err := s.Store.Lookup(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			if m.Status != test.status || m.Send.Attempt != test.attempts {
				t.Errorf("it is %s after %d attempts, want %s after %d", m.Status, m.Send.Attempt, test.status, test.attempts)
			}
			if n := s.Metrics.Of(metric.SendUnknown); n != test.counted {
				t.Errorf("it was counted unknown %d times, want %d", n, test.counted)
			}
			got := s.Delivered()
			for i, d := range got {
				if want := first; i < test.copies && d.Callback != string(want) || i >= test.copies && d.Callback != string(second) {
					t.Errorf("delivery %d is of the wrong message: the second overtook the first", i)
				}
			}
			if len(got) != test.copies+1 {
				t.Errorf("the phone got %d messages, want %d", len(got), test.copies+1)
			}
			if entries := s.HubSpot.Timeline(s.HubSpot.Contacts()[0].ID); len(entries) != 3 { // what the customer wrote too
				t.Errorf("the CRM has %d entries, want 3", len(entries))
			} else if doubts := strings.Count(fmt.Sprint(entries), "May have been delivered"); (doubts == 1) != (m.Status == chat.Unknown) || doubts > 1 {
				t.Errorf("it is %s, and the CRM says of %d that they may have been delivered", m.Status, doubts)
			}
		})
	}
}

// TestReceiptsBeforeTheMessage: receipts that name a message of which nothing is stored yet wait for it.
func TestReceiptsBeforeTheMessage(t *testing.T) {
	for _, echo := range []bool{true, false} {
		s := New(t, Options{Receipts: silent})
		s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
		s.Run(time.Minute)
		id := s.Reply("key", customer, "thank you")
		for _, state := range []string{"read", "delivered", "sent"} {
			callback := ""
			if echo {
				callback = string(id)
			}
			s.Deliver(state, whatsapptest.Status(Number, customer, "wamid.out."+string(id)+".1", state, callback, s.Now()))
		}
		s.Quiet() // which serves the router first, so that the sender hasn't begun
		m, err := s.Store.Lookup(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if m.Status != chat.Read || len(m.Steps) < 4 {
			t.Errorf("echo %v: it is %s with steps %v", echo, m.Status, m.Steps)
		}
		if n := len(s.Delivered()); echo && n != 0 || !echo && n != 1 {
			t.Errorf("echo %v: the phone got %d", echo, n)
		}
	}
}

// TestDeathBeforeTheParkedReceiptIsApplied: a receipt that doesn't echo our id comes before Meta's answer is recorded, and
// the sender dies as soon as it is.
func TestDeathBeforeTheParkedReceiptIsApplied(t *testing.T) {
	for _, status := range []string{"read", "failed"} {
		accepts := 0
		s := New(t, Options{Receipts: silent, Fault: func(c Call) Fault {
			if c.Function == "sender" && c.Op == "TransactWriteItems" {
				if accepts++; accepts == 1 {
					return GoneAfter
				}
			}
			return None
		}})
		s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
		s.Run(time.Minute)
		id := s.Reply("key", customer, "thank you")
		s.Deliver("x", whatsapptest.Status(Number, customer, "wamid.out."+string(id)+".1", status, "", s.Now()))
		s.Quiet()
		if m, err := s.Store.Lookup(t.Context(), id); err != nil || string(m.Status) != status {
			t.Errorf("it is %s (%v), want %s", m.Status, err, status)
		}
	}
}
