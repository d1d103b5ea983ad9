package handler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp"
)

const at = `"timestamp":"1772452800"`

func TestForwardedReferredAsked(t *testing.T) {
	r := newRig(t)
	r.message(`{"id":"w1","from":"34600111222",` + at + `,"type":"text","text":{"body":"look"},"context":{"forwarded":true}}`)
	r.message(`{"id":"w2","from":"34600111222",` + at + `,"type":"text","text":{"body":"look"},"context":{"frequently_forwarded":true}}`)
	r.message(`{"id":"w3","from":"34600111222",` + at + `,"type":"text","text":{"body":"hi"},"referral":{"source_type":"ad","source_id":"5","source_url":"https://x.example","headline":"Sale","body":"All of it","ctwa_clid":"c","welcome_message":{"text":"Hello"}}}`)
	r.message(`{"id":"w4","from":"34600111222",` + at + `,"type":"text","text":{"body":"how much"},"context":{"from":"1","id":"w0","referred_product":{"catalog_id":"c","product_retailer_id":"p"}}}`)
	r.message(`{"id":"w5","from":"34600111222",` + at + `,"type":"unsupported","errors":[{"code":131051,"title":"Unsupported"}]}`)
	if m := r.lookup("w1"); m.Forwarded != chat.ForwardedOnce {
		t.Errorf("forwarded %q", m.Forwarded)
	}
	if m := r.lookup("w2"); m.Forwarded != chat.ForwardedOften {
		t.Errorf("forwarded %q", m.Forwarded)
	}
	want := chat.Referral{Type: "ad", ID: "5", URL: "https://x.example", Headline: "Sale", Body: "All of it", Welcome: "Hello", ClickID: "c"}
	if m := r.lookup("w3"); m.Referral == nil || *m.Referral != want {
		t.Errorf("referral %+v", m.Referral)
	}
	if m := r.lookup("w4"); m.Product == nil || *m.Product != (chat.Product{Catalog: "c", ID: "p"}) || m.ReplyTo != "w0" {
		t.Errorf("product %+v in reply to %q", m.Product, m.ReplyTo)
	}
	if m := r.lookup("w5"); len(m.Problems) != 1 || m.Problems[0] != (chat.Problem{Code: 131051, Reason: "Unsupported"}) {
		t.Errorf("problems %+v", m.Problems)
	}
}

// TestEchoes: what the company says in its phone's app is in the conversation and on the record, and opens no window.
func TestEchoes(t *testing.T) {
	for _, test := range []struct{ name, field, value string }{
		{"from the phone's app", "smb_message_echoes", `{` + metadata + `,"message_echoes":[%]}`},
		{"from another program", "message_echoes", `{` + metadata + `,"message_echoes":[%]}`},
		{"on standby", "standby", `{` + metadata + `,"standby":{"message_echoes":[%]}}`},
	} {
		r := newRig(t)
		r.message(hello)
		customer := r.lookup("wamid.1")
		sent := len(r.crm.entries)
		value := strings.Replace(test.value, "%", `{"id":"wamid.e","from":"`+display+`","to":"34600111222","timestamp":"1772452900","type":"image","image":{"id":"9","caption":"here"}}`, 1)
		r.takeAll(test.field, value)
		r.takeAll(test.field, value)
		m := r.lookup("wamid.e")
		if m.Conversation != customer.Conversation || m.Contact != customer.Contact || m.Direction != chat.Out ||
			m.Origin != chat.FromPhoneApp || m.Status != chat.Sent || m.Text != "here" || m.Attachment == nil {
			t.Errorf("%s: %+v", test.name, m)
		}
		if !m.Steps[chat.Sent].At.Equal(time.Unix(1772452900, 0)) {
			t.Errorf("%s: steps %v", test.name, m.Steps)
		}
		c, err := r.store.Conversation(t.Context(), m.Conversation)
		if err != nil || !c.LastInbound.Equal(customer.At) || c.LastFrom != "wamid.1" {
			t.Errorf("%s: the window is from %v, %q (%v)", test.name, c.LastInbound, c.LastFrom, err)
		}
		if got := r.refs(&r.media); !slices.Equal(got, []string{"media wamid.e stored"}) || len(r.crm.entries) != sent+2 {
			t.Errorf("%s: files %q, %d entries to the CRM", test.name, got, len(r.crm.entries)-sent)
		}
		if r.counts[metric.MessageReceived] != 1 || r.counts[metric.RawUpdate] != 0 {
			t.Errorf("%s: counted %v", test.name, r.counts)
		}
	}
}

