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
	"threadline/shared/bus"
	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/route"
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
	testing.TB
	h                *Handler
	now              time.Time
	table            *store.Memory
	store            *store.Store
	media, crm, bulk lane
	bus              bus.Memory
	bucket           bucket
	counts           counts
}

func newRig(t testing.TB) *rig {
	ids := 0
	table := store.NewMemory()
	s := store.New(table, "t", 0)
	r := &rig{TB: t, now: noon, table: table, store: s, counts: counts{}}
	clock := func() time.Time { return r.now }
	s.Now = clock
	s.NewID = func() string { ids++; return fmt.Sprintf("01ID%04d", ids) }
	s.Pause = func(context.Context, int) error { return nil }
	r.h = &Handler{
		Store: s, Media: &r.media, CRM: &r.crm, Bulk: &r.bulk, Blobs: &r.bucket, Bus: &r.bus, Metrics: r.counts,
		Connectors: []string{"hubspot"}, Now: clock,
	}
	return r
}

// display is how the company's number is written.
const display = "15550001111"

// update is one of number 100 and account 7.
func update(kind whatsapp.UpdateKind, body string) whatsapp.Update {
	return whatsapp.Update{Kind: kind, Number: "100", Display: display, WABA: "7", Field: "messages", Body: json.RawMessage(body)}
}

// post is everything that a change of a webhook holds, as the webhook takes it apart.
func (r *rig) post(field, value string) []whatsapp.Update {
	r.Helper()
	us, err := whatsapp.Split([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"7","time":1772452860,"changes":[{"field":"` + field + `","value":` + value + `}]}]}`))
	if err != nil {
		r.Fatal(err)
	}
	return us
}

// metadata is how a value names the number.
const metadata = `"metadata":{"phone_number_id":"100","display_phone_number":"` + display + `"}`

// takeAll posts a change and gives the router all of it.
func (r *rig) takeAll(field, value string) {
	r.Helper()
	for _, u := range r.post(field, value) {
		r.take(u)
	}
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
	return r.h.Handle(r.Context(), queue.Message{Body: body, Receives: 1, Sent: r.now})
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

// messages are all that are stored, in order.
func (r *rig) messages() []chat.Message {
	r.Helper()
	var all []chat.Message
	for k, it := range r.table.Items() {
		if strings.HasPrefix(k[1], "MSG#") {
			all = append(all, decoded[chat.Message](r, it))
		}
	}
	slices.SortFunc(all, func(a, b chat.Message) int { return strings.Compare(store.SortKey(a), store.SortKey(b)) })
	return all
}

// only is the message that is stored beside those with the given ids.
func (r *rig) only(but ...string) chat.Message {
	r.Helper()
	rest := slices.DeleteFunc(r.messages(), func(m chat.Message) bool { return slices.Contains(but, m.ProviderID) && m.ProviderID != "" })
	if len(rest) != 1 {
		r.Fatalf("%d messages are stored, want one more than %q", len(rest), but)
	}
	return rest[0]
}

// refs are the effects in a lane, each once, with the cause.
func (r *rig) refs(l *lane) []string {
	r.Helper()
	var all []string
	for _, e := range l.entries {
		ref, err := route.ParseRef(e.Body)
		if err != nil {
			r.Fatal(err)
		}
		_, id, _ := strings.Cut(strings.TrimPrefix(ref.Message, "MSG#"), "#")
		if s := string(ref.Kind) + " " + id + " " + ref.Cause; !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

func decoded[T any](t testing.TB, it map[string]types.AttributeValue) (v T) {
	t.Helper()
	err := attributevalue.UnmarshalMapWithOptions(it, &v, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })
	if err != nil {
		t.Fatal(err)
	}
	return v
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
		all = append(all, decoded[store.Event](r, it))
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
