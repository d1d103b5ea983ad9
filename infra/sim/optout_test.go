package sim

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	sender "threadline/functions/sender/handler"
	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp/whatsapptest"
)

// between is the table, with something that happens before one of a function's calls.
type between struct {
	store.API
	call func()
}

func (b *between) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	b.call()
	return b.API.BatchGetItem(ctx, in, o...)
}

func (b *between) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	b.call()
	return b.API.PutItem(ctx, in, o...)
}

func (b *between) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	b.call()
	return b.API.TransactWriteItems(ctx, in, o...)
}

// optOut is a customer's STOP: through which identity it comes, and what shows only then that the identity is theirs.
type optOut struct {
	name        string
	who, before chat.Seen
}

// store records it.
func (o optOut) store(t *testing.T, s *Sim) {
	t.Helper()
	complete := func(seen chat.Seen) chat.Seen {
		seen.Scope, seen.At, seen.Source, seen.ID = whatsapptest.WABA, s.Now(), chat.SourceMessage, "stop"
		return seen
	}
	if o.before.Someone() {
		if _, err := s.Store.Person(t.Context(), complete(o.before)); err != nil {
			t.Fatal(err)
		}
	}
	said := chat.Consent{Source: "user_preferences", Stamp: chat.Stamp{At: s.Now(), ID: "stop"}}
	if _, err := s.Store.Prefer(t.Context(), complete(o.who), "marketing", said); err != nil {
		t.Fatal(err)
	}
}

// TestNoMarketingAfterSTOP: the customer's word comes before any call of the sender to the table, through whichever of
// the identities that are the customer's. Once it is stored nothing begins to leave.
func TestNoMarketingAfterSTOP(t *testing.T) {
	for _, o := range []optOut{
		{name: "by number", who: chat.Seen{Phone: cleo}},
		{name: "by somebody found to be the same then", who: chat.Seen{BSUID: cleosID}, before: chat.Seen{Phone: cleo, BSUID: cleosID}},
	} {
		refused, calls := 0, 1
		for at := 1; at <= calls; at++ {
			before, n := interrupted(t, o, at)
			calls = max(calls, n)
			if before {
				refused++
			}
		}
		if refused < 3 || refused >= calls {
			t.Errorf("%s: %d of %d interleavings came before the message began to leave", o.name, refused, calls)
		}
	}
}

// interrupted has a customer opt out before a call of the sender. It tells whether that was before the message began to
// leave, and how many calls there were.
func interrupted(t *testing.T, o optOut, at int) (before bool, calls int) {
	t.Helper()
	var s *Sim
	var offer chat.MessageID
	s = New(t, Options{Table: func(function string, db store.API) store.API {
		if function != "sender" {
			return db
		}
		return &between{db, func() {
			if calls++; calls == at {
				o.store(t, s)
				m, err := s.Store.Lookup(t.Context(), offer)
				before = err != nil || m.Send.Attempt == 0
			}
		}}
	}})
	s.Deliver(cleo, whatsapptest.Text(Number, cleo, "wamid.1", "hello", s.Now()))
	s.Deliver(cleosID, whatsapptest.Text(Number, cleosID, "wamid.2", "hello", s.Now()))
	s.Run(time.Minute)
	offer = s.Ask("offer", map[string]any{"to": "+" + cleo, "template": hello})
	s.Quiet()
	m, err := s.Store.Lookup(t.Context(), offer)
	if err != nil {
		t.Fatal(err)
	}
	sent := len(s.Delivered())
	if before && (sent != 0 || m.Status != chat.Failed || m.Steps[chat.Failed].Error.Code != 131050) || !before && sent != 1 {
		t.Errorf("%s, before call %d: %d were sent, it is %s", o.name, at, sent, m.Status)
	}
	return before, calls
}

// TestSTOPEndsRepetitions: an offer whose outcome isn't known isn't sent once more after the customer opted out.
func TestSTOPEndsRepetitions(t *testing.T) {
	for _, stops := range []bool{false, true} {
		s := New(t, Options{Ambiguous: sender.Retry, Receipts: silent, Fault: dropSends(1)})
		s.Deliver(cleo, whatsapptest.Text(Number, cleo, "wamid.1", "hello", s.Now()))
		s.Run(time.Minute)
		offer := s.Ask("offer", map[string]any{"to": "+" + cleo, "template": hello})
		s.Run(time.Minute)
		want := 2
		if stops {
			s.Deliver(cleo, whatsapptest.Preference(Number, cleo, "stop", s.Now()))
			want = 1
		}
		s.Quiet()
		m, err := s.Store.Lookup(t.Context(), offer)
		if err != nil || len(s.Delivered()) != want || (m.Status == chat.Unknown) != stops {
			t.Errorf("stops %v: %d were sent, it is %s (%v)", stops, len(s.Delivered()), m.Status, err)
		}
	}
}

// TestMarketingAfterTheCustomerWantsItAgain: answers and other templates leave in spite of a STOP, and offers when it is
// taken back.
func TestMarketingAfterTheCustomerWantsItAgain(t *testing.T) {
	s := New(t, Options{})
	template := func(key, name string) chat.MessageID {
		return s.Ask(key, map[string]any{"to": "+" + cleo, "template": map[string]any{"name": name, "language": "en"}, "category": "utility"})
	}
	s.Deliver(cleo, whatsapptest.Text(Number, cleo, "wamid.1", "hello", s.Now()))
	s.Deliver(cleo, whatsapptest.Preference(Number, cleo, "stop", s.Now()))
	s.Run(time.Minute)
	template("offer", "hello")
	template("parcel", "parcel")
	s.Reply("answer", cleo, "answer")
	s.Run(time.Hour)
	s.Deliver(cleo, whatsapptest.Preference(Number, cleo, "resume", s.Now()))
	s.Run(time.Minute)
	template("offer again", "hello")
	s.Quiet()
	var got []string
	for _, d := range s.Delivered() {
		got = append(got, d.Template+d.Text)
	}
	if fmt.Sprint(got) != "[parcel answer hello]" {
		t.Errorf("the phone got %q", got)
	}
}
