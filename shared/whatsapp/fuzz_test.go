package whatsapp

import (
	"encoding/json"
	"fmt"
	"testing"
)

// fieldSeeds are values of the fields that are taken apart, without braces.
var fieldSeeds = []struct{ field, value string }{
	{"standby", `"standby":{"messages":[{"id":"1"},"x"],"message_echoes":[{"id":"2","message":{"to":"1","type":"text"}}],"contacts":[{"wa_id":"1"}],"new":1},"statuses":[{}]`},
	{"smb_message_echoes", `"message_echoes":[{"to":"1","to_user_id":"US.1","type":"edit","edit":{"message":{}}},1],"contacts":[{"user_id":"US.1"}]`},
	{"calls", `"calls":[{"id":"c","event":"terminate","direction":"BUSINESS_INITIATED","duration":1}],"errors":[{"code":138001}]`},
	{"calls", `"calls":[{}],"statuses":[{"id":"c","status":"RINGING","recipient_id":"1"}],"errors":[1]`},
	{"history", `"history":[{"metadata":{"phase":0,"chunk_order":1,"progress":5},"threads":[{"id":"1","messages":[{"from":"D","id":"a"},"x"],"y":1},[]],"errors":[{}]},7]`},
	{"history", `"messages":[{"from":"D","to":"1","image":{"id":"7"}},1],"errors":[{"code":2593109}]`},
	{"smb_app_state_sync", `"state_sync":[{"type":"contact","contact":{"phone_number":"1"},"action":"remove"},{"type":"label"},1]`},
	{"user_preferences", `"user_preferences":[{"wa_id":"1","value":"stop","timestamp":1}],"contacts":[{"wa_id":"1"}]`},
	{"messaging_handovers", `"sender":{"phone_number":"1"},"type":"control_passed","control_passed":{"new_owner_role":"a"},"contacts":[{"wa_id":"1"}]`},
	{"messaging_handovers", `"messaging_handovers":[{"recipient":{"phone_number_id":"M"},"type":"control_taken"},1],"type":"x"`},
	{"group_participants_update", `"groups":[{"group_id":"G","removed_participants":[{"input":1}],"failed_participants":[{"errors":[{"code":"1"}]}]},1]`},
	{"automatic_events", `"automatic_events":[{"id":"1","custom_data":{"value":2.50}},1]`},
	{"account_update", `"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"R","expiration":1}]`},
}

// FuzzSplit proves that nothing panics, nothing is lost and nothing becomes
// invalid, for any input at all.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		envelope(`,"messages":[{"id":"1","type":"text","text":{"body":"hé"}},"x"],"errors":[1,{}],"contacts":[{"wa_id":"1"}]`),
		envelope(`,"statuses":[{"id":"1","status":"failed","errors":[{"code":"131047","error_data":"x"}]}],"x":{}`),
		envelope(`,"messages":[{"type":"edit","edit":{"message":{"type":"edit","edit":{"message":{}}}}}]`),
		envelope(`,"messages":[{"type":"interactive","interactive":{"nfm_reply":{"response_json":{"a":1}}},"timestamp":1e99}]`),
		envelope(`,"messages":[{"type":"contacts","contacts":[1,{"phones":[{}],"emails":"x"}],"system":{"user_id":"US.1"}}]`),
		`{"object":"whatsapp_business_account","entry":["x",{"changes":[null,{"value":{}}]}]}`,
		`{"object":"page","entry":[]}`, `[]`, `"\"["`, `1`, `{"entry":[{"changes":[{"a":"\\","b":[[],{}]}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	for _, seed := range fieldSeeds {
		f.Add([]byte(change(seed.field, seed.value)))
	}
	for _, body := range corpus(f) {
		if len(body) < 1<<16 {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { splitAll(t, body) })
}

// FuzzSplitField is the same within the envelope, where bytes alone seldom get.
func FuzzSplitField(f *testing.F) {
	for _, seed := range fieldSeeds {
		f.Add(seed.field, []byte("{"+seed.value+"}"))
	}
	f.Fuzz(func(t *testing.T, field string, value []byte) {
		name, err := json.Marshal(field)
		if err != nil || !json.Valid(value) {
			t.Skip()
		}
		splitAll(t, fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"field":%s,"value":%s}]}]}`, name, value))
	})
}

