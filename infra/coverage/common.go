package main

import "strconv"

// common is what messages of every type may have beside their content.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages
var common = []sample{
	{name: "messages[]", rows: "messages", skip: "messages.text", value: `{"contacts":[{"profile":{"name":"Known Customer"},"wa_id":"34600111222"}],
		"messages":[{"from":"34600111222","from_user_id":"ES.1000000000000001","from_parent_user_id":"ES.ENT.2000000000000002",
		"from_logical_id":"logical-sender","id":"wamid.sample","timestamp":"` + at + `","type":"text","text":{"body":"Words"}}]}`,
		signs: map[string]string{"type": "Message.Type=text|kind=text|raw_type=text"}},
	{name: "metadata", rows: "metadata", value: `{"metadata":{"display_phone_number":"+1 555 000 1111","phone_number_id":"15550001111"},
		` + customer + `,"messages":[{"from":"34600111222","id":"wamid.sample","timestamp":"` + at + `","type":"text","text":{"body":"Words"}}]}`},
	{name: "reply: context", rows: "messages.context", before: hello, value: message("text", `{"body":"An answer"}`,
		`"context":{"from":"15550001111","id":"wamid.target"}`), signs: map[string]string{
		"context.id":   "Context.ID=wamid.target|reply_to=wamid.target|quotes.text=Hello|In reply to: Hello",
		"context.from": "Context.From=15550001111"}},
	{name: "forwarded: context", rows: "messages.context", value: message("text", `{"body":"From elsewhere"}`, `"context":{"forwarded":true}`),
		signs: map[string]string{"context.forwarded": "Context.Forwarded=true|forwarded=forwarded|Forwarded."}},
	{name: "forwarded often: context", rows: "messages.context", value: message("text", `{"body":"From elsewhere"}`, `"context":{"frequently_forwarded":true}`),
		signs: map[string]string{"context.frequently_forwarded": "Context.Often=true|Context.Forwarded=true|forwarded=frequently|Forwarded many times"}},
	{name: "about a product: context", rows: "messages.context.referred_product", value: message("text", `{"body":"Is it blue?"}`,
		`"context":{"from":"15550001111","id":"wamid.catalog","referred_product":{"catalog_id":"catalog-55","product_retailer_id":"product-55"}}`)},
	{name: "from an ad: referral", rows: "messages.referral", value: message("text", `{"body":"Tell me more"}`, `"referral":{
		"source_url":"https://ad.example/source","source_id":"source-id-of-ad","source_type":"ad-or-post","headline":"Headline of the ad",
		"body":"Body of the ad","media_type":"media-of-ad","image_url":"https://ad.example/image","video_url":"https://ad.example/video",
		"thumbnail_url":"https://ad.example/thumbnail","ctwa_clid":"click-id-of-ad","welcome_message":{"text":"Welcome from the ad"}}`)},
	{name: "in a group: group_id", rows: "messages.group_id", value: message("text", `{"body":"To all"}`, `"group_id":"group-of-three"`),
		signs: map[string]string{"group_id": "group-of-three|In a group chat"}},
	{name: "errors[] of a message", rows: "messages.errors", value: message("unsupported", `{}`, errorObject(131051))},
	{name: "errors[] beside messages", rows: "errors", value: `{` + errorObject(130429) + `}`, before: hello},
	{name: "request_welcome", rows: "messages.request_welcome", value: message("request_welcome", `{}`)},
	{name: "unknown", rows: "messages.unknown", value: message("unknown", `{}`)},
	{name: "a type that Meta adds", rows: "messages.brand_new", value: message("brand_new", `{"novelty":"Novel content"}`)},
}

// errorObject is an error as Meta writes it everywhere.
func errorObject(code int) string {
	return `"errors":[{"code":` + itoa(code) + `,"title":"Title of the error","message":"Message of the error",
		"error_data":{"details":"Details of the error"},"href":"https://meta.example/error"}]`
}

