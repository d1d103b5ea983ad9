package handler

import (
	"testing"

	"threadline/shared/chat"
	"threadline/shared/whatsapp"
)

// contact is who has that phone.
func (r *rig) contact(phone string) chat.Contact {
	r.Helper()
	c, found, err := r.store.FindContact(r.Context(), chat.AliasWAID, phone)
	if err != nil || !found {
		r.Fatalf("nobody has %s (%v)", phone, err)
	}
	return c
}

// TestPreferences: STOP is the customer's word whether it comes before or after their first message.
func TestPreferences(t *testing.T) {
	said := func(value, timestamp string) string {
		return `{` + metadata + `,"contacts":[{"wa_id":"34600111222"}],"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"` + value + `","timestamp":` + timestamp + `}]}`
	}
	for _, test := range []struct {
		name    string
		says    []string
		refuses bool
	}{
		{"stop", []string{said("stop", "1772452800")}, true},
		{"stop, then resume", []string{said("stop", "1772452800"), said("resume", "1772452900")}, false},
		{"resume comes first and was second", []string{said("resume", "1772452900"), said("stop", "1772452800")}, false},
		{"signed up, then stop", []string{said("signup", "1772452800"), said("stop", "1772452900"), said("signup", "1772452800")}, true},
	} {
		r := newRig(t)
		for _, s := range test.says {
			r.takeAll("user_preferences", s)
		}
		r.message(hello)
		c := r.contact("34600111222")
		if c.Refuses("marketing") != test.refuses || r.lookup("wamid.1").Contact != c.ID {
			t.Errorf("%s: %+v", test.name, c.Consent)
		}
		if len(r.messages()) != 1 || r.counts["RawUpdate"] != 0 {
			t.Errorf("%s: %d messages, counted %v", test.name, len(r.messages()), r.counts)
		}
	}
	r := newRig(t)
	r.takeAll("user_preferences", `{`+metadata+`,"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"stop","detail":"User asked to stop","timestamp":1772452800}]}`)
	if said := r.contact("34600111222").Consent["marketing"]; said.Value != "stop" || said.Detail != "User asked to stop" || said.Source != "user_preferences" {
		t.Errorf("kept of it: %+v", said)
	}
	r = newRig(t)
	r.takeAll("user_preferences", `{`+metadata+`,"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"signup","signup_id":"s5","timestamp":1772452801}]}`)
	if said := r.contact("34600111222").Consent["marketing"]; !said.Given || said.Value != "signup" || said.Detail != "signup s5" {
		t.Errorf("%+v", said)
	}
	r.takeAll("user_preferences", `{`+metadata+`,"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"perhaps"},{"category":"marketing_messages","value":"stop"},{"wa_id":"1","category":"holograms","value":"stop"}]}`)
	if kept := r.kept("RAW#"); len(kept) != 3 {
		t.Errorf("what isn't understood: %d are kept", len(kept))
	}
}

// TestARefusedMarketingMessageIsARefusal: Meta says so in the receipt too.
func TestARefusedMarketingMessageIsARefusal(t *testing.T) {
	for code, refuses := range map[string]bool{"131050": true, "131026": false, `131026},{"code":131050`: true} {
		r := newRig(t)
		r.message(hello)
		r.takeAll("messages", `{`+metadata+`,"statuses":[{"id":"wamid.o","status":"failed","recipient_id":"34600111222","timestamp":"1772452900","errors":[{"code":`+code+`}]}]}`)
		if c := r.contact("34600111222"); c.Refuses("marketing") != refuses {
			t.Errorf("%s: %+v", code, c.Consent)
		}
	}
}