func splitAll(t *testing.T, body []byte) {
	t.Helper()
	updates, err := Split(body)
	if err != nil {
		if json.Valid(body) {
			t.Fatalf("refused valid JSON: %v", err)
		}
		return
	}
	for _, u := range updates {
		queued := entry(t, u)
		var back Update
		if err := json.Unmarshal(queued, &back); err != nil {
			t.Fatalf("queued update %q: %v", queued, err)
		}
		if len(u.GroupKey()) != 32 {
			t.Fatalf("group key %q", u.GroupKey())
		}
		parseAll(t, back)
	}
	nothingLost(t, body, updates)
}

// parseAll reads an update as every kind; only one that is no object may fail.
func parseAll(t testing.TB, u Update) {
	t.Helper()
	_, isObject := read(u.Body)
	check := func(v any, err error) {
		t.Helper()
		if (err == nil) != isObject || err != nil && err != ErrNotObject {
			t.Fatalf("%T of %s: %v", v, u.Body, err)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatalf("%T of %s: %v", v, u.Body, err)
		}
	}
	for _, kind := range []UpdateKind{u.Kind, KindEcho} {
		m, err := ParseMessage(Update{Kind: kind, Display: u.Display, Contact: u.Contact, Body: u.Body})
		check(m, err)
		m.Media()
		m.IdentityChange()
	}
	s, err := ParseStatus(u)
	check(s, err)
	h, err := ParseHistory(u)
	check(h, err)
	c, err := ParseCall(u)
	check(c, err)
	check(c.Customer(), err)
	p, err := ParsePreference(u)
	check(p, err)
	a, err := ParseSavedContact(u)
	check(a, err)
	o, err := ParseHandover(u)
	check(o, err)
	g, err := ParseGroupEvent(u)
	check(g, err)
	n, err := ParseSignal(u)
	check(n, err)
	e, err := ParseAccountEvent(u)
	check(e, err)
	for _, c := range e.Changes {
		if c.Topic == "" || c.Value == "" && c.Topic != TopicUsername {
			t.Fatalf("%s says nothing: %+v", u.Body, c)
		}
	}
	for _, e := range u.Errors() {
		_ = e.Error()
	}
}

// FuzzParse proves that no body of any kind or field is more than its parser
// can take.
func FuzzParse(f *testing.F) {
	for field := range accountFields {
		f.Add(field, "+1 555", []byte(`{"wa_id":"1"}`), []byte(`{"event":"THROUGHPUT_UPGRADE","current_limit":2000}`))
	}
	for _, tt := range accountTests {
		f.Add(tt.field, "", []byte(nil), []byte(tt.value))
	}
	for _, body := range []string{
		`{"metadata":{"phase":"x"},"id":"US.1","messages":[{"from":"1","history_context":{"status":1}},2]}`, `{"media":[{"from":"1","to":"2"}]}`,
		`{"from":"1","to":"2","direction":"USER_INITIATED","status":"completed","duration":"9"}`, `{"group_subject":{"text":"x"},"type":"group_settings_update"}`,
		`{"type":"control_passed","control_passed":{"previous_owner":{"app_role":"x"}},"sender":{"user_id":"US.1"}}`, `[]`, `1`, `null`,
		`{"type":"interactive","interactive":{"nfm_reply":{"response_json":"{\"a\":[1],\"b\":null}"}}}`, `{"message":{"type":"text","to":"1"},"id":"w"}`,
	} {
		f.Add("messages", "15550001111", []byte(`{"user_id":"US.1"}`), []byte(body))
	}
	kinds := []UpdateKind{
		KindMessage, KindStatus, KindEcho, KindHistory, KindContact, KindCall, KindPreference, KindHandover, KindGroup, KindSignal, KindEvent,
	}
	f.Fuzz(func(t *testing.T, field, display string, contact, body []byte) {
		if !json.Valid(body) || len(contact) > 0 && !json.Valid(contact) {
			t.Skip()
		}
		u := Update{Field: field, Display: display, Number: "N", Contact: contact, Body: body}
		for _, u.Kind = range kinds {
			if len(u.GroupKey()) != 32 {
				t.Fatalf("group key %q", u.GroupKey())
			}
			parseAll(t, u)
		}
	})
}
