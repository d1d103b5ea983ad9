package main

import "strings"

// beside is what is told of a conversation other than through messages of the customer.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference
var beside = []sample{
	{name: "smb_message_echoes", field: "smb_message_echoes", rows: "message_echoes", value: echoOf("message_echoes"),
		signs: map[string]string{"from": "From.WAID=15550001111", "type": "Message.Type=text|kind=text"}},
	{name: "smb_message_echoes: revoke", field: "smb_message_echoes", rows: "message_echoes.revoke", earlier: "smb_message_echoes", before: echoOf("message_echoes"),
		value: `{"message_echoes":[{"from":"15550001111","to":"34600111222","id":"wamid.taken","timestamp":"1772442399","type":"revoke","revoke":{"original_message_id":"wamid.echo"}}]}`},
	{name: "message_echoes", field: "message_echoes", rows: "message_echoes.text", value: echoOf("message_echoes")},
	{name: "standby: messages", field: "standby", rows: "standby.messages.text", value: `{"standby":` + message("text", `{"body":"Words of a text"}`) + `}`},
	{name: "standby: message_echoes", field: "standby", rows: "standby.message_echoes.text", value: `{"standby":` + echoOf("message_echoes") + `}`},
	{name: "standby: statuses", field: "standby", rows: "standby.statuses.status", ours: true, value: `{"standby":` + status("delivered") + `}`,
		signs: map[string]string{"statuses.status": "Status.State=delivered|status=delivered"}},
	{name: "messaging_handovers", field: "messaging_handovers", before: hello, value: `{"sender":{"phone_number":"34600111222","user_id":"ES.1000000000000001"},
		"recipient":{"phone_number_id":"15550001111","display_phone_number":"15550001111"},"type":"control_passed","timestamp":"` + at + `",
		"control_passed":{"previous_owner_role":"previous-role","new_owner_role":"new-role","metadata":"Word of the passer"}}`},
	{name: "smb_app_state_sync", field: "smb_app_state_sync", rows: "state_sync", before: hello, value: `{"state_sync":[{"type":"contact","action":"add",
		"contact":{"full_name":"Saved Fullname","first_name":"Saved-first","phone_number":"34600888999"},"metadata":{"timestamp":"1772960000"}}]}`,
		signs: map[string]string{"type": "Type=contact"}},
	{name: "smb_app_state_sync: remove", field: "smb_app_state_sync", rows: "state_sync.action", value: `{"state_sync":[{"type":"contact","action":"remove",
		"contact":{"phone_number":"34600888999"},"metadata":{"timestamp":"1772960000"}}]}`, signs: map[string]string{"action": "Removed=true"}},
	{name: "history", field: "history", rows: "history", value: history(`{"from":"34600111222","id":"wamid.old","timestamp":"1770000000","type":"text",
		"text":{"body":"Words of long ago"},"history_context":{"status":"READ"}}`), signs: map[string]string{
		"metadata.phase": "Phase=1|phase 1", "metadata.chunk_order": "Chunk=7", "metadata.progress": "Progress=55|55 %",
		"threads.messages.history_context.status": "Status=READ", "threads.messages.type": "Message.Type=text|Messages.Type=text|kind=text"}},
	{name: "history: of the company", field: "history", rows: "history.threads.messages", value: history(`{"from":"15550001111","to":"34600111222","id":"wamid.old",
		"timestamp":"1770000000","type":"text","text":{"body":"Words of ours"},"history_context":{"status":"READ"}}`), signs: map[string]string{
		"threads.messages.from": "From.WAID=15550001111", "threads.messages.history_context.status": "Status=READ|status=read",
		"threads.messages.type": "Messages.Type=text|kind=text"}},
	{name: "history: media_placeholder", field: "history", rows: "history.threads.messages.type", value: history(`{"from":"34600111222","id":"wamid.old",
		"timestamp":"1770000000","type":"media_placeholder","history_context":{"status":"READ"}}`)},
	{name: "history: messages[]", field: "history", rows: "messages.image", value: strings.Replace(media("image", `,"caption":"Below the old photo"`), "wamid.sample", "wamid.old", 1)},
	{name: "history: errors[]", field: "history", rows: "history.errors", before: hello, value: `{"history":[{` + errorObject(2593109) + `}]}`,
		signs: map[string]string{"errors.code": "=DECLINED|2593109"}},
	{name: "calls: connect", field: "calls", rows: "calls", value: `{` + customer + `,"calls":[{"id":"wacid.sample","from":"34600111222",
		"from_user_id":"ES.1000000000000001","to":"15550001111","event":"connect","direction":"USER_INITIATED","timestamp":"` + at + `",
		"session":{"sdp_type":"offer","sdp":"description-of-session"}}]}`, signs: map[string]string{"event": "Event=connect|voice call", "to": "To.WAID=15550001111"}},
	{name: "calls: terminate", field: "calls", rows: "calls", value: `{` + customer + `,"calls":[{"id":"wacid.sample","from":"34600111222","to":"15550001111",
		"event":"terminate","direction":"USER_INITIATED","timestamp":"1772442399","status":"COMPLETED","start_time":"1772442100","end_time":"1772442365",
		"duration":265,"biz_opaque_callback_data":"callback-of-call",` + errorObject(138001) + `}]}`, earlier: "calls", before: call, signs: map[string]string{
		"duration": "Duration=265|seconds=265|4:25|4m25s", "to": "To.WAID=15550001111",
		"status": "Status=COMPLETED|status=completed|The call: completed"}},
	{name: "calls: statuses[]", field: "calls", rows: "statuses", value: `{"statuses":[{"id":"wacid.sample","type":"call-type","status":"REJECTED",
		"timestamp":"` + at + `","recipient_id":"34600111222"}]}`, signs: map[string]string{"status": "Status=REJECTED|status=rejected|declined"}},
	{name: "calls: call_recording_available", field: "calls", rows: "calls.recording", value: `{"calls":[{"id":"wacid.sample","from":"34600111222","to":"15550001111",
		"event":"call_recording_available","timestamp":"` + at + `","recording":{"id":"id-of-recording"}}]}`},
	{name: "group_lifecycle_update", field: "group_lifecycle_update", rows: "groups", value: `{"groups":[{"timestamp":"` + at + `","group_id":"group-of-three",
		"type":"group_create","request_id":"request-5","subject":"Subject of the group","invite_link":"https://chat.example/invite"}]}`,
		signs: map[string]string{"type": "GroupEvent.Type=group_create|group created"}},
	{name: "group_participants_update", field: "group_participants_update", rows: "groups", value: `{"groups":[{"timestamp":"` + at + `","group_id":"group-of-three",
		"type":"group_participants_add","reason":"invite_link","added_participants":[{"wa_id":"34600121212","user_id":"ES.8000000000000008"}]}]}`,
		signs: map[string]string{"type": "GroupEvent.Type=group_participants_add|raw_type=group_participants|joined the group"}},
	{name: "group_settings_update", field: "group_settings_update", rows: "groups", value: `{"groups":[{"timestamp":"` + at + `","group_id":"group-of-three",
		"type":"group_settings_update","group_subject":{"text":"New subject","update_successful":true},"group_description":{"text":"New description"}}]}`,
		signs: map[string]string{"type": "GroupEvent.Type=group_settings|group changed", "group_subject.update_successful": "Successful=true"}},
	{name: "group_status_update", field: "group_status_update", rows: "groups", value: `{"groups":[{"timestamp":"` + at + `","group_id":"group-of-three",
		"type":"group_suspend",` + errorObject(131201) + `}]}`, signs: map[string]string{"type": "GroupEvent.Type=group_suspend|group suspended"}},
	{name: "automatic_events", field: "automatic_events", rows: "automatic_events", before: hello, value: `{"automatic_events":[{"id":"wamid.target",
		"event_name":"LeadSubmitted","timestamp":1772442399,"ctwa_clid":"click-id-of-ad","custom_data":{"currency":"CUR","value":25012}}]}`,
		signs: map[string]string{"custom_data.currency": "Currency=CUR|25012 CUR"}},
	{name: "tracking_events", field: "tracking_events", value: `{"tracking":{"click":"tracked-click"}}`},
	{name: "a field that Meta adds", field: "brand_new", value: `{"novelty":"Novel content"}`},
}

// call is one that began.
const call = `{` + customer + `,"calls":[{"id":"wacid.sample","from":"34600111222","to":"15550001111","event":"connect",
	"direction":"USER_INITIATED","timestamp":"` + at + `"}]}`

// echoOf is a text that the company wrote elsewhere.
func echoOf(key string) string {
	return `{"` + key + `":[{"from":"15550001111","to":"34600111222","to_user_id":"ES.1000000000000001","id":"wamid.echo",
		"timestamp":"` + at + `","type":"text","text":{"body":"Words of the company"}}]}`
}

// history is a part of one thread with one message.
func history(message string) string {
	return `{"history":[{"metadata":{"phase":1,"chunk_order":7,"progress":55},"threads":[{"id":"34600111222","messages":[` + message + `]}]}]}`
}