// TestSavedContacts: a name in the phone's address book is a person, and no conversation.
func TestSavedContacts(t *testing.T) {
	book := func(action, name, timestamp string) string {
		return `{` + metadata + `,"state_sync":[{"type":"contact","contact":{"full_name":"` + name + `","phone_number":"34600111222"},"action":"` + action + `","metadata":{"timestamp":"` + timestamp + `"}}]}`
	}
	for _, test := range []struct {
		name   string
		states []string
		want   string
	}{
		{"added", []string{book("add", "Ana from Vigo", "1772452800")}, "Ana from Vigo"},
		{"changed", []string{book("add", "Ana from Vigo", "1772452800"), book("add", "Ana", "1772452900")}, "Ana"},
		{"changed, and it came late", []string{book("add", "Ana", "1772452900"), book("add", "Ana from Vigo", "1772452800")}, "Ana"},
		{"removed", []string{book("add", "Ana", "1772452800"), book("remove", "", "1772452900")}, ""},
	} {
		r := newRig(t)
		for _, s := range test.states {
			r.takeAll("smb_app_state_sync", s)
		}
		if c := r.contact("34600111222"); c.Saved != test.want {
			t.Errorf("%s: %q, want %q", test.name, c.Saved, test.want)
		}
		if len(r.messages()) != 0 || len(r.crm.entries) != 0 {
			t.Errorf("%s: %d messages, %d entries to the CRM", test.name, len(r.messages()), len(r.crm.entries))
		}
	}
	r := newRig(t)
	r.takeAll("smb_app_state_sync", `{`+metadata+`,"state_sync":[{"type":"contact","contact":{"full_name":"Nobody"},"action":"add"}]}`)
	if kept := r.kept("RAW#"); len(kept) != 1 || kept[0].Reason != "nobody" {
		t.Errorf("kept %+v", kept)
	}
}

// TestAnIdentityChange: what a notice says of somebody reaches the contact.
func TestAnIdentityChange(t *testing.T) {
	r := newRig(t)
	r.takeAll("messages", `{`+metadata+`,"contacts":[{"wa_id":"34600111222","identity_key_hash":"k1"}],"messages":[`+hello+`]}`)
	r.message(`{"id":"w2","from":"34600111222","timestamp":"1772452900","type":"system","system":{"type":"customer_identity_changed","wa_id":"34600111222"},"identity":{"acknowledged":true,"created_timestamp":1772452900,"hash":"k2"}}`)
	if c := r.contact("34600111222"); c.KeyHash != "k2" || len(c.Flags) != 1 || c.Flags[0] != chat.FlagNewIdentity {
		t.Errorf("key %q, flags %q", c.KeyHash, c.Flags)
	}
	m := r.lookup("w2")
	if m.Text != "The customer installed WhatsApp anew" || m.OpensWindow() {
		t.Errorf("%+v", m)
	}
}

// TestOneSubscriberWrittenInTwoWays: the address book has the digit that WhatsApp's own id lacks.
func TestOneSubscriberWrittenInTwoWays(t *testing.T) {
	r := newRig(t)
	r.takeAll("smb_app_state_sync", `{`+metadata+`,"state_sync":[{"type":"contact","contact":{"full_name":"Ana","phone_number":"5511987654321"},"action":"add","metadata":{`+at+`}}]}`)
	r.message(`{"id":"w1","from":"551187654321","timestamp":"1772452900","type":"text","text":{"body":"oi"}}`)
	c, err := r.store.Contact(t.Context(), r.lookup("w1").Contact)
	if err != nil || c.Saved != "Ana" {
		t.Errorf("saved as %q (%v)", c.Saved, err)
	}
}

// TestARefusalThatNamesNobody: whoever the message went to wants no marketing, also after their number has changed.
func TestARefusalThatNamesNobody(t *testing.T) {
	const refusal = `{"id":"wamid.o","status":"failed","timestamp":"1772452900","errors":[{"code":131050,"title":"stopped"}]}`
	r := newRig(t)
	r.message(hello)
	in := r.lookup("wamid.1")
	m, _, err := r.store.Queue(t.Context(), chat.Message{
		ID: "m_1", Conversation: in.Conversation, Contact: in.Contact, At: in.At, Direction: chat.Out, Kind: chat.KindTemplate,
		Status: chat.Queued, Send: &chat.Send{To: chat.Address{Phone: "34600999999"}, Request: "r"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.Accept(t.Context(), m, "wamid.o"); err != nil {
		t.Fatal(err)
	}
	r.take(update(whatsapp.KindStatus, refusal))
	if !r.contact("34600111222").Refuses("marketing") {
		t.Error("the refusal is nobody's")
	}

	r = newRig(t)
	if _, err := r.store.Accept(t.Context(), r.asked("m_1"), "wamid.o"); err != nil {
		t.Fatal(err)
	}
	r.take(update(whatsapp.KindStatus, refusal))
	if !r.contact("34600111222").Refuses("marketing") {
		t.Error("the refusal of somebody who isn't known by more than an address is lost")
	}
}
