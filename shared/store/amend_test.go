package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

// echo is a text that somebody wrote in the company's phone app.
func echo(id string, at int) Inbound {
	in := inbound(id, after(at), both("ES.1", "34600111222"))
	in.Message.Direction, in.Message.Status, in.Message.Origin = chat.Out, chat.Sent, chat.FromPhoneApp
	return in
}

// amendment is a message that is about an earlier one.
func amendment(in Inbound, kind chat.Kind, target, text string) Inbound {
	in.Message.Kind, in.Message.RawType, in.Message.ReplyTo, in.Message.Text = kind, string(kind), target, text
	return in
}

// amend stores an amendment and applies it, as router does with each delivery of it.
func amend(ctx context.Context, s *Store, in Inbound) (target chat.Message, found bool, err error) {
	r, err := s.Receive(ctx, in)
	if err != nil {
		return target, false, err
	}
	return s.Amend(ctx, r.Message)
}

// tales are what happens to a message named w, each in parts that come in any order. begin is done before.
var tales = []struct {
	name  string
	begin func(*testing.T, *Store)
	parts []func(context.Context, *Store) error
}{
	{"an echo", func(*testing.T, *Store) {}, append(gossip(chat.Out), func(ctx context.Context, s *Store) error {
		_, err := s.Receive(ctx, echo("w", 0))
		return err
	})},
	{"the customer's", func(*testing.T, *Store) {}, append(gossip(chat.In), func(ctx context.Context, s *Store) error {
		_, err := s.Receive(ctx, inbound("w", noon, both("ES.1", "34600111222")))
		return err
	})},
	{"ours", func(t *testing.T, s *Store) {
		queue(t, s, outbound("m_1", noon, receive(t, s, inbound("w0", after(-1), both("ES.1", "34600111222"))).Message.Contact))
	}, append(gossip(chat.Out), func(ctx context.Context, s *Store) error {
		m, err := s.Lookup(ctx, "m_1")
		if err != nil {
			return err
		}
		_, err = s.Accept(ctx, m, "w")
		return err
	}, func(ctx context.Context, s *Store) error {
		r := receipt("w", chat.Sent, after(1))
		r.ID = "m_1"
		_, _, err := s.Settle(ctx, r)
		return err
	})},
	{"a placeholder", func(*testing.T, *Store) {}, append(gossip(chat.In), func(ctx context.Context, s *Store) error {
		_, err := s.Receive(ctx, placeholder("w", 0))
		return err
	}, func(ctx context.Context, s *Store) error {
		_, err := s.Receive(ctx, named("w", 0))
		return err
	})},
}

// gossip is what comes later of a message that goes in a direction, by its author or somebody else.
func gossip(d chat.Direction) []func(context.Context, *Store) error {
	tell := func(kind chat.Kind, from chat.Direction, at int, text string) func(context.Context, *Store) error {
		in := inbound(fmt.Sprintf("%s%d", kind, at), after(at), both("ES.1", "34600111222"))
		if from == chat.Out {
			in = echo(fmt.Sprintf("%s%d", kind, at), at)
		}
		return func(ctx context.Context, s *Store) error {
			_, _, err := amend(ctx, s, amendment(in, kind, "w", text))
			return err
		}
	}
	settle := func(st chat.Status, at int) func(context.Context, *Store) error {
		return func(ctx context.Context, s *Store) error {
			_, _, err := s.Settle(ctx, receipt("w", st, after(at)))
			return err
		}
	}
	return []func(context.Context, *Store) error{
		tell(chat.KindReaction, chat.In, 2, "👍"), tell(chat.KindReaction, chat.In, 3, ""),
		tell(chat.KindEdit, d, 4, "second"), tell(chat.KindEdit, d, 5, "third"), tell(chat.KindRevoke, d, 6, ""),
		settle(chat.Delivered, 7), settle(chat.Failed, 8),
		func(ctx context.Context, s *Store) error {
			_, _, err := s.Signal(ctx, ourNumber, "w", chat.Signal{Name: "lead", Stamp: chat.Stamp{At: after(9), ID: "s"}})
			return err
		},
	}
}

// outcome is the state of a table but for what tells of the order in which things came: which message was the how-manieth,
// what had to wait, and which receipt was the one that settled a message.
func outcome(t *testing.T, mem *Memory) string {
	t.Helper()
	clean := NewMemory()
	for k, it := range mem.Items() {
		if strings.HasPrefix(k[1], "AMEND#") || strings.HasPrefix(k[1], "RECEIPT#") {
			continue
		}
		delete(it, "arrival")
		delete(it, "settled")
		if k[1] == "REF" {
			delete(it, "hash") // of whichever of a placeholder and its file came first
		}
		clean.put(it)
	}
	return state(t, clean)
}

