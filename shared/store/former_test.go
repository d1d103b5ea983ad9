package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/chat"
)

// attribute reads what the AWS CLI calls DynamoDB JSON.
type attribute struct {
	S, N *string
	B    []byte
	NULL bool
	L    []attribute
	M    map[string]attribute
}

func (a attribute) value() types.AttributeValue {
	switch {
	case a.S != nil:
		return text(*a.S)
	case a.N != nil:
		return &types.AttributeValueMemberN{Value: *a.N}
	case a.B != nil:
		return &types.AttributeValueMemberB{Value: a.B}
	case a.NULL:
		return &types.AttributeValueMemberNULL{Value: true}
	case a.L != nil:
		l := &types.AttributeValueMemberL{}
		for _, e := range a.L {
			l.Value = append(l.Value, e.value())
		}
		return l
	}
	return &types.AttributeValueMemberM{Value: attributes(a.M)}
}

func attributes(m map[string]attribute) item {
	it := item{}
	for name, a := range m {
		it[name] = a.value()
	}
	return it
}

// The contacts of the former table: B1's has absorbed the phone's and B2's, each for itself; B3's is alone; B4's has
// absorbed B5's, which had absorbed B6's.
var former = []chat.ContactID{
	"01FORMER000000000000000002", "01FORMER000000000000000004", "01FORMER000000000000000007", "01FORMER000000000000000010",
	"01FORMER000000000000000012", "01FORMER000000000000000014", "01FORMER000000000000000016",
}

// formerStore is a table as the release before people could be separated by hand left it.
func formerStore(t *testing.T) *Store {
	t.Helper()
	b, err := os.ReadFile("testdata/former.json")
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var items []map[string]attribute
	if err := dec.Decode(&items); err != nil {
		t.Fatal(err)
	}
	mem := NewMemory()
	for _, it := range items {
		mem.put(attributes(it))
	}
	return newStore(mem, "table")
}

// What an earlier release joined stays joined, whatever is decided about any of the people, until that is undone.
func TestFormerJoins(t *testing.T) {
	const before = "0+1+2 3 4+5+6"
	for _, c := range []struct {
		name string
		do   func(*testing.T, *Store)
		want string
	}{
		{"nothing", func(*testing.T, *Store) {}, before},
		{"who speaks is joined with another", func(t *testing.T, s *Store) { join(t, s, former[0], former[3], 100) }, "0+1+2+3 4+5+6"},
		{"who is spoken for is", func(t *testing.T, s *Store) { join(t, s, former[3], former[2], 100) }, "0+1+2+3 4+5+6"},
		{"two people are joined", func(t *testing.T, s *Store) { join(t, s, former[6], former[1], 100) }, "0+1+2+4+5+6 3"},
		{"and separated", func(t *testing.T, s *Store) { join(t, s, former[6], former[1], 100); part(t, s, former[6], 101) }, before},
		{"one is separated", func(t *testing.T, s *Store) { part(t, s, former[1], 100) }, "0+2 1 3 4+5+6"},
		{"the last of a chain is", func(t *testing.T, s *Store) { part(t, s, former[6], 100) }, "0+1+2 3 4+5 6"},
		{"and joined again", func(t *testing.T, s *Store) { part(t, s, former[2], 100); join(t, s, former[2], former[0], 101) }, before},
		{"an update joins", func(t *testing.T, s *Store) { receive(t, s, inbound("n1", after(100), newID("B2", "B3"))) }, "0+1+2+3 4+5+6"},
		{"an update after a name", func(t *testing.T, s *Store) {
			in := inbound("n1", after(100), onlyB("B6"))
			in.Seen.Name = "Bea"
			receive(t, s, in)
			receive(t, s, inbound("n2", after(101), newID("B6", "B3")))
		}, "0+1+2 3+4+5+6"},
		{"the phone with another id of the account", func(t *testing.T, s *Store) { receive(t, s, inbound("n1", after(100), both("B3", "p"))) }, before},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := formerStore(t)
			c.do(t, s)
			if got := groups(t, s, former); got != c.want {
				t.Errorf("there are %s, want %s", got, c.want)
			}
		})
	}
}

