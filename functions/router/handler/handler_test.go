package handler

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

const hello = `{"id":"wamid.1","from":"34600111222","timestamp":"1772452800","type":"text","text":{"body":"hello"}}`

func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestThePlanIsStoredAndDispatchedAgain: nothing computed from code is computed again on a redelivery.
func TestThePlanIsStoredAndDispatchedAgain(t *testing.T) {
	r := newRig(t)
	const photo = `{"id":"wamid.2","from":"34600111222","timestamp":"1772452800","type":"image","image":{"id":"9"}}`
	r.message(photo)
	m := r.lookup("wamid.2")
	r.h.Connectors = []string{"odoo", "webhook"} // somebody reconfigured it meanwhile
	r.message(photo)
	for name, l := range map[string]*lane{"CRM": &r.crm, "media": &r.media} {
		if ids := l.dedupIDs(); len(ids) != 2 || ids[0] != ids[1] {
			t.Errorf("%s: dedup ids %q, want the same twice", name, ids)
		}
	}
	ref, err := route.ParseRef(r.crm.entries[0].Body)
	if err != nil || ref.Kind != chat.EffectCRM || ref.Target != "hubspot" || ref.Conversation != m.Conversation ||
		ref.Message != store.SortKey(m) || ref.Cause != route.Stored {
		t.Errorf("effect %+v (%v)", ref, err)
	}
	if ref, err := route.ParseRef(r.media.entries[0].Body); err != nil || ref.Kind != chat.EffectMedia {
		t.Errorf("effect %+v (%v)", ref, err)
	}
	if n := r.counts[metric.MessageReceived]; n != 1 {
		t.Errorf("counted %d times", n)
	}
}

func TestAQueueThatIsDownIsTriedAgain(t *testing.T) {
	for _, name := range []string{"crm", "media"} {
		r := newRig(t)
		down := map[string]*lane{"crm": &r.crm, "media": &r.media}[name]
		down.err = chat.E(chat.Unavailable, "", errors.New("down"))
		u := update(whatsapp.KindMessage, `{"id":"wamid.2","from":"34600111222","type":"image","image":{"id":"9"}}`)
		if err := r.handle(u); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
		down.err = nil
		r.take(u)
		if len(r.crm.entries) == 0 || len(r.media.entries) == 0 {
			t.Errorf("%s: %d and %d entries", name, len(r.crm.entries), len(r.media.entries))
		}
	}
}

func TestTheSameIDWithOtherContent(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	sent := len(r.crm.entries)
	r.message(strings.Replace(hello, "hello", "something else", 1))
	if m := r.lookup("wamid.1"); m.Text != "hello" {
		t.Errorf("the first isn't kept: %q", m.Text)
	}
	if len(r.crm.entries) != sent || r.counts[metric.RawUpdate] != 1 {
		t.Errorf("%d entries, counted %v", len(r.crm.entries), r.counts)
	}
	if got := r.reasons(); !slices.Equal(got, []string{"differs"}) {
		t.Errorf("kept raw: %q", got)
	}
}

func TestMessagesOfNobody(t *testing.T) {
	for _, test := range []struct {
		name, body, number string
		reasons            []string
	}{
		{"no sender", `{"id":"w","type":"text","text":{"body":"x"}}`, "100", []string{"nobody"}},
		{"no number", hello, "", []string{"shape"}},
		{"a number that is none", hello, strings.Repeat("1", 256), []string{"shape"}},
		{"a group that is none", `{"id":"w","from":"1","group_id":"` + strings.Repeat("g", 256) + `"}`, "100", []string{"shape"}},
		{"a group chat's, by nobody", `{"id":"w","group_id":"g1","type":"text","text":{"body":"x"}}`, "100", nil},
		{"somebody", hello, "100", nil},
	} {
		r := newRig(t)
		u := update(whatsapp.KindMessage, test.body)
		u.Number = test.number
		r.take(u)
		r.take(u) // a redelivery isn't counted again
		if got := r.reasons(); !slices.Equal(got, test.reasons) || r.counts[metric.RawUpdate] != len(test.reasons) {
			t.Errorf("%s: kept raw %q, counted %d", test.name, got, r.counts[metric.RawUpdate])
		}
	}
}

