package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"threadline/shared/chat"
)

// schema is written to every item as v, for whoever has to migrate them.
const schema = 1

type item = map[string]types.AttributeValue

// key addresses an item.
type key struct{ pk, sk string }

// The limits of an item. An address that breaks them names nothing that could have been stored.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPK   = 2048      // bytes
	maxSK   = 1024      // bytes
	maxItem = 400 << 10 // bytes, names included
)

func (k key) possible() bool { return k.pk != "" && len(k.pk) <= maxPK && len(k.sk) <= maxSK }

// doc is a typed item. rev is 0 for one that isn't in the table.
type doc[T any] struct {
	key
	rev   int64
	val   T
	index *key // GSI1, if the item is in it
	ttl   time.Time
}

// cond is what must hold of an item for a write to happen.
type cond int

const (
	always    cond = iota
	absent         // protects: exists once
	unchanged      // protects: nobody's change is overwritten
)

// The condition expressions. Memory knows these and no others.
const (
	exprAbsent    = "attribute_not_exists(PK)"
	exprUnchanged = "rev = :rev"
)

// op is one write or, without an item, one check.
type op struct {
	key  key
	item item
	cond cond
	rev  int64 // with unchanged
}

// errChanged says that a condition failed: what the decision rested on has changed.
var errChanged = errors.New("the item has changed")

var encoder = attributevalue.NewEncoder(func(o *attributevalue.EncoderOptions) {
	o.TagKey = "json"
	o.EncodeTime = func(t time.Time) (types.AttributeValue, error) {
		if t.IsZero() {
			return &types.AttributeValueMemberNULL{Value: true}, nil
		}
		if y := t.UTC().Year(); y < 0 || y > 9999 {
			return nil, errors.New("a time that RFC 3339 can't say")
		}
		return &types.AttributeValueMemberS{Value: t.UTC().Format(time.RFC3339Nano)}, nil
	}
})

var decoder = attributevalue.NewDecoder(func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })

// put is the write of a doc: a new one must be absent, an old one unchanged.
func (d doc[T]) put() (op, error) {
	av, err := encoder.Encode(d.val)
	if err != nil {
		return op{}, fmt.Errorf("encode %T: %w", d.val, err)
	}
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return op{}, fmt.Errorf("encode %T: not a struct", d.val)
	}
	it := m.Value
	it["rev"] = number(d.rev + 1)
	if d.index != nil {
		it["GSI1PK"], it["GSI1SK"] = text(d.index.pk), text(d.index.sk)
	}
	if !d.ttl.IsZero() {
		it["ttl"] = number(d.ttl.Unix())
	}
	if d.rev == 0 {
		return op{key: d.key, item: it, cond: absent}, nil
	}
	return op{key: d.key, item: it, cond: unchanged, rev: d.rev}, nil
}

// read makes a doc of an item, or one with rev 0 of none.
func read[T any](items map[key]item, k key) (doc[T], error) {
	return decode[T](k, items[k])
}

func decode[T any](k key, it item) (doc[T], error) {
	d := doc[T]{key: k}
	if it == nil {
		return d, nil
	}
	if err := decoder.Decode(&types.AttributeValueMemberM{Value: it}, &d.val); err != nil {
		return d, fmt.Errorf("decode %T: %w", d.val, err)
	}
	d.rev = asInt(it["rev"])
	if ttl := asInt(it["ttl"]); ttl > 0 {
		d.ttl = time.Unix(ttl, 0)
	}
	if pk := asText(it["GSI1PK"]); pk != "" {
		d.index = &key{pk, asText(it["GSI1SK"])}
	}
	return d, nil
}

// get reads items, strongly consistent. Those that aren't there are missing from the answer.
func (s *Store) get(ctx context.Context, keys ...key) (map[key]item, error) {
	out := make(map[key]item, len(keys))
	var want []map[string]types.AttributeValue
	asked := map[key]bool{}
	for _, k := range keys {
		if !asked[k] && k.possible() {
			asked[k] = true
			want = append(want, item{"PK": text(k.pk), "SK": text(k.sk)})
		}
	}
	for round := 0; len(want) > 0; round++ {
		n := min(len(want), 100) // the limit of BatchGetItem
		res, err := s.DB.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			s.Table: {Keys: want[:n], ConsistentRead: aws.Bool(true)},
		}})
		if err != nil {
			return nil, fmt.Errorf("read items: %w", classify(err))
		}
		for _, it := range res.Responses[s.Table] {
			out[keyOf(it)] = it
		}
		rest := want[n:]
		if left := res.UnprocessedKeys[s.Table].Keys; len(left) > 0 {
			if round >= rounds {
				return nil, chat.E(chat.Throttled, "", errors.New("read items: the table gives them out too slowly"))
			}
			if err := s.pause(ctx, round); err != nil {
				return nil, err
			}
			rest = append(append([]map[string]types.AttributeValue{}, left...), rest...)
		}
		want = rest
	}
	return out, nil
}

// span selects the items of one partition whose sort key lies within [from, to].
type span struct {
	index    bool // of GSI1
	pk       string
	from, to string
	newest   bool // descending
	limit    int  // 0: all
}

