package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/chat"
)

// fault is what happens to one call.
type fault struct {
	name string
	// only is the call that can meet it; empty: all of them.
	only string
	// through tells that the call is done all the same.
	through bool
	err     error
}

var faults = []fault{
	{name: "refused", err: &types.InternalServerError{}},
	{name: "done, the answer lost", through: true, err: errors.New("use of closed network connection")},
	{name: "throttled", err: &types.ProvisionedThroughputExceededException{}},
	{name: "the time was up", err: context.DeadlineExceeded},
	{name: "the time was up, but it was done", through: true, err: context.DeadlineExceeded},
	{name: "a transaction conflict", only: "transact", err: cancelled("None", "TransactionConflict")},
	{name: "a throttled transaction", only: "transact", err: cancelled("ThrottlingError", "None")},
	{name: "in conflict with a transaction", only: "put", err: &types.TransactionConflictException{}},
}

func cancelled(codes ...string) error {
	e := &types.TransactionCanceledException{}
	for _, c := range codes {
		e.CancellationReasons = append(e.CancellationReasons, types.CancellationReason{Code: aws.String(c)})
	}
	return e
}

// faulty is a table that fails at the nth call.
type faulty struct {
	API
	fault
	n, calls int
}

func (f *faulty) meet(kind string, call func() error) error {
	if f.only != "" && f.only != kind {
		return call()
	}
	f.calls++
	if f.calls != f.n {
		return call()
	}
	if f.through {
		if err := call(); err != nil {
			return err
		}
	}
	return f.err
}

func (f *faulty) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.BatchGetItemOutput, err error) {
	err = f.meet("get", func() (err error) { out, err = f.API.BatchGetItem(ctx, in, o...); return err })
	return out, err
}

func (f *faulty) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (out *dynamodb.QueryOutput, err error) {
	err = f.meet("query", func() (err error) { out, err = f.API.Query(ctx, in, o...); return err })
	return out, err
}

func (f *faulty) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.PutItemOutput, err error) {
	err = f.meet("put", func() (err error) { out, err = f.API.PutItem(ctx, in, o...); return err })
	return out, err
}

func (f *faulty) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (out *dynamodb.TransactWriteItemsOutput, err error) {
	err = f.meet("transact", func() (err error) { out, err = f.API.TransactWriteItems(ctx, in, o...); return err })
	return out, err
}

