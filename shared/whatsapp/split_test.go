package whatsapp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func mustSplit(t testing.TB, body string) []Update {
	t.Helper()
	updates, err := Split([]byte(body))
	if err != nil {
		t.Fatalf("split: %v", err)
	}
	return updates
}

// envelope wraps the members of a "messages" value.
func envelope(value string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"W","changes":[{"field":"messages","value":{` +
		`"messaging_product":"whatsapp","metadata":{"phone_number_id":"N","display_phone_number":"D"}` + value + `}}]}]}`
}

// change wraps the members of a value of any field.
func change(field, value string) string {
	return strings.Replace(envelope(","+value), `"field":"messages"`, `"field":"`+field+`"`, 1)
}

// Ensure that every element comes out once, in order, whatever its neighbours.
func TestSplitShapes(t *testing.T) {
	const wrap = `{"object":"whatsapp_business_account","entry":`
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", wrap + `[]}`, ``},
		{"no changes", wrap + `[{"id":"W","changes":[]}]}`, ``},
		{"message", envelope(`,"messages":[{"id":"1"},{"id":"2"}]`), `message:{"id":"1"} message:{"id":"2"}`},
		{"all kinds", envelope(`,"errors":[{"code":1}],"statuses":[{"id":"s"}],"messages":[{"id":"m"}]`),
			`message:{"id":"m"} status:{"id":"s"} event:{"errors":[{"code":1}]}`},
		{"odd message", envelope(`,"messages":["x",{"id":"1"},null,[]]`),
			`event:{"messages":["x"]} message:{"id":"1"} event:{"messages":[null]} event:{"messages":[[]]}`},
		{"odd status", envelope(`,"statuses":[7,{"id":"1"}]`), `event:{"statuses":[7]} status:{"id":"1"}`},
		{"odd list beside", envelope(`,"messages":[{"id":"1"}],"statuses":"x","errors":null`),
			`message:{"id":"1"} event:{"statuses":"x","errors":null}`},
		{"unknown beside", envelope(`,"messages":[{"id":"1"}],"new":{"a":[1, 2]}`), `message:{"id":"1"} event:{"new":{"a":[1,2]}}`},
		{"repeated key", envelope(`,"messages":[{"id":"1"}],"messages":[{"id":"2"}]`), `message:{"id":"1"} message:{"id":"2"}`},
		{"only unknown", wrap + `[{"changes":[{"field":"messages","value":{"new":1}}]}]}`, `event:{"new":1}`},
		{"empty value", wrap + `[{"changes":[{"field":"messages","value":{}}]}]}`, `event:{}`},
		{"no message in list", wrap + `[{"changes":[{"field":"messages","value":{"messages":[]}}]}]}`, `event:{"messages":[]}`},
		{"value no object", wrap + `[{"changes":[{"field":"messages","value":[1]}]}]}`, `event:[1]`},
		{"no value", wrap + `[{"changes":[{"field":"messages"}]}]}`, `event:{"field":"messages"}`},
		{"change beside", wrap + `[{"changes":["x",{"field":"f","value":1,"y":2}]}]}`, `event:{"changes":["x"]} event:1 event:{"y":2}`},
		{"other field", wrap + `[{"changes":[{"field":"flows","value":{"statuses":[{"id":"1"}]}}]}]}`, `event:{"statuses":[{"id":"1"}]}`},
		{"no field", wrap + `[{"changes":[{"value":{"messages":[{"id":"1"}]}}]}]}`, `event:{"messages":[{"id":"1"}]}`},
		{"entry no object", wrap + `["x",null,{"changes":[{"field":"f","value":1}]}]}`, `event:{"entry":["x"]} event:{"entry":[null]} event:1`},
		{"entry without changes", wrap + `[{"id":"W","messaging":[1]}]}`, `event:{"id":"W","messaging":[1]}`},
		{"entry with more", wrap + `[{"id":"W","changes":[{"field":"f","value":1}],"messaging":[1]}]}`, `event:1 event:{"messaging":[1]}`},
		{"changes no list", wrap + `[{"id":"W","changes":{}}]}`, `event:{"id":"W","changes":{}}`},
		{"post with more", wrap + `[{"changes":[{"field":"f","value":1}]}],"x":1}`, `event:1 event:{"x":1}`},
		{"entry no list", wrap + `{}}`, `event:` + wrap + `{}}`},
		{"no object name", `{"entry":[{"changes":[{"field":"f","value":1}]}]}`, `event:1`},
		{"other channel", `{"object":"page","entry":[{"messaging":[1]}]}`, `event:{"object":"page","entry":[{"messaging":[1]}]}`},
		{"no envelope", `[1, 2]`, `event:[1,2]`},
		{"a word", ` null `, `event:null`},
		{"a string", `"a,b]"`, `event:"a,b]"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, u := range mustSplit(t, tt.body) {
				got = append(got, string(u.Kind)+":"+string(u.Body))
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestSplitNotJSON(t *testing.T) {
	for _, body := range []string{"", " ", "hello", `{"object":`, `{} {}`, "\xff", strings.Repeat("[", 20000)} {
		if u, err := Split([]byte(body)); !errors.Is(err, ErrNotJSON) || u != nil {
			t.Errorf("%.20q: %v, %v", body, u, err)
		}
	}
}

func TestSplitEnvelopeFields(t *testing.T) {
	u := mustSplit(t, envelope(`,"messages":[{"id":"1"}]`))[0]
	if u.Number != "N" || u.Display != "D" || u.WABA != "W" || u.Field != "messages" || u.Time != 0 {
		t.Errorf("message: %+v", u)
	}
	for time, want := range map[string]int64{
		`1739321024`: 1739321024, `"1739321024"`: 1739321024, `1739321024123`: 1739321024, `"soon"`: 0, `-5`: 0, `1e400`: 0,
	} {
		u := mustSplit(t, `{"object":"whatsapp_business_account","entry":[{"id":77,"time":`+time+
			`,"changes":[{"field":"security","value":{"display_phone_number":"155"}}]}]}`)[0]
		if u.WABA != "77" || u.Display != "155" || u.Time != want || u.Kind != KindEvent {
			t.Errorf("time %s: %+v", time, u)
		}
	}
}

// Ensure that a contact is found by identity and never by position.
func TestSplitContacts(t *testing.T) {
	const a, b = `{"wa_id":"1","profile":{"name":"A"}}`, `{"user_id":"US.2","wa_id":"22"}`
	for _, tt := range []struct{ name, value, want string }{
		{"reversed", `,"contacts":[` + a + `,` + b + `],"messages":[{"from_user_id":"US.2"},{"from":"+1"}]`, `message ` + b + `|message ` + a},
		{"BSUID in from", `,"contacts":[` + a + `,` + b + `],"messages":[{"from":"US.2"},{"from":"1"}]`, `message ` + b + `|message ` + a},
		{"user id before number", `,"contacts":[` + a + `,{"user_id":"US.3","wa_id":"1"}],"messages":[{"from_user_id":"US.3","from":"1"},{"from":"1"}]`,
			`message {"user_id":"US.3","wa_id":"1"}|message ` + a},
		{"one for many", `,"contacts":[` + a + `],"messages":[{"from":"1"},{"from":"1"}]`, `message ` + a + `|message ` + a},
		{"one each, of the same person", `,"contacts":[` + a + `,` + b + `,` + a + `],"messages":[{"from":"1"},{"from_user_id":"US.2"},{"from":"1"}]`,
			`message ` + a + `|message ` + b + `|message ` + a},
		{"sole", `,"contacts":[` + a + `],"messages":[{"from":"551199"}]`, `message ` + a},
		{"sole, of somebody else", `,"contacts":[` + b + `],"messages":[{"from_user_id":"US.9"}]`, `message |event `},
		{"number of somebody else", `,"contacts":[` + b + `],"messages":[{"from_user_id":"US.9","from":"22"},{"from":"22"}]`, `message |message ` + b},
		{"not of either", `,"contacts":[` + a + `],"messages":[{"from":"8"},{"from":"9"}]`, `message |message |event `},
		{"status", `,"contacts":[` + a + `,` + b + `],"statuses":[{"recipient_user_id":"US.2"},{"recipient_id":"1"}]`, `status ` + b + `|status ` + a},
		{"participant", `,"contacts":[` + a + `,` + b + `],"statuses":[{"recipient_type":"group","recipient_id":"G","recipient_participant_id":"1"}]`,
			`status ` + a + `|event `},
		{"odd contact", `,"contacts":["x"],"messages":[{"from":"8"}]`, `message |event `},
		{"beside an error", `,"contacts":[` + a + `],"errors":[{"code":0}]`, `event ` + a},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, u := range mustSplit(t, envelope(tt.value)) {
				got = append(got, string(u.Kind)+" "+string(u.Contact))
			}
			if got := strings.Join(got, "|"); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Ensure that formatting makes no difference, and that what JSON can hold but
// a Go string cannot is kept.
func TestSplitKeepsBytes(t *testing.T) {
	const text = `{"id":"1","text":{"body":"\ud800 \udc00\ud800 \uffff ` + "\uffff é \xff" + ` \/ < \u0000"}}`
	tight := mustSplit(t, envelope(`,"messages":[`+text+`]`))
	loose := mustSplit(t, strings.ReplaceAll(envelope(`,"messages":[`+text+`]`), `,"`, " ,\n\t\""))
	if string(tight[0].Body) != text || string(loose[0].Body) != text {
		t.Errorf("got %s\nand %s", tight[0].Body, loose[0].Body)
	}
	one, two := entry(t, tight[0]), entry(t, loose[0])
	if !bytes.Equal(one, two) {
		t.Errorf("equal updates differ:\n%s\n%s", one, two)
	}
	if bytes.ContainsFunc(one, func(r rune) bool { return r > 126 }) || !json.Valid(one) {
		t.Errorf("not ASCII JSON: %q", one)
	}
	for _, want := range []string{`\ud800 \udc00\ud800 \uffff \uffff \u00e9 \ufffd \/`} {
		if !strings.Contains(string(one), want) {
			t.Errorf("%s is not in %s", want, one)
		}
	}
}

// entry is an update as it is queued.
func entry(t testing.TB, u Update) []byte {
	t.Helper()
	raw, err := json.Marshal(u)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	return ASCII(raw)
}

func TestASCII(t *testing.T) {
	for in, want := range map[string]string{
		`"plain \u00e9"`: `"plain \u00e9"`, `"é"`: `"\u00e9"`, `"😀!"`: `"\ud83d\ude00!"`,
		"\"\uffff\u2028\u007f\"": "\"\\uffff\\u2028\u007f\"", "\"\xf0\x9f\"": `"\ufffd\ufffd"`, "": "",
	} {
		if got := string(ASCII([]byte(in))); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestGroupKey(t *testing.T) {
	key := func(value string) string { return mustSplit(t, envelope(value))[0].GroupKey() }
	same := func(name string, values ...string) {
		t.Helper()
		for _, v := range values[1:] {
			if key(v) != key(values[0]) {
				t.Errorf("%s: %s has another key than %s", name, v, values[0])
			}
		}
	}
	same("BSUID", `,"messages":[{"id":"1","from_user_id":"US.1"}]`, `,"messages":[{"id":"2","from_user_id":"US.1","from":"9"}]`,
		`,"messages":[{"id":"3","from":"US.1"}]`, `,"statuses":[{"id":"4","recipient_user_id":"US.1","recipient_id":"9"}]`,
		`,"contacts":[{"user_id":"US.1","wa_id":"9"}],"messages":[{"id":"5","from":"9"}]`,
		`,"messages":[{"id":"6","type":"system","system":{"user_id":"US.1"}}]`)
	same("number", `,"messages":[{"id":"1","from":"9"}]`, `,"messages":[{"id":"2","from":"+9"}]`, `,"statuses":[{"id":"3","recipient_id":"9"}]`)
	same("group chat", `,"messages":[{"id":"1","from":"9","group_id":"G"}]`,
		`,"statuses":[{"id":"2","recipient_type":"group","recipient_id":"G","recipient_participant_id":"9"}]`)

	seen := map[string]string{}
	for _, v := range []string{
		`,"messages":[{"id":"1","from":"9"}]`, `,"messages":[{"id":"1","from":"8"}]`, `,"messages":[{"id":"1","from_user_id":"US.1"}]`,
		`,"messages":[{"id":"1","from":"9","group_id":"G"}]`, `,"messages":[{"id":"1"}]`, `,"messages":[{"id":"2"}]`,
		`,"messages":[{"type":"text"}]`, `,"errors":[{"code":1}]`,
	} {
		k := key(v)
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(k) {
			t.Errorf("key of %s is %q", v, k)
		}
		if other, taken := seen[k]; taken {
			t.Errorf("%s and %s share a key", v, other)
		}
		seen[k] = v
	}
	other := strings.Replace(envelope(`,"messages":[{"id":"1","from":"9"}]`), `"N"`, `"M"`, 1)
	if mustSplit(t, other)[0].GroupKey() == key(`,"messages":[{"id":"1","from":"9"}]`) {
		t.Error("two business numbers share a key")
	}
}

func BenchmarkSplit(b *testing.B) {
	for _, n := range []int{1, 1000} {
		messages := make([]string, n)
		for i := range messages {
			messages[i] = fmt.Sprintf(`{"from":"1555%07d","id":"wamid.%d","timestamp":"1749416383","type":"text","text":{"body":"hello"}}`, i, i)
		}
		body := []byte(envelope(`,"messages":[` + strings.Join(messages, ",") + `]`))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				updates, err := Split(body)
				if err != nil || len(updates) != n {
					b.Fatal(err, len(updates))
				}
			}
		})
	}
}

func BenchmarkSplitHistory(b *testing.B) {
	threads := make([]string, 20)
	for i := range threads {
		list := make([]string, 250)
		for j := range list {
			list[j] = fmt.Sprintf(`{"from":"1555%07d","id":"wamid.%d.%d","timestamp":"1749416383","type":"text","text":{"body":"hello"},"history_context":{"status":"READ"}}`, i, i, j)
		}
		threads[i] = fmt.Sprintf(`{"id":"1555%07d","messages":[%s]}`, i, strings.Join(list, ","))
	}
	body := []byte(change("history", `"history":[{"metadata":{"phase":0,"chunk_order":1,"progress":55},"threads":[`+strings.Join(threads, ",")+`]}]`))
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		updates, err := Split(body)
		if err != nil || len(updates) != 3*len(threads) {
			b.Fatal(err, len(updates))
		}
	}
}
