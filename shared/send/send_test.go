package send

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/queue"
)

var form = regexp.MustCompile(`^m_[0-9A-Z]{26}$`)

func TestIDs(t *testing.T) {
	if a, b := NewID(), NewID(); a == b || !form.MatchString(string(a)) || !a.Ours() {
		t.Errorf("ids %s and %s", a, b)
	}
	seen := map[chat.MessageID]bool{}
	for _, test := range []struct {
		caller, key string
		want        chat.MessageID // clients repeat a request after a deployment
	}{
		{"api", "order-77", "m_DQ4152RBFCJB0B9E7M2S5HKHAT"},
		{"api", "order-78", "m_4OOCN0QR8VH70QP9KM8CBFKC9P"},
		{"ap", "iorder-77", "m_2CAMT1482NMG540ULAF1SRQLUG"},
		{"", "", "m_N9R8MCOVR1MEP01RS175DAPB7L"},
		{"api", "clé", "m_53D7RB472VB52NOQAV2E341OEA"},
	} {
		got := KeyedID(test.caller, test.key)
		if got != test.want || !form.MatchString(string(got)) || seen[got] {
			t.Errorf("KeyedID(%q, %q) = %s, want %s", test.caller, test.key, got, test.want)
		}
		seen[got] = true
	}
}

type lane struct {
	entries []queue.Entry
	err     error
}

func (l *lane) Send(_ context.Context, es ...queue.Entry) error {
	l.entries = append(l.entries, es...)
	return l.err
}

// message is one with everything that SQS might not like.
func message() chat.Message {
	return chat.Message{
		ID: "m_1", Conversation: "100.a", Contact: "a", At: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Direction: chat.Out,
		Kind: chat.KindInteractive, Text: "é \u2028 \uFFFE \uFFFF 👍 \x01 <b>",
		Content: json.RawMessage(`{"body":"é 👍 \ud800"}`),
		Send:    &chat.Send{To: chat.Address{Phone: "34600111222"}, Request: "r"},
	}
}

func TestAMessageComesOutAsItWentIn(t *testing.T) {
	var l lane
	m := message()
	if err := Message(t.Context(), &l, m); err != nil {
		t.Fatal(err)
	}
	e := l.entries[0]
	for _, b := range e.Body {
		if b < 0x20 || b > 0x7e {
			t.Fatalf("the body has the byte %#x", b)
		}
	}
	if e.DedupID != "m_1" || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(e.Group) {
		t.Errorf("dedup id %s, group %s", e.DedupID, e.Group)
	}
	parsed, err := Parse(e.Body)
	if err != nil || parsed.Message == nil || parsed.Seen != nil {
		t.Fatal(err)
	}
	got := *parsed.Message
	if content := string(got.Content); content != `{"body":"\u00e9 \ud83d\udc4d \ud800"}` {
		t.Errorf("content %s", content)
	}
	got.Content = m.Content
	if !reflect.DeepEqual(got, m) {
		t.Errorf("%+v\nwant %+v", got, m)
	}
}

func TestOneConversationIsOneGroup(t *testing.T) {
	var l lane
	for _, edit := range []func(*chat.Message){
		func(m *chat.Message) {},
		func(m *chat.Message) { m.ID = "m_2" },
		func(m *chat.Message) { m.Conversation = "100.b" },
	} {
		m := message()
		edit(&m)
		if err := Message(t.Context(), &l, m); err != nil {
			t.Fatal(err)
		}
	}
	if l.entries[0].Group != l.entries[1].Group || l.entries[0].Group == l.entries[2].Group {
		t.Errorf("groups %s, %s, %s", l.entries[0].Group, l.entries[1].Group, l.entries[2].Group)
	}
}

func TestAskingToShowAMessageAsRead(t *testing.T) {
	var l lane
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	s := Seen{Conversation: "100.a", ProviderID: "wamid.1", Typing: true, At: at}
	for range 2 {
		if err := Read(t.Context(), &l, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := Message(t.Context(), &l, message()); err != nil {
		t.Fatal(err)
	}
	if l.entries[0].DedupID != l.entries[1].DedupID || l.entries[0].Group != l.entries[2].Group {
		t.Error("it doesn't collapse, or isn't in line with the conversation's messages")
	}
	got, err := Parse(l.entries[0].Body)
	if err != nil || got.Message != nil || got.Seen == nil || *got.Seen != s {
		t.Errorf("%+v (%v)", got, err)
	}
}

func TestFailures(t *testing.T) {
	down := errors.New("down")
	if err := Message(t.Context(), &lane{err: down}, message()); !errors.Is(err, down) {
		t.Errorf("a queue that is down: %v", err)
	}
	m := message()
	m.Content = json.RawMessage(`{`)
	var l lane
	if err := Message(t.Context(), &l, m); err == nil || len(l.entries) != 0 {
		t.Errorf("content that is no JSON: %v, %d entries", err, len(l.entries))
	}
	for _, body := range []string{
		``, `garbage`, `{}`, `{"v":2,"message":{"id":"m_1","send":{}}}`,
		`{"v":1,"message":{"id":"wamid.1","send":{}}}`, `{"v":1,"message":{"id":"m_1"}}`, `{"v":1,"seen":{}}`,
	} {
		if _, err := Parse([]byte(body)); err == nil {
			t.Errorf("%s is read", body)
		}
	}
	if _, err := Parse([]byte(`{"v":1,"message":{"id":"m_1","send":{}}}`)); err != nil {
		t.Error(err)
	}
}
