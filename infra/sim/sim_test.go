package sim

import (
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	// Thousands of runs leave a lot behind, and half of the time would go into looking for it.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(3 << 29) // 1.5 GB
	os.Exit(m.Run())
}

const customer = "34600111222"

// TestPerfectDay: a text and a photo arrive on the customer's record, the answer on the phone.
func TestPerfectDay(t *testing.T) {
	s := New(t, Options{})
	sum := s.AddFile("900100", "image/jpeg", []byte("a photo"))
	s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
	s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", sum, "look", s.Now()))
	s.Quiet()
	id := s.Reply("key-1", customer, "thank you")
	s.Quiet()

	if got := s.Delivered(); len(got) != 1 || got[0].To != customer || got[0].Text != "thank you" {
		t.Errorf("the phone got %+v", got)
	}
	if m, err := s.Store.Lookup(t.Context(), id); err != nil || m.Status != "read" {
		t.Errorf("the reply is %s (%v), want read", m.Status, err)
	}
	contacts := s.HubSpot.Contacts()
	if len(contacts) != 1 || contacts[0].Properties["phone"] != "+"+customer {
		t.Fatalf("the CRM has the contacts %v", contacts)
	}
	entries := s.HubSpot.Timeline(contacts[0].ID)
	for i, want := range []string{"hello", "look", "thank you"} {
		if i >= len(entries) || !strings.Contains(entries[i].HTML, want) {
			t.Fatalf("entry %d isn't %q: %v", i, want, entries)
		}
	}
	if files := entries[1].Files; len(files) != 1 || files[0].Access != "PRIVATE" || files[0].Size != int64(len("a photo")) {
		t.Errorf("the photo's entry has the files %v", files)
	}
	if d := s.Now().Sub(Start); d > 10*time.Second {
		t.Errorf("a perfect day took %v", d)
	}
	for name, q := range s.queues() {
		if n := q.Len(); n != 0 {
			t.Errorf("%s still holds %d", name, n)
		}
	}
}

// TestStateTellsRunsApart: what the proofs compare does show a message more, a file less, another text.
func TestStateTellsRunsApart(t *testing.T) {
	states := map[string]string{}
	for name, more := range map[string]func(*Sim){
		"as it is":   func(*Sim) {},
		"a reply":    func(s *Sim) { s.Reply("key-1", customer, "one") },
		"another":    func(s *Sim) { s.Reply("key-1", customer, "two") },
		"no receipt": func(s *Sim) { s.o.Receipts = silent; s.Reply("key-1", customer, "one") },
		"a photo": func(s *Sim) {
			sum := s.AddFile("900100", "image/jpeg", []byte("a photo"))
			s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", sum, "look", s.Now()))
		},
		"a reaction": func(s *Sim) {
			s.Deliver(customer, whatsapptest.Reaction(Number, customer, "wamid.in.2", "wamid.in.1", "👍", s.Now()))
		},
		"another reaction": func(s *Sim) {
			s.Deliver(customer, whatsapptest.Reaction(Number, customer, "wamid.in.2", "wamid.in.1", "👎", s.Now()))
		},
		"an edit": func(s *Sim) {
			s.Deliver(customer, whatsapptest.Edit(Number, customer, "wamid.in.2", "wamid.in.1", "good day", s.Now()))
		},
		"a deletion": func(s *Sim) {
			s.Deliver(customer, whatsapptest.Revoke(Number, customer, "wamid.in.2", "wamid.in.1", s.Now()))
		},
		"a refusal": func(s *Sim) { s.Deliver(customer, whatsapptest.Preference(Number, customer, "stop", s.Now())) },
		"a consent": func(s *Sim) { s.Deliver(customer, whatsapptest.Preference(Number, customer, "resume", s.Now())) },
		"a name":    func(s *Sim) { s.Deliver(customer, whatsapptest.SavedContact(Number, customer, "Ana", s.Now())) },
		"a fact": func(s *Sim) {
			s.Deliver("", whatsapptest.Account("phone_number_quality_update", map[string]any{
				"display_phone_number": whatsapptest.Display, "event": "UPGRADE", "current_limit": "TIER_1K",
			}, s.Now()))
		},
		"a message of old": func(s *Sim) {
			s.Deliver("", whatsapptest.History(Number, customer, 1, 1, 100, whatsapptest.Old{ID: "wamid.old", Content: "then", At: s.Now().Add(-day)}))
		},
		"a lost photo": func(s *Sim) {
			s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", "", "look", s.Now()))
		},
	} {
		s := New(t, Options{})
		s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
		s.Quiet()
		more(s)
		s.Quiet()
		if other, ok := states[s.State()]; ok {
			t.Errorf("%q and %q end alike", name, other)
		}
		states[s.State()] = name
	}
}
