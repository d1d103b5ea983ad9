package whatsapp

import (
	"bytes"
	"encoding/json"
	"testing"
)

// nothingLost reads the webhook a second time, with encoding/json, and takes
// every element out of what Split returned. Each must be there, once; and
// whatever else a value holds must be somewhere.
func nothingLost(t testing.TB, body []byte, updates []Update) {
	t.Helper()
	left := map[string]int{}
	for _, u := range updates {
		left[string(u.Kind)+string(u.Body)]++
		if u.Kind == KindHistory {
			b := decode(u.Body)
			for _, m := range append(array(b["messages"]), array(b["media"])...) {
				left["one of "+string(KindHistory)+string(m)]++
			}
		}
	}
	take := func(kind UpdateKind, raw []byte) {
		t.Helper()
		key := string(kind) + string(raw)
		if left[key]--; left[key] < 0 {
			t.Fatalf("lost a %s: %s\nof %s", kind, raw, body)
		}
	}
	post := decode(body)
	if string(post["object"]) != `"whatsapp_business_account"` {
		return
	}
	said := leaves(map[string]bool{}, updates)
	for _, e := range array(post["entry"]) {
		for _, c := range array(decode(e)["changes"]) {
			change := decode(c)
			value := decode(change["value"])
			for _, v := range valuesOf(change, value) {
				takeAll(fields(change).text("field"), v, take)
			}
			delete(value, "messaging_product")
			delete(value, "metadata")
			for _, leaf := range leavesOf(value) {
				if !said[leaf] {
					t.Fatalf("lost %s\nof %s", leaf, body)
				}
			}
		}
	}
}

// valuesOf lists a value and the one that it holds under "standby".
func valuesOf(change, value map[string]json.RawMessage) []map[string]json.RawMessage {
	if inner := decode(value["standby"]); inner != nil && string(change["field"]) == `"standby"` {
		delete(inner, "metadata")
		delete(inner, "messaging_product")
		raw, _ := json.Marshal(inner)
		value["standby"] = raw
		return []map[string]json.RawMessage{value, inner}
	}
	return []map[string]json.RawMessage{value}
}

// takeAll takes every element of a value that should be an update.
func takeAll(field string, value map[string]json.RawMessage, take func(UpdateKind, []byte)) {
	arrays := map[string]map[string]UpdateKind{
		"messages":                  {"messages": KindMessage, "statuses": KindStatus},
		"standby":                   {"messages": KindMessage, "statuses": KindStatus, "message_echoes": KindEcho},
		"smb_message_echoes":        {"message_echoes": KindEcho},
		"message_echoes":            {"message_echoes": KindEcho},
		"calls":                     {"calls": KindCall, "statuses": KindCall},
		"user_preferences":          {"user_preferences": KindPreference},
		"automatic_events":          {"automatic_events": KindSignal},
		"group_participants_update": {"groups": KindGroup},
		"history":                   {"messages": "one of history"},
	}[field]
	problems := array(value["errors"])
	if field == "calls" && explained(value, problems) {
		call := array(value["calls"])[0]
		sep := ","
		if string(call) == "{}" {
			sep = ""
		}
		var b bytes.Buffer
		_ = json.Compact(&b, value["errors"]) // as written: Marshal would escape
		take(KindCall, []byte(string(call[:len(call)-1])+sep+`"errors":`+b.String()+"}"))
		return
	}
	for key, kind := range arrays {
		for _, m := range array(value[key]) {
			if decode(m) != nil {
				take(kind, m)
			} else {
				take(KindEvent, only(key, m))
			}
		}
	}
	for _, h := range array(value["history"]) {
		for _, thread := range array(decode(h)["threads"]) {
			for _, m := range array(decode(thread)["messages"]) {
				if field == "history" && decode(m) != nil {
					take("one of history", m)
				}
			}
		}
	}
	if arrays != nil {
		for _, e := range problems {
			take(KindEvent, only("errors", e))
		}
	}
}

// explained tells whether the errors of a value are those of its only call.
func explained(value map[string]json.RawMessage, problems []json.RawMessage) bool {
	calls := array(value["calls"])
	if len(calls) != 1 || len(array(value["statuses"])) > 0 || len(problems) == 0 || decode(calls[0]) == nil {
		return false
	}
	_, has := decode(calls[0])["errors"]
	return !has
}

// leaves collects every string, number and word that updates say.
func leaves(said map[string]bool, updates []Update) map[string]bool {
	for _, u := range updates {
		for _, raw := range [][]byte{u.Body, u.Contact} {
			walk(raw, func(leaf string) { said[leaf] = true })
		}
	}
	return said
}

func leavesOf(value map[string]json.RawMessage) (all []string) {
	for _, raw := range value {
		walk(raw, func(leaf string) { all = append(all, leaf) })
	}
	return all
}

func walk(raw []byte, leaf func(string)) {
	raw = bytes.TrimSpace(raw)
	if o := decode(raw); o != nil {
		for _, v := range o {
			walk(v, leaf)
		}
	} else if a := array(raw); a != nil {
		for _, v := range a {
			walk(v, leaf)
		}
	} else if len(raw) > 0 && raw[0] != '[' && raw[0] != '{' {
		leaf(string(raw))
	}
}

func decode(raw []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

func array(raw []byte) []json.RawMessage {
	var a []json.RawMessage
	if json.Unmarshal(raw, &a) != nil {
		return nil
	}
	for i, e := range a {
		var b bytes.Buffer
		if json.Compact(&b, e) == nil {
			a[i] = b.Bytes()
		}
	}
	return a
}
