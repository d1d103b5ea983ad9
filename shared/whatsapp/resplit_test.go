package whatsapp

import (
	"encoding/json"
	"reflect"
	"testing"
)

// wholeValues are values of fields that a former release left whole.
var wholeValues = []struct{ field, members string }{
	{"user_preferences", `"contacts":[{"wa_id":"1"}],"user_preferences":[{"wa_id":"1","value":"stop"}]`},
	{"smb_message_echoes", `"message_echoes":[{"id":"a","to":"1"},"odd",{"id":"b","to":"2"}]`},
	{"calls", `"calls":[{"id":"c","event":"terminate"}],"errors":[{"code":1}]`},
	{"standby", `"standby":{"messages":[{"id":"m"}],"statuses":[{"id":"s"}],"new":1}`},
	{"history", `"history":[{"metadata":{"phase":1},"threads":[{"id":"1","messages":[{"id":"m"}]},{"id":"2","messages":[]}]}]`},
	{"history", `"messages":[{"id":"m","from":"1","type":"image"}]`},
	{"history", `"history":[{"metadata":{"phase":1},"errors":[{"code":2593109}]},{"metadata":{"phase":2}}]`},
	{"messaging_handovers", `"sender":{"phone_number":"1"},"type":"control_taken"`},
	{"group_settings_update", `"groups":[{"group_id":"g"}]`},
	{"smb_app_state_sync", `"state_sync":[{"contact":{"phone_number":"1"}},{"odd":1}]`},
	{"user_preferences", `"new":1`},
	{"account_update", `"event":"ACCOUNT_DELETED"`},
}

// Ensure that a value that was left whole becomes what Split makes of it.
func TestResplit(t *testing.T) {
	for _, tt := range wholeValues {
		body := change(tt.field, tt.members)
		want := mustSplit(t, body)
		var post struct {
			Entry []struct {
				Changes []struct{ Value json.RawMessage }
			}
		}
		if err := json.Unmarshal([]byte(body), &post); err != nil {
			t.Fatal(err)
		}
		former := Update{Kind: KindEvent, Number: "N", Display: "D", WABA: "W", Field: tt.field, Body: post.Entry[0].Changes[0].Value}
		got := Resplit(former)
		if len(want) == 1 && want[0].Kind == KindEvent {
			want = []Update{former}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s\n got %+v\nwant %+v", tt.field, tt.members, got, want)
		}
	}
}

// Ensure that what Split made comes back as it is, with its number and contact.
func TestResplitLeavesParts(t *testing.T) {
	values := wholeValues
	values = append(values, []struct{ field, members string }{
		{"messages", `"contacts":[{"wa_id":"1"}],"errors":[{"code":131042}]`},
		{"messages", `"messages":["odd"],"statuses":[7],"contacts":["x"],"new":1`},
		{"history", `"history":["odd",{"threads":["odd",{"id":"1","messages":["odd",{"id":"m"}],"new":1}],"new":1}],"messages":[1]`},
	}...)
	for _, tt := range values {
		for _, u := range mustSplit(t, change(tt.field, tt.members)) {
			if got := Resplit(u); len(got) != 1 || !reflect.DeepEqual(got[0], u) {
				t.Errorf("%s\n got %+v\nwant %+v", tt.field, got, u)
			}
		}
	}
}
