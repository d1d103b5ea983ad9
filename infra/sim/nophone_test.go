package sim

import (
	"fmt"
	"strings"
	"testing"

	"threadline/shared/whatsapp/whatsapptest"
)

// contactView is a contact as the API shows it.
type contactView struct {
	ID         string
	Name       string
	Identities []struct{ Kind, Value string }
}

// TestACustomerWithoutANumber: what they write and send is on a record of their own, and what is answered reaches them.
// The simulated Meta refuses a user id where a number belongs.
func TestACustomerWithoutANumber(t *testing.T) {
	s := New(t, Options{})
	sum := s.AddFile("900100", "image/jpeg", []byte("a photo"))
	s.Deliver(bo, whatsapptest.Text(Number, bo, "wamid.in.1", "hello", s.Now()))
	s.Deliver(bo, whatsapptest.Photo(Number, bo, "wamid.in.2", "900100", sum, "look", s.Now()))
	s.Quiet()
	conversations := s.conversations()
	if len(conversations) != 1 {
		t.Fatalf("%d conversations", len(conversations))
	}
	_, contact, _ := strings.Cut(conversations[0], ".")

	byID := s.Ask("by id", map[string]any{"to": map[string]any{"bsuid": bo}, "text": "by id"})
	byContact := s.Ask("by contact", map[string]any{"to": map[string]any{"contact": contact}, "text": "by contact"})
	quoting := s.Ask("quoting", map[string]any{"to": map[string]any{"contact": contact}, "text": "quoting", "reply_to": "wamid.in.1"})
	s.Quiet()

	for i, want := range []string{"by id", "by contact", "quoting"} {
		got := s.Delivered()
		if len(got) != 3 || got[i].Text != want || got[i].To != bo || got[i].By != "recipient" {
			t.Fatalf("the phone got %+v", got)
		}
	}
	if got := s.Delivered()[2]; got.ReplyTo != "wamid.in.1" {
		t.Errorf("it quotes %q", got.ReplyTo)
	}

	var who contactView
	s.Get("contacts/"+contact, &who)
	if len(who.Identities) != 1 || who.Identities[0].Kind != "bsuid" || who.Identities[0].Value != bo {
		t.Errorf("the API shows %+v", who)
	}
	shows(t, s, conversations[0], "hello delivered", "look delivered", "by id read", "by contact read", "quoting read")
	for _, m := range s.messages(conversations[0]) {
		if m.Text == "look" && m.Attachment.State != "stored" {
			t.Errorf("the photo is %s", m.Attachment.State)
		}
	}
	if byID == byContact || byContact == quoting {
		t.Error("messages share an id")
	}

	contacts := s.HubSpot.Contacts()
	if len(contacts) != 1 || contacts[0].Properties["threadline_id"] != contact || contacts[0].Properties["phone"] != "" {
		t.Fatalf("the CRM has %v", contacts)
	}
	entries := s.HubSpot.Timeline(contacts[0].ID)
	for i, want := range []string{"hello", "look", "by id", "by contact", "quoting"} {
		if i >= len(entries) || !strings.Contains(entries[i].HTML, want) {
			t.Fatalf("entry %d isn't %q: %v", i, want, entries)
		}
	}
	if files := entries[1].Files; len(files) != 1 || files[0].Size != int64(len("a photo")) {
		t.Errorf("the photo's entry has %v", files)
	}

	// Later they show their number.
	s.Deliver(bo, whatsapptest.MessageWith(Number, ana, "wamid.in.3", "text", map[string]any{"body": "my number"},
		map[string]any{"from_user_id": bo}, s.Now()))
	s.Quiet()
	s.Reply("by number", ana, "by number")
	s.Quiet()
	if got := s.Delivered()[3]; got.To != ana || got.By != "to" {
		t.Errorf("the phone got %+v", got)
	}
	if all := s.conversations(); len(all) != 1 || all[0] != conversations[0] {
		t.Errorf("the conversations are %q", all)
	}
	if contacts := s.HubSpot.Contacts(); len(contacts) != 1 || contacts[0].Properties["phone"] != "+"+ana || contacts[0].Entries != 7 {
		t.Errorf("the CRM has %v", contacts)
	}
}

// shows checks the texts and statuses of a conversation.
func shows(t *testing.T, s *Sim, conversation string, want ...string) {
	t.Helper()
	var got []string
	for _, m := range s.messages(conversation) {
		got = append(got, m.Text+" "+m.Status)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the conversation shows %q, want %q", got, want)
	}
}
