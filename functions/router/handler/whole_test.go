package handler

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/whatsapp"
)

// former is an entry as the former release queued a field that it didn't know.
func former(field, value string) queue.Message {
	return queue.Message{Receives: 1, Sent: noon, Body: []byte(
		`{"v":1,"kind":"event","number":"100","display":"` + display + `","waba":"7","field":"` + field + `","time":1772452860,"body":` + value + `}`)}
}

// takeFormer gives the router an entry of the former release.
func (r *rig) takeFormer(field, value string) {
	r.Helper()
	if err := r.h.Handle(r.Context(), former(field, value)); err != nil {
		r.Fatalf("%s: %v", field, err)
	}
}

// takeBulk gives the router what it put on Bulk, jobs left out.
func (r *rig) takeBulk() (taken int) {
	r.Helper()
	entries := r.bulk.entries
	r.bulk.entries = nil
	for _, e := range entries {
		if strings.Contains(string(e.Body), `"kind":"import"`) {
			r.bulk.entries = append(r.bulk.entries, e)
			continue
		}
		taken++
		if e.Group == "" || len(e.Body) > queue.MaxBody {
			r.Errorf("group %q, %d bytes", e.Group, len(e.Body))
		}
		if err := r.h.Handle(r.Context(), queue.Message{Body: e.Body, Receives: 1, Sent: noon}); err != nil {
			r.Fatal(err)
		}
	}
	return taken
}

// formerValues are values of fields that the former release didn't know.
var formerValues = map[string]string{
	"user_preferences": `{"messaging_product":"whatsapp",` + metadata + `,"contacts":[{"profile":{"name":"Ana"},"wa_id":"34600111222"}],
		"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"stop","timestamp":1772452800}]}`,
	"smb_message_echoes": `{"messaging_product":"whatsapp",` + metadata + `,"message_echoes":[
		{"id":"w1","from":"` + display + `","to":"34600111222",` + at + `,"type":"text","text":{"body":"x"}},
		{"id":"w2","from":"` + display + `","to":"34600111222",` + at + `,"type":"image","image":{"id":"9"}}]}`,
	"calls":   callValue("calls", wacid+`,"event":"connect","timestamp":"1772452800"`),
	"standby": `{` + metadata + `,"standby":{"messages":[` + hello + `],"message_echoes":[{"id":"w2","from":"` + display + `","to":"34600111222",` + at + `,"type":"text","text":{"body":"y"}}]}}`,
	"history": thread(pastText("w1", 1700000000), past("w2", 1700000001, true, "READ", `"type":"text","text":{"body":"y"}`)),
}

// TestFieldsThatAFormerReleaseLeftWhole: an entry of it that waited ends where one of this release does.
func TestFieldsThatAFormerReleaseLeftWhole(t *testing.T) {
	for field, value := range formerValues {
		was, is := newRig(t), newRig(t)
		was.takeFormer(field, value)
		was.takeFormer(field, value)
		was.takeBulk()
		is.takeAll(field, value)
		if got, want := plain(was.stored()), plain(is.stored()); got != want {
			t.Errorf("%s:\n%s", field, diff(want, got))
		}
		if got, want := was.refs(&was.crm), is.refs(&is.crm); !slices.Equal(got, want) {
			t.Errorf("%s: to the CRM %q, want %q", field, got, want)
		}
		if got, want := was.refs(&was.media), is.refs(&is.media); !slices.Equal(got, want) {
			t.Errorf("%s: files %q, want %q", field, got, want)
		}
		if (len(was.bulk.entries) > 0) != (len(is.bulk.entries) > 0) || len(was.kept("ACCOUNT#")) != len(is.kept("ACCOUNT#")) {
			t.Errorf("%s: %d jobs", field, len(was.bulk.entries))
		}
	}
	r := newRig(t)
	r.takeFormer("user_preferences", formerValues["user_preferences"])
	if !r.contact("34600111222").Refuses("marketing") {
		t.Error("STOP isn't known")
	}
	r = newRig(t)
	r.takeFormer("standby", formerValues["standby"])
	if in, out := r.lookup("wamid.1"), r.lookup("w2"); in.Direction != chat.In || out.Direction != chat.Out || in.Conversation != out.Conversation {
		t.Errorf("%+v %+v", in, out)
	}
}

