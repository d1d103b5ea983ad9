package whatsapp

import (
	"reflect"
	"testing"
	"time"
)

func history(t *testing.T, display, contact, body string) History {
	t.Helper()
	h, err := ParseHistory(Update{Kind: KindHistory, Display: display, Contact: []byte(contact), Body: []byte(body)})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return h
}

func TestParseHistory(t *testing.T) {
	h := history(t, "+1 555-000", `{"wa_id":"1650","user_id":"US.1","profile":{"name":"Ann"}}`, `{"metadata":{"phase":2,"chunk_order":"3","progress":55},"id":"1650","messages":[
		{"from":"1555000","to":"1650","id":"a","timestamp":"1739230955","type":"text","text":{"body":"hi"},"history_context":{"status":"READ"}},
		{"from":"1650","id":"b","timestamp":1739230970,"type":"media_placeholder","history_context":{"status":"DELIVERED"}},
		{"from":"1650","id":"c","type":"edit","edit":{"original_message_id":"b","message":{"type":"text","text":{"body":"new"}}}},
		"x"]}`)
	customer := Identity{WAID: "1650", BSUID: "US.1", Name: "Ann"}
	if h.Thread != "1650" || h.Customer != customer || h.Phase != 2 || h.Chunk != 3 || h.Progress != 55 || h.Media || len(h.Messages) != 3 {
		t.Fatalf("history %+v", h)
	}
	a, b, c := h.Messages[0], h.Messages[1], h.Messages[2]
	if !a.FromBusiness || a.Status != "READ" || a.To != customer || a.From.WAID != "1555000" || a.Text.Body != "hi" || a.Timestamp != time.Unix(1739230955, 0).UTC() {
		t.Errorf("ours %+v", a)
	}
	if b.FromBusiness || b.Type != "media_placeholder" || b.Status != "DELIVERED" || b.From != customer || b.To.Known() {
		t.Errorf("theirs %+v", b)
	}
	if _, ok := b.Media(); ok || b.Content != nil {
		t.Errorf("a placeholder has content: %+v", b)
	}
	if c.Edit == nil || c.Edit.Message.Text.Body != "new" || c.Raw == nil {
		t.Errorf("edit %+v", c)
	}
}

func TestParseHistoryMedia(t *testing.T) {
	for body, want := range map[string]struct {
		thread string
		ours   bool
	}{
		`{"media":[{"from":"1650","id":"b","type":"image","image":{"id":"7"}}]}`:                           {"1650", false},
		`{"media":[{"from":"1555","to":"1650","id":"b","type":"image","image":{"id":"7"}}]}`:               {"1650", true},
		`{"media":[{"from":"1555","id":"b","type":"image","image":{"id":"7"}}]}`:                           {"", true},
		`{"media":[{"from_user_id":"US.1","id":"b","type":"image","image":{"id":"7"}}]}`:                   {"US.1", false},
		`{"media":[{"from":"1555","to_user_id":"US.1","to":"US.1","type":"image","image":{"id":"7"}}]}`:    {"US.1", true},
		`{"media":[{"from":"1650","type":"image","image":{"id":"7"},"history_context":{"from_me":true}}]}`: {"", true},
	} {
		h := history(t, "1555", "", body)
		if !h.Media || len(h.Messages) != 1 || h.Messages[0].Image.ID != "7" || h.Thread != want.thread || h.Messages[0].FromBusiness != want.ours {
			t.Errorf("%s: %+v", body, h)
		}
	}
}

// Ensure that the two sides are told apart however the thread names them.
func TestHistorySides(t *testing.T) {
	for _, tt := range []struct {
		name, display, thread, message string
		ours                           bool
	}{
		{"number of the business", "1555", `"id":"1650"`, `{"from":"1555"}`, true},
		{"the thread's", "1555", `"id":"1650"`, `{"from":"1650"}`, false},
		{"a variant of the thread's", "1555", `"id":"5511987"`, `{"from":"551187"}`, false},
		{"with a recipient", "", `"id":"1650"`, `{"from":"1555","to":"1650"}`, true},
		{"number of the business not known", "", `"id":"1650"`, `{"from":"1555"}`, true},
		{"number of the business not known, theirs", "", `"id":"1650"`, `{"from":"1650"}`, false},
		{"by user id", "1555", `"id":"US.1"`, `{"from_user_id":"US.1"}`, false},
		{"by another user id", "1555", `"id":"US.1"`, `{"from_user_id":"US.2"}`, true},
		{"user id in from", "1555", `"id":"US.1"`, `{"from":"US.1"}`, false},
		{"nobody", "1555", `"id":"1650"`, `{}`, false},
	} {
		h := history(t, tt.display, "", `{`+tt.thread+`,"messages":[`+tt.message+`]}`)
		if h.Messages[0].FromBusiness != tt.ours {
			t.Errorf("%s: ours is %v", tt.name, !tt.ours)
		}
	}
}

func TestHistoryThread(t *testing.T) {
	for body, want := range map[string]History{
		`{"id":"+1650"}`:                 {Thread: "1650", Customer: Identity{WAID: "1650"}},
		`{"id":"US.1"}`:                  {Thread: "US.1", Customer: Identity{BSUID: "US.1"}},
		`{"id":"1650","user_id":"US.1"}`: {Thread: "1650", Customer: Identity{WAID: "1650", BSUID: "US.1"}},
		`{"id":"1650","context":{"user_id":"US.1","username":"@nn"},"metadata":[],"messages":{}}`: {Thread: "1650", Customer: Identity{WAID: "1650", BSUID: "US.1", Username: "nn"}},
		`{}`: {},
	} {
		if got := history(t, "1555", "", body); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", body, got, want)
		}
	}
}