// people are the updates that say who somebody is, and what they want.
// https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids
var people = []sample{
	{name: "contacts[]", rows: "contacts", value: `{"contacts":[{"profile":{"name":"Profile Name","username":"@user.name"},"wa_id":"34600111222",
		"user_id":"ES.1000000000000001","parent_user_id":"ES.ENT.2000000000000002","identity_key_hash":"hash-of-key"}],
		"messages":[{"from":"34600111222","id":"wamid.sample","timestamp":"` + at + `","type":"text","text":{"body":"Words"}}]}`,
		signs: map[string]string{"profile.username": "user.name"}},
	{name: "with a username only", rows: "contacts.profile", value: `{"contacts":[{"profile":{"username":"@user.name"},"user_id":"ES.1000000000000001"}],
		"messages":[{"from_user_id":"ES.1000000000000001","id":"wamid.sample","timestamp":"` + at + `","type":"text","text":{"body":"Words"}}]}`,
		signs: map[string]string{"profile.username": "user.name"}},
	{name: "without a phone number", rows: "messages.from_user_id", value: `{"contacts":[{"profile":{"name":"Profile Name"},"user_id":"ES.1000000000000001"}],
		"messages":[{"from_user_id":"ES.1000000000000001","id":"wamid.sample","timestamp":"` + at + `","type":"text","text":{"body":"Words"}}]}`},
	{name: "BSUID in from", rows: "messages.from", value: `{"messages":[{"from":"ES.1000000000000001","id":"wamid.sample",
		"timestamp":"` + at + `","type":"text","text":{"body":"Words"}}]}`},
	{name: "system: user_changed_number", rows: "messages.system", before: hello, value: `{"messages":[{"from":"34600333444","from_user_id":"ES.3000000000000003",
		"id":"wamid.sample","timestamp":"` + at + `","type":"system","system":{"type":"user_changed_number","body":"Body of the notice","wa_id":"34600333444",
		"user_id":"ES.3000000000000003","previous_user_id":"ES.1000000000000001","parent_user_id":"ES.ENT.4000000000000004",
		"previous_parent_user_id":"ES.ENT.2000000000000002"}}]}`},
	{name: "system: before 2026", rows: "messages.system", before: hello, value: `{"messages":[{"from":"34600111222","id":"wamid.sample",
		"timestamp":"` + at + `","type":"system","system":{"type":"customer_changed_number","body":"Body of the notice","new_wa_id":"34600333444",
		"customer":"34600777666"}}]}`},
	{name: "system: user_changed_user_id", rows: "messages.system", value: `{"messages":[{"id":"wamid.sample","timestamp":"` + at + `","type":"system",
		"system":{"type":"user_changed_user_id","body":"Body of the notice","user_id":"ES.3000000000000003","previous_user_id":"ES.1000000000000001"}}]}`},
	{name: "system: customer_identity_changed", rows: "messages.identity", before: hello, value: message("system",
		`{"type":"customer_identity_changed","body":"Body of the notice"}`,
		`"identity":{"acknowledged":true,"created_timestamp":1772960000,"hash":"hash-of-new-key"}`),
		signs: map[string]string{"identity.acknowledged": "Acknowledged=true"}},
	{name: "user_preferences", field: "user_preferences", rows: "user_preferences", before: hello, value: `{` + customer + `,"user_preferences":[{
		"wa_id":"34600111222","user_id":"ES.1000000000000001","parent_user_id":"ES.ENT.2000000000000002","detail":"Detail of the wish",
		"category":"marketing_messages","value":"stop","timestamp":1772500000,"signup_id":"signup-5"}]}`,
		signs: map[string]string{"category": "Category=marketing_messages|consent.marketing.", "value": "Value=stop|given=false|consent.marketing.value=stop"}},
	{name: "user_id_update", field: "user_id_update", rows: "user_id_update", value: `{"user_id_update":[{"wa_id":"34600111222",
		"user_id":{"previous":"ES.1000000000000001","current":"ES.3000000000000003"}}]}`},
}

func itoa(n int) string { return strconv.Itoa(n) }
