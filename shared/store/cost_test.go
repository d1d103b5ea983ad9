package store

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"threadline/shared/chat"
)

// cost is what DynamoDB charges, in request units.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type cost struct {
	calls         int
	written, read int     // items
	writes        float64 // one per KB begun; two in a transaction; the index on top, twice when the place in it changes
	reads         float64 // one per 4 KB begun, strongly consistent; half of it from the index
}

func (c cost) less(d cost) cost {
	return cost{c.calls - d.calls, c.written - d.written, c.read - d.read, c.writes - d.writes, c.reads - d.reads}
}

// metered is a table that counts.
type metered struct {
	*Memory
	cost
}

func units(bytes, per int) float64 { return float64(max(1, (bytes+per-1)/per)) }

func (m *metered) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	m.calls++
	out, err := m.Memory.BatchGetItem(ctx, in, o...)
	for _, want := range in.RequestItems {
		for _, k := range want.Keys {
			m.read++
			m.reads += units(size(m.items[keyOf(k)]), 4<<10)
		}
	}
	return out, err
}

func (m *metered) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	m.calls++
	out, err := m.Memory.Query(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for _, it := range out.Items {
		bytes += size(it)
	}
	m.read += len(out.Items)
	each := 1.0
	if !aws.ToBool(in.ConsistentRead) {
		each = 0.5
	}
	m.reads += each * units(bytes, 4<<10)
	return out, nil
}

func (m *metered) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	m.calls++
	m.write(in.Item, 1)
	return m.Memory.PutItem(ctx, in, o...)
}

func (m *metered) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	m.calls++
	for _, t := range in.TransactItems {
		if t.Put == nil {
			m.writes += 2 * units(size(m.items[keyOf(t.ConditionCheck.Key)]), 1<<10)
			continue
		}
		m.write(t.Put.Item, 2)
	}
	return m.Memory.TransactWriteItems(ctx, in, o...)
}

func (m *metered) write(it item, each float64) {
	m.written++
	old := m.items[keyOf(it)]
	m.writes += each * units(max(size(it), size(old)), 1<<10)
	if it["GSI1PK"] == nil {
		return
	}
	m.writes += units(size(it), 1<<10)
	if old != nil && (asText(old["GSI1PK"]) != asText(it["GSI1PK"]) || asText(old["GSI1SK"]) != asText(it["GSI1SK"])) {
		m.writes += units(size(old), 1<<10)
	}
}

// crowded is a table with a conversation of so many messages, and as many other people.
func crowded(t testing.TB, messages, contacts int) *metered {
	t.Helper()
	m := &metered{Memory: NewMemory()}
	s := newStore(m, "table")
	r, err := s.Receive(context.Background(), inbound("w0", noon, both("ES.1", "34600111222")))
	if err != nil {
		t.Fatal(err)
	}
	copies := func(of key, n int, to func(int) key) {
		for i := range n {
			it := maps.Clone(m.items[of])
			k := to(i)
			it["PK"], it["SK"] = text(k.pk), text(k.sk)
			m.items[k] = it
		}
	}
	at := messageKey(r.Message.Conversation, r.Message.At, r.Message.ID)
	copies(at, messages-1, func(i int) key {
		return messageKey(r.Message.Conversation, after(-i), chat.MessageID(fmt.Sprint("x", i)))
	})
	copies(contactKey(r.Message.Contact), contacts-1, func(i int) key { return contactKey(chat.ContactID(fmt.Sprint("X", i))) })
	c := m.items[conversationKey(r.Message.Conversation)]
	c["arrivals"] = number(int64(messages))
	return m
}

// operations are what is charged for, each on a conversation that there is already.
var operations = []struct {
	name string
	do   func(*Store, int) error
}{
	{"inbound", func(s *Store, i int) error {
		_, err := s.Receive(context.Background(), inbound(fmt.Sprint("wamid.", i), after(100+i), both("ES.1", "34600111222")))
		return err
	}},
	{"redelivered", func(s *Store, _ int) error {
		_, err := s.Receive(context.Background(), inbound("w0", noon, both("ES.1", "34600111222")))
		return err
	}},
	{"receipt", func(s *Store, i int) error { // one that is before its message
		_, _, err := s.Settle(context.Background(), receipt(fmt.Sprint("wamid.out.", i), chat.Sent, after(i)))
		return err
	}},
	{"page", func(s *Store, _ int) error {
		c, _, err := s.FindContact(context.Background(), chat.AliasBSUID, "ES.1")
		if err != nil {
			return err
		}
		_, _, err = s.Messages(context.Background(), chat.Direct(ourNumber, c.ID), "", 50)
		return err
	}},
}

// The cost of a message doesn't depend on how long its conversation is or how many people there are.
func TestCostIsConstant(t *testing.T) {
	for _, op := range operations {
		var want cost
		for i, n := range []int{60, 1000, 5000} {
			m := crowded(t, n, n)
			before := m.cost
			if err := op.do(newStore(m, "table"), 1); err != nil {
				t.Fatal(err)
			}
			got := m.less(before)
			if i == 0 {
				want = got
			}
			if got != want || got.calls == 0 {
				t.Errorf("%s: among %d it costs %+v, among 60 %+v", op.name, n, got, want)
			}
		}
	}
}

// BenchmarkCost prints request units for each operation. The time is that of the twin in memory and says nothing, so
// -benchtime 3x is enough.
func BenchmarkCost(b *testing.B) {
	for _, op := range operations {
		for _, n := range []int{10, 1_000, 100_000} {
			for _, size := range []struct {
				name               string
				messages, contacts int
			}{{"messages", n, 10}, {"contacts", 10, n}} {
				b.Run(fmt.Sprintf("%s/%s=%d", op.name, size.name, n), func(b *testing.B) {
					m := crowded(b, size.messages, size.contacts)
					s := newStore(m, "table")
					before, times := m.cost, 0
					for b.Loop() {
						if err := op.do(s, times); err != nil {
							b.Fatal(err)
						}
						times++
					}
					c := m.less(before)
					for unit, v := range map[string]float64{"calls/op": float64(c.calls), "items-written/op": float64(c.written),
						"items-read/op": float64(c.read), "WRU/op": c.writes, "RRU/op": c.reads} {
						b.ReportMetric(v/float64(times), unit)
					}
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}
