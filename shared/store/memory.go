package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Memory is DynamoDB in memory, as much of it as Store uses: it speaks the SDK's types, so that everything above it,
// errors included, is the code that runs in production. An expression that Store doesn't use is an error, and so
// is what breaks DynamoDB's limits.
type Memory struct {
	mu     sync.Mutex
	items  map[key]item
	table  partitions
	gsi1   partitions
	tokens map[string]bool // of transactions that were done
}

// NewMemory returns an empty table.
func NewMemory() *Memory {
	return &Memory{items: map[key]item{}, table: partitions{}, gsi1: partitions{}, tokens: map[string]bool{}}
}

// partitions are the keys of the items, by partition and in order, of the table or of an index.
type partitions map[string][]place

type place struct {
	sort string
	key  key
}

func (p place) compare(q place) int {
	return cmp.Or(strings.Compare(p.sort, q.sort), strings.Compare(p.key.pk, q.key.pk), strings.Compare(p.key.sk, q.key.sk))
}

func (ps partitions) add(pk string, p place) {
	if i, there := slices.BinarySearchFunc(ps[pk], p, place.compare); !there {
		ps[pk] = slices.Insert(ps[pk], i, p)
	}
}

func (ps partitions) remove(pk string, p place) {
	if i, there := slices.BinarySearchFunc(ps[pk], p, place.compare); there {
		ps[pk] = slices.Delete(ps[pk], i, i+1)
	}
}

// span returns the places from one sort key to another, both included.
func (ps partitions) span(pk, from, to string) []place {
	all := ps[pk]
	bound := func(p place, sort string) int { return strings.Compare(p.sort, sort) }
	i, _ := slices.BinarySearchFunc(all, from, bound)
	j, _ := slices.BinarySearchFunc(all, to+"\x00", bound)
	return all[i:j]
}

// put stores an item in the place of any that was there.
func (m *Memory) put(it item) {
	k := keyOf(it)
	if old, there := m.items[k]; there {
		if pk := asText(old["GSI1PK"]); pk != "" {
			m.gsi1.remove(pk, place{asText(old["GSI1SK"]), k})
		}
	}
	m.items[k] = maps.Clone(it)
	m.table.add(k.pk, place{k.sk, k})
	if pk := asText(it["GSI1PK"]); pk != "" {
		m.gsi1.add(pk, place{asText(it["GSI1SK"]), k})
	}
}

// BatchGetItem returns the items that are there.
func (m *Memory) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
	for table, want := range in.RequestItems {
		if len(want.Keys) > 100 || len(want.Keys) == 0 {
			return nil, invalid("a batch holds 1 to 100 keys")
		}
		seen := map[key]bool{}
		for _, k := range want.Keys {
			if seen[keyOf(k)] {
				return nil, invalid("a batch names each key once")
			}
			seen[keyOf(k)] = true
			if it, ok := m.items[keyOf(k)]; ok {
				out.Responses[table] = append(out.Responses[table], maps.Clone(it))
			}
		}
	}
	return out, nil
}

// Query returns a span of a partition, of the table or of GSI1.
func (m *Memory) Query(ctx context.Context, in *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	of := m.table
	switch expr := aws.ToString(in.KeyConditionExpression); {
	case in.IndexName == nil && expr == "PK = :pk AND SK BETWEEN :from AND :to":
	case in.IndexName != nil && expr == "GSI1PK = :pk AND GSI1SK BETWEEN :from AND :to":
		of = m.gsi1
	default:
		return nil, invalid("unknown key condition " + expr)
	}
	part, from, to := asText(in.ExpressionAttributeValues[":pk"]), asText(in.ExpressionAttributeValues[":from"]), asText(in.ExpressionAttributeValues[":to"])
	if from > to {
		return nil, invalid("the span ends before it begins")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := slices.Clone(of.span(part, from, to))
	if !aws.ToBool(in.ScanIndexForward) {
		slices.Reverse(found)
	}
	if n := int(aws.ToInt32(in.Limit)); n > 0 && len(found) > n {
		found = found[:n]
	}
	out := &dynamodb.QueryOutput{}
	for _, p := range found {
		out.Items = append(out.Items, maps.Clone(m.items[p.key]))
	}
	return out, nil
}

// PutItem writes one item if its condition holds.
func (m *Memory) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := refuse(in.Item); err != nil {
		return nil, err
	}
	old := m.items[keyOf(in.Item)]
	ok, err := holds(in.ConditionExpression, in.ExpressionAttributeValues, old)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &types.ConditionalCheckFailedException{Item: maps.Clone(old)}
	}
	m.put(in.Item)
	return &dynamodb.PutItemOutput{}, nil
}

// TransactWriteItems does all or nothing. The same token twice is done once.
func (m *Memory) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, _ ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	token := aws.ToString(in.ClientRequestToken)
	if m.tokens[token] {
		return &dynamodb.TransactWriteItemsOutput{}, nil
	}
	if len(in.TransactItems) > 100 {
		return nil, invalid("a transaction holds 100 items at most")
	}
	failed := false
	seen := map[key]bool{}
	reasons := make([]types.CancellationReason, len(in.TransactItems))
	for i, t := range in.TransactItems {
		k, expr, vals := parts(t)
		if seen[k] {
			return nil, invalid(fmt.Sprintf("a transaction names each item once: %s %s", k.pk, k.sk))
		}
		seen[k] = true
		if t.Put != nil {
			if err := refuse(t.Put.Item); err != nil {
				return nil, err
			}
		}
		ok, err := holds(expr, vals, m.items[k])
		if err != nil {
			return nil, err
		}
		reasons[i].Code = aws.String("None")
		if !ok {
			failed = true
			reasons[i] = types.CancellationReason{Code: aws.String("ConditionalCheckFailed"), Item: maps.Clone(m.items[k])}
		}
	}
	if failed {
		return nil, &types.TransactionCanceledException{CancellationReasons: reasons}
	}
	for _, t := range in.TransactItems {
		if t.Put != nil {
			m.put(t.Put.Item)
		}
	}
	m.tokens[token] = true
	return &dynamodb.TransactWriteItemsOutput{}, nil
}

func parts(t types.TransactWriteItem) (key, *string, item) {
	if t.Put != nil {
		return keyOf(t.Put.Item), t.Put.ConditionExpression, t.Put.ExpressionAttributeValues
	}
	return keyOf(t.ConditionCheck.Key), t.ConditionCheck.ConditionExpression, t.ConditionCheck.ExpressionAttributeValues
}

func holds(expr *string, vals, old item) (bool, error) {
	switch aws.ToString(expr) {
	case "":
		return true, nil
	case exprAbsent:
		return old == nil, nil
	case exprUnchanged:
		return old != nil && asInt(old["rev"]) == asInt(vals[":rev"]), nil
	}
	return false, invalid("unknown condition " + *expr)
}

func invalid(why string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: why}
}

// Items returns a copy of everything in the table, for tests to look at: primary key and sort key to attributes.
func (m *Memory) Items() map[[2]string]map[string]types.AttributeValue {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[[2]string]map[string]types.AttributeValue, len(m.items))
	for k, it := range m.items {
		out[[2]string{k.pk, k.sk}] = maps.Clone(it)
	}
	return out
}
