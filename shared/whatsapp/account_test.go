package whatsapp

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// accountTests are values of account fields, each with what it says: topic,
// value, why and until of each change.
var accountTests = []struct{ field, value, want string }{
	{
		"account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1641330498,"remediation":"Appeal"},
		{"restriction_type":"RESTRICTED_ADD_PHONE_NUMBER_ACTION"},{},1]}`,
		"restriction:RESTRICTED_BIZ_INITIATED_MESSAGING=RESTRICTED (Appeal) until 2022-01-04|restriction:RESTRICTED_ADD_PHONE_NUMBER_ACTION=RESTRICTED",
	},
	{
		"account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":{"restriction_type":"RESTRICTED_CUSTOMER_INITIATED_MESSAGING","expiration":"1641330498"}}`,
		"restriction:RESTRICTED_CUSTOMER_INITIATED_MESSAGING=RESTRICTED until 2022-01-04",
	},
	{"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"April 17, 2025"}}`, "ban=DISABLE (April 17, 2025)"},
	{"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":["SCHEDULE_FOR_DISABLE"],"waba_ban_date":1744848000}}`, "ban=SCHEDULE_FOR_DISABLE (2025-04-17)"},
	{"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`, "ban=REINSTATE"},
	{"account_update", `{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"ADULT"}}`, "violation=ADULT"},
	{"account_update", `{"event":"ACCOUNT_VIOLATION","violation_info":{}}`, "violation=UNKNOWN"},
	{"account_update", `{"event":"ACCOUNT_DELETED"}`, "status=DELETED (ACCOUNT_DELETED)"},
	{"account_update", `{"event":"PARTNER_REMOVED","disconnection_info":{"reason":"r","initiated_by":"USER"}}`, "status=DISCONNECTED (PARTNER_REMOVED: r: USER)"},
	{"account_update", `{"event":"PARTNER_REMOVED","waba_info":{"waba_id":"W"}}`, "alert:PARTNER=REMOVED"},
	{"account_update", `{"event":"ACCOUNT_OFFBOARDED"}`, "status=DISCONNECTED (ACCOUNT_OFFBOARDED)"},
	{"account_update", `{"event":"ACCOUNT_RECONNECTED"}`, "status=CONNECTED (ACCOUNT_RECONNECTED)"},
	{"account_update", `{"event":"PARTNER_ADDED","waba_info":{"waba_id":"W2"}}`, "status=CONNECTED (PARTNER_ADDED)"},
	{"account_update", `{"event":"VERIFIED_ACCOUNT","phone_number":"1"}`, "verification=VERIFIED"},
	{"account_update", `{"event":"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE","partner_client_certification_info":{"status":"APPROVED","rejection_reasons":["NONE"]}}`, "verification=APPROVED"},
	{"account_update", `{"event":"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE","partner_client_certification_info":{"status":"FAILED","rejection_reasons":["A","B"]}}`, "verification=FAILED (A, B)"},
	{"account_update", `{"event":"BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE","country":"IN"}`, "alert:BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE=IN"},
	{"account_update", `{"event":"AD_ACCOUNT_LINKED","waba_info":{"ad_account_linked":"9"}}`, "alert:AD_ACCOUNT_LINKED=9"},
	{"account_update", `{"event":"MM_LITE_TERMS_SIGNED"}`, "alert:MM_LITE_TERMS_SIGNED=SIGNED"},
	{"account_update", `{"event":"PARTNER_APP_UNINSTALLED"}`, "alert:PARTNER_APP=UNINSTALLED"},
	{"account_update", `{"event":"PARTNER_APP_INSTALLED"}`, "alert:PARTNER_APP=INSTALLED"},
	{
		"account_update", `{"event":"VOLUME_BASED_PRICING_TIER_UPDATE","volume_tier_info":{"pricing_category":"UTILITY","tier":"1:2","effective_month":"2025-11","region":"India"}}`,
		"alert:VOLUME_BASED_PRICING_TIER_UPDATE:India:UTILITY=1:2 (2025-11)",
	},
	{
		"account_update", `{"event":"AUTH_INTL_PRICE_ELIGIBILITY_UPDATE","auth_international_rate_eligibility":{"start_time":1748780624}}`,
		"alert:AUTH_INTL_PRICE_ELIGIBILITY_UPDATE=2025-06-01",
	},
	{"account_update", `{"event":"SOMETHING_NEW"}`, ""},
	{"account_alerts", `{"entity_type":"BUSINESS","entity_id":"5","alert_info":{"alert_severity":"INFORMATIONAL","alert_status":"NONE","alert_type":"OBA_APPROVED","alert_description":"d"}}`, "official=OBA_APPROVED (d)"},
	{"account_alerts", `{"alert_info":{"alert_severity":"WARNING","alert_status":"ACTIVE","alert_type":"PROFILE_PICTURE_LOST","alert_description":"d"}}`, "alert:PROFILE_PICTURE_LOST=ACTIVE (WARNING: d)"},
	{"account_alerts", `{"alert_severity":"CRITICAL","alert_type":"X"}`, "alert:X=ACTIVE (CRITICAL)"},
	{"account_alerts", `{"alert_info":[]}`, ""},
	{"account_review_update", `{"decision":"REJECTED","rejection_reason":"r"}`, "review=REJECTED (r)"},
	{"business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_waba":25}`, "limit=TIER_2K"},
	{"business_capability_update", `{"max_daily_conversations_per_business":"TIER_10K"}`, "limit=TIER_10K"},
	{"business_capability_update", `{"max_daily_conversations_per_business":"100000"}`, "limit=TIER_100K"},
	{"business_capability_update", `{"max_daily_conversation_per_phone":250}`, "limit=TIER_250"},
	{"business_capability_update", `{"max_daily_conversation_per_phone":-1}`, "limit=TIER_UNLIMITED"},
	{"business_capability_update", `{}`, ""},
	{"phone_number_quality_update", `{"display_phone_number":"1 555","event":"THROUGHPUT_UPGRADE","current_limit":"TIER_UNLIMITED"}`, "throughput=HIGH|limit=TIER_UNLIMITED (THROUGHPUT_UPGRADE)"},
	{"phone_number_quality_update", `{"event":"ONBOARDING","max_daily_conversations_per_business":"TIER_250"}`, "limit=TIER_250 (ONBOARDING)"},
	{"phone_number_quality_update", `{"event":"FLAGGED","current_limit":"TIER_10K"}`, "quality=RED (FLAGGED)|limit=TIER_10K (FLAGGED)"},
	{"phone_number_quality_update", `{"event":"UNFLAGGED"}`, "quality=UNKNOWN (UNFLAGGED)"},
	{"phone_number_quality_update", `{"event":"DOWNGRADE","old_limit":"TIER_10K","current_limit":"TIER_1K"}`, "limit=TIER_1K (DOWNGRADE)"},
	{"phone_number_name_update", `{"display_phone_number":"1555","decision":"REJECTED","requested_verified_name":"Shop","rejection_reason":"r"}`, "name=Shop (REJECTED: r)"},
	{"phone_number_name_update", `{"decision":"APPROVED","requested_verified_name":"Shop","rejection_reason":null}`, "name=Shop (APPROVED)"},
	{"security", `{"display_phone_number":"1555","event":"PIN_CHANGED","requester":"6155"}`, "security=PIN_CHANGED"},
	{"business_username_update", `{"display_phone_number":"1555","username":"@shop","status":"approved"}`, "username=shop (approved)"},
	{"business_username_updates", `{"display_phone_number":"1555","status":"deleted"}`, "username= (deleted)"},
	{"payment_configuration_update", `{"configuration_name":"c","provider_name":"razorpay","status":"Needs Testing","updated_timestamp":1749320300}`, "payment:c=Needs Testing (razorpay)"},
	{"account_settings_update", `{"type":"phone_number_settings","timestamp":"1749320300","phone_number_settings":{"phone_number_id":"N9","calling":{"status":"ENABLED",
		"restrictions":{"restrictions":[{"type":"RESTRICTED_BUSINESS_INITIATED_CALLING","reason":"r","expiration":1641330498}]}}}}`,
		"alert:CALLING=ENABLED|restriction:RESTRICTED_BUSINESS_INITIATED_CALLING=RESTRICTED (r) until 2022-01-04"},
	{"flows", `{"event":"FLOW_STATUS_CHANGE","message":"m","flow_id":"6","old_status":"DRAFT","new_status":"PUBLISHED"}`, "alert:flow:6=PUBLISHED (m)"},
	{"flows", `{"event":"ENDPOINT_LATENCY","flow_id":"6","alert_state":"DEACTIVATED"}`, "alert:flow:6:ENDPOINT_LATENCY=DEACTIVATED"},
	{"partner_solutions", `{"event":"SOLUTION_CREATED","solution_id":"7","solution_status":"INITIATED"}`, "alert:solution:7=INITIATED (SOLUTION_CREATED)"},
	{"messages", `{"errors":[{"code":130429,"title":"t"}]}`, "alert:130429=ACTIVE (throughput limit)"},
	{"messages", `{"errors":[{"code":"x"}]}`, ""},
	{"messages", `{"errors":[{"title":"t"}]}`, ""},
	{"messages", `{"errors":[{"code":"190"}]}`, "token=190 (access token expired or invalid)"},
	{"messages", `{"contacts":[{}]}`, ""},
	{"history", `{"errors":[{"code":2593109}]}`, "history=DECLINED (sync with the phone app refused)"},
	{"history", `{"errors":[{"code":1}]}`, "history=1 (unknown error)"},
	{"history", `{"history":[{"metadata":{"phase":2,"progress":100}}]}`, "history=100"},
	{"message_template_status_update", `{"event":"APPROVED","message_template_id":1689556908129835,"message_template_name":"t"}`, ""},
	{"something_new", `{"event":"X","decision":"Y"}`, ""},
}

func (c AccountChange) describe() string {
	s := c.Topic + "=" + c.Value
	if c.Why != "" {
		s += " (" + c.Why + ")"
	}
	if !c.Until.IsZero() {
		s += " until " + c.Until.Format(time.DateOnly)
	}
	return s
}

func accountEvent(t *testing.T, field, value string) AccountEvent {
	t.Helper()
	updates := mustSplit(t, fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"W","time":1739321024,"changes":[{"field":%q,"value":%s}]}]}`, field, value))
	if len(updates) != 1 || updates[0].Kind != KindEvent {
		t.Fatalf("%s %s: %+v", field, value, updates)
	}
	e, err := ParseAccountEvent(updates[0])
	if err != nil {
		t.Fatalf("%s %s: %v", field, value, err)
	}
	return e
}