func TestEchoesToSomebodyWithoutAPhone(t *testing.T) {
	r := newRig(t)
	r.message(`{"id":"w1","from_user_id":"ES.abc",` + at + `,"type":"text","text":{"body":"x"}}`)
	r.takeAll("smb_message_echoes", `{`+metadata+`,"message_echoes":[{"id":"w2","from":"`+display+`","to_user_id":"ES.abc",`+at+`,"type":"text","text":{"body":"y"}}]}`)
	r.takeAll("smb_message_echoes", `{`+metadata+`,"message_echoes":[{"id":"w3","from":"`+display+`",`+at+`,"type":"text","text":{"body":"z"}}]}`)
	if in, out := r.lookup("w1"), r.lookup("w2"); in.Conversation != out.Conversation {
		t.Errorf("conversations %s and %s", in.Conversation, out.Conversation)
	}
	if got := r.kept("RAW#"); len(got) != 1 || got[0].Reason != "nobody" {
		t.Errorf("kept raw: %+v", got)
	}
}

// TestAnEchoOfOurOwnIsNotAnotherMessage: also where it comes before Meta's answer to the send.
func TestAnEchoOfOurOwnIsNotAnotherMessage(t *testing.T) {
	r := newRig(t)
	m := r.asked("m_1")
	if _, err := r.store.Accept(t.Context(), m, "wamid.o"); err != nil {
		t.Fatal(err)
	}
	r.takeAll("message_echoes", `{`+metadata+`,"message_echoes":[{"id":"wamid.o","from":"`+display+`","to":"34600111222",`+at+`,"type":"text","text":{"body":"x"}}]}`)
	if all := r.messages(); len(all) != 1 || all[0].ID != "m_1" || all[0].Origin == chat.FromPhoneApp {
		t.Errorf("stored %d: %v", len(all), all)
	}
	if len(r.crm.entries) != 0 || r.counts[metric.RawUpdate] != 0 {
		t.Errorf("%d entries to the CRM, counted %v", len(r.crm.entries), r.counts)
	}
}

// TestStandby: whoever answers a customer now, what is said is in the conversation like anything else.
func TestStandby(t *testing.T) {
	r := newRig(t)
	m := r.asked("m_1")
	if _, err := r.store.Accept(t.Context(), m, "wamid.o"); err != nil {
		t.Fatal(err)
	}
	r.takeAll("standby", `{`+metadata+`,"standby":{"messages":[`+hello+`]}}`)
	r.takeAll("standby", `{`+metadata+`,"standby":{"statuses":[`+statusBody("read", "")+`]}}`)
	if m := r.lookup("wamid.1"); m.Text != "hello" || m.Direction != chat.In {
		t.Errorf("stored %+v", m)
	}
	if m := r.lookup("m_1"); m.Status != chat.Read {
		t.Errorf("it is %s", m.Status)
	}
}

func TestHandovers(t *testing.T) {
	for _, test := range []struct{ name, body, text, typ string }{
		{"to a person", `"type":"control_taken",` + at + `,"control_taken":{"previous_owner_role":"ai_agent","new_owner_role":"escalation"}`, "Control taken from ai_agent to escalation", "control_taken"},
		{"with a word", `"type":"control_passed",` + at + `,"control_passed":{"metadata":"wants a refund"}`, "Control passed\nwants a refund", "control_passed"},
	} {
		r := newRig(t)
		r.message(hello)
		value := `{"sender":{"phone_number":"34600111222"},"recipient":{"phone_number_id":"100","display_phone_number":"` + display + `"},` + test.body + `}`
		r.takeAll("messaging_handovers", value)
		r.takeAll("messaging_handovers", value)
		m := r.only("wamid.1")
		if m.Kind != chat.KindSystem || m.RawType != test.typ || m.Text != test.text || m.Conversation != r.lookup("wamid.1").Conversation || m.Content == nil {
			t.Errorf("%s: %+v", test.name, m)
		}
		if m.OpensWindow() {
			t.Errorf("%s: it opens the window", test.name)
		}
	}
	r := newRig(t)
	r.takeAll("messaging_handovers", `{"sender":{},"recipient":{"phone_number_id":"100"},"type":"control_taken",`+at+`}`)
	if got := r.kept("RAW#"); len(got) != 1 || len(r.messages()) != 0 {
		t.Errorf("of nobody: kept %+v, stored %d", got, len(r.messages()))
	}
}

