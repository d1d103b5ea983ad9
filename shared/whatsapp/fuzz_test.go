package whatsapp

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzSplit proves that nothing panics, nothing is lost and nothing becomes
// invalid, for any input at all.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		envelope(`,"messages":[{"id":"1","type":"text","text":{"body":"hé"}},"x"],"errors":[1,{}],"contacts":[{"wa_id":"1"}]`),
		envelope(`,"statuses":[{"id":"1","status":"failed","errors":[{"code":"131047","error_data":"x"}]}],"x":{}`),
		envelope(`,"messages":[{"type":"edit","edit":{"message":{"type":"edit","edit":{"message":{}}}}}]`),
		envelope(`,"messages":[{"type":"interactive","interactive":{"nfm_reply":{"response_json":{"a":1}}},"timestamp":1e99}]`),
		envelope(`,"messages":[{"type":"contacts","contacts":[1,{"phones":[{}],"emails":"x"}],"system":{"user_id":"US.1"}}]`),
		`{"object":"whatsapp_business_account","entry":["x",{"changes":[null,{"value":{}}]}]}`,
		`{"object":"page","entry":[]}`, `[]`, `"\"["`, `1`, `{"entry":[{"changes":[{"a":"\\","b":[[],{}]}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	for _, body := range corpus(f) {
		if len(body) < 1<<16 {
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		updates, err := Split(body)
		if err != nil {
			if json.Valid(body) {
				t.Fatalf("refused valid JSON: %v", err)
			}
			return
		}
		for _, u := range updates {
			queued := entry(t, u)
			var back Update
			if err := json.Unmarshal(queued, &back); err != nil {
				t.Fatalf("queued update %q: %v", queued, err)
			}
			if len(u.GroupKey()) != 32 {
				t.Fatalf("group key %q", u.GroupKey())
			}
			parseAll(t, back)
		}
		nothingLost(t, body, updates)
	})
}

// parseAll reads an update as every kind; only one that is no object may fail.
func parseAll(t testing.TB, u Update) {
	t.Helper()
	_, isObject := read(u.Body)
	m, err := ParseMessage(u)
	if (err == nil) != isObject {
		t.Fatalf("message %s: %v", u.Body, err)
	}
	m.Media()
	m.IdentityChange()
	if _, err := ParseStatus(u); (err == nil) != isObject {
		t.Fatalf("status %s: %v", u.Body, err)
	}
	for _, e := range u.Errors() {
		_ = e.Error()
	}
	if !m.Timestamp.IsZero() {
		if _, err := m.Timestamp.MarshalJSON(); err != nil {
			t.Fatalf("timestamp: %v", err)
		}
	}
}

// nothingLost reads the webhook a second time, with encoding/json, and takes
// every element out of what Split returned. Each must be there, once.
func nothingLost(t testing.TB, body []byte, updates []Update) {
	t.Helper()
	left := map[string]int{}
	for _, u := range updates {
		left[string(u.Kind)+string(u.Body)]++
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
	for _, e := range array(post["entry"]) {
		for _, c := range array(decode(e)["changes"]) {
			change := decode(c)
			value := decode(change["value"])
			if string(change["field"]) != `"messages"` {
				continue
			}
			for _, m := range array(value["messages"]) {
				if decode(m) != nil {
					take(KindMessage, m)
				} else {
					take(KindEvent, only("messages", m))
				}
			}
			for _, s := range array(value["statuses"]) {
				if decode(s) != nil {
					take(KindStatus, s)
				} else {
					take(KindEvent, only("statuses", s))
				}
			}
			for _, e := range array(value["errors"]) {
				take(KindEvent, only("errors", e))
			}
		}
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