func TestParseAccountEvent(t *testing.T) {
	for _, tt := range accountTests {
		e := accountEvent(t, tt.field, tt.value)
		var got []string
		for _, c := range e.Changes {
			got = append(got, c.describe())
		}
		if got := strings.Join(got, "|"); got != tt.want {
			t.Errorf("%s %s\n got %s\nwant %s", tt.field, tt.value, got, tt.want)
		}
		if e.Field != tt.field || !e.Timestamp.Equal(time.Unix(1739321024, 0)) {
			t.Errorf("%s at %v", e.Field, e.Timestamp)
		}
	}
}

// Ensure that an event finds the number or account that it is about.
func TestAccountEventSubject(t *testing.T) {
	for _, tt := range []struct{ field, value, waba, number, display string }{
		{"security", `{"display_phone_number":"+1 555-000","event":"PIN_CHANGED"}`, "W", "", "1555000"},
		{"account_settings_update", `{"phone_number_settings":{"phone_number_id":"N9"}}`, "W", "N9", ""},
		{"account_alerts", `{"entity_type":"PHONE_NUMBER","entity_id":"N8","alert_info":{}}`, "W", "N8", ""},
		{"account_alerts", `{"entity_type":"BUSINESS","entity_id":"5","alert_info":{}}`, "W", "", ""},
		{"messages", `{"metadata":{"phone_number_id":"N","display_phone_number":"1555"},"errors":[{"code":1}]}`, "W", "N", "1555"},
		// What disconnects may be about one number; what connects again names none.
		{"account_update", `{"event":"PARTNER_REMOVED","phone_number":"1555","disconnection_info":{"reason":"r"}}`, "W", "", "1555"},
		{"account_update", `{"event":"ACCOUNT_OFFBOARDED","phone_number":"1555"}`, "W", "", "1555"},
		{"account_update", `{"event":"PARTNER_REMOVED","disconnection_info":{"reason":"r"}}`, "W", "", ""},
		{"account_update", `{"event":"ACCOUNT_RECONNECTED","phone_number":"1555"}`, "W", "", ""},
		{"account_update", `{"event":"PARTNER_ADDED","waba_info":{"waba_id":"W2"}}`, "W2", "", ""},
	} {
		e := accountEvent(t, tt.field, tt.value)
		if e.WABA != tt.waba || e.Number != tt.number || e.Display != tt.display {
			t.Errorf("%s %s is about %q %q %q", tt.field, tt.value, e.WABA, e.Number, e.Display)
		}
	}
	e, err := ParseAccountEvent(Update{Body: []byte(`{"event":"PARTNER_APP_INSTALLED","waba_info":{"waba_id":"W2"}}`)})
	if err != nil || e.WABA != "W2" || len(e.Changes) != 1 {
		t.Errorf("without a field: %+v, %v", e, err)
	}
	if _, err := ParseAccountEvent(Update{Body: []byte(`[]`)}); err != ErrNotObject {
		t.Errorf("no object: %v", err)
	}
}