// life is a conversation with everything in it. Each step is repeated until it succeeds, as its queue would.
func life(t *testing.T, s *Store) {
	ctx := t.Context()
	do := func(call func() error) { t.Helper(); persist(t, call) }
	var who chat.Message
	take := func(in Inbound) {
		do(func() error {
			r, err := s.Receive(ctx, in)
			who = r.Message
			return err
		})
	}
	do(func() error {
		_, err := s.SeeNumber(ctx, Number{ID: ourNumber, Display: "100", Seen: chat.Stamp{At: noon, ID: "w1"}})
		return err
	})
	take(inbound("w1", noon, onlyP("p")))
	take(inbound("w2", after(1), onlyB("B1")))
	joining := inbound("w3", after(2), both("B1", "p"))
	joining.Seen.Name = "Ana"
	take(joining)
	take(inbound("w4", after(3), both("B2", "p")))
	take(inbound("w3", after(2), both("B1", "p"))) // redelivered
	out := outbound("m_1", after(4), who.Contact)
	do(func() error { _, _, err := s.Settle(ctx, receipt("wamid.1", chat.Delivered, after(7))); return err })
	do(func() error { _, _, err := s.Queue(ctx, out); return err })
	do(func() error {
		_, err := s.Change(ctx, out.Conversation, out.At, out.ID, func(m *chat.Message) error {
			m.Reach(chat.Sending, after(5), nil)
			m.Send.Lease, m.Send.Attempt = "lease", 1
			return nil
		})
		return err
	})
	withID := receipt("wamid.1", chat.Sent, after(6))
	withID.ID = out.ID
	do(func() error { _, _, err := s.Settle(ctx, withID); return err })
	do(func() error { _, err := s.Accept(ctx, out, "wamid.1"); return err })
	do(func() error { _, _, err := s.Settle(ctx, receipt("wamid.1", chat.Read, after(8))); return err })
	for _, in := range []Inbound{amendment(inbound("a1", after(9), onlyB("B2")), chat.KindReaction, "wamid.1", "👍"),
		amendment(inbound("a2", after(9), onlyB("B2")), chat.KindReaction, "wamid.elsewhere", "👍")} {
		do(func() error { _, _, err := amend(ctx, s, in); return err })
	}
	do(func() error {
		_, err := s.ChangeIf(ctx, out.Conversation, out.At, out.ID, out.Contact, func(chat.Contact) error { return nil },
			func(m *chat.Message) error { m.Send.Attempt = 2; return nil })
		return err
	})
	for _, in := range []Inbound{placeholder("h1", -9), named("h1", -9)} {
		do(func() error { _, err := s.Receive(ctx, in); return err })
	}
	do(func() error { return s.SawImport(ctx, ourNumber) })
	do(func() error { return s.BeginJob(ctx, out.Conversation, ImportJob, "job", noon) })
	do(func() error {
		_, err := s.SaveJob(ctx, out.Conversation, ImportJob, Job{ID: "job", Done: true})
		return err
	})
	do(func() error { _, err := s.TakeSlot(ctx, "crm", "job", 2, time.Minute); return err })
	do(func() error { return s.FreeSlot(ctx, "crm", "job") })
	hour := noon.Add(time.Hour)
	do(func() error { return s.BeginComparison(ctx, hour, 0, "tick") })
	do(func() error {
		_, _, err := s.Find(ctx, hour, who.Conversation, "hubspot", func(f *Finding) { f.Take(Tally{Stored: 2, Missing: 1}, hour) })
		return err
	})
	do(func() error {
		_, err := s.SaveComparison(ctx, hour, 0, Comparison{ID: "tick", Begun: hour, Look: 1, Passed: who.Conversation})
		return err
	})
	do(func() error {
		_, err := s.SaveReconciliation(ctx, Reconciliation{Begun: hour, Compared: noon})
		return err
	})
	do(func() error { return s.BeginBackfill(ctx, "odoo", "c_1") })
	backfill := Backfill{ID: "c_1", Connector: "odoo"}
	do(func() error { return s.BeginPart(ctx, who.Conversation, backfill) })
	do(func() error { return s.SeePart(ctx, who.Conversation, "odoo", Job{ID: "c_1"}) })
	do(func() error { return s.FinishPart(ctx, who.Conversation, "odoo", Job{ID: "c_1", Fed: 2}) })
	do(func() error { return s.BeginPart(ctx, out.Conversation, backfill) })
	do(func() error { _, err := s.GiveUpPart(ctx, out.Conversation, "odoo", after(9999)); return err })
	do(func() error {
		_, err := s.SaveBackfill(ctx, backfill, func(b *Backfill) { b.Counted, b.Found = true, 1 })
		return err
	})
	do(func() error { _, err := s.Rate(ctx, "crm", time.Minute); return err })
	do(func() error { return s.Slow(ctx, "crm") })
	do(func() error { return s.SetLink(ctx, who.Contact, "hubspot", Link{Ref: "42"}) })
	do(func() error {
		_, err := s.ClaimEntry(ctx, who, "hubspot", func(e *Entry) { e.Contact, e.Ref = "42", "43" })
		return err
	})
	event := Event{WABA: "1", At: noon, Hash: Hash([]byte("event")), Body: []byte("{}")}
	do(func() error { _, err := s.PutRaw(ctx, event); return err })
	do(func() error { _, err := s.PutAccountEvent(ctx, event); return err })
	facts := map[string]chat.Fact{chat.FactQuality: said("GREEN", 9)}
	do(func() error { _, _, err := s.LearnNumber(ctx, ourNumber, "1", facts); return err })
	do(func() error { _, _, err := s.LearnAccount(ctx, "1", facts); return err })
	do(func() error { return s.PutTemplates(ctx, "1", noon, []Template{template("hello", "en", "APPROVED")}) })
	do(func() error { return s.TemplateSaid(ctx, "1", "hello", "en", webhook("PAUSED", 9)) })
	do(func() error { return s.PutFile(ctx, File{ID: "f_1", Key: "uploads/f_1"}) })
	do(func() error { return s.SetUploaded(ctx, "f_1", ourNumber, Uploaded{ID: "2", Until: after(9)}) })
	do(func() error {
		_, err := s.Person(ctx, chat.Seen{Phone: "q", At: after(9), ID: "m_2", Source: chat.SourceRequest})
		return err
	})
}

