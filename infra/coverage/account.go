package main

import "strings"

// account are the events about the business account, its numbers and its templates.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference
var account = []sample{
	update("ACCOUNT_RESTRICTION", `"restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1793000000,"remediation":"Remedy of the restriction"}]`),
	update("DISABLED_UPDATE", `"ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE","waba_ban_date":"April 17, 2026"}`),
	update("ACCOUNT_VIOLATION", `"violation_info":{"violation_type":"ADULT-CONTENT"}`),
	update("ACCOUNT_DELETED", ""), update("ACCOUNT_OFFBOARDED", ""), update("ACCOUNT_RECONNECTED", ""), update("PARTNER_ADDED", ""),
	update("PARTNER_REMOVED", `"disconnection_info":{"reason":"reason-to-leave","initiated_by":"initiator-of-it"}`),
	update("VERIFIED_ACCOUNT", ""),
	update("PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE",
		`"partner_client_certification_info":{"client_business_id":"business-44","status":"FAILED-CHECK","rejection_reasons":["reason-of-rejection"]}`),
	update("AD_ACCOUNT_LINKED", `"waba_info":{"waba_id":"100000000000001","ad_account_linked":"ad-account-5","owner_business_id":"owner-of-account"}`),
	update("AUTH_INTL_PRICE_ELIGIBILITY_UPDATE", `"auth_international_rate_eligibility":{"start_time":1793000000,"exception_countries":[{"country_code":"country-id","start_time":1794000000}]}`),
	update("BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", `"country":"Countryland"`),
	update("MM_LITE_TERMS_SIGNED", ""), update("PARTNER_APP_INSTALLED", ""), update("PARTNER_APP_UNINSTALLED", ""),
	update("VOLUME_BASED_PRICING_TIER_UPDATE", `"volume_tier_info":{"tier_update_time":1793000000,"pricing_category":"UTILITY-PRICE","tier":"25000:50000","effective_month":"2026-11-month","region":"Regionland"}`),
	about("account_alerts", `{"entity_type":"PHONE_NUMBER","entity_id":"15550001111","alert_info":{"alert_severity":"CRITICAL-ALERT","alert_status":"ACTIVE-ALERT",
		"alert_type":"PROFILE_PICTURE_LOST","alert_description":"Description of the alert"}}`, nil),
	about("account_review_update", `{"decision":"APPROVED"}`, nil),
	about("account_settings_update", `{"type":"phone_number_settings","timestamp":"1772960000","phone_number_settings":{"phone_number_id":"15550001111",
		"calling":{"status":"ENABLED","call_icon_visibility":"DEFAULT-ICON","restrictions":[{"type":"RESTRICTED_CALLS","reason":"reason-of-calls","expiration":1793000000}]}}}`, nil),
	about("business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_waba":25}`,
		map[string]string{"max_daily_conversations_per_business": "TIER_2K", "max_phone_numbers_per_waba": "=25"}),
	about("phone_number_quality_update", `{"display_phone_number":"15550001111","event":"THROUGHPUT_UPGRADE","current_limit":"TIER_100K","old_limit":"TIER_10K"}`,
		map[string]string{"event": "Event=THROUGHPUT_UPGRADE|throughput"}),
	about("phone_number_name_update", `{"display_phone_number":"15550001111","decision":"REJECTED","requested_verified_name":"Requested Name","rejection_reason":"reason-of-rejection"}`, nil),
	about("security", `{"display_phone_number":"15550001111","event":"PIN_RESET_REQUEST","requester":"61555999000"}`, nil),
	about("business_username_update", `{"display_phone_number":"15550001111","username":"username.of.ours","status":"reserved"}`, nil),
	about("flows", `{"event":"FLOW_STATUS_CHANGE","message":"Message about the form","flow_id":"6627000","old_status":"DRAFT-FORM","new_status":"PUBLISHED-FORM"}`, nil),
	about("flows: alert", `{"event":"ENDPOINT_LATENCY","message":"Message about the form","flow_id":"6627000","threshold":70001,"p90_latency":80002,"requests_count":90003,"alert_state":"ACTIVATED"}`, nil),
	about("payment_configuration_update", `{"configuration_name":"payment-config","provider_name":"payment-provider","provider_mid":"payment-account","status":"Needs Testing",
		"created_timestamp":1772300000,"updated_timestamp":1772960000}`, nil),
	about("partner_solutions", `{"event":"SOLUTION_CREATED","solution_id":"7744000","solution_status":"INITIATED"}`, nil),
	about("message_template_status_update", `{"event":"REJECTED","message_template_id":168955690,"message_template_name":"abandoned_cart","message_template_language":"language-tag",
		"reason":"INVALID_FORMAT","message_template_category":"MARKETING","rejection_info":{"reason":"Words of rejection","recommendation":"Words of advice"},
		"disable_info":{"disable_date":1793000000},"other_info":{"title":"Other title","description":"Other description"}}`,
		map[string]string{"message_template_language": "language_tag"}),
	about("message_template_quality_update", `{"previous_quality_score":"GREEN","new_quality_score":"YELLOW","message_template_id":168955690,
		"message_template_name":"abandoned_cart","message_template_language":"language-tag"}`, map[string]string{"message_template_language": "language_tag"}),
	about("message_template_components_update", `{"message_template_id":168955690,"message_template_name":"abandoned_cart","message_template_language":"language-tag",
		"message_template_title":"Title of template","message_template_element":"Text of template","message_template_footer":"Footer of template",
		"message_template_buttons":[{"message_template_button_type":"URL-BUTTON","message_template_button_text":"Text of button","message_template_button_url":"https://template.example"}]}`,
		map[string]string{"message_template_language": "language_tag"}),
	about("template_category_update", `{"message_template_id":168955690,"message_template_name":"abandoned_cart","message_template_language":"language-tag",
		"previous_category":"AUTHENTICATION","new_category":"UTILITY","correct_category":"MARKETING","category_update_timestamp":1793000000}`,
		map[string]string{"message_template_language": "language_tag"}),
}

// update is an event of the field account_update.
func update(event, more string) sample {
	value := `{"event":"` + event + `"`
	if more != "" {
		value += "," + more
	}
	s := about("account_update", value+"}", nil)
	s.name += ": " + event
	return s
}

// about is an event of another field; what follows a colon in its name is for readers.
func about(name, value string, signs map[string]string) sample {
	field, _, _ := strings.Cut(name, ":")
	return sample{name: name, field: field, before: hello, value: value, signs: signs}
}
