package store

import (
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
	tokens map[string]bool // of transactions that were done
}

// NewMemory returns an empty table.
func NewMemory() *Memory {
	return &Memory{items: map[key]item{}, tokens: map[string]bool{}}
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
	pk, sk := "PK", "SK"
	switch expr := aws.ToString(in.KeyConditionExpression); {
	case in.IndexName == nil && expr == "PK = :pk AND SK BETWEEN :from AND :to":
	case in.IndexName != nil && expr == "GSI1PK = :pk AND GSI1SK BETWEEN :from AND :to":
		pk, sk = "GSI1PK", "GSI1SK"
	default:
		return nil, invalid("unknown key condition " + expr)
	}
	part, from, to := asText(in.ExpressionAttributeValues[":pk"]), asText(in.ExpressionAttributeValues[":from"]), asText(in.ExpressionAttributeValues[":to"])
	if from > to {
		return nil, invalid("the span ends before it begins")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &dynamodb.QueryOutput{}
	for _, it := range m.items {
		if s := asText(it[sk]); asText(it[pk]) == part && s >= from && s <= to {
			out.Items = append(out.Items, maps.Clone(it))
		}
	}
	slices.SortFunc(out.Items, func(a, b map[string]types.AttributeValue) int {
		return strings.Compare(asText(a[sk]), asText(b[sk]))
	})
	if !aws.ToBool(in.ScanIndexForward) {
		slices.Reverse(out.Items)
	}
	if n := int(aws.ToInt32(in.Limit)); n > 0 && len(out.Items) > n {
		out.Items = out.Items[:n]
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
	m.items[keyOf(in.Item)] = maps.Clone(in.Item)
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
			m.items[keyOf(t.Put.Item)] = maps.Clone(t.Put.Item)
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
