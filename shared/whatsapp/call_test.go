package whatsapp

import (
	"reflect"
	"testing"
	"time"
)

func TestParseCall(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	const contact = `{"user_id":"US.1","wa_id":"1650","profile":{"name":"Ann"}}`
	for _, tt := range []struct {
		name, contact, body string
		want                Call
		customer            Identity
	}{
		{
			"rings", contact, `{"id":"wacid.1","from":"1650","from_user_id":"US.1","to":"1555","event":"connect","direction":"USER_INITIATED","timestamp":"1752583107","session":{}}`,
			Call{
				ID: "wacid.1", Event: "connect", Direction: FromUser, To: Identity{WAID: "1555"}, Timestamp: at(1752583107),
				From: Identity{WAID: "1650", BSUID: "US.1", Name: "Ann"},
			},
			Identity{WAID: "1650", BSUID: "US.1", Name: "Ann"},
		},
		{
			"ends", contact, `{"id":"wacid.1","to":"1650","from":"1555","event":"terminate","direction":"BUSINESS_INITIATED","status":"Completed",
			"start_time":"1671644824","end_time":1671644944,"duration":"120","timestamp":"1671644944"}`,
			Call{
				ID: "wacid.1", Event: "terminate", Direction: FromBusiness, Status: "COMPLETED", From: Identity{WAID: "1555"},
				To: Identity{WAID: "1650", BSUID: "US.1", Name: "Ann"}, Timestamp: at(1671644944), Started: at(1671644824), Ended: at(1671644944), Duration: 120,
			},
			Identity{WAID: "1650", BSUID: "US.1", Name: "Ann"},
		},
		{
			"status", "", `{"id":"wacid.1","type":"call","status":"RINGING","timestamp":"1671644824","recipient_id":"1650"}`,
			Call{ID: "wacid.1", Direction: FromBusiness, Status: "RINGING", To: Identity{WAID: "1650"}, Timestamp: at(1671644824)},
			Identity{WAID: "1650"},
		},
		{
			"without a number", "", `{"id":"wacid.1","event":"connect","from":"1555","to_user_id":"US.1","to_parent_user_id":"US.ENT.2"}`,
			Call{ID: "wacid.1", Event: "connect", Direction: FromBusiness, From: Identity{WAID: "1555"}, To: Identity{BSUID: "US.1", ParentBSUID: "US.ENT.2"}},
			Identity{BSUID: "US.1", ParentBSUID: "US.ENT.2"},
		},
		{
			"no direction", "", `{"id":"wacid.1","event":"call_created","from":"1650","to":"1555"}`,
			Call{ID: "wacid.1", Event: "call_created", Direction: FromUser, From: Identity{WAID: "1650"}, To: Identity{WAID: "1555"}},
			Identity{WAID: "1650"},
		},
		{"odd", "", `{"id":7,"from":{},"direction":[],"duration":"long"}`, Call{ID: "7", Direction: FromUser}, Identity{}},
	} {
		c, err := ParseCall(Update{Kind: KindCall, Display: "+1 555", Contact: []byte(tt.contact), Body: []byte(tt.body)})
		if err != nil || string(c.Content) != tt.body {
			t.Errorf("%s: %v", tt.name, err)
		}
		c.Content = nil
		if !reflect.DeepEqual(c, tt.want) || c.Customer() != tt.customer {
			t.Errorf("%s\n got %+v\nwant %+v", tt.name, c, tt.want)
		}
	}
}

// Ensure that the errors which Meta puts beside a call are the call's.
func TestParseFailedCall(t *testing.T) {
	updates := mustSplit(t, change("calls", `"calls":[{"id":"c","event":"terminate","status":"FAILED"}],"errors":[{"code":138021,"title":"t"}]`))
	if len(updates) != 1 {
		t.Fatalf("%+v", updates)
	}
	c, err := ParseCall(updates[0])
	if err != nil || c.Status != "FAILED" || len(c.Errors) != 1 || c.Errors[0].Code != 138021 {
		t.Errorf("%+v, %v", c, err)
	}
}
