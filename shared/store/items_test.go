package store

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/chat"
)

// everything leaves one item of each kind in the table.
func everything(t *testing.T, keep time.Duration) *Memory {
	t.Helper()
	mem := NewMemory()
	s := newStore(mem, "table")
	s.Retention = keep
	life(t, s)
	settle(t, s, receipt("wamid.early", chat.Sent, noon))
	m := receive(t, s, inbound("w9", after(20), chat.Seen{Phone: "34600111222", BSUID: "ES.1", Scope: "waba", Name: "Ana"})).Message
	m = queue(t, s, outbound("m_9", after(21), m.Contact))
	accept(t, s, m, "wamid.9")
	return mem
}

// kindOf names an item by the fixed parts of its keys.
func kindOf(k [2]string) string {
	first := func(s string) string { f, _, _ := strings.Cut(s, "#"); return f }
	switch first(k[0]) {
	case "RAW", "RECONCILED":
		return first(k[0])
	}
	if strings.HasPrefix(k[1], string(ourNumber)+".") {
		return first(k[0]) + " conversation"
	}
	return first(k[0]) + " " + first(k[1])
}

// forgotten says which kinds are forgotten when the retention is over. What is parked has a time of its own.
var forgotten = map[string]bool{
	"CONV MSG": true, "CONV CRM": true, "WAMID REF": true, "OUT REF": true, "RAW": true, "ACCOUNT EVT": true,
	"USER CONTACT": false, "USER ALIAS": false, "USER CONV": false, "USER CRM": false, "CRMREF REF": false, "ALIAS ALIAS": false,
	"CONV JOB": true, "NUMBER IMPORT": false, "LIMIT SLOT": false, "LIMIT RATE": false,
	"CONV CONV": false, "NUMBER NUMBER": false, "NUMBERS NUMBER": false,
	"RECON PROGRESS": false, "BACKFILL PROGRESS": false,
	"ACCOUNT ACCOUNT": false, "ACCOUNT TEMPLATES": false, "ACCOUNT TEMPLATE": false, "FILE FILE": true,
}

// passing are kinds that are kept for a time of their own, whatever the retention.
var passing = map[string]time.Duration{
	"WAMID RECEIPT": parkedFor, "WAMID AMEND": parkedFor,
	"RECON conversation": reconciledFor, "RECON JOB": reconciledFor, "RECONCILED": reconciledFor,
}

func TestEveryItemSaysWhenItIsForgotten(t *testing.T) {
	for _, keep := range []time.Duration{retention, 0} {
		seen := map[string]bool{}
		for k, it := range everything(t, keep).Items() {
			kind := kindOf(k)
			seen[kind] = true
			if asInt(it["v"]) != schema || asInt(it["rev"]) < 1 || asText(it["token"]) == "" {
				t.Errorf("%s: v, rev or token is missing", kind)
			}
			want := int64(0)
			if forgets, known := forgotten[kind]; forgets && keep > 0 {
				want = noon.Add(time.Hour + keep).Unix()
				if strings.HasSuffix(kind, " REF") { // else a late repetition would be stored as new
					want += int64(refGrace.Seconds())
				}
			} else if own := passing[kind]; own > 0 {
				want = noon.Add(time.Hour + own).Unix()
			} else if !known {
				t.Errorf("%s: nobody said whether it is forgotten", kind)
			}
			if got := asInt(it["ttl"]); got != want {
				t.Errorf("%s, kept for %v: ttl is %d, want %d", kind, keep, got, want)
			}
		}
		for kind := range forgotten {
			if !seen[kind] {
				t.Errorf("no item is a %s", kind)
			}
		}
	}
}

func TestNoPhoneNumberInKeys(t *testing.T) {
	const phone, id = "34600111222", "ES.1"
	aliases := 0
	for k, it := range everything(t, retention).Items() {
		keys := strings.Join([]string{k[0], k[1], asText(it["GSI1PK"]), asText(it["GSI1SK"])}, " ")
		if !strings.Contains(keys, phone) && !strings.Contains(keys, id) {
			continue
		}
		if aliases++; !strings.Contains(keys, "ALIAS#") {
			t.Errorf("%s holds an identity", keys)
		}
	}
	if aliases != 4 {
		t.Errorf("%d keys hold an identity, want 2 aliases and 2 of the contact's", aliases)
	}
}