// An objection that came through one of the joined holds for all, also after a decision about them.
func TestFormerJoinsKeepAnObjection(t *testing.T) {
	s := formerStore(t)
	if err := word(s, onlyB("B2"), 100, false); err != nil {
		t.Fatal(err)
	}
	join(t, s, former[0], former[3], 101)
	if !refuses(t, s, chat.AliasBSUID, "B1") || !refuses(t, s, chat.AliasWAID, "p") {
		t.Error("it was lost")
	}
}

// What an earlier release stored reads as it was meant.
func TestFormerItems(t *testing.T) {
	s := formerStore(t)
	who, err := s.Contact(t.Context(), former[1])
	if err != nil || who.ID != former[0] || who.Shown() != "Ana" || who.Username != "ana" || who.Named != (chat.Stamp{At: after(2), ID: "w3"}) {
		t.Errorf("the contact is %+v, %v", who, err)
	}
	if known, err := s.Identities(t.Context(), who); err != nil || fmt.Sprint(known) != "[{wa_id p} {bsuid B2} {bsuid B1}]" {
		t.Errorf("known by %v, %v", known, err)
	}
	n, a := health(t, s, ourNumber)
	if want := (Number{ID: ourNumber, Display: "15550001", WABA: "waba", Seen: chat.Stamp{At: noon, ID: "w1"}}); !reflect.DeepEqual(n, want) || a.WABA != "waba" {
		t.Errorf("the number is %+v of %+v", n, a)
	}
	c, err := s.Conversation(t.Context(), chat.Direct(ourNumber, former[6]))
	if err != nil || c.ID != chat.Direct(ourNumber, former[4]) || c.Number != ourNumber || c.Arrivals != 6 ||
		!c.Activity.Equal(after(11)) || !c.LastInbound.Equal(after(10)) || c.LastFrom != "w11" {
		t.Errorf("the conversation is %+v, %v", c, err)
	}
	m, err := s.Lookup(t.Context(), "w3")
	if err != nil {
		t.Fatal(err)
	}
	if want := (chat.Message{
		ID: "w3", Conversation: chat.Direct(ourNumber, former[0]), Contact: former[0], At: after(2), Arrival: 2, Direction: chat.In,
		Kind: chat.KindImage, RawType: "image", Origin: chat.FromCustomer, Text: "A photo", Content: json.RawMessage(`{"id":"9"}`),
		Attachment: &chat.Attachment{State: chat.Stored, MediaID: "9", MIME: "image/jpeg", Name: "a.jpg", SHA256: "ab", Size: 3, Key: "media/9"},
		ReplyTo:    "w1", ProviderID: "w3", Status: chat.Delivered, Hash: "hash of w3", Raw: []byte(`{"v":1}`),
		Effects: []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}},
	}); !reflect.DeepEqual(m, want) {
		t.Errorf("the customer's message is\n%+v\nwant\n%+v", m, want)
	}
	m, err = s.Lookup(t.Context(), "m_1")
	if err != nil || m.Status != chat.Read || m.ProviderID != "wamid.1" || len(m.Steps) != 4 || !m.Steps[chat.Delivered].At.Equal(after(20)) ||
		m.Send.To.BSUID != "ES.1" || m.Send.Attempt != 1 || !m.Send.LeaseUntil.Equal(after(60)) || m.Send.Request != "request of m_1" {
		t.Errorf("ours is %+v, %v", m, err)
	}
}

// What an earlier release has stored isn't stored again.
func TestFormerMessagesAreKnown(t *testing.T) {
	s := formerStore(t)
	if r := receive(t, s, inbound("w7", after(6), onlyB("B4"))); r.First || r.Differs || r.Gone || r.Message.Arrival != 1 {
		t.Errorf("again it is %+v", r)
	}
	if m, ok := settle(t, s, receipt("wamid.1", chat.Failed, after(40))); !ok || m.ID != "m_1" || m.Status != chat.Read {
		t.Errorf("a receipt finds %+v, %v", m, ok)
	}
}
