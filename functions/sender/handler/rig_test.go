package handler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// after is AMBIGUOUS_SEND_AFTER.
const after = 2 * time.Minute

// graph is Meta: each send meets the next of errs, nil for an acceptance; what comes after the last is accepted.
type graph struct {
	errs      []error
	sent      []whatsapp.Outgoing
	number    string
	read      []string
	typed     []string
	readErr   error
	uploaded  []string // number, name, type and content
	uploadErr error
	answer    whatsapp.Sent // beside the id
	meanwhile func()        // during a send
}

func (g *graph) Send(_ context.Context, number string, m whatsapp.Outgoing) (whatsapp.Sent, error) {
	g.number = number
	g.sent = append(g.sent, m)
	if g.meanwhile != nil {
		g.meanwhile()
	}
	if n := len(g.sent); n <= len(g.errs) && g.errs[n-1] != nil {
		return whatsapp.Sent{}, g.errs[n-1]
	}
	sent := g.answer
	sent.MessageID = fmt.Sprintf("wamid.%d", len(g.sent))
	return sent, nil
}

func (g *graph) Upload(_ context.Context, number, name, mime string, size int64, body io.Reader) (string, error) {
	content, err := io.ReadAll(body)
	if err != nil || int64(len(content)) != size {
		return "", fmt.Errorf("%d bytes, said to be %d: %w", len(content), size, err)
	}
	g.uploaded = append(g.uploaded, strings.Join([]string{number, name, mime, string(content)}, " "))
	return fmt.Sprint(900 + len(g.uploaded)), g.uploadErr
}

func (g *graph) Typing(_ context.Context, _, id string) error {
	g.typed = append(g.typed, id)
	return g.readErr
}

func (g *graph) MarkRead(_ context.Context, _, id string) error {
	g.read = append(g.read, id)
	return g.readErr
}

// lane is CRM.fifo.
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

type counts map[string]int

func (c counts) Count(_ context.Context, name string, n int, dims ...string) {
	c[strings.Join(append([]string{name}, dims...), " ")] += n
}

// table is one in memory whose next writes fail.
type table struct {
	*store.Memory
	failing int
	lost    bool // they fail after they were done
}

func (d *table) write(do func() error) error {
	if d.failing == 0 {
		return do()
	}
	d.failing--
	if d.lost {
		if err := do(); err != nil {
			return err
		}
	}
	return errors.New("no connection")
}

func (d *table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.PutItemOutput, err error) {
	return out, d.write(func() error { out, err = d.Memory.PutItem(ctx, in, o...); return err })
}

func (d *table) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (out *dynamodb.TransactWriteItemsOutput, err error) {
	return out, d.write(func() error { out, err = d.Memory.TransactWriteItems(ctx, in, o...); return err })
}

// rig is a sender with everything around it in memory.
type rig struct {
	*testing.T
	h         *Handler
	store     *store.Store
	table     *table
	bucket    blob.Memory
	graph     graph
	crm       lane
	counts    counts
	refreshed int
	now       time.Time
	receives  int
}

func newRig(t *testing.T, errs ...error) *rig {
	r := &rig{T: t, table: &table{Memory: store.NewMemory()}, counts: counts{}, now: noon, graph: graph{errs: errs}}
	clock := func() time.Time { return r.now }
	ids, tokens := 0, 0
	r.store = store.New(r.table, "t", 0)
	r.store.Now = clock
	r.store.NewID = func() string { ids++; return fmt.Sprintf("01ID%04d", ids) }
	r.store.Pause = func(context.Context, int) error { return nil }
	r.h = &Handler{
		Store: r.store, Graph: &r.graph, Files: &r.bucket, CRM: &r.crm, Metrics: r.counts, After: after, Now: clock,
		Refresh:  func(context.Context) error { r.refreshed++; return nil },
		NewToken: func() string { tokens++; return fmt.Sprintf("token%d", tokens) },
	}
	return r
}

// text is a message as api queues it.
func text() chat.Message {
	return chat.Message{
		ID: "m_1", Conversation: "100.01CONTACT", Contact: "01CONTACT", At: noon, Direction: chat.Out, Origin: chat.FromAgent,
		Kind: chat.KindText, RawType: "text", Text: "hello", Status: chat.Queued,
		Effects: []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}},
		Send:    &chat.Send{To: chat.Address{Phone: "34600111222"}, Expires: noon.Add(24 * time.Hour), Category: "service", Request: "r"},
	}
}

// receive handles the message's entry once.
func (r *rig) receive(m chat.Message) error {
	r.Helper()
	var l lane
	if err := send.Message(r.Context(), &l, m); err != nil {
		r.Fatal(err)
	}
	r.receives++
	return r.h.Handle(r.Context(), queue.Message{Body: l.entries[0].Body, Receives: r.receives})
}

// held is how long the queue is asked to wait: what the error says at least, else a second.
func held(err error) time.Duration {
	var wait interface{ RetryAfter() time.Duration }
	if errors.As(err, &wait) && wait.RetryAfter() > 0 {
		return wait.RetryAfter()
	}
	if _, rest, ok := strings.Cut(fmt.Sprint(err), "held back for "); ok {
		word, _, _ := strings.Cut(rest, ":")
		if d, err := time.ParseDuration(word); err == nil {
			return d
		}
	}
	return time.Second
}

// drain handles the entry as often as it comes again, twenty times at most, and moves the clock as the queue would. It
// returns how often that was.
func (r *rig) drain(m chat.Message) int {
	r.Helper()
	for n := 1; n <= 20; n++ {
		err := r.receive(m)
		if err == nil {
			return n
		}
		r.now = r.now.Add(held(err))
	}
	return 0
}

func (r *rig) lookup(id chat.MessageID) chat.Message {
	r.Helper()
	m, err := r.store.Lookup(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	return m
}

// receipt has the router apply one.
func (r *rig) receipt(status chat.Status) {
	r.Helper()
	_, _, err := r.store.Settle(r.Context(), chat.Receipt{
		Number: "100", ProviderID: "wamid.seen", ID: "m_1", Status: status, At: r.now, Hash: "h-" + string(status),
	})
	if err != nil {
		r.Fatal(err)
	}
}
