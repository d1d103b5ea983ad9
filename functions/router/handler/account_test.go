package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/event"
	"threadline/shared/metric"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

const stopped = metric.ConnectorStopped + " Connector whatsapp"

// health is what was published of numbers, in order.
func (r *rig) health() []event.NumberHealth {
	r.Helper()
	var all []event.NumberHealth
	for _, p := range r.bus.Events() {
		var d event.NumberHealth
		if p.Type != event.NumberHealthV1 || json.Unmarshal(p.Detail, &d) != nil {
			r.Fatalf("published %s: %s", p.Type, p.Detail)
		}
		all = append(all, d)
	}
	return all
}

func (r *rig) clearance() chat.Clearance {
	r.Helper()
	n, a, err := r.store.Health(r.Context(), "100")
	if err != nil {
		r.Fatal(err)
	}
	return n.Facts.Clearance(a.Facts, r.now)
}

// TestWhatStopsSending: it becomes the number's state, is told to whoever listens, and raises an alarm.
func TestWhatStopsSending(t *testing.T) {
	until := noon.Add(7 * 24 * time.Hour)
	for _, test := range []struct {
		name, field, value string
		want               chat.Clearance
		alarm              bool
	}{
		{"a ban", "account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"March 2, 2026"}}`,
			chat.Clearance{Why: chat.FactBan}, true},
		{"an announced ban", "account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE"}}`,
			chat.Clearance{Answers: true, Templates: true}, false},
		{"a restriction", "account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":` + seconds(until) + `}]}`,
			chat.Clearance{Answers: true, Why: "restriction:RESTRICTED_BIZ_INITIATED_MESSAGING", Until: until}, true},
		{"a limit", "phone_number_quality_update", `{"display_phone_number":"` + display + `","event":"ONBOARDING","current_limit":"TIER_2K"}`,
			chat.Clearance{Answers: true, Templates: true}, false},
	} {
		r := newRig(t)
		r.message(hello)
		r.takeAll(test.field, test.value)
		if got := r.clearance(); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		told := r.health()
		if len(told) != 1 || told[0].Number != "100" || told[0].Account != "7" || told[0].Answers != test.want.Answers || told[0].Templates != test.want.Templates || len(told[0].Facts) == 0 {
			t.Errorf("%s: told %+v", test.name, told)
		}
		if (r.counts[stopped] > 0) != test.alarm {
			t.Errorf("%s: counted %v", test.name, r.counts)
		}
		if kept := r.kept("ACCOUNT#7#2026-03"); len(kept) != 1 {
			t.Errorf("%s: %d events are kept", test.name, len(kept))
		}
	}
}

func seconds(at time.Time) string { b, _ := json.Marshal(at.Unix()); return string(b) }

