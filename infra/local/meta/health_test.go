package meta

import (
	"fmt"
	"testing"
	"time"
)

// What the account's events are reported as, and that Graph knows of them.
func TestAccountEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, c := range []struct {
		event AccountEvent
		field string
		keys  []any
		want  any
	}{
		{AccountEvent{Kind: "quality", Value: "RED"}, "phone_number_quality_update", []any{"event"}, "FLAGGED"},
		{AccountEvent{Kind: "quality", Value: "GREEN"}, "phone_number_quality_update", []any{"event"}, "UNFLAGGED"},
		{AccountEvent{Kind: "limit", Value: "TIER_10K"}, "business_capability_update", []any{"max_daily_conversations_per_business"}, "TIER_10K"},
		{AccountEvent{Kind: "throughput", Value: "HIGH"}, "phone_number_quality_update", []any{"event"}, "THROUGHPUT_UPGRADE"},
		{AccountEvent{Kind: "restriction", Value: "RESTRICTED_BIZ_INITIATED_MESSAGING", Seconds: 60}, "account_update", []any{"restriction_info", 0, "expiration"}, float64(r.clock().Unix() + 60)},
		{AccountEvent{Kind: "violation", Value: "ADULT"}, "account_update", []any{"violation_info", "violation_type"}, "ADULT"},
		{AccountEvent{Kind: "ban", Value: "DISABLE"}, "account_update", []any{"ban_info", "waba_ban_state"}, "DISABLE"},
		{AccountEvent{Kind: "ban", Value: "REINSTATE"}, "account_update", []any{"ban_info", "waba_ban_date"}, "October 1, 2026"},
		{AccountEvent{Kind: "account", Value: "ACCOUNT_OFFBOARDED"}, "account_update", []any{"event"}, "ACCOUNT_OFFBOARDED"},
		{AccountEvent{Kind: "review", Value: "APPROVED"}, "account_review_update", []any{"decision"}, "APPROVED"},
		{AccountEvent{Kind: "alert", Value: "OBA_APPROVED"}, "account_alerts", []any{"alert_info", "alert_type"}, "OBA_APPROVED"},
		{AccountEvent{Kind: "name", Value: "APPROVED", Name: "New name"}, "phone_number_name_update", []any{"requested_verified_name"}, "New name"},
		{AccountEvent{Kind: "username", Value: "approved", Name: "@New.Name"}, "business_username_update", []any{"username"}, "new.name"},
		{AccountEvent{Kind: "pin", Value: "PIN_CHANGED"}, "security", []any{"event"}, "PIN_CHANGED"},
		{AccountEvent{Kind: "payment_configuration", Value: "Active"}, "payment_configuration_update", []any{"status"}, "Active"},
		{AccountEvent{Kind: "template_status", Value: "PAUSED", Template: "coupon"}, "message_template_status_update", []any{"event"}, "PAUSED"},
		{AccountEvent{Kind: "template_quality", Value: "YELLOW", Template: "coupon"}, "message_template_quality_update", []any{"previous_quality_score"}, "GREEN"},
		{AccountEvent{Kind: "template_category", Value: "MARKETING", Template: "invoice", Soon: true}, "template_category_update", []any{"correct_category"}, "MARKETING"},
		{AccountEvent{Kind: "template_category", Value: "MARKETING", Template: "invoice"}, "template_category_update", []any{"previous_category"}, "UTILITY"},
		{AccountEvent{Kind: "template_components", Value: "changed", Template: "coupon"}, "message_template_components_update", []any{"message_template_name"}, "coupon"},
	} {
		if err := r.HappenToAccount(c.event); err != nil {
			t.Fatal(err)
		}
		var came wireChange
		r.eventually(fmt.Sprint(c.event), func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.changes) > i {
				came = r.changes[i]
			}
			return len(r.changes) > i
		})
		if came.Field != c.field || path(came.Value, c.keys...) != c.want || came.Time == 0 || came.Value["metadata"] != nil {
			t.Errorf("%+v came as %+v", c.event, came)
		}
	}
	_, number := r.get(DefaultNumber)
	if number["verified_name"] != "New name" || number["username"] != "new.name" || number["throughput"].(map[string]any)["level"] != "HIGH" ||
		number["whatsapp_business_manager_messaging_limit"] != "TIER_10K" || number["is_official_business_account"] != true {
		t.Errorf("number = %v", number)
	}
	_, out := r.get(AccountID + "/message_templates?name=coupon")
	if got := list(out["data"])[0]; got["status"] != "PAUSED" || path(got, "quality_score", "score") != "YELLOW" {
		t.Errorf("template = %v", got)
	}
	for _, bad := range []AccountEvent{{Kind: "nonsense", Value: "x"}, {Kind: "ban"}, {Kind: "template_status", Value: "PAUSED", Template: "nope"}, {Kind: "ban", Value: "x", Number: "1"}} {
		if err := r.HappenToAccount(bad); err == nil {
			t.Errorf("%+v happens", bad)
		}
	}
}