// TestAmendmentsCommute: a message, what it is amended by and its receipts end in the same items, in whatever order they
// come, twice, and with any call to the table failing in any way.
func TestAmendmentsCommute(t *testing.T) {
	for _, tale := range tales {
		t.Run(tale.name, func(t *testing.T) {
			tell := func(mem *Memory, db API, order []int) string {
				tale.begin(t, newStore(mem, "table"))
				s := newStore(db, "table")
				for _, i := range order {
					persist(t, func() error { return tale.parts[i](t.Context(), s) })
				}
				return outcome(t, mem)
			}
			rng := rand.New(rand.NewPCG(1, 5))
			mem := NewMemory()
			want := tell(mem, mem, rng.Perm(len(tale.parts)))
			for _, said := range []string{"reactions={in={emoji= ", "text=third", "revoked={", "signals=[{name=lead"} {
				if !strings.Contains(want, said) {
					t.Fatalf("%s isn't in\n%s", said, want)
				}
			}
			for range 200 {
				order := append(rng.Perm(len(tale.parts)), rng.Perm(len(tale.parts))[:3]...)
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				mem := NewMemory()
				if d := difference(tell(mem, mem, order), want); d != "" {
					t.Fatalf("order %v:\n%s", order, d)
				}
			}
			for _, f := range faults {
				order := rng.Perm(len(tale.parts))
				for n := 1; ; n++ {
					mem := NewMemory()
					table := &faulty{API: mem, fault: f, n: n}
					if d := difference(tell(mem, table, order), want); d != "" {
						t.Fatalf("%s at call %d of order %v:\n%s", f.name, n, order, d)
					}
					if n > table.calls {
						break
					}
				}
			}
		})
	}
}

// The same, all at once.
func TestAmendmentsTogether(t *testing.T) {
	for _, tale := range tales {
		t.Run(tale.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				tale.begin(t, s)
				together(len(tale.parts), func(i int) {
					persist(t, func() error { return tale.parts[i](t.Context(), s) })
				})
				if _, err := s.SeeNumber(t.Context(), Number{ID: ourNumber}); err != nil {
					t.Fatal(err)
				}
				m, err := s.Lookup(t.Context(), "w")
				if err != nil || m.Text != "third" || len(m.Edits) != 2 || m.Revoked == nil || len(m.Signals) != 1 {
					t.Errorf("%+v, %v", m, err)
				}
				if r := m.Reactions["in"]; r.Emoji != "" || !r.Stamp.At.Equal(after(3)) {
					t.Errorf("the reaction: %+v", r)
				}
				if m.Status != chat.Delivered {
					t.Errorf("it is %s", m.Status)
				}
			})
		})
	}
}

func TestAmendmentMeetsItsMessage(t *testing.T) {
	var reaction, ours chat.Message
	prepare := func(s *Store) {
		reaction = receive(t, s, amendment(inbound("a1", after(2), both("ES.1", "34600111222")), chat.KindReaction, "w", "👍")).Message
	}
	amending := func(s *Store) error { _, _, err := s.Amend(context.Background(), reaction); return err }
	reacted := func(id chat.MessageID) func(s *Store) error {
		return func(s *Store) error {
			if _, err := s.SeeNumber(context.Background(), Number{ID: ourNumber}); err != nil {
				return err
			}
			m, err := s.Lookup(context.Background(), id)
			if err == nil && m.Reactions["in"].Emoji != "👍" {
				err = fmt.Errorf("%+v", m.Amended)
			}
			return err
		}
	}
	t.Run("an echo", func(t *testing.T) {
		meet(t, prepare, amending, func(s *Store) error { _, err := s.Receive(context.Background(), echo("w", 0)); return err }, reacted("w"))
	})
	sending := func(s *Store) { prepare(s); ours = queue(t, s, outbound("m_1", after(1), reaction.Contact)) }
	t.Run("one that is accepted", func(t *testing.T) {
		meet(t, sending, amending, func(s *Store) error { _, err := s.Accept(context.Background(), ours, "w"); return err }, reacted("m_1"))
	})
	withID := receipt("w", chat.Sent, after(2))
	withID.ID = "m_1"
	t.Run("one that a receipt names", func(t *testing.T) { meet(t, sending, amending, settling(withID), reacted("m_1")) })
	t.Run("a placeholder's file", func(t *testing.T) {
		meet(t, func(s *Store) { prepare(s); receive(t, s, placeholder("w", 0)) }, amending,
			func(s *Store) error { _, err := s.Receive(context.Background(), named("w", 0)); return err },
			func(s *Store) error {
				r, err := s.Receive(context.Background(), named("w", 0))
				if err == nil && (r.Message.Attachment == nil || r.Message.Reactions["in"].Emoji != "👍") {
					err = fmt.Errorf("%+v", r.Message)
				}
				return err
			})
	})
}