// state is everything in the table in words, with contacts called by their identities and without what counts tries.
func state(t *testing.T, mem *Memory) string {
	t.Helper()
	items := mem.Items()
	var lines, names []string
	for k, it := range items {
		if id, ok := strings.CutPrefix(k[0], "USER#"); ok && k[1] == "CONTACT" {
			var own []string
			for o := range items {
				if o[0] == k[0] && strings.HasPrefix(o[1], "ALIAS#") {
					own = append(own, strings.TrimPrefix(o[1], "ALIAS#"))
				}
			}
			slices.Sort(own)
			names = append(names, id, "<"+strings.Join(own, " ")+">")
		}
		delete(it, "token")
		delete(it, "rev")
		lines = append(lines, k[0]+" "+k[1]+" "+words(&types.AttributeValueMemberM{Value: it}))
	}
	whole := strings.NewReplacer(names...).Replace(strings.Join(lines, "\n"))
	lines = strings.Split(shard.ReplaceAllString(whole, "$1#?"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// difference names the lines that only one of two states has.
func difference(got, want string) string {
	var out []string
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, l := range g {
		if !slices.Contains(w, l) {
			out = append(out, "got  "+l)
		}
	}
	for _, l := range w {
		if !slices.Contains(g, l) {
			out = append(out, "want "+l)
		}
	}
	return strings.Join(out, "\n")
}

// shard depends on the ids that were minted.
var shard = regexp.MustCompile(`(INBOX#default|DONE|[0-9-]+T[0-9]+)#\d`)

// words writes a value with its keys in order.
func words(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		var parts []string
		for k, e := range v.Value {
			parts = append(parts, k+"="+words(e))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case *types.AttributeValueMemberL:
		var parts []string
		for _, e := range v.Value {
			parts = append(parts, words(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	case *types.AttributeValueMemberNULL:
		return "-"
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	}
	return fmt.Sprintf("%#v", v)
}

func TestFaultsLeaveNoTrace(t *testing.T) {
	mem := NewMemory()
	count := &faulty{API: mem}
	life(t, newStore(count, "table"))
	want := state(t, mem)
	if count.calls < 30 || !strings.Contains(want, "status=read") {
		t.Fatalf("%d calls lead to\n%s", count.calls, want)
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			for n := 1; ; n++ {
				mem := NewMemory()
				table := &faulty{API: mem, fault: f, n: n}
				life(t, newStore(table, "table"))
				if d := difference(state(t, mem), want); d != "" {
					t.Fatalf("at call %d:\n%s", n, d)
				}
				if n > table.calls {
					return
				}
			}
		})
	}
}

// repeating is the SDK when a connection closes between a write and its answer: the write is sent again, and the second
// outcome is what is reported.
type repeating struct {
	API
	forgets bool // the table doesn't know the token of the first transaction any more
}

func (r repeating) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if _, err := r.API.PutItem(ctx, in, o...); err != nil {
		return nil, err
	}
	return r.API.PutItem(ctx, in, o...)
}

func (r repeating) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	first := *in
	if r.forgets {
		first.ClientRequestToken = aws.String(*in.ClientRequestToken + "-first")
	}
	if _, err := r.API.TransactWriteItems(ctx, &first, o...); err != nil {
		return nil, err
	}
	return r.API.TransactWriteItems(ctx, in, o...)
}

func TestSilentlyRepeatedWrites(t *testing.T) {
	mem := NewMemory()
	life(t, newStore(mem, "table"))
	want := state(t, mem)
	for _, forgets := range []bool{false, true} {
		t.Run(fmt.Sprint("the token is forgotten: ", forgets), func(t *testing.T) {
			mem := NewMemory()
			s := newStore(repeating{mem, forgets}, "table")
			s.Pause = func(context.Context, int) error {
				t.Error("a repeated write was taken for somebody else's")
				return nil
			}
			life(t, s)
			if d := difference(state(t, mem), want); d != "" {
				t.Error(d)
			}
		})
		t.Run("among others", func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				s.DB = repeating{s.DB, forgets && strings.Contains(t.Name(), "memory")}
				const n = 5
				together(n, func(i int) {
					persist(t, func() error {
						_, err := s.Receive(t.Context(), inbound(fmt.Sprint("w", i), after(i), both("B1", "p")))
						return err
					})
				})
				c, _, err := s.FindContact(t.Context(), chat.AliasBSUID, "B1")
				if err != nil {
					t.Fatal(err)
				}
				if conv, err := s.Conversation(t.Context(), chat.Direct(ourNumber, c.ID)); err != nil || conv.Arrivals != n {
					t.Errorf("%d arrivals, want %d, %v", conv.Arrivals, n, err)
				}
			})
		})
	}
}