// prefix selects the items whose sort key begins with sk.
func prefix(pk, sk string) span { return span{pk: pk, from: sk, to: sk + "\U0010FFFF"} }

// query reads a span, strongly consistent on the table itself (an index can't be).
func (s *Store) query(ctx context.Context, q span) ([]item, error) {
	if !(key{q.pk, q.from}).possible() {
		return nil, nil
	}
	in := &dynamodb.QueryInput{
		TableName:                 &s.Table,
		KeyConditionExpression:    aws.String("PK = :pk AND SK BETWEEN :from AND :to"),
		ExpressionAttributeValues: item{":pk": text(q.pk), ":from": text(q.from), ":to": text(q.to)},
		ScanIndexForward:          aws.Bool(!q.newest),
		ConsistentRead:            aws.Bool(!q.index),
	}
	if q.index {
		in.IndexName = aws.String("GSI1")
		in.KeyConditionExpression = aws.String("GSI1PK = :pk AND GSI1SK BETWEEN :from AND :to")
	}
	var out []item
	for {
		if q.limit > 0 {
			in.Limit = aws.Int32(int32(q.limit - len(out)))
		}
		res, err := s.DB.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("query items: %w", classify(err))
		}
		out = append(out, res.Items...)
		if len(res.LastEvaluatedKey) == 0 || (q.limit > 0 && len(out) >= q.limit) {
			return out, nil
		}
		in.ExclusiveStartKey = res.LastEvaluatedKey
	}
}

// write does all of ops or none. It returns errChanged when a condition fails, unless what stands there was written by
// this very call: then an earlier try of the SDK got through.
func (s *Store) write(ctx context.Context, ops ...op) error {
	token := s.newID()
	for _, o := range ops {
		if o.item != nil {
			o.item["PK"], o.item["SK"] = text(o.key.pk), text(o.key.sk)
			o.item["v"], o.item["token"] = number(schema), text(token)
		}
	}
	var err error
	if len(ops) == 1 && ops[0].item != nil {
		err = s.putOne(ctx, ops[0])
	} else {
		err = s.transact(ctx, token, ops)
	}
	var mine *types.ConditionalCheckFailedException
	if errors.As(err, &mine) && asText(mine.Item["token"]) == token {
		return nil
	}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		for _, r := range cancelled.CancellationReasons {
			if asText(r.Item["token"]) == token {
				return nil
			}
		}
	}
	if err != nil {
		return fmt.Errorf("write items: %w", classify(err))
	}
	return nil
}

func (s *Store) putOne(ctx context.Context, o op) error {
	expr, vals := o.expression()
	_, err := s.DB.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.Table, Item: o.item, ConditionExpression: expr, ExpressionAttributeValues: vals,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	return err
}

func (s *Store) transact(ctx context.Context, token string, ops []op) error {
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: &token}
	for _, o := range ops {
		expr, vals := o.expression()
		const old = types.ReturnValuesOnConditionCheckFailureAllOld
		if o.item == nil {
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
				TableName: &s.Table, Key: item{"PK": text(o.key.pk), "SK": text(o.key.sk)},
				ConditionExpression: expr, ExpressionAttributeValues: vals, ReturnValuesOnConditionCheckFailure: old,
			}})
			continue
		}
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{
			TableName: &s.Table, Item: o.item,
			ConditionExpression: expr, ExpressionAttributeValues: vals, ReturnValuesOnConditionCheckFailure: old,
		}})
	}
	_, err := s.DB.TransactWriteItems(ctx, in)
	return err
}

func (o op) expression() (*string, item) {
	switch o.cond {
	case absent:
		return aws.String(exprAbsent), nil
	case unchanged:
		return aws.String(exprUnchanged), item{":rev": number(o.rev)}
	}
	return nil, nil
}

// classify tells a lost race (errChanged) and our own mistakes from everything that waiting mends.
func classify(err error) error {
	var ccf *types.ConditionalCheckFailedException
	var conflict *types.TransactionConflictException // of a single write with somebody's transaction
	if errors.As(err, &ccf) || errors.As(err, &conflict) {
		return errChanged
	}
	var cancelled *types.TransactionCanceledException
	if errors.As(err, &cancelled) {
		bug := false
		for _, r := range cancelled.CancellationReasons {
			switch aws.ToString(r.Code) {
			case "ConditionalCheckFailed", "TransactionConflict":
				return errChanged
			case "ValidationError", "ItemCollectionSizeLimitExceeded":
				bug = true
			}
		}
		if bug {
			return chat.E(chat.Internal, "", err)
		}
		return chat.E(chat.Throttled, "", err)
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "ValidationException":
			return chat.E(chat.Internal, "", err)
		case "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException":
			return chat.E(chat.Throttled, "", err)
		}
	}
	return chat.E(chat.Unavailable, "", err)
}

func keyOf(it item) key { return key{asText(it["PK"]), asText(it["SK"])} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func asText(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func asInt(v types.AttributeValue) int64 {
	if n, ok := v.(*types.AttributeValueMemberN); ok {
		i, _ := strconv.ParseInt(n.Value, 10, 64)
		return i
	}
	return 0
}
