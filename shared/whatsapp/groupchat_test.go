package whatsapp

import (
	"reflect"
	"testing"
	"time"
)

func TestParseGroupEvent(t *testing.T) {
	for body, want := range map[string]GroupEvent{
		`{"group_id":"G","type":"group_create","timestamp":"1750269342","subject":"Plan","added_participants":[{"input":1650,"wa_id":1650},7,{}]}`: {
			GroupID: "G", Type: "group_create", Text: "Group created “Plan”", Participants: []Identity{{WAID: "1650"}}, Timestamp: time.Unix(1750269342, 0).UTC(),
		},
		`{"type":"group_create","request_id":"r","errors":[{"code":"131201"}]}`: {Type: "group_create", Text: "Group created: failed"},
		`{"group_id":"G","type":"group_delete"}`:                                {GroupID: "G", Type: "group_delete", Text: "Group deleted"},
		`{"group_id":"G","type":"group_participants_add","added_participants":[{"wa_id":"1","user_id":"US.1"},{"user_id":"US.2"}]}`: {
			GroupID: "G", Type: "group_participants_add", Text: "Joined the group: 2", Participants: []Identity{{WAID: "1", BSUID: "US.1"}, {BSUID: "US.2"}},
		},
		`{"group_id":"G","type":"group_create","removed_participants":[{"input":"+1"}]}`: {
			GroupID: "G", Type: "group_create", Text: "Removed from the group: 1", Participants: []Identity{{WAID: "1"}},
		},
		`{"group_id":"G","type":"group_participants_remove","initiated_by":"participant","removed_participants":[{"wa_id":"1"}]}`: {
			GroupID: "G", Type: "group_participants_remove", Text: "Left the group", Participants: []Identity{{WAID: "1"}},
		},
		`{"group_id":"G","type":"group_participants_remove","failed_participants":[{"input":"1","errors":[{"code":131204}]}]}`: {
			GroupID: "G", Type: "group_participants_remove", Text: "Removed from the group: failed",
		},
		`{"group_id":"G","type":"group_join_request_created","wa_id":"1","user_id":"US.1"}`: {
			GroupID: "G", Type: "group_join_request_created", Text: "Asked to join the group", Participants: []Identity{{WAID: "1", BSUID: "US.1"}},
		},
		`{"group_id":"G","type":"group_settings_update","profile_picture":{"mime_type":"image/jpeg"},"group_subject":{"text":"New","update_successful":true},"group_description":{"text":"d"}}`: {
			GroupID: "G", Type: "group_settings_update", Text: "Group changed: Subject “New”, Description, Picture",
		},
		`{"group_id":"G","type":"group_settings_update","group_subject":{"text":"New","errors":[{"code":1}]}}`: {
			GroupID: "G", Type: "group_settings_update", Text: "Group changed: Subject “New”: failed",
		},
		`{"group_id":"G","type":"group_suspend_cleared"}`: {GroupID: "G", Type: "group_suspend_cleared", Text: "Group no longer suspended"},
		`{"group_id":"G","type":"group_something_new"}`:   {GroupID: "G", Type: "group_something_new", Text: "group something new"},
	} {
		g, err := ParseGroupEvent(Update{Kind: KindGroup, Body: []byte(body)})
		if err != nil || string(g.Content) != body {
			t.Errorf("%s: %v", body, err)
		}
		failed := len(g.Errors) > 0
		if failed != (len(want.Text) > 8 && want.Text[len(want.Text)-8:] == ": failed") {
			t.Errorf("%s: errors %+v", body, g.Errors)
		}
		g.Content, g.Errors = nil, nil
		if !reflect.DeepEqual(g, want) {
			t.Errorf("%s\n got %+v\nwant %+v", body, g, want)
		}
	}
}
