package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// lane is a queue that remembers, or refuses.
type lane struct {
	entries []queue.Entry
	err     error
}

func (l *lane) Send(_ context.Context, es ...queue.Entry) error {
	if l.err != nil {
		return l.err
	}
	l.entries = append(l.entries, es...)
	return nil
}

// dedupIDs are those of what was sent, in order.
func (l *lane) dedupIDs() []string {
	var ids []string
	for _, e := range l.entries {
		ids = append(ids, e.DedupID)
	}
	return ids
}

type bucket struct {
	blob.Memory
	err error
}

func (b *bucket) Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error {
	if b.err != nil {
		return b.err
	}
	return b.Memory.Put(ctx, key, body, size, o)
}

type counts map[string]int

func (c counts) Count(_ context.Context, name string, n int, dims ...string) {
	c[strings.Join(append([]string{name}, dims...), " ")] += n
}

// rig is a router with everything around it in memory.
type rig struct {
	*testing.T
	h          *Handler
	table      *store.Memory
	store      *store.Store
	media, crm lane
	bucket     bucket
	counts     counts
}

func newRig(t *testing.T) *rig {
	ids := 0
	table := store.NewMemory()
	s := store.New(table, "t", 0)
	s.Now = func() time.Time { return noon }
	s.NewID = func() string { ids++; return fmt.Sprintf("01ID%04d", ids) }
	s.Pause = func(context.Context, int) error { return nil }
	r := &rig{T: t, table: table, store: s, counts: counts{}}
	r.h = &Handler{Store: s, Media: &r.media, CRM: &r.crm, Blobs: &r.bucket, Metrics: r.counts, Connectors: []string{"hubspot"}}
	return r
}

// update is one of number 100 and account 7.
func update(kind whatsapp.UpdateKind, body string) whatsapp.Update {
	return whatsapp.Update{Kind: kind, Number: "100", Display: "15550001111", WABA: "7", Field: "messages", Body: json.RawMessage(body)}
}

// handle gives the router one update as the webhook queues it.
func (r *rig) handle(u whatsapp.Update) error {
	body, err := json.Marshal(struct {
		V int `json:"v"`
		whatsapp.Update
	}{1, u})
	if err != nil {
		r.Fatal(err)
	}
	return r.h.Handle(r.Context(), queue.Message{Body: body, Receives: 1})
}

// take is handle for what must succeed.
func (r *rig) take(u whatsapp.Update) {
	r.Helper()
	if err := r.handle(u); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) message(body string) { r.Helper(); r.take(update(whatsapp.KindMessage, body)) }

// lookup returns a message that must be there.
func (r *rig) lookup(id string) chat.Message {
	r.Helper()
	m, err := r.store.Lookup(r.Context(), chat.MessageID(id))
	if err != nil {
		r.Fatalf("look up %s: %v", id, err)
	}
	return m
}

// reasons are why the updates of 1970, which is when updates without a time are kept under, became nothing else.
func (r *rig) reasons() []string {
	r.Helper()
	events, err := r.store.Raw(r.Context(), time.Unix(0, 0))
	if err != nil {
		r.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.Reason)
	}
	slices.Sort(all)
	return all
}

// kept are the events in partitions that begin with prefix.
func (r *rig) kept(prefix string) []store.Event {
	r.Helper()
	var all []store.Event
	for k, it := range r.table.Items() {
		if !strings.HasPrefix(k[0], prefix) {
			continue
		}
		var e store.Event
		err := attributevalue.UnmarshalMapWithOptions(it, &e, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })
		if err != nil {
			r.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// forgetful is a table whose items with a sort key have expired.
type forgetful struct {
	store.API
	sort string
}

func (f forgetful) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out, err := f.API.BatchGetItem(ctx, in, o...)
	if err != nil {
		return nil, err
	}
	for name, items := range out.Responses {
		out.Responses[name] = slices.DeleteFunc(items, func(it map[string]types.AttributeValue) bool {
			sort, ok := it["SK"].(*types.AttributeValueMemberS)
			return ok && sort.Value == f.sort
		})
	}
	return out, nil
}