func TestGroupChatsAreKeptApart(t *testing.T) {
	r := newRig(t)
	r.message(`{"id":"w1","from":"34600111222","group_id":"g1","type":"text","text":{"body":"x"}}`)
	r.message(`{"id":"w2","group_id":"g1","type":"text","text":{"body":"x"}}`)
	r.message(`{"id":"w3","from":"34600111222","type":"text","text":{"body":"x"}}`)
	known, unknown, direct := r.lookup("w1"), r.lookup("w2"), r.lookup("w3")
	if known.Conversation != "100.g.g1" || unknown.Conversation != "100.g.g1" || direct.Conversation != chat.Direct("100", known.Contact) {
		t.Errorf("conversations %s, %s, %s", known.Conversation, unknown.Conversation, direct.Conversation)
	}
	if known.Contact == "" || unknown.Contact != "" || len(unknown.Effects) != 0 {
		t.Errorf("contacts %q and %q, effects %v", known.Contact, unknown.Contact, unknown.Effects)
	}
}

func TestWhichEventsAreTheAccounts(t *testing.T) {
	for _, test := range []struct {
		name, field, waba, body string
		account                 bool
	}{
		{"a template's status", "message_template_status_update", "7", `{"event":"APPROVED"}`, true},
		{"a number's quality", "phone_number_quality_update", "7", `{"event":"FLAGGED"}`, true},
		{"an account's", "account_update", "7", `{"event":"DISABLED"}`, true},
		{"errors of the account", "messages", "7", `{"errors":[{"code":130429}]}`, true},
		{"of no account", "account_update", "", `{"event":"DISABLED"}`, false},
		{"a field of tomorrow", "holograms", "7", `{"x":1}`, false},
		{"what is left of messages", "messages", "7", `{"messages":["odd"]}`, false},
		{"errors of another field", "calls", "7", `{"errors":[{"code":1}]}`, false},
		{"no field", "", "7", `{"x":1}`, false},
		{"a long one", "account_update", "7", `{"x":"` + strings.Repeat("x", chat.MaxInlineRaw) + `"}`, true},
		{"a long one of tomorrow", "holograms", "7", `{"x":"` + strings.Repeat("x", chat.MaxInlineRaw) + `"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			u := update(whatsapp.KindEvent, test.body)
			u.Field, u.WABA, u.Time = test.field, test.waba, noon.Unix()
			r.take(u)
			r.take(u)
			accounts, raw := r.kept("ACCOUNT#7#2026-03"), r.kept("RAW#2026-03-02#")
			kept := append(accounts, raw...)
			if len(kept) != 1 || (len(accounts) == 1) != test.account || r.counts[metric.RawUpdate] != len(raw) {
				t.Fatalf("%d of the account, %d raw, counted %d", len(accounts), len(raw), r.counts[metric.RawUpdate])
			}
			got := string(kept[0].Body)
			if len(test.body) > chat.MaxInlineRaw {
				object, _, err := r.bucket.Get(t.Context(), kept[0].Key)
				if err != nil || got != "" {
					t.Fatalf("a long body: %v, %d bytes inline", err, len(got))
				}
				got = read(t, object)
			}
			if got != test.body || !kept[0].At.Equal(noon) || kept[0].Field != test.field {
				t.Errorf("kept %+v", kept[0])
			}
		})
	}
}

func TestTwoNumbersToldTheSame(t *testing.T) {
	r := newRig(t)
	for _, number := range []string{"100", "200"} {
		u := update(whatsapp.KindEvent, `{"x":1}`)
		u.Number = number
		r.take(u)
	}
	if got := r.reasons(); len(got) != 2 {
		t.Errorf("kept %d, want both", len(got))
	}
}

func TestNumbersThatAreNotOurs(t *testing.T) {
	for _, test := range []struct {
		ours   []string
		number string
		want   int
	}{
		{nil, "100", 0},
		{[]string{"100"}, "100", 0},
		{[]string{"100", "200"}, "200", 0},
		{[]string{"200"}, "100", 1},
	} {
		r := newRig(t)
		r.h.Numbers = test.ours
		u := update(whatsapp.KindMessage, hello)
		u.Number = test.number
		r.take(u)
		if n := r.counts[metric.UnknownNumber]; n != test.want {
			t.Errorf("%v: %s counted %d times", test.ours, test.number, n)
		}
		if m := r.lookup("wamid.1"); m.Conversation.Number() != chat.NumberID(test.number) {
			t.Errorf("%v: stored under %s", test.ours, m.Conversation.Number())
		}
	}
	r := newRig(t)
	r.h.Numbers = []string{"200"}
	u := update(whatsapp.KindEvent, `{"x":1}`)
	u.Number = ""
	if r.take(u); r.counts[metric.UnknownNumber] != 0 {
		t.Error("an event without a number was counted as another number's")
	}
}

func TestALongUpdateIsFetched(t *testing.T) {
	r := newRig(t)
	body := `{"v":1,"kind":"message","number":"100","body":` + hello + `}`
	if err := r.bucket.Put(t.Context(), "claim/1", strings.NewReader(body), int64(len(body)), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	pointer := queue.Message{Body: []byte(`{"v":1,"claim":"claim/1"}`)}
	if err := r.h.Handle(t.Context(), pointer); err != nil {
		t.Fatal(err)
	}
	if m := r.lookup("wamid.1"); m.Text != "hello" {
		t.Errorf("stored %q", m.Text)
	}
}

// TestPoisonIsNoReasonToWait: waiting mends none of these, so the consumer may park them.
func TestPoisonIsNoReasonToWait(t *testing.T) {
	r := newRig(t)
	if err := r.bucket.Put(t.Context(), "claim/garbage", strings.NewReader("{"), 1, blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		``, `garbage`, `[]`, `null`, `{}`, `{"v":2,"kind":"message"}`, `{"v":1}`, `{"v":1,"kind":"hologram","body":{}}`,
		`{"v":1,"claim":"claim/nowhere"}`, `{"v":1,"claim":"claim/garbage"}`,
	} {
		err := r.h.Handle(t.Context(), queue.Message{Body: []byte(body), Receives: 1})
		var passing interface{ Temporary() bool }
		if err == nil || errors.As(err, &passing) && passing.Temporary() {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestOddShapesAreKept: none of these is worth an error, because the same will come of it again and again.
func TestOddShapesAreKept(t *testing.T) {
	r := newRig(t)
	for i, u := range []whatsapp.Update{
		update(whatsapp.KindMessage, `"a string"`),
		update(whatsapp.KindMessage, `7`),
		update(whatsapp.KindStatus, `["a list"]`),
		update(whatsapp.KindStatus, `{}`),
		update(whatsapp.KindEvent, `null`),
	} {
		r.take(u)
		if got := r.reasons(); len(got) != i+1 {
			t.Errorf("%s: %d kept", u.Body, len(got))
		}
	}
}

func TestABucketThatIsDownLosesNothing(t *testing.T) {
	long := `"` + strings.Repeat("x", chat.MaxInlineRaw) + `"`
	for _, u := range []whatsapp.Update{
		update(whatsapp.KindMessage, `{"id":"wamid.1","from":"34600111222","type":"text","text":{"body":`+long+`}}`),
		update(whatsapp.KindEvent, `{"x":`+long+`}`),
	} {
		r := newRig(t)
		r.bucket.err = chat.E(chat.Unavailable, "", errors.New("down"))
		if err := r.handle(u); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("%s: %v", u.Kind, err)
		}
		if _, err := r.store.Lookup(t.Context(), "wamid.1"); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("%s: stored without its raw update: %v", u.Kind, err)
		}
	}
}

// TestWhatWasForgottenIsNotStoredAgain: the name of a message outlives the message.
func TestWhatWasForgottenIsNotStoredAgain(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	m, sent := r.lookup("wamid.1"), len(r.crm.entries)
	r.store.DB = forgetful{r.table, store.SortKey(m)}
	r.message(hello)
	if len(r.crm.entries) != sent || r.counts[metric.RawUpdate] != 0 {
		t.Errorf("%d entries, counted %v", len(r.crm.entries), r.counts)
	}
}

func TestNumbersAreRemembered(t *testing.T) {
	r := newRig(t)
	r.message(hello)
	numbers, err := r.store.Numbers(t.Context())
	if err != nil || len(numbers) != 1 || numbers[0].Display != "15550001111" || numbers[0].WABA != "7" || !numbers[0].Seen.At.Equal(time.Unix(1772452800, 0)) {
		t.Errorf("numbers %+v (%v)", numbers, err)
	}
}
