package whatsapptest

import (
	"encoding/json"
	"time"
)

// Field is a webhook with one change of any field that is about a number;
// value is what it holds beside the metadata.
func Field(field, number string, value map[string]any) []byte {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = object{"display_phone_number": Display, "phone_number_id": number}
	return post(object{"id": WABA, "changes": []any{object{"field": field, "value": value}}})
}

// Account is a webhook that says something of the account, such as
// {"event":"ACCOUNT_DELETED"} for the field "account_update".
func Account(field string, value map[string]any, at time.Time) []byte {
	return post(object{"id": WABA, "time": at.Unix(), "changes": []any{object{"field": field, "value": value}}})
}

// Echo is a webhook with a text that the business sent to a customer on the
// phone that uses the same number.
func Echo(number, to, wamid, text string, at time.Time) []byte {
	return EchoOf(number, to, wamid, "text", object{"body": text}, at)
}

// EchoOf is an echo of any type.
func EchoOf(number, to, wamid, kind string, content any, at time.Time) []byte {
	contact := object{}
	m := thing(wamid, kind, content, at)
	m["from"] = Display
	name(m, "to", "to_user_id", to)
	name(contact, "wa_id", "user_id", to)
	return Field("smb_message_echoes", number, object{"contacts": []any{contact}, "message_echoes": []any{m}})
}

// Call is a webhook that says that a customer calls.
func Call(number, from, wacid string, at time.Time) []byte {
	return call(number, from, object{
		"id": wacid, "event": "connect", "timestamp": unix(at), "session": object{"sdp_type": "offer", "sdp": "v=0"},
	})
}

// CallEnd is a webhook that says how a customer's call ended: "COMPLETED" or
// "FAILED". One that wasn't picked up lasted for no time.
func CallEnd(number, from, wacid, status string, lasted time.Duration, at time.Time) []byte {
	c := object{"id": wacid, "event": "terminate", "timestamp": unix(at), "status": status}
	if lasted > 0 {
		c["start_time"], c["end_time"], c["duration"] = unix(at.Add(-lasted)), unix(at), int64(lasted.Seconds())
	}
	return call(number, from, c)
}

func call(number, from string, c object) []byte {
	contact := object{}
	c["to"], c["direction"] = Display, "USER_INITIATED"
	name(c, "from", "from_user_id", from)
	name(contact, "wa_id", "user_id", from)
	return Field("calls", number, object{"contacts": []any{contact}, "calls": []any{c}})
}

// CallStatus is a webhook that says how a call of the business goes: "RINGING",
// "ACCEPTED" or "REJECTED".
func CallStatus(number, to, wacid, status string, at time.Time) []byte {
	s := object{"id": wacid, "type": "call", "status": status, "timestamp": unix(at)}
	name(s, "recipient_id", "recipient_user_id", to)
	return Field("calls", number, object{"statuses": []any{s}})
}

// Old is a message of a history.
type Old struct {
	ID           string
	FromBusiness bool
	Type         string // "text" if empty
	Content      any    // of its type; a string is the body of a text; nil for a media_placeholder
	Status       string // "READ" if empty
	At           time.Time
}

// History is a webhook with a part of one thread; progress is in percent.
func History(number, thread string, phase, chunk, progress int, messages ...Old) []byte {
	list := make([]any, len(messages))
	for i, m := range messages {
		list[i] = old(thread, m)
	}
	return Field("history", number, object{"history": []any{object{
		"metadata": object{"phase": phase, "chunk_order": chunk, "progress": progress},
		"threads":  []any{object{"id": thread, "messages": list}},
	}}})
}

// HistoryMedia is a webhook that brings the file of a message that came as a
// media_placeholder.
func HistoryMedia(number, thread string, m Old) []byte {
	o := old(thread, m)
	delete(o, "history_context")
	return Field("history", number, object{"messages": []any{o}})
}

func old(thread string, m Old) object {
	if m.Type == "" {
		m.Type = "text"
	}
	if text, isText := m.Content.(string); isText {
		m.Content = object{"body": text}
	}
	o := thing(m.ID, m.Type, m.Content, m.At)
	if m.FromBusiness {
		o["from"] = Display
		name(o, "to", "to_user_id", thread)
	} else {
		name(o, "from", "from_user_id", thread)
	}
	if m.Status == "" {
		m.Status = "READ"
	}
	o["history_context"] = object{"status": m.Status}
	return o
}

