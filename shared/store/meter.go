package store

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Cost is what DynamoDB charges on demand for some calls.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type Cost struct {
	Calls         int
	Written, Read int     // items
	Writes        float64 // units: one per KB begun; two in a transaction; the index on top, twice when the place in it changes
	Reads         float64 // units: one per 4 KB begun, strongly consistent; half of it from the index
	Stored        int     // bytes by which the table has grown
}

// Less is what came on top of an earlier cost.
func (c Cost) Less(before Cost) Cost {
	return Cost{
		c.Calls - before.Calls, c.Written - before.Written, c.Read - before.Read,
		c.Writes - before.Writes, c.Reads - before.Reads, c.Stored - before.Stored,
	}
}

// Plus is both together.
func (c Cost) Plus(d Cost) Cost {
	return Cost{
		c.Calls + d.Calls, c.Written + d.Written, c.Read + d.Read,
		c.Writes + d.Writes, c.Reads + d.Reads, c.Stored + d.Stored,
	}
}

// Meter counts what the calls to a table cost, as DynamoDB counts it: from the sizes of the items. A call that fails its
// condition costs as much as one that doesn't; so does one that fails otherwise, which DynamoDB may not charge.
type Meter struct {
	table API

	mu   sync.Mutex
	cost Cost
}

// NewMeter returns a table that counts. It reads what a write replaces, uncounted, so it is for tables in memory.
func NewMeter(table API) *Meter { return &Meter{table: table} }

// Cost is what was counted so far.
func (m *Meter) Cost() Cost {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cost
}

func (m *Meter) add(c Cost) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cost = m.cost.Plus(c)
}

// BatchGetItem is charged by the item, those that aren't there included.
func (m *Meter) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out, err := m.table.BatchGetItem(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	c := Cost{Calls: 1}
	for table, want := range in.RequestItems {
		c.Read += len(want.Keys)
		c.Reads += float64(len(want.Keys) - len(out.Responses[table]))
		for _, it := range out.Responses[table] {
			c.Reads += units(size(it), readUnit)
		}
	}
	m.add(c)
	return out, nil
}

// Query is charged by the sum of what it finds.
func (m *Meter) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := m.table.Query(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for _, it := range out.Items {
		bytes += size(it)
	}
	c := Cost{Calls: 1, Read: len(out.Items), Reads: units(bytes, readUnit)}
	if !aws.ToBool(in.ConsistentRead) {
		c.Reads /= 2
	}
	m.add(c)
	return out, nil
}

// PutItem is charged by the larger of the item and the one that it replaces.
func (m *Meter) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	c := written(in.Item, m.old(ctx, in.Item), 1)
	out, err := m.table.PutItem(ctx, in, o...)
	m.charge(c, err)
	return out, err
}

// TransactWriteItems is charged twice by the item, those that are only checked included.
func (m *Meter) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	var c Cost
	for _, t := range in.TransactItems {
		var one Cost
		if t.Put != nil {
			one = written(t.Put.Item, m.old(ctx, t.Put.Item), 2)
		} else {
			one.Writes = 2 * units(size(m.old(ctx, t.ConditionCheck.Key)), writeUnit)
		}
		c.Written, c.Writes, c.Stored = c.Written+one.Written, c.Writes+one.Writes, c.Stored+one.Stored
	}
	out, err := m.table.TransactWriteItems(ctx, in, o...)
	m.charge(c, err)
	return out, err
}

// charge counts one call that writes.
func (m *Meter) charge(c Cost, err error) {
	c.Calls = 1
	if err != nil {
		c.Written, c.Stored = 0, 0
	}
	m.add(c)
}

// old is the item that has the address of it.
func (m *Meter) old(ctx context.Context, it item) item {
	const table = "table" // a table in memory takes any name
	out, err := m.table.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		table: {Keys: []map[string]types.AttributeValue{{"PK": it["PK"], "SK": it["SK"]}}},
	}})
	if err != nil || len(out.Responses[table]) == 0 {
		return nil
	}
	return out.Responses[table][0]
}

// The sizes that a unit pays for, in bytes.
const (
	writeUnit = 1 << 10
	readUnit  = 4 << 10
)

func units(bytes, per int) float64 { return float64(max(1, (bytes+per-1)/per)) }

// written is the cost of one item in place of an old one; each is 2 in a transaction.
func written(it, old item, each float64) Cost {
	c := Cost{Written: 1, Writes: each * units(max(size(it), size(old)), writeUnit), Stored: size(it) - size(old)}
	if it["GSI1PK"] == nil {
		return c
	}
	c.Writes += units(size(it), writeUnit)
	if old != nil && (asText(old["GSI1PK"]) != asText(it["GSI1PK"]) || asText(old["GSI1SK"]) != asText(it["GSI1SK"])) {
		c.Writes += units(size(old), writeUnit)
	}
	return c
}