// TestALongHistoryOfAFormerRelease: it is stored piece by piece, also a piece that no queue takes.
func TestALongHistoryOfAFormerRelease(t *testing.T) {
	var messages []string
	for i := range 150 {
		messages = append(messages, pastText("w"+strings.Repeat("x", i), 1700000000+int64(i)))
	}
	r := newRig(t)
	r.takeFormer("history", thread(messages...))
	if n := r.takeBulk(); n != 2 || len(r.messages()) != 150 {
		t.Errorf("%d pieces, %d messages", n, len(r.messages()))
	}
	r = newRig(t)
	r.takeFormer("history", thread(past("w1", 1700000000, false, "READ", `"type":"text","text":{"body":"`+strings.Repeat("x", queue.MaxBody)+`"}`)))
	if n := r.takeBulk(); n != 0 || len(r.messages()) != 1 || len(r.bulk.entries) != 1 {
		t.Errorf("%d pieces, %d messages, %d jobs", n, len(r.messages()), len(r.bulk.entries))
	}
}

// TestOnePartHoldsBackNoOther: nor is one that failed forgotten.
func TestOnePartHoldsBackNoOther(t *testing.T) {
	r := newRig(t)
	r.bucket.err = errors.New("refused for good")
	long := strings.Replace(formerValues["smb_message_echoes"], `{"body":"x"}`, `{"body":"`+strings.Repeat("x", chat.MaxInlineRaw)+`"}`, 1)
	if err := r.h.Handle(t.Context(), former("smb_message_echoes", long)); err == nil || len(r.messages()) != 1 {
		t.Errorf("%v, %d messages", err, len(r.messages()))
	}
	r.bucket.err = nil
	r.takeFormer("smb_message_echoes", long)
	if len(r.messages()) != 2 {
		t.Errorf("%d messages", len(r.messages()))
	}
	r = newRig(t)
	r.bulk.err = chat.E(chat.Unavailable, "", errors.New("down"))
	if err := r.h.Handle(t.Context(), former("history", formerValues["history"])); !chat.Temporary(err) {
		t.Errorf("a queue that is down: %v", err)
	}
}

// TestEntriesOfANewerRelease: they wait while its deployment may be under way, and no longer.
func TestEntriesOfANewerRelease(t *testing.T) {
	for _, body := range []string{
		`{"v":1,"kind":"hologram"}`, `{"v":2,"kind":"message","body":{}}`,
		`{"v":1,"kind":"command","command":"forget","id":"1","at":"2026-03-02T12:00:00Z"}`,
	} {
		for age, waits := range map[time.Duration]bool{0: true, newer - time.Second: true, newer: false} {
			r := newRig(t)
			err := r.h.Handle(t.Context(), queue.Message{Body: []byte(body), Receives: 1, Sent: r.now.Add(-age)})
			if err == nil || chat.Temporary(err) != waits {
				t.Errorf("%s after %s: %v, waits %v", body, age, err, chat.Temporary(err))
			}
		}
	}
}

// TestErrorsAreOfTheMomentWhenTheyCome: Meta gives them no time. A later word that all is well isn't undone by one that
// comes again.
func TestErrorsAreOfTheMomentWhenTheyCome(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	works := chat.Fact{Value: "ok", Stamp: chat.Stamp{At: noon.Add(-time.Hour), ID: "m_1"}}
	if _, _, err := r.store.LearnNumber(t.Context(), "100", "7", map[string]chat.Fact{chat.FactToken: works}); err != nil {
		t.Fatal(err)
	}
	u := update(whatsapp.KindEvent, `{"errors":[{"code":131042,"title":"payment"}]}`)
	body, err := json.Marshal(entry{V: 1, Update: u})
	if err != nil {
		t.Fatal(err)
	}
	token := func(sent time.Time) chat.Fact {
		t.Helper()
		if err := r.h.Handle(t.Context(), queue.Message{Body: body, Receives: 1, Sent: sent}); err != nil {
			t.Fatal(err)
		}
		n, _, err := r.store.Health(t.Context(), "100")
		if err != nil {
			t.Fatal(err)
		}
		return n.Facts[chat.FactToken]
	}
	if f := token(noon); f.Value != "131042" || !f.Stamp.At.Equal(noon) {
		t.Errorf("%+v", f)
	}
	if told := r.health(); len(told) != 1 {
		t.Errorf("told %d times", len(told))
	}
	works.Stamp.At = noon.Add(time.Minute)
	if _, _, err := r.store.LearnNumber(t.Context(), "100", "7", map[string]chat.Fact{chat.FactToken: works}); err != nil {
		t.Fatal(err)
	}
	if f := token(noon); f.Value != "ok" {
		t.Errorf("redelivered: %+v", f)
	}
	if f := token(noon.Add(time.Hour)); f.Value != "131042" {
		t.Errorf("an hour later: %+v", f)
	}
	if kept := r.kept("ACCOUNT#7#1970-01"); len(kept) != 1 {
		t.Errorf("%d events are kept", len(kept))
	}
}
