package main

import (
	"slices"
	"strings"
)

// reason says why cells are empty. The first that fits a cell counts.
type reason struct {
	rows    string // keys of rows, "|" between; "*" stands for anything
	columns string
	why     string
}

// onlyIn is a reason for everything that Meta tells and nobody can send.
const onlyIn = "Meta tells it; nobody can send it."

var reasons = []reason{
	// What customers write.
	{"types/contacts/*", "CRM", "The entry has what the card shows; the parts of the name, codes and the card's own file are in the REST API."},
	{"types/*message_id|types/edit/*context.id", "CRM", "The entry of the message that it is about shows it."},
	{"types/*.url", "CRM", "The address is good for five minutes; the file itself is attached."},
	{"types/*/*.id|types/*/*.sha256", "CRM", "It is for programs; people get the file or the title."},
	{"types/sticker/sticker.animated", "CRM", "A sticker is attached as it is."},
	{"types/button/button.payload|types/*.type|types/*nfm_reply.name|types/*catalog_id", "CRM", "It is for programs; the entry has what the customer sees."},
	{"types/*nfm_reply.body", "CRM", "It is the form's “Sent”; the entry has the answers."},
	{"types/interactive: payment_method/*|types/interactive: product/*", "CRM", "Meta doesn't document the object yet: the entry names it."},
	{"types/*.mime_type|types/*.sha256|types/*.url|types/*.animated", "out", "Meta finds it out from the file that is sent."},
	{"types/contacts/*|types/location/location.url", "out", "Meta's format for sending has no such field."},
	{"types/button*|types/interactive*|types/order*", "out", "It is the customer's answer to something that was sent."},
	{"types/edit*|types/revoke*", "out", "The API can neither edit nor delete a message."},
	{"types/unsupported*", "out", onlyIn},

	{"common/messages[]/from_logical_id", "shown CRM", "Undocumented, and nobody needs it."},
	{"common/*context.from", "shown CRM", "The message that is quoted says who wrote it."},
	{"common/*_url|common/*media_type", "shown", "Links to the ad's pictures, which expire; the ad is linked."},
	{"common/errors*", "shown", "Our own words for the code are shown, or Meta's title."},
	{"common/errors[] beside messages*", "CRM", "A matter of the number or the account: it is on no customer's record."},
	{"common/errors*", "CRM", "The entry has the reason in words."},
	{"common/messages[]/*user_id", "CRM", "The CRM's contact has the phone number and the user id; parents' ids are in the REST API."},
	{"common/messages[]/id|common/messages[]/type|common/metadata/*", "CRM", "It is for programs."},
	{"common/*catalog_id", "CRM", "The entry names the product."},
	{"common/*referral*", "CRM", "The entry says that it came from the ad, with headline and link; the rest is in the REST API."},
	{"common/a type that Meta adds/*", "CRM", "The entry says that there is a message of a type that isn't known."},
	{"common/*", "out", "Meta sets it, or the customer's phone does."},

	// People.
	{"people/*hash", "shown CRM", "A key for comparing: what shows is the contact's flag when it changes."},
	{"people/*acknowledged|people/*created_timestamp", "shown CRM", "The notice has its own time, and the contact its flag."},
	{"people/user_preferences/wa_id", "stored shown", "It says whose wish it is; the contact is known by it already."},
	{"people/user_preferences*", "CRM", "Consent is enforced when something is sent, and shown in the REST API. The contact in HubSpot and Salesforce says granted or withdrawn, which are our words."},
	{"people/user_id_update*", "shown CRM", "Meta says that this field doesn't exist. It is kept raw, in case it comes."},
	{"people/*type", "CRM", "The entry has the notice in words."},
	{"people/*", "CRM", "The CRM's contact has name, phone number, username and user id; parents' ids are in the REST API."},
	{"people/*", "out", onlyIn},

	// Receipts.
	{"receipts/*/id|receipts/*callback_data", "stored shown", "It says which message the receipt is about."},
	{"receipts/deleted*|receipts/not of a message*", "shown", "It says nothing of how far a message is: kept raw."},
	{"receipts/*errors*", "stored shown", "Code and title are kept, or our own words for the code."},
	{"receipts/*recipient*", "stored shown", "Messages are found by id; whom one was for is known already."},
	{"receipts/*errors*", "CRM", "The entry says “Not delivered” with the reason in words."},
	{"receipts/*", "CRM", "A CRM's entry changes only when a message fails: a write for every tick would use up its limits."},
	{"receipts/*", "out", onlyIn},

	// Beside the conversation.
	{"beside/smb_app_state_sync*/action|beside/smb_app_state_sync/type|beside/*first_name", "stored shown",
		"The saved name is there, or not any longer; the first name counts only where there is no full one."},
	{"beside/smb_app_state_sync/metadata.timestamp", "shown", "It orders what the phone says."},
	{"beside/smb_app_state_sync*", "CRM", "The company's own address book makes no customers; the name shows when the contact writes."},
	{"beside/history/metadata.chunk_order", "stored shown", "Chunks may come in any order."},
	{"beside/history/metadata*|beside/history: errors*", "CRM", "A matter of the number."},
	{"beside/history: errors*", "shown", "Our own words for the code are shown."},
	{"beside/*history_context.status", "shown", "How far the customer's own messages were is nobody's question."},
	{"beside/*/*from", "shown", "The company's own number: the conversation and the direction say it."},
	{"beside/automatic_events/ctwa_clid", "shown", "The message that the ad brought has it."},
	{"beside/automatic_events/id", "shown", "It says which message it is about."},
	{"beside/tracking_events*|beside/a field that Meta adds*", "shown CRM", "Unknown: kept raw for a later version."},
	{"beside/group_*", "CRM", "Nobody's message: it is in the group's conversation, and on no customer's record."},
	{"beside/calls: statuses*|beside/calls: call_recording*|beside/calls: terminate/*", "CRM",
		"It shows on the entry of the call that it is about, as what came of it and how long it took."},
	{"beside/standby: statuses*", "CRM", "As with any receipt, the entry changes only when a message fails."},
	{"beside/*", "CRM", "It is for programs; the entry has what people read."},
	{"beside/*", "out", onlyIn},

	// The account.
	{"account/*template*", "shown", "The list of templates is asked for again: its answer is shown, not the event."},
	{"account/*display_phone_number|account/*phone_number_id|account/*entity_*|account/*waba_id", "shown", "It says whose state it is."},
	{"account/*event", "shown", "The state that follows is shown."},
	{"account/*old_*|account/*timestamp|account/*_time|account/*/type", "shown", "What is so now is shown, and since when."},
	{"account/*", "shown", "A detail that nothing depends on: it is kept in the event."},
	{"account/*", "CRM", "A matter of the account: it is on no customer's record."},
	{"account/*", "out", onlyIn},

	// What companies send.
	{"sending/pin*", "*", "Group chats only, and not documented in a source that could be checked."},
	{"sending/POST /marketing_messages*", "*", "Templates go through the ordinary way, which Meta keeps open."},
	{"sending/*messaging_account_id", "*", "Optional until Meta says otherwise."},
	{"sending/*identity_key_hash", "*", "Identity checks are read and not yet demanded."},
	{"sending/*", "in", "Companies send it."},
	{"sending/read and typing*", "stored shown CRM", "It is a gesture, and leaves no trace."},
	{"sending/to a phone number/to", "shown", "The contact has it."},
	{"sending/our id/*", "CRM", "It is for programs."},
	{"sending/to a group*", "CRM", "What the company writes to a group is on no customer's record."},
	{"sending/to a *", "CRM", "The entry is on the record of the one whom it is for."},
	{"sending/quoting*", "CRM", "The entry repeats the words that are quoted."},
	{"sending/*.id|sending/*.link", "shown", "Where the file came from is the company's own business."},
	{"sending/*.voice", "CRM", "The entry calls it a voice message."},
	{"sending/image/*|sending/video/*|sending/audio/*|sending/document/*|sending/sticker/*", "CRM",
		"A file that only Meta has isn't attached; one that was uploaded here is."},
	{"sending/*preview_url", "CRM", "The entry has the link."},
	{"sending/reaction*", "CRM", "It shows on the entry of the message that it is about."},
	{"sending/contacts/*", "CRM", "The entry has what the card shows; the parts of the name, and codes, are in the REST API."},
	{"sending/*expiration_time_ms", "CRM", "The entry has the date."},
	{"sending/interactive*|sending/template*", "CRM", "The entry has what the customer reads; the rest is for programs."},
}

// whyEmpty returns the reason for an empty cell, by its place in the list.
func whyEmpty(key string, c column) (int, bool) {
	for i, r := range reasons {
		if r.covers(key, c) {
			return i, true
		}
	}
	return 0, false
}

func (r reason) covers(key string, c column) bool {
	if r.columns != "*" && !strings.Contains(" "+r.columns+" ", " "+string(c)+" ") {
		return false
	}
	return slices.ContainsFunc(strings.Split(r.rows, "|"), func(pattern string) bool { return matches(pattern, key) })
}

// matches tells whether a pattern fits, "*" being any text.
func matches(pattern, key string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(key, parts[0])
	if last == 0 {
		return ok && rest == ""
	}
	for _, part := range parts[1:last] {
		if ok {
			_, rest, ok = strings.Cut(rest, part)
		}
	}
	return ok && strings.HasSuffix(rest, parts[last])
}