// TestGroupEventsStayInTheirGroup: they are in the group's conversation, on nobody's record.
func TestGroupEventsStayInTheirGroup(t *testing.T) {
	r := newRig(t)
	r.message(`{"id":"w1","from":"34600111222","group_id":"g1",` + at + `,"type":"text","text":{"body":"x"}}`)
	sent := len(r.crm.entries)
	r.takeAll("group_participants_update", `{`+metadata+`,"groups":[{`+at+`,"group_id":"g1","type":"group_participants_add","added_participants":[{"wa_id":"34600111333"}]}]}`)
	m := r.only("w1")
	if m.Conversation != "100.g.g1" || m.Kind != chat.KindSystem || m.RawType != "group_participants_add" || m.Contact != "" {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(m.Text, "34600111333") || len(r.crm.entries) != sent {
		t.Errorf("text %q, %d entries", m.Text, len(r.crm.entries)-sent)
	}
	c, err := r.store.Conversation(t.Context(), m.Conversation)
	if err != nil || c.LastFrom != "w1" {
		t.Errorf("the window is from %q (%v)", c.LastFrom, err)
	}
	r.takeAll("group_lifecycle_update", `{`+metadata+`,"groups":[{`+at+`,"type":"group_create","errors":[{"code":131215,"title":"no"}]}]}`)
	if got := r.kept("RAW#"); len(got) != 1 || got[0].Reason != "shape" {
		t.Errorf("a group that wasn't made: kept %+v", got)
	}
}

// Every call has these.
const wacid = `"id":"wacid.1","from":"34600111222","to":"` + display + `","direction":"USER_INITIATED"`

func callValue(key, one string) string { return `{` + metadata + `,"` + key + `":[{` + one + `}]}` }

// TestCalls: a call is a message of the conversation and opens the window; what becomes of it shows on it.
func TestCalls(t *testing.T) {
	begin := callValue("calls", wacid+`,"event":"connect","timestamp":"1772452800","session":{"sdp_type":"offer","sdp":"x"}`)
	end := callValue("calls", wacid+`,"event":"terminate","status":"COMPLETED","start_time":"1772452805","end_time":"1772452870","duration":65,"timestamp":"1772452870"`)
	want := chat.Call{Status: "completed", Seconds: 65, Began: time.Unix(1772452805, 0).UTC(), Ended: time.Unix(1772452870, 0).UTC()}
	for name, posts := range map[string][]string{
		"in order":          {begin, end},
		"the end first":     {end, begin},
		"again and again":   {begin, end, end, begin, end},
		"the end only once": {end, begin, begin},
	} {
		r := newRig(t)
		for _, p := range posts {
			r.takeAll("calls", p)
		}
		m := r.lookup("wacid.1")
		if m.Kind != chat.KindCall || m.Direction != chat.In || m.Text != "Voice call" || m.RawType != "call" || m.Call == nil {
			t.Fatalf("%s: %+v", name, m)
		}
		got := *m.Call
		got.Stamp = chat.Stamp{}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if over := r.only("wacid.1"); over.ReplyTo != "wacid.1" || over.Text != "Call ended after 1:05" || over.OpensWindow() || len(over.Effects) != 0 {
			t.Errorf("%s: the end is %+v", name, over)
		}
		c, err := r.store.Conversation(t.Context(), m.Conversation)
		if err != nil || !c.LastInbound.Equal(time.Unix(1772452800, 0)) || c.LastFrom != "" {
			t.Errorf("%s: the window is from %v, to mark as read %q (%v)", name, c.LastInbound, c.LastFrom, err)
		}
		refs := r.refs(&r.crm)
		if len(refs) < 1 || slices.ContainsFunc(refs, func(s string) bool { return !strings.HasPrefix(s, "crm wacid.1 ") }) {
			t.Errorf("%s: entries %q, want those of the call only", name, refs)
		}
	}
}

func TestCallsThatWeMake(t *testing.T) {
	r := newRig(t)
	const ours = `"id":"wacid.1","from":"` + display + `","to":"34600111222","direction":"BUSINESS_INITIATED"`
	r.takeAll("calls", callValue("calls", ours+`,"event":"connect","timestamp":"1772452800"`))
	r.takeAll("calls", callValue("statuses", `"id":"wacid.1","type":"call","status":"RINGING","timestamp":"1772452801","recipient_id":"34600111222"`))
	r.takeAll("calls", callValue("statuses", `"id":"wacid.1","type":"call","status":"REJECTED","timestamp":"1772452803","recipient_id":"34600111222"`))
	m := r.lookup("wacid.1")
	if m.Direction != chat.Out || m.Origin != chat.FromAgent || m.OpensWindow() || m.Call == nil || m.Call.Status != "rejected" {
		t.Errorf("%+v, %+v", m, m.Call)
	}
	for _, step := range r.messages() {
		if step.Direction != chat.Out || step.Conversation != m.Conversation {
			t.Errorf("%s in %s", step.Direction, step.Conversation)
		}
	}
	if r.counts[metric.RawUpdate] != 0 || r.counts[metric.MessageReceived] != 0 {
		t.Errorf("counted %v", r.counts)
	}
}

// TestOddShapesOfEveryKind: what names nothing to do is kept, and is never an error.
func TestOddShapesOfEveryKind(t *testing.T) {
	for _, kind := range []whatsapp.UpdateKind{
		whatsapp.KindMessage, whatsapp.KindEcho, whatsapp.KindStatus, whatsapp.KindCall, whatsapp.KindHandover, whatsapp.KindGroup,
		whatsapp.KindHistory, whatsapp.KindContact, whatsapp.KindPreference, whatsapp.KindSignal, whatsapp.KindEvent,
	} {
		for _, body := range []string{`"a string"`, `7`, `null`, `[]`, `{}`, `{"id":7}`, `{"type":{}}`} {
			for _, number := range []string{"100", "", strings.Repeat("1", 256)} {
				r := newRig(t)
				u := update(kind, body)
				u.Number = number
				r.take(u)
				if got := r.kept("RAW#"); len(got) != 1 || len(r.messages()) != 0 {
					t.Errorf("a %s that is %s: kept %d, stored %d", kind, body, len(got), len(r.messages()))
				}
			}
		}
	}
}

// TestNothingOfAMixedPostIsLost: what comes in is counted, and so is what becomes of it.
func TestNothingOfAMixedPostIsLost(t *testing.T) {
	r := newRig(t)
	var in int
	for _, c := range [][2]string{
		{"messages", `{` + metadata + `,"contacts":[{"wa_id":"1","user_id":"ES.1"}],"messages":[` + hello + `,"odd",{"id":"w9","from":"1","type":"hologram","hologram":{}},{"type":"text"}],"statuses":[` + statusBody("sent", "") + `,{"id":7}],"errors":[{"code":130429}],"holograms":[1]}`},
		{"standby", `{` + metadata + `,"standby":{"messages":[{"id":"w2","from":"1",` + at + `,"type":"text","text":{"body":"x"}}],"odd":1}}`},
		{"calls", `{` + metadata + `,"calls":[{` + wacid + `,"event":"connect",` + at + `},7]}`},
		{"smb_app_state_sync", `{` + metadata + `,"state_sync":[{"type":"contact","contact":{"full_name":"A","phone_number":"34600111222"},"action":"add","metadata":{` + at + `}},{"type":"chat"}]}`},
		{"group_settings_update", `{` + metadata + `,"groups":[{` + at + `,"group_id":"g","type":"group_settings_update"},[]]}`},
		{"tomorrow", `{"x":1}`},
	} {
		for _, u := range r.post(c[0], c[1]) {
			in++
			r.take(u)
			r.take(u)
		}
	}
	saved, receipts, facts := 0, 0, 0
	for k, it := range r.table.Items() {
		switch {
		case strings.HasPrefix(k[1], "RECEIPT#"):
			receipts++
		case strings.HasPrefix(k[1], "EVT#"):
			facts++
		case k[1] == "CONTACT" && decoded[chat.Contact](r, it).Saved != "":
			saved++
		}
	}
	if out := len(r.messages()) + len(r.kept("RAW#")) + receipts + facts + saved; out != in {
		t.Errorf("%d came in: %d messages, %d raw, %d receipts, %d of the account, %d saved names", in, len(r.messages()), len(r.kept("RAW#")), receipts, facts, saved)
	}
}
