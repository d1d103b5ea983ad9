package whatsapp

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestParsePreference(t *testing.T) {
	at := time.Unix(1731705721, 0).UTC()
	for body, want := range map[string]Preference{
		`{"wa_id":"1650","user_id":"US.1","parent_user_id":"US.ENT.2","detail":"d","category":"marketing_messages","value":"stop","timestamp":1731705721}`: {
			Who: Identity{WAID: "1650", BSUID: "US.1", ParentBSUID: "US.ENT.2", Name: "Ann"}, Category: "marketing_messages", Value: "stop", Detail: "d", Timestamp: at,
		},
		`{"wa_id":"US.1","value":"RESUME","timestamp":"1731705721000"}`: {Who: Identity{BSUID: "US.1", WAID: "1650", Name: "Ann"}, Value: "resume", Timestamp: at},
		`{"user_id":"US.2","value":"signup","signup_id":"s5"}`:          {Who: Identity{BSUID: "US.2"}, Value: "signup", SignupID: "s5"},
	} {
		p, err := ParsePreference(Update{Kind: KindPreference, Contact: []byte(`{"wa_id":"1650","user_id":"US.1","profile":{"name":"Ann"}}`), Body: []byte(body)})
		if err != nil || p != want {
			t.Errorf("%s\n got %+v, %v\nwant %+v", body, p, err, want)
		}
	}
}

func TestParseSavedContact(t *testing.T) {
	at := time.Unix(1739321024, 0).UTC()
	for body, want := range map[string]SavedContact{
		`{"type":"contact","contact":{"full_name":"Ann B","first_name":"Ann","phone_number":"+1 (650) 555"},"action":"add","metadata":{"timestamp":"1739321024"}}`: {
			Phone: "1650555", Name: "Ann B", Timestamp: at,
		},
		`{"contact":{"first_name":"Ann","phone_number":1650},"timestamp":1739321024}`: {Phone: "1650", Name: "Ann", Timestamp: at},
		`{"contact":{"phone_number":"1650","user_id":"US.1"},"action":"remove"}`:      {Phone: "1650", BSUID: "US.1", Removed: true},
		`{"contact":{"phone_number":"US.1"}}`:                                         {BSUID: "US.1"},
		`{"contact":7}`:                                                               {},
	} {
		if c, err := ParseSavedContact(Update{Kind: KindContact, Body: []byte(body)}); err != nil || c != want {
			t.Errorf("%s\n got %+v, %v\nwant %+v", body, c, err, want)
		}
	}
}

func TestParseHandover(t *testing.T) {
	for body, want := range map[string]Handover{
		`{"sender":{"phone_number":"1650"},"type":"control_passed","timestamp":"1700000002","control_passed":{"metadata":"m","previous_owner_app_role":"agent_app","previous_owner_role":"ai_agent","new_owner_role":"escalation"}}`: {
			Customer: Identity{WAID: "1650", BSUID: "US.1"}, Type: "control_passed", From: "ai_agent", To: "escalation", Metadata: "m", Timestamp: time.Unix(1700000002, 0).UTC(),
		},
		`{"sender":{"wa_id":"1650","user_id":"US.1"},"control_taken":{"previous_owner":{"app_role":"agent_app"}}}`: {
			Customer: Identity{WAID: "1650", BSUID: "US.1"}, Type: "control_taken", From: "agent_app",
		},
		`{"type":"control_requested","sender":[],"control_requested":{"new_owner_role":"x"}}`: {Customer: Identity{WAID: "1650", BSUID: "US.1"}, Type: "control_requested", To: "x"},
		`{"type":"control_passed","control_passed":"x"}`:                                      {Customer: Identity{WAID: "1650", BSUID: "US.1"}, Type: "control_passed"},
	} {
		want.Content = json.RawMessage(body)
		h, err := ParseHandover(Update{Kind: KindHandover, Contact: []byte(`{"wa_id":"1650","user_id":"US.1"}`), Body: []byte(body)})
		if err != nil || !reflect.DeepEqual(h, want) {
			t.Errorf("\n got %+v, %v\nwant %+v", h, err, want)
		}
	}
}

func TestParseSignal(t *testing.T) {
	for body, want := range map[string]Signal{
		`{"id":"w","event_name":"Purchase","timestamp":1749069131,"ctwa_clid":"c","custom_data":{"currency":"USD","value":25000.50}}`: {
			MessageID: "w", Name: "Purchase", ClickID: "c", Currency: "USD", Value: "25000.50", Timestamp: time.Unix(1749069131, 0).UTC(),
		},
		`{"id":"w","event_name":"LeadSubmitted","custom_data":[]}`: {MessageID: "w", Name: "LeadSubmitted"},
	} {
		if s, err := ParseSignal(Update{Kind: KindSignal, Body: []byte(body)}); err != nil || s != want {
			t.Errorf("%s\n got %+v, %v\nwant %+v", body, s, err, want)
		}
	}
}

// Ensure that what the business sent elsewhere names its recipient, and only
// the contact that is the recipient completes it.
func TestParseEcho(t *testing.T) {
	const contact = `{"wa_id":"1650","user_id":"US.1","profile":{"name":"Ann"}}`
	ann := Identity{WAID: "1650", BSUID: "US.1", Name: "Ann"}
	for _, tt := range []struct {
		body, group string
		to          Identity
	}{
		{`{"from":"1555","to":"1650","to_user_id":"US.1","id":"w","timestamp":"1739321024","type":"text","text":{"body":"hi"}}`, "", ann},
		{`{"from":"1555","to":"US.1","id":"w","timestamp":"1739321024","type":"text","text":{"body":"hi"}}`, "", ann},
		{`{"from":"1555","to_user_id":"US.2","to_parent_user_id":"US.ENT.2","id":"w","timestamp":"1739321024","type":"text","text":{"body":"hi"}}`, "", Identity{BSUID: "US.2", ParentBSUID: "US.ENT.2"}},
		{`{"id":"w","timestamp":"1739321024","message":{"to":"1650","recipient":"US.1","recipient_type":"individual","type":"text","text":{"body":"hi"}}}`, "", ann},
		{`{"id":"w","timestamp":"1739321024","message":{"recipient":"US.1","type":"text","text":{"body":"hi"}}}`, "", ann},
	} {
		m, err := ParseMessage(Update{Kind: KindEcho, Contact: []byte(contact), Body: []byte(tt.body)})
		if err != nil || m.To != tt.to || m.GroupID != tt.group || m.ID != "w" || m.Type != "text" || m.Text == nil || m.Text.Body != "hi" ||
			m.Timestamp.Unix() != 1739321024 || m.From.BSUID != "" || m.From.Name != "" || string(m.Raw) != tt.body || string(m.Content) != `{"body":"hi"}` {
			t.Errorf("%s\n got %+v, %v", tt.body, m, err)
		}
	}
	m, err := ParseMessage(Update{Kind: KindEcho, Body: []byte(`{"recipient_type":"group","to":"G","type":"revoke","revoke":{"original_message_id":"w"}}`)})
	if err != nil || m.GroupID != "G" || m.To.Known() || m.Revoke.OriginalID != "w" {
		t.Errorf("to a group: %+v, %v", m, err)
	}
	m, err = ParseMessage(Update{Kind: KindMessage, Body: []byte(`{"from":"1650","to":"1555"}`)})
	if err != nil || m.To.Known() {
		t.Errorf("a customer's message has a recipient: %+v, %v", m.To, err)
	}
}