// TestARedeliveredEventIsToldAgain: the process may have died before it told anybody. Its id is the same.
func TestARedeliveredEventIsToldAgain(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	us := r.post("account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}`)
	r.h.Bus = deafBus{}
	if err := r.handle(us[0]); chat.CodeOf(err) != chat.Unavailable {
		t.Fatalf("a bus that is down: %v", err)
	}
	r.h.Bus = &r.bus
	r.take(us[0])
	r.take(us[0])
	var ids []string
	for _, p := range r.bus.Events() {
		var d struct{ ID string }
		if err := json.Unmarshal(p.Detail, &d); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	if len(ids) != 2 || ids[0] != ids[1] || ids[0] == "" {
		t.Errorf("ids %q, want the same twice", ids)
	}
	r.h.Bus = nil
	r.take(us[0]) // nobody listens
}

type deafBus struct{}

func (deafBus) Put(_ context.Context, _ ...event.Event) error {
	return chat.E(chat.Unavailable, "", errors.New("down"))
}

// TestTheNewestWordCounts: an older event that comes late is kept, and changes nothing.
func TestTheNewestWordCounts(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	ban := r.post("account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}`)[0]
	end := r.post("account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`)[0]
	ban.Time, end.Time = noon.Unix(), noon.Add(time.Hour).Unix()
	r.take(end)
	r.take(ban)
	if got := r.clearance(); !got.Answers || r.counts[stopped] != 0 || len(r.health()) != 1 {
		t.Errorf("%+v, counted %v, told %d", got, r.counts, len(r.health()))
	}
	if kept := r.kept("ACCOUNT#7#2026-03"); len(kept) != 2 {
		t.Errorf("%d events are kept", len(kept))
	}
}

// TestABanBeforeAnyMessage: it raises the alarm, and stops the stack's only number.
func TestABanBeforeAnyMessage(t *testing.T) {
	const ban = `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}`
	r := newRig(t)
	r.takeAll("account_update", `{"event":"VERIFIED_ACCOUNT"}`)
	if r.counts[stopped] != 0 {
		t.Errorf("counted %v for good news", r.counts)
	}
	r.takeAll("account_update", ban)
	if r.counts[stopped] != 1 || len(r.health()) != 0 {
		t.Errorf("no number is known: counted %v, told %+v", r.counts, r.health())
	}

	r = newRig(t)
	r.h.Numbers = []string{"100"}
	r.takeAll("account_update", ban)
	if c := r.clearance(); r.counts[stopped] != 1 || c.Answers || c.Templates || len(r.health()) != 1 || r.health()[0].Number != "100" {
		t.Errorf("the only number: counted %v, told %+v, %+v", r.counts, r.health(), c)
	}
	other := update(whatsapp.KindMessage, hello)
	other.WABA = "8" // it wasn't that account's
	r.take(other)
	if c := r.clearance(); !c.Answers || !c.Templates {
		t.Errorf("another account's number: %+v", c)
	}

	r = newRig(t)
	r.h.Numbers = []string{"100", "200"}
	r.takeAll("account_update", ban)
	if c := r.clearance(); r.counts[stopped] != 1 || !c.Answers {
		t.Errorf("one of two numbers: counted %v, %+v", r.counts, c)
	}
}

// TestEventsOfANumberThatNobodyWroteTo: they name it by its digits, and it may turn up later.
func TestEventsOfANumberThatNobodyWroteTo(t *testing.T) {
	r := newRig(t)
	r.takeAll("phone_number_name_update", `{"display_phone_number":"`+display+`","decision":"APPROVED","requested_verified_name":"Acme"}`)
	r.takeAll("phone_number_name_update", `{"display_phone_number":"15550009999","decision":"APPROVED","requested_verified_name":"Other"}`)
	if len(r.health()) != 0 {
		t.Errorf("told %+v of a number without an id", r.health())
	}
	r.message(hello)
	n, _, err := r.store.Health(t.Context(), "100")
	if err != nil || n.Facts[chat.FactName].Value != "Acme" {
		t.Errorf("%+v (%v)", n.Facts, err)
	}
	r.takeAll("security", `{"display_phone_number":"15550009999","event":"PIN_CHANGED"}`)
	if told := r.health(); len(told) != 0 {
		t.Errorf("told %+v of another number", told)
	}
}

func TestTemplatesExpire(t *testing.T) {
	for field, body := range map[string]string{
		"message_template_status_update":  `{"event":"PAUSED","message_template_name":"a","message_template_language":"en"}`,
		"message_template_quality_update": `{"new_quality_score":"RED","message_template_name":"a","message_template_language":"en"}`,
		"template_category_update":        `{"new_category":"MARKETING","message_template_name":"a","message_template_language":"en"}`,
	} {
		r := newRig(t)
		if err := r.store.PutTemplates(t.Context(), "7", time.Unix(1772452800, 0), nil); err != nil {
			t.Fatal(err)
		}
		before, err := r.store.Templates(t.Context(), "7")
		if err != nil || before.Stale() {
			t.Fatalf("stale from the start (%v)", err)
		}
		r.takeAll(field, body)
		if after, err := r.store.Templates(t.Context(), "7"); err != nil || !after.Stale() {
			t.Errorf("%s: still fresh (%v)", field, err)
		}
		if kept := r.kept("ACCOUNT#7#"); len(kept) != 1 || len(r.health()) != 0 {
			t.Errorf("%s: %d kept, told %+v", field, len(kept), r.health())
		}
	}
}

// TestWhatIsSaidOfATemplate: why it isn't as it was is kept with it, whichever event comes last.
func TestWhatIsSaidOfATemplate(t *testing.T) {
	const a = `"message_template_name":"a","message_template_language":"en-US"`
	for _, test := range []struct{ field, body, event, why string }{
		{"message_template_status_update", `{"event":"REJECTED",` + a + `,"reason":"INVALID_FORMAT"}`, "REJECTED", "INVALID_FORMAT"},
		{"message_template_status_update", `{"event":"APPROVED",` + a + `,"reason":"NONE","message_template_category":"UTILITY"}`, "APPROVED", ""},
		{"message_template_quality_update", `{"previous_quality_score":"GREEN","new_quality_score":"RED",` + a + `}`, "message_template_quality_update", "RED"},
		{"template_category_update", `{"previous_category":"UTILITY","new_category":"MARKETING",` + a + `}`, "template_category_update", "MARKETING"},
	} {
		r := newRig(t)
		early := r.post("message_template_status_update", `{"event":"PENDING",`+a+`}`)[0]
		early.Time--
		r.takeAll(test.field, test.body)
		r.take(early)
		all := []store.Template{{Name: "a", Language: "en_US"}}
		if err := r.store.PutTemplates(t.Context(), "7", noon, all); err != nil {
			t.Fatal(err)
		}
		got := all[0].Said
		if got == nil || got.Event != test.event || got.Why != test.why || !got.Stamp.At.Equal(time.Unix(1772452860, 0)) {
			t.Errorf("%s %s: said %+v", test.field, test.body, got)
		}
	}
}

func TestEventsNameAsMuchAsTheyLike(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 70<<10)
	var restrictions []string
	for i := range 50 {
		restrictions = append(restrictions, fmt.Sprintf(`{"restriction_type":"R%02d`, i)+long+`","remediation":"`+long+`"}`)
	}
	r.takeAll("account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[`+strings.Join(restrictions, ",")+`]}`)
	_, a, err := r.store.Health(t.Context(), "100")
	if err != nil || len(a.Facts) > maxChanges {
		t.Errorf("%d facts (%v)", len(a.Facts), err)
	}
	r.takeAll("message_template_status_update", `{"event":"`+long+`","reason":"`+long+`","message_template_name":"`+long+`","message_template_language":"`+long+`"}`)
	r.take(whatsapp.Update{Kind: whatsapp.KindEvent, WABA: long, Field: "account_update", Body: json.RawMessage(`{"event":"ACCOUNT_DELETED"}`)})
}

// TestProgressOfAnImportIsNoNews: that there won't be one is.
func TestProgressOfAnImportIsNoNews(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	for _, test := range []struct {
		value, want string
		told        int
	}{
		{`"history":[{"metadata":{"phase":1,"chunk_order":1,"progress":45}}]`, "45 %", 0},
		{`"history":[{"metadata":{"phase":0,"chunk_order":1,"progress":9}}]`, "45 %", 0},
		{`"history":[{"errors":[{"code":2593109,"title":"declined"}]}]`, "DECLINED", 1},
	} {
		for _, u := range r.post("history", `{`+metadata+`,`+test.value+`}`) {
			u.Time += int64(test.told)
			r.take(u)
		}
		n, _, err := r.store.Health(t.Context(), "100")
		if err != nil || n.Facts[chat.FactHistory].Value != test.want || len(r.health()) != test.told {
			t.Errorf("%s: %+v (%v), told %d", test.value, n.Facts, err, len(r.health()))
		}
	}
	if kept := r.kept("ACCOUNT#7#"); len(kept) != 3 {
		t.Errorf("%d events are kept", len(kept))
	}
}