func TestAmendTellsWhatBecame(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		reaction := amendment(inbound("a1", after(2), chat.Seen{BSUID: "ES.1"}), chat.KindReaction, "w", "👍")
		tell := func(in Inbound, want bool) chat.Message {
			t.Helper()
			m, found, err := amend(t.Context(), s, in)
			if err != nil || found != want {
				t.Fatalf("found its message: %v, %v", found, err)
			}
			return m
		}
		if m := tell(reaction, false); m.ID != "" {
			t.Errorf("before its message it found %+v", m)
		}
		if m := receive(t, s, echo("w", 0)).Message; m.Reactions["in"].Emoji != "👍" {
			t.Errorf("what waited wasn't applied: %+v", m.Amended)
		}
		for range 2 { // and on a redelivery
			if m := tell(reaction, true); m.ID != "w" || m.Reactions["in"].Emoji != "👍" {
				t.Errorf("%+v", m)
			}
		}
		tell(inbound("t1", after(3), chat.Seen{BSUID: "ES.1"}), false) // amends nothing
		for _, id := range []string{"", strings.Repeat("x", 3000)} {
			if _, found, err := s.Signal(t.Context(), ourNumber, id, chat.Signal{Name: "lead"}); found || err != nil {
				t.Errorf("a signal on %.5q: %v, %v", id, found, err)
			}
		}
		tell(amendment(inbound("a2", after(2), chat.Seen{BSUID: "ES.1"}), chat.KindReaction, strings.Repeat("x", 3000), "👍"), false)
		m, found, err := s.Signal(t.Context(), ourNumber, "w", chat.Signal{Name: "lead", Stamp: chat.Stamp{At: noon, ID: "s"}})
		if err != nil || !found || len(m.Signals) != 1 {
			t.Errorf("a signal: %v, %+v, %v", found, m.Signals, err)
		}
	})
}

// What amends a message that the retention took away is at an end.
func TestAmendAfterRetention(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	m := receive(t, s, echo("w", 0)).Message
	mem.forget(messageKey(m.Conversation, m.At, m.ID))
	got, found, err := amend(t.Context(), s, amendment(echo("e1", 1), chat.KindEdit, "w", "x"))
	if found || err != nil || got.ID != "" {
		t.Errorf("%v %+v %v", found, got, err)
	}
}

// The calls that a message costs when nothing was said of it yet are as many as before anything could be.
func TestCallsOfAnAmendment(t *testing.T) {
	mem := NewMemory()
	meter := NewMeter(mem)
	s := newStore(meter, "table")
	ctx := t.Context()
	receive(t, s, inbound("w0", after(-1), both("ES.1", "34600111222")))
	reaction := receive(t, s, amendment(inbound("a1", after(2), both("ES.1", "34600111222")), chat.KindReaction, "w", "👍")).Message
	m := receive(t, s, placeholder("p", 0)).Message
	for _, c := range []struct {
		name  string
		calls int
		do    func() error
	}{
		{"a message", 5, func() error { _, err := s.Receive(ctx, inbound("w1", noon, both("ES.1", "34600111222"))); return err }},
		{"before its message", 2, func() error { _, _, err := s.Amend(ctx, reaction); return err }},
		{"its message", 7, func() error { _, err := s.Receive(ctx, echo("w", 0)); return err }},
		{"again", 2, func() error { _, _, err := s.Amend(ctx, reaction); return err }},
		{"after its message", 3, func() error {
			reaction.At = after(3)
			_, _, err := s.Amend(ctx, reaction)
			return err
		}},
		{"a message again", 3, func() error { _, err := s.Receive(ctx, inbound("w1", noon, both("ES.1", "34600111222"))); return err }},
		{"a placeholder's file", 4, func() error { _, err := s.Receive(ctx, named("p", 0)); return err }},
		{"a change", 2, func() error {
			_, err := s.Change(ctx, m.Conversation, m.At, m.ID, func(m *chat.Message) error { return nil })
			return err
		}},
		{"a change on a condition", 2, func() error {
			_, err := s.ChangeIf(ctx, m.Conversation, m.At, m.ID, m.Contact, func(chat.Contact) error { return nil }, func(*chat.Message) error { return nil })
			return err
		}},
	} {
		before := meter.Cost()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := meter.Cost().Less(before); got.Calls != c.calls {
			t.Errorf("%s takes %d calls, want %d: %+v", c.name, got.Calls, c.calls, got)
		}
	}
}