func TestParseTemplateEvent(t *testing.T) {
	const named = `"message_template_id":1689556908129835,"message_template_name":"t","message_template_language":"en-US"`
	for _, tt := range []struct {
		field, value string
		want         TemplateEvent
	}{
		{
			"message_template_status_update", `"event":"REJECTED","reason":"INVALID_FORMAT","message_template_category":"MARKETING","rejection_info":{"reason":"r","recommendation":"do"}`,
			TemplateEvent{Event: "REJECTED", Reason: "INVALID_FORMAT: r: do", Category: "MARKETING"},
		},
		{"message_template_status_update", `"event":"APPROVED","reason":"NONE"`, TemplateEvent{Event: "APPROVED"}},
		{"message_template_status_update", `"event":"DISABLED","reason":null,"disable_info":{"disable_date":1746082800}`, TemplateEvent{Event: "DISABLED", Reason: "2025-05-01"}},
		{"message_template_status_update", `"event":"PAUSED","other_info":{"title":"FIRST_PAUSE","description":"d"}`, TemplateEvent{Event: "PAUSED", Reason: "FIRST_PAUSE: d"}},
		{"message_template_quality_update", `"previous_quality_score":"GREEN","new_quality_score":"YELLOW"`, TemplateEvent{Quality: "YELLOW"}},
		{"message_template_status_update", `"previous_quality_score":"GREEN","new_quality_score":"RED"`, TemplateEvent{Quality: "RED"}},
		{"message_template_components_update", `"message_template_element":"Hi"`, TemplateEvent{}},
		{"template_something_new", `"event":"X"`, TemplateEvent{Event: "X"}},
		{"template_category_update", `"previous_category":"UTILITY","new_category":"MARKETING"`, TemplateEvent{Category: "MARKETING"}},
		{"template_category_update", `"new_category":"UTILITY","correct_category":"MARKETING","category_update_timestamp":1746169200`, TemplateEvent{Category: "UTILITY", Reason: "MARKETING from 2025-05-02"}},
	} {
		tt.want.Name, tt.want.Language, tt.want.ID = "t", "en_US", "1689556908129835"
		e := accountEvent(t, tt.field, "{"+named+","+tt.value+"}")
		if e.Template == nil || !reflect.DeepEqual(*e.Template, tt.want) {
			t.Errorf("%s\n got %+v\nwant %+v", tt.value, e.Template, tt.want)
		}
	}
}