// SavedContact is a webhook that says under which name the phone's address book
// has a customer; without a name, that it hasn't any longer.
func SavedContact(number, phone, name string, at time.Time) []byte {
	contact, action := object{"phone_number": phone}, "remove"
	if name != "" {
		contact["full_name"], action = name, "add"
	}
	return Field("smb_app_state_sync", number, object{"state_sync": []any{object{
		"type": "contact", "contact": contact, "action": action, "metadata": object{"timestamp": unix(at)},
	}}})
}

// Preference is a webhook in which a customer stops marketing messages, with
// the value "stop", or wants them again: "resume".
func Preference(number, from, value string, at time.Time) []byte {
	p, contact := object{
		"category": "marketing_messages", "value": value, "detail": "Chosen by the customer", "timestamp": at.Unix(),
	}, object{}
	name(p, "wa_id", "user_id", from)
	name(contact, "wa_id", "user_id", from)
	return Field("user_preferences", number, object{"contacts": []any{contact}, "user_preferences": []any{p}})
}

// Handover is a webhook that says who answers a customer from now on; kind is
// "control_passed" or "control_taken", the roles are such as "ai_agent" and
// "escalation".
func Handover(number, from, kind, previous, next string, at time.Time) []byte {
	sender := object{}
	name(sender, "phone_number", "user_id", from)
	return post(object{"id": WABA, "changes": []any{object{"field": "messaging_handovers", "value": object{
		"messaging_product": "whatsapp", "sender": sender, "type": kind, "timestamp": unix(at),
		"recipient": object{"display_phone_number": Display, "phone_number_id": number},
		kind:        object{"previous_owner_role": previous, "new_owner_role": next},
	}}}})
}

// Group is a webhook about a group chat, such as "group_participants_add" for
// the field "group_participants_update"; more is what the event holds beside.
func Group(number, group, field, kind string, more map[string]any, at time.Time) []byte {
	g := object{"group_id": group, "type": kind, "timestamp": unix(at)}
	for key, value := range more {
		g[key] = value
	}
	return Field(field, number, object{"groups": []any{g}})
}

// Signal is a webhook in which Meta concludes something from a message, such as
// "LeadSubmitted".
func Signal(number, wamid, event, click string, at time.Time) []byte {
	return Field("automatic_events", number, object{"automatic_events": []any{object{
		"id": wamid, "event_name": event, "ctwa_clid": click, "timestamp": at.Unix(),
	}}})
}

// Standby is the same webhook as it comes while Meta's own agent answers the
// customer. It takes one with messages, statuses or echoes.
func Standby(body []byte) []byte {
	var p struct {
		Entry []struct {
			Changes []struct {
				Value map[string]json.RawMessage `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(body, &p); err != nil || len(p.Entry) == 0 || len(p.Entry[0].Changes) == 0 {
		panic("whatsapptest: not a webhook of this package")
	}
	value, inner := p.Entry[0].Changes[0].Value, object{}
	for _, key := range []string{"contacts", "messages", "statuses", "message_echoes"} {
		if list, there := value[key]; there {
			inner[key] = list
		}
	}
	return post(object{"id": WABA, "changes": []any{object{"field": "standby", "value": object{
		"messaging_product": "whatsapp", "metadata": value["metadata"], "standby": inner,
	}}}})
}

func post(entry object) []byte {
	body, err := json.Marshal(object{"object": "whatsapp_business_account", "entry": []any{entry}})
	if err != nil {
		panic("whatsapptest: content of a webhook is not JSON: " + err.Error())
	}
	return body
}

// name writes who it is under the key for numbers or the one for user ids.
func name(o object, number, user, who string) {
	if digits(who) {
		o[number] = who
	} else {
		o[user] = who
	}
}

func thing(wamid, kind string, content any, at time.Time) object {
	m := object{"id": wamid, "timestamp": unix(at), "type": kind}
	if content != nil {
		m[kind] = content
	}
	return m
}