func TestChangeIf(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		survivor, other := joinedPair(t, s)
		asked, _ := other.Contact()
		speaks, _ := survivor.Contact()
		m := queue(t, s, outbound("m_1", after(9), asked))
		var who chat.ContactID
		change := func(contact chat.ContactID, allowed error) (chat.Message, error) {
			return s.ChangeIf(t.Context(), m.Conversation, m.At, m.ID, contact,
				func(c chat.Contact) error { who = c.ID; return allowed },
				func(m *chat.Message) error { m.Send.Attempt++; return nil })
		}
		if got, err := change(asked, nil); err != nil || got.Send.Attempt != 1 || who != speaks {
			t.Errorf("allowed by %s: %+v, %v", who, got.Send, err)
		}
		no := errors.New("no")
		if _, err := change(asked, no); err != no {
			t.Errorf("refused: %v", err)
		}
		if _, err := change("01NOBODY", nil); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("by nobody: %v", err)
		}
		if got, err := s.Lookup(t.Context(), "m_1"); err != nil || got.Send.Attempt != 1 {
			t.Errorf("%d attempts, %v", got.Send.Attempt, err)
		}
	})
}

// Nothing begins after an objection: whoever finds the message not begun when the objection is stored finds it so for good.
func TestObjectionMeetsAChange(t *testing.T) {
	var m chat.Message
	begun := false // when the objection was stored
	prepare := func(s *Store) {
		begun = false
		m = queue(t, s, outbound("m_1", after(1), receive(t, s, inbound("w0", noon, onlyB("ES.1"))).Message.Contact))
	}
	refused := errors.New("refused")
	meet(t, prepare,
		func(s *Store) error {
			_, err := s.ChangeIf(context.Background(), m.Conversation, m.At, m.ID, m.Contact, func(c chat.Contact) error {
				if c.Refuses("marketing") {
					return refused
				}
				return nil
			}, func(m *chat.Message) error { m.Send.Lease = "lease"; return nil })
			if errors.Is(err, refused) {
				return nil
			}
			return err
		},
		func(s *Store) error {
			ctx := context.Background()
			err := s.contend(ctx, func() error {
				items, err := s.get(ctx, contactKey(m.Contact))
				if err != nil {
					return err
				}
				c, err := read[chat.Contact](items, contactKey(m.Contact))
				if err != nil {
					return err
				}
				c.val.Consent = map[string]chat.Consent{"marketing": {Given: false}}
				o, err := c.put()
				if err != nil {
					return err
				}
				return s.write(ctx, o)
			})
			if err != nil {
				return err
			}
			now, err := s.Lookup(ctx, "m_1")
			begun = now.Send != nil && now.Send.Lease != ""
			return err
		},
		func(s *Store) error {
			now, err := s.Lookup(context.Background(), "m_1")
			if err == nil && !begun && now.Send.Lease != "" {
				err = errors.New("it began after the objection")
			}
			return err
		})
}

// Ensure that nothing of a message is lost on the way to the table or to a client, what is embedded in it included.
func TestEveryFieldOfAMessageComesBack(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		in := inbound("w", noon, chat.Seen{BSUID: "ES.1"})
		fill(t, reflect.ValueOf(&in.Message).Elem())
		in.Message.ID = "w"
		want := receive(t, s, in).Message
		got, err := s.Message(t.Context(), want.Conversation, SortKey(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("from the table: %v\n%+v\nwant\n%+v", err, got, want)
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var again chat.Message
		if err := json.Unmarshal(b, &again); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("from JSON: %v\n%+v\nwant\n%+v", err, again, want)
		}
	})
}

// fill puts something into every field, however deep.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(after(7)))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"a":1}`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text of " + v.Type().Name())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, k)
		fill(t, e)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("nobody said how to fill a %s", v.Type())
	}
}
