package whatsapp

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Ensure that each field is taken apart into updates of its own kinds, and what
// doesn't fit costs its neighbours nothing.
func TestSplitFields(t *testing.T) {
	for _, tt := range []struct{ name, field, value, want string }{
		{"echoes", "smb_message_echoes", `"message_echoes":[{"id":"1"},"x",{"id":"2"}],"errors":[{"code":1}]`,
			`echo:{"id":"1"} event:{"message_echoes":["x"]} echo:{"id":"2"} event:{"errors":[{"code":1}]}`},
		{"other echoes", "message_echoes", `"message_echoes":[{"id":"1"}],"new":1`, `echo:{"id":"1"} event:{"new":1}`},
		{"address book", "smb_app_state_sync", `"state_sync":[{"type":"contact","contact":{"phone_number":"1"}},{"type":"label","label":{}},{"contact":7}]`,
			`contact:{"type":"contact","contact":{"phone_number":"1"}} event:{"state_sync":[{"type":"label","label":{}}]} event:{"state_sync":[{"contact":7}]}`},
		{"calls", "calls", `"calls":[{"id":"1"},{"id":"2"}],"statuses":[{"id":"1","status":"RINGING"}],"errors":[{"code":1}]`,
			`call:{"id":"1"} call:{"id":"2"} call:{"id":"1","status":"RINGING"} event:{"errors":[{"code":1}]}`},
		{"a call that failed", "calls", `"calls":[{"id":"1"}],"errors":[{"code":1},{"code":2}]`, `call:{"id":"1","errors":[{"code":1},{"code":2}]}`},
		{"a call with errors", "calls", `"calls":[{"id":"1","errors":[]}],"errors":[{"code":1}]`, `call:{"id":"1","errors":[]} event:{"errors":[{"code":1}]}`},
		{"no call with errors", "calls", `"calls":[7],"errors":[{"code":1}]`, `event:{"calls":[7]} event:{"errors":[{"code":1}]}`},
		{"preferences", "user_preferences", `"user_preferences":[{"wa_id":"1"},null]`, `preference:{"wa_id":"1"} event:{"user_preferences":[null]}`},
		{"signals", "automatic_events", `"automatic_events":[{"id":"1"}]`, `signal:{"id":"1"}`},
		{"groups", "group_participants_update", `"groups":[{"group_id":"G"},[]]`, `group:{"group_id":"G"} event:{"groups":[[]]}`},
		{"groups, a new field", "group_new", `"groups":[{"group_id":"G"}]`, `group:{"group_id":"G"}`},
		{"standby", "standby", `"standby":{"messages":[{"id":"1"}],"statuses":[{"id":"2"}],"message_echoes":[{"id":"3"}]}`,
			`message:{"id":"1"} status:{"id":"2"} echo:{"id":"3"}`},
		{"standby, flat", "standby", `"messages":[{"id":"1"}],"message_echoes":[{"id":"3"}]`, `message:{"id":"1"} echo:{"id":"3"}`},
		{"standby, with more", "standby", `"standby":{"messages":[{"id":"1"},7],"new":[1],"standby":{"messages":[]}},"old":2`,
			`message:{"id":"1"} event:{"messages":[7]} event:{"standby":{"new":[1],"standby":{"messages":[]}},"old":2}`},
		{"standby, a list", "standby", `"standby":[{"messages":[]}]`,
			`event:{"messaging_product":"whatsapp","metadata":{"phone_number_id":"N","display_phone_number":"D"},"standby":[{"messages":[]}]}`},
		{"handover", "messaging_handovers", `"sender":{"phone_number":"1"},"type":"control_passed","contacts":[{"wa_id":"1"}]`,
			`handover:{"sender":{"phone_number":"1"},"type":"control_passed"}`},
		{"handovers", "messaging_handovers", `"messaging_handovers":[{"type":"control_taken"},7],"new":1`,
			`handover:{"type":"control_taken"} event:{"messaging_handovers":[7]} event:{"new":1}`},
		{"no handover", "messaging_handovers", `"new":1`,
			`event:{"messaging_product":"whatsapp","metadata":{"phone_number_id":"N","display_phone_number":"D"},"new":1}`},
		{"nothing known", "calls", `"new":1`, `event:{"messaging_product":"whatsapp","metadata":{"phone_number_id":"N","display_phone_number":"D"},"new":1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, u := range mustSplit(t, change(tt.field, tt.value)) {
				got = append(got, string(u.Kind)+":"+string(u.Body))
				if u.Field != tt.field || u.Number != "N" {
					t.Errorf("field %q of number %q", u.Field, u.Number)
				}
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSplitHistory(t *testing.T) {
	const meta = `"metadata":{"phase":0,"chunk_order":1,"progress":5}`
	for _, tt := range []struct{ name, value, want string }{
		{"threads", `"history":[{` + meta + `,"threads":[{"id":"1","messages":[{"id":"a"},{"id":"b"}]},{"messages":[{"id":"c"}],"id":"2"}]}]`,
			`history:{` + meta + `,"id":"1","messages":[{"id":"a"},{"id":"b"}]} history:{` + meta + `,"id":"2","messages":[{"id":"c"}]}`},
		{"metadata behind", `"history":[{"threads":[{"id":"1","messages":[{"id":"a"}]}],` + meta + `}]`, `history:{` + meta + `,"id":"1","messages":[{"id":"a"}]}`},
		{"who", `"history":[{"threads":[{"id":"1","context":{"user_id":"US.1"},"messages":[{"id":"a"}]}]}]`,
			`history:{"id":"1","context":{"user_id":"US.1"},"messages":[{"id":"a"}]}`},
		{"odd message", `"history":[{` + meta + `,"threads":[{"id":"1","messages":["x",{"id":"a"}],"new":1}]}]`,
			`history:{` + meta + `,"id":"1","messages":[{"id":"a"}]} event:{"messages":["x"]} event:{"threads":[{"new":1}]}`},
		{"odd thread", `"history":[{` + meta + `,"threads":[7,{"id":"1","messages":[]},{"id":"2","messages":[{"id":"a"}]}],"new":1}]`,
			`event:{"threads":[7]} event:{"threads":[{"id":"1","messages":[]}]} history:{` + meta + `,"id":"2","messages":[{"id":"a"}]} event:{"history":[{"new":1}]}`},
		{"declined", `"history":[{"errors":[{"code":2593109}]}]`, `event:{"errors":[{"code":2593109}]}`},
		{"only how far", `"history":[{` + meta + `}]`, `event:{"history":[{` + meta + `}]}`},
		{"nothing", `"history":[{},7]`, `event:{"history":[{}]} event:{"history":[7]}`},
		{"files", `"messages":[{"id":"a"},7,{"id":"b"}],"errors":[{"code":1}]`,
			`history:{"media":[{"id":"a"}]} event:{"messages":[7]} history:{"media":[{"id":"b"}]} event:{"errors":[{"code":1}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, u := range mustSplit(t, change("history", tt.value)) {
				got = append(got, string(u.Kind)+":"+string(u.Body))
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Ensure that a long thread comes in pieces that hold all of it, in order.
func TestSplitLongThread(t *testing.T) {
	const length = 250
	list := make([]string, length)
	for i := range list {
		list[i] = fmt.Sprintf(`{"id":"%d","from":"1"}`, i)
	}
	updates := mustSplit(t, change("history", `"contacts":[{"wa_id":"1","user_id":"US.1"}],"history":[{"metadata":{"progress":5},"threads":[{"id":"1","messages":[`+strings.Join(list, ",")+`]}]}]`))
	if len(updates) != 3 {
		t.Fatalf("%d updates", len(updates))
	}
	next := 0
	for _, u := range updates {
		h, err := ParseHistory(u)
		if err != nil || h.Progress != 5 || h.Customer.BSUID != "US.1" || len(h.Messages) > 100 {
			t.Fatalf("%+v, %v", h, err)
		}
		for _, m := range h.Messages {
			if m.ID != fmt.Sprint(next) {
				t.Fatalf("message %s instead of %d", m.ID, next)
			}
			next++
		}
	}
	if next != length {
		t.Errorf("%d messages", next)
	}
}

// Ensure that whoever an update is about is found among the contacts.
func TestSplitFieldContacts(t *testing.T) {
	const a, b = `{"wa_id":"1","profile":{"name":"A"}}`, `{"user_id":"US.2","wa_id":"22"}`
	const both = `"contacts":[` + a + `,` + b + `],`
	for _, tt := range []struct{ name, field, value, want string }{
		{"echo", "smb_message_echoes", both + `"message_echoes":[{"from":"1","to_user_id":"US.2"},{"from":"22","to":"1"}]`, `echo ` + b + `|echo ` + a},
		{"sole echo", "smb_message_echoes", `"contacts":[` + a + `],"message_echoes":[{"from":"9","to":"11"}]`, `echo ` + a},
		{"echo of the agent", "standby", `"standby":{` + both + `"message_echoes":[{"id":"w","message":{"to":"1","type":"text"}},{"message":{"recipient":"US.2"}}]}`, `echo ` + a + `|echo ` + b},
		{"call", "calls", both + `"calls":[{"from":"1","to":"22","direction":"USER_INITIATED"},{"from":"1","to":"22","direction":"BUSINESS_INITIATED"}],"statuses":[{"recipient_id":"1"}]`,
			`call ` + a + `|call ` + b + `|call ` + a},
		{"preference", "user_preferences", both + `"user_preferences":[{"user_id":"US.2"},{"wa_id":"1"}]`, `preference ` + b + `|preference ` + a},
		{"handover", "messaging_handovers", both + `"type":"control_taken","sender":{"phone_number":"22"}`, `handover ` + b + `|event `},
		{"thread", "history", both + `"history":[{"threads":[{"id":"22","messages":[{}]},{"id":"3","messages":[{}]},{"id":"1","messages":[{}]}]}]`,
			`history ` + b + `|history |history ` + a},
		{"one contact, two threads", "history", `"contacts":[` + a + `],"history":[{"threads":[{"id":"2","messages":[{}]},{"id":"3","messages":[{}]}]}]`,
			`history |history |event `},
		{"file", "history", both + `"messages":[{"from":"22"},{"from":"999","to":"1"}]`, `history ` + b + `|history ` + a},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, u := range mustSplit(t, strings.Replace(change(tt.field, tt.value), `"D"`, `"+9 99"`, 1)) {
				got = append(got, string(u.Kind)+" "+string(u.Contact))
			}
			if got := strings.Join(got, "|"); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Ensure that a handover, which has no metadata, finds its number.
func TestSplitHandoverNumber(t *testing.T) {
	const wrap = `{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"field":"messaging_handovers","value":`
	for _, value := range []string{
		`{"recipient":{"phone_number_id":"N","display_phone_number":"D"},"type":"control_taken"}`,
		`{"messaging_handovers":[{"recipient":{"phone_number_id":"N","display_phone_number":"D"}}]}`,
	} {
		u := mustSplit(t, wrap+value+`}]}]}`)
		if len(u) != 1 || u[0].Kind != KindHandover || u[0].Number != "N" || u[0].Display != "D" {
			t.Errorf("%s: %+v", value, u)
		}
	}
}

// Ensure that all that is about one customer waits in one line.
func TestGroupKeyOfFields(t *testing.T) {
	key := func(field, value string) string {
		t.Helper()
		return mustSplit(t, strings.Replace(change(field, value), `"D"`, `"999"`, 1))[0].GroupKey()
	}
	for name, want := range map[string]struct {
		key    string
		values map[string][]string
	}{
		"user": {key("messages", `"messages":[{"id":"1","from_user_id":"US.1"}]`), map[string][]string{
			"smb_message_echoes":  {`"message_echoes":[{"from":"999","to_user_id":"US.1","to":"5"}]`, `"contacts":[{"wa_id":"5","user_id":"US.1"}],"message_echoes":[{"to":"5"}]`},
			"standby":             {`"standby":{"messages":[{"from_user_id":"US.1"}]}`, `"standby":{"message_echoes":[{"message":{"recipient":"US.1"}}]}`},
			"calls":               {`"calls":[{"from_user_id":"US.1","direction":"USER_INITIATED"}]`, `"calls":[{"from":"999","to_user_id":"US.1"}]`, `"statuses":[{"recipient_user_id":"US.1"}]`},
			"user_preferences":    {`"user_preferences":[{"user_id":"US.1","wa_id":"5"}]`},
			"messaging_handovers": {`"type":"x","sender":{"user_id":"US.1"}`, `"contacts":[{"wa_id":"5","user_id":"US.1"}],"type":"x","sender":{"phone_number":"+5"}`},
			"history":             {`"history":[{"threads":[{"id":"US.1","messages":[{}]}]}]`, `"history":[{"threads":[{"id":"5","user_id":"US.1","messages":[{}]}]}]`},
		}},
		"number": {key("messages", `"messages":[{"id":"1","from":"5"}]`), map[string][]string{
			"smb_message_echoes":  {`"message_echoes":[{"from":"999","to":"+5"}]`},
			"calls":               {`"calls":[{"from":"5","to":"999"}]`, `"calls":[{"to":"5","from":"999"}]`, `"statuses":[{"recipient_id":"5"}]`},
			"user_preferences":    {`"user_preferences":[{"wa_id":"5"}]`},
			"messaging_handovers": {`"type":"x","sender":{"phone_number":"5"}`},
			"smb_app_state_sync":  {`"state_sync":[{"contact":{"phone_number":"+5"}}]`},
			"history":             {`"history":[{"threads":[{"id":"5","messages":[{}]}]}]`, `"messages":[{"from":"5"}]`, `"messages":[{"from":"999","to":"5"}]`},
		}},
		"group": {key("messages", `"messages":[{"id":"1","from":"5","group_id":"G"}]`), map[string][]string{
			"group_settings_update": {`"groups":[{"group_id":"G"}]`},
			"smb_message_echoes":    {`"message_echoes":[{"to":"G","recipient_type":"group"}]`, `"message_echoes":[{"group_id":"G"}]`},
		}},
		"message": {key("automatic_events", `"automatic_events":[{"id":"w"}]`), map[string][]string{
			"automatic_events": {`"automatic_events":[{"id":"w","event_name":"Purchase"}]`},
		}},
	} {
		for field, values := range want.values {
			for _, v := range values {
				if key(field, v) != want.key {
					t.Errorf("%s: %s %s waits elsewhere", name, field, v)
				}
			}
		}
	}
}

// Ensure that the order of what is written doesn't depend on a map's.
func TestSplitIsRepeatable(t *testing.T) {
	body := change("standby", `"new":1,"standby":{"statuses":[{"id":"2"}],"messages":[{"id":"1"}],"a":1,"b":2,"contacts":[{"wa_id":"9"},{"wa_id":"8"}]},"x":1`)
	first, err := json.Marshal(mustSplit(t, body))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := json.Marshal(mustSplit(t, body))
		if err != nil || !reflect.DeepEqual(first, again) {
			t.Fatalf("%s\n%s\n%v", first, again, err)
		}
	}
}