// What is in the way of sending, for an answer and for a template.
func TestObstacles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	template := object{"to": "+" + c.Phone, "type": "template", "template": object{"name": "hello_world", "language": object{"code": "en_US"}}}
	for _, x := range []struct {
		event            AccountEvent
		answer, template int
		health           string
		undo             AccountEvent
	}{
		{AccountEvent{Kind: "restriction", Value: "RESTRICTED_BIZ_INITIATED_MESSAGING"}, 0, 368, "LIMITED", AccountEvent{Kind: "ban", Value: "REINSTATE"}},
		{AccountEvent{Kind: "restriction", Value: "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"}, 368, 0, "LIMITED", AccountEvent{Kind: "ban", Value: "REINSTATE"}},
		{AccountEvent{Kind: "ban", Value: "SCHEDULE_FOR_DISABLE"}, 0, 0, "AVAILABLE", AccountEvent{Kind: "ban", Value: "REINSTATE"}},
		{AccountEvent{Kind: "ban", Value: "DISABLE"}, 131031, 131031, "BLOCKED", AccountEvent{Kind: "ban", Value: "REINSTATE"}},
		{AccountEvent{Kind: "payment", Value: "missing"}, 0, 131042, "LIMITED", AccountEvent{Kind: "payment", Value: "ok"}},
		{AccountEvent{Kind: "number", Value: "DISCONNECTED"}, 133010, 133010, "BLOCKED", AccountEvent{Kind: "number", Value: "CONNECTED"}},
		{AccountEvent{Kind: "template_status", Value: "PAUSED", Template: "hello_world"}, 0, 132015, "AVAILABLE", AccountEvent{Kind: "template_status", Value: "APPROVED", Template: "hello_world"}},
		{AccountEvent{Kind: "template_status", Value: "DISABLED", Template: "hello_world"}, 0, 132016, "AVAILABLE", AccountEvent{Kind: "template_status", Value: "APPROVED", Template: "hello_world"}},
		{AccountEvent{Kind: "template_status", Value: "REJECTED", Template: "hello_world"}, 0, 132001, "AVAILABLE", AccountEvent{Kind: "template_status", Value: "REINSTATED", Template: "hello_world"}},
	} {
		if err := r.HappenToAccount(x.event); err != nil {
			t.Fatal(err)
		}
		_, answer := r.refused(r.send(text(c, "x")))
		_, sent := r.refused(r.send(template))
		_, number := r.get(DefaultNumber + "?fields=health_status")
		if answer != x.answer || sent != x.template || path(number, "health_status", "can_send_message") != x.health {
			t.Errorf("%+v: answer %d, template %d, health %v", x.event, answer, sent, number["health_status"])
		}
		if err := r.HappenToAccount(x.undo); err != nil {
			t.Fatal(err)
		}
	}
	r.mustSend(template)
}

func TestRestrictionsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	if err := r.HappenToAccount(AccountEvent{Kind: "restriction", Value: "RESTRICTED_CUSTOMER_INITIATED_MESSAGING", Seconds: 60}); err != nil {
		t.Fatal(err)
	}
	if _, code := r.refused(r.send(text(c, "x"))); code != 368 {
		t.Errorf("code %d, want 368", code)
	}
	r.pass(time.Minute)
	r.mustSend(text(c, "x"))
}

// A revoked token stops everything, and nothing else about the account changes.
func TestRevokedToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	if err := r.HappenToAccount(AccountEvent{Kind: "token", Value: "revoked"}); err != nil {
		t.Fatal(err)
	}
	if status, code := r.refused(r.send(text(c, "x"))); status != 401 || code != 190 {
		t.Errorf("send: %d %d", status, code)
	}
	if _, code := r.refused(r.get(DefaultNumber)); code != 190 {
		t.Errorf("number: %d", code)
	}
	if err := r.HappenToAccount(AccountEvent{Kind: "token", Value: "restored"}); err != nil {
		t.Fatal(err)
	}
	r.mustSend(text(c, "x"))
}

func TestAccountSurvivesARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, e := range []AccountEvent{{Kind: "name", Value: "APPROVED", Name: "New name"}, {Kind: "template_status", Value: "PAUSED", Template: "coupon"}} {
		if err := r.HappenToAccount(e); err != nil {
			t.Fatal(err)
		}
	}
	group := must[string](t)(r.AddGroup("Neighbours", "", []string{"c1"}))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.start()
	_, number := r.get(DefaultNumber)
	_, out := r.get(AccountID + "/message_templates?name=coupon")
	if number["verified_name"] != "New name" || list(out["data"])[0]["status"] != "PAUSED" {
		t.Errorf("number %v, template %v", number["verified_name"], out["data"])
	}
	must[string](t)(r.Write("c1", Draft{Group: group, Text: "Still here"}))
}

func TestAnythingCanBePosted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.PostRaw("brand_new_field", map[string]any{"a/b": "é"}); err != nil {
		t.Fatal(err)
	}
	if v := r.told("brand_new_field", 1)[0]; v["a/b"] != "é" || len(v) != 1 {
		t.Errorf("value = %v", v)
	}
	if err := r.PostRaw("", nil); err == nil {
		t.Error("nothing is posted")
	}
}
