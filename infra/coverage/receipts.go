package main

// receipts are what becomes of messages of the company's.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status
var receipts = []sample{
	receipt("sent"), receipt("delivered"), receipt("read"), receipt("played"), receipt("failed", errorObject(131026)),
	{name: "deleted, warning", rows: "statuses.status", ours: true, value: status("deleted")},
	{name: "not of a message", rows: "statuses.type", value: `{"statuses":[{"id":"wamid.payment","type":"payment","status":"captured","timestamp":"` + at + `","recipient_id":"34600111222"}]}`},
	{name: "fields of a receipt", rows: "statuses", skip: "statuses.status", ours: true, value: status("delivered",
		`"recipient_user_id":"ES.5000000000000005","parent_recipient_user_id":"ES.ENT.6000000000000006","recipient_identity_key_hash":"hash-of-key"`,
		`"biz_opaque_callback_data":"$ours"`,
		`"conversation":{"id":"id-of-conversation","expiration_timestamp":"1793000000","origin":{"type":"referral_conversion"}}`,
		`"pricing":{"billable":true,"pricing_model":"PMP-model","type":"regular-price","category":"utility-price"}`),
		signs: map[string]string{"pricing.billable": "Billable=true", "biz_opaque_callback_data": "CallbackData=m_", "id": "Status.ID=wamid.out"}},
	{name: "found by biz_opaque_callback_data", rows: "statuses.biz_opaque_callback_data", ours: true,
		value: `{"statuses":[{"id":"wamid.never.answered","status":"delivered","timestamp":"` + at + `","recipient_id":"34600111222","biz_opaque_callback_data":"$ours"}]}`,
		signs: map[string]string{"biz_opaque_callback_data": "CallbackData=m_|steps.delivered|history.status=delivered"}},
	{name: "in a group", rows: "statuses", skip: "statuses.status", ours: true, value: status("delivered",
		`"recipient_type":"group","recipient_participant_id":"34600555666","recipient_participant_user_id":"ES.7000000000000007"`),
		signs: map[string]string{"recipient_type": "Status.GroupID=", "id": "Status.ID=wamid.out"}},
	{name: "marketing stopped (131050)", rows: "statuses.errors", ours: true, value: status("failed", errorObject(131050)),
		signs: map[string]string{"errors.code": "Code=131050|131050|consent.marketing.given=false"}},
}

// status is the value of a webhook with one receipt.
func status(state string, more ...string) string {
	value := `{"statuses":[{"id":"$wamid","status":"` + state + `","timestamp":"` + at + `","recipient_id":"34600111222"`
	for _, m := range more {
		value += "," + m
	}
	return value + "}]}"
}

// receipt is the sample of a state.
func receipt(state string, more ...string) sample {
	s := sample{name: state, rows: "statuses.status", ours: true, value: status(state, more...),
		signs: map[string]string{"status": "Status.State=" + state + "|status=" + state}}
	if len(more) > 0 {
		s.rows, s.signs, s.skip = "statuses.errors", nil, ""
	}
	return s
}