// Whatever a message holds comes back as it was.
func TestMessagesComeBackWhole(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("wamid.HBgL+/=", time.Unix(1, 0).UTC(), chat.Seen{BSUID: "ES.1"})
		in.Message.Text = "\uffff \x00 ü 👩‍👩‍👧 \U0010FFFF"
		in.Message.Content = json.RawMessage("{\"a\":\"\xff\",\"b\":null,\"c\":1e400,\"d\":\"\\ud800\"}")
		in.Message.Raw = []byte{0, 255, 1}
		in.Message.Attachment = &chat.Attachment{State: chat.Pending, MediaID: "1", Name: "../ß", Size: 1 << 40, Voice: true}
		in.Message.Steps = map[chat.Status]chat.Step{chat.Delivered: {At: noon.Add(time.Nanosecond)}}
		want := receive(t, s, in).Message
		undated := inbound("w2", time.Time{}, chat.Seen{BSUID: "ES.1"})
		undated.Message.Steps = map[chat.Status]chat.Step{chat.Failed: {Error: &chat.Problem{Code: 1, Reason: ""}}}
		undated.Message.Content = nil
		wantUndated := receive(t, s, undated).Message
		old := receive(t, s, inbound("w3", time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), chat.Seen{BSUID: "ES.1"})).Message
		ms := messages(t, s, want.Conversation, 10)
		if len(ms) != 3 || !reflect.DeepEqual(ms[0], wantUndated) || !reflect.DeepEqual(ms[1], old) || !reflect.DeepEqual(ms[2], want) {
			t.Errorf("it came back as\n%+v\nwant\n%+v", ms, []chat.Message{wantUndated, old, want})
		}
		c, err := s.Conversation(t.Context(), want.Conversation)
		if err != nil || !c.Activity.Equal(time.Unix(1, 0)) {
			t.Errorf("%v, %v", c.Activity, err)
		}
	})
}

// A time that the table's keys or its encoding can't hold must not leave an item that nobody can read.
func TestTimesOutOfRange(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := receive(t, s, inbound("w1", noon, chat.Seen{BSUID: "ES.1"})).Message
		if _, err := s.Receive(t.Context(), inbound("w2", time.Unix(1<<50, 0), chat.Seen{BSUID: "ES.1"})); chat.CodeOf(err) != chat.Internal {
			t.Errorf("the year 35 million: %v", err)
		}
		if got := ids(messages(t, s, m.Conversation, 10)); got != "w1" {
			t.Errorf("the conversation holds %s", got)
		}
	})
}

// What the table will never take is no reason to come again.
func TestTooLargeIsNotTemporary(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("w1", noon, chat.Seen{BSUID: "ES.1"})
		in.Message.Text = strings.Repeat("x", 400<<10)
		_, err := s.Receive(t.Context(), in)
		var e *chat.Error
		if chat.CodeOf(err) != chat.Internal || !errors.As(err, &e) || e.Temporary() {
			t.Errorf("%v", err)
		}
		if strings.Contains(err.Error(), "xxx") {
			t.Error("the error holds the message")
		}
	})
}

func TestProviderMessageID(t *testing.T) {
	update := []byte("{}")
	hashed := chat.MessageID("u_" + Hash(update))
	for id, want := range map[string]chat.MessageID{
		"wamid.1": "wamid.1", "": hashed, strings.Repeat("x", 255): chat.MessageID(strings.Repeat("x", 255)), strings.Repeat("x", 256): hashed,
	} {
		if got := ProviderMessageID(id, update); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

// Memory refuses what DynamoDB refuses.
func TestRefusals(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		put := func(pk, sk string) op {
			return op{key: key{pk, sk}, item: item{"x": text("y")}}
		}
		long := strings.Repeat("x", 2049)
		for name, ops := range map[string][]op{
			"an empty partition key":      {put("", "s")},
			"an empty sort key":           {put("p", "")},
			"a long partition key":        {put(long, "s")},
			"a long sort key":             {put("p", long[:1025])},
			"the same item twice":         {put("p", "s"), put("p", "s")},
			"an empty key of the index":   {{key: key{"p", "s"}, item: item{"GSI1PK": text(""), "GSI1SK": text("x")}}},
			"a large item":                {{key: key{"p", "s"}, item: item{"x": &types.AttributeValueMemberB{Value: make([]byte, 400<<10)}}}},
			"a long key in a transaction": {put("p", "s"), put(long, "s")},
		} {
			if err := s.write(t.Context(), ops...); chat.CodeOf(err) != chat.Internal || errors.Is(err, errChanged) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if items, err := s.query(t.Context(), prefix("p", "s")); err != nil || len(items) != 0 {
			t.Errorf("%d items, %v", len(items), err)
		}
	})
}
