package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/chat"
)

// somebody makes a contact that wrote once.
func somebody(t *testing.T, s *Store) chat.ContactID {
	t.Helper()
	return receive(t, s, inbound("w0", noon, chat.Seen{BSUID: "ES.1"})).Message.Contact
}

func TestQueueStoresOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := outbound("m_1", after(1), somebody(t, s))
		stored, first, err := s.Queue(t.Context(), m)
		if err != nil || !first || stored.Arrival != 2 {
			t.Fatal(stored.Arrival, first, err)
		}
		later := m
		later.At, later.Text = after(9), "asked for again, a little later"
		again, first, err := s.Queue(t.Context(), later)
		if err != nil || first || !reflect.DeepEqual(again, stored) {
			t.Errorf("again: %v %v\n%+v\nwant\n%+v", first, err, again, stored)
		}
		m.Send.Request = "another request"
		if _, _, err := s.Queue(t.Context(), m); !errors.Is(err, ErrOtherRequest) {
			t.Errorf("another request under the same id: %v", err)
		}
		if got := ids(messages(t, s, m.Conversation, 10)); got != "w0 m_1" {
			t.Errorf("the conversation holds %q", got)
		}
	})
}

func TestQueueTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		who := somebody(t, s)
		var firsts atomic.Int32
		together(6, func(int) {
			persist(t, func() error {
				_, first, err := s.Queue(t.Context(), outbound("m_1", after(1), who))
				if first && err == nil {
					firsts.Add(1)
				}
				return err
			})
		})
		if c, err := s.Conversation(t.Context(), chat.Direct(ourNumber, who)); err != nil || c.Arrivals != 2 || firsts.Load() != 1 {
			t.Errorf("%d arrivals, %d were first, %v", c.Arrivals, firsts.Load(), err)
		}
	})
}

func TestAccept(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
		m, err := s.Accept(t.Context(), m, "wamid.1")
		if err != nil || m.Status != chat.Accepted || m.ProviderID != "wamid.1" {
			t.Fatalf("%+v, %v", m, err)
		}
		again, err := s.Accept(t.Context(), m, "wamid.1")
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("again: %v\n%+v\nwant\n%+v", err, again, m)
		}
		for _, id := range []chat.MessageID{"m_1", "wamid.1"} {
			if _, err := s.SeeNumber(t.Context(), Number{ID: ourNumber, Seen: chat.Stamp{At: noon, ID: "w0"}}); err != nil {
				t.Fatal(err)
			}
			if found, err := s.Lookup(t.Context(), id); err != nil || found.ID != "m_1" {
				t.Errorf("%s is %q, %v", id, found.ID, err)
			}
		}
		if _, err := s.Accept(t.Context(), outbound("m_2", after(2), m.Contact), "wamid.2"); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("accepting what isn't stored: %v", err)
		}
	})
}

// stages are the moments at which a receipt may come.
var stages = []string{"before it is accepted", "before it is accepted, with our id", "after", "after, with our id"}

func TestReceiptsFindTheirMessage(t *testing.T) {
	for _, stage := range stages {
		t.Run(stage, func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
				sent, read := receipt("wamid.1", chat.Sent, after(2)), receipt("wamid.1", chat.Read, after(4))
				withID := stage == stages[1] || stage == stages[3]
				if withID {
					sent.ID = m.ID
				}
				if stage == stages[2] || stage == stages[3] {
					m = accept(t, s, m, "wamid.1")
				}
				settle(t, s, read) // never with our id: what it is parked under must be found by the other's
				_, found := settle(t, s, sent)
				if want := stage != stages[0]; found != want {
					t.Errorf("found its message: %v", found)
				}
				if !withID {
					accept(t, s, m, "wamid.1")
				}
				got, err := s.Lookup(t.Context(), "m_1")
				if err != nil || got.Status != chat.Read || got.ProviderID != "wamid.1" || len(got.Steps) < 2 {
					t.Errorf("%s, %q, %v, %v", got.Status, got.ProviderID, got.Steps, err)
				}
			})
		})
	}
}

func accept(t *testing.T, s *Store, m chat.Message, providerID string) chat.Message {
	t.Helper()
	m, err := s.Accept(t.Context(), m, providerID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A function that dies after it named the message and before it looked for parked receipts is made up for by the
// redelivery of its receipt.
func TestParkedReceiptsSurviveADeath(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
	settle(t, s, receipt("wamid.1", chat.Read, after(4)))
	failed := receipt("wamid.1", chat.Failed, after(2))
	failed.ID = m.ID
	dying := &deadAfterWrite{API: mem}
	if _, _, err := newStore(dying, "table").Settle(t.Context(), failed); err == nil {
		t.Fatal("it didn't die")
	}
	settle(t, s, failed)
	if got, err := s.Lookup(t.Context(), "m_1"); err != nil || got.Status != chat.Read {
		t.Errorf("%s, %v", got.Status, err)
	}
}

// deadAfterWrite is a process that does one transaction and nothing after it.
type deadAfterWrite struct {
	API
	dead bool
}

var errDead = &types.InternalServerError{}

func (d *deadAfterWrite) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, f ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if d.dead {
		return nil, errDead
	}
	d.dead = true
	return d.API.TransactWriteItems(ctx, in, f...)
}

func (d *deadAfterWrite) Query(ctx context.Context, in *dynamodb.QueryInput, f ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if d.dead {
		return nil, errDead
	}
	return d.API.Query(ctx, in, f...)
}

func (d *deadAfterWrite) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, f ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if d.dead {
		return nil, errDead
	}
	return d.API.BatchGetItem(ctx, in, f...)
}

func TestSettledNamesTheReceipt(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
		sent := receipt("wamid.1", chat.Sent, after(2))
		sent.ID = m.ID
		for range 2 { // and on a redelivery
			if got, ok := settle(t, s, sent); !ok || got.Settled != sent.Hash {
				t.Fatalf("it is %q that settled it", got.Settled)
			}
		}
		if got, _ := settle(t, s, receipt("wamid.1", chat.Read, after(3))); got.Settled != sent.Hash {
			t.Error("a receipt that told nothing new about Meta settled it")
		}
		failed := receipt("wamid.1", chat.Failed, after(4))
		if got, _ := settle(t, s, failed); got.Settled == failed.Hash || got.Status != chat.Read {
			t.Errorf("a message that was read failed: %s", got.Status)
		}
	})
}

func TestReceiptForAMessageOfTheCustomer(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := receive(t, s, inbound("w1", noon, chat.Seen{BSUID: "ES.1"})).Message
		if got, ok := settle(t, s, receipt("w1", chat.Failed, after(1))); !ok || !reflect.DeepEqual(got, m) {
			t.Errorf("%v %+v", ok, got)
		}
	})
}

func TestChangeUnderContention(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
		const n = 8
		together(n, func(i int) {
			persist(t, func() error {
				_, err := s.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
					m.Send.Attempt++
					m.Send.Lease = fmt.Sprint("lease ", i)
					return nil
				})
				return err
			})
		})
		if got, err := s.Lookup(t.Context(), "m_1"); err != nil || got.Send.Attempt != n {
			t.Errorf("%d attempts, want %d, %v", got.Send.Attempt, n, err)
		}
	})
}

func TestChangeOnlyOneTakesTheLease(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
		taken := errors.New("taken")
		var leases atomic.Int32
		together(8, func(i int) {
			mine := fmt.Sprint("lease ", i)
			persist(t, func() error {
				_, err := s.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
					if m.Send.Lease != "" && m.Send.Lease != mine {
						return taken
					}
					m.Send.Lease, m.Send.LeaseUntil = mine, after(60)
					return nil
				})
				if err == nil {
					leases.Add(1)
				}
				if errors.Is(err, taken) {
					return nil
				}
				return err
			})
		})
		if leases.Load() != 1 {
			t.Errorf("%d have the lease", leases.Load())
		}
	})
}

func TestChangeSame(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	m := queue(t, s, outbound("m_1", after(1), somebody(t, s)))
	before := mem.Items()
	got, err := s.Change(t.Context(), m.Conversation, m.At, m.ID, func(*chat.Message) error { return Same() })
	if err != nil || !reflect.DeepEqual(got, m) || !reflect.DeepEqual(mem.Items(), before) {
		t.Errorf("nothing to change: %v\n%+v", err, got)
	}
	no := errors.New("no")
	if _, err := s.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error { m.Text = "x"; return no }); err != no {
		t.Errorf("the edit's error became %v", err)
	}
	if !reflect.DeepEqual(mem.Items(), before) {
		t.Error("a refused change was written")
	}
	if _, err := s.Change(t.Context(), m.Conversation, m.At.Add(time.Hour), m.ID, nil); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("a message that isn't there: %v", err)
	}
}

// Meta's answer to a send says who the recipient is, and counts as a message that shows it.
func TestAnswered(t *testing.T) {
	toPhone := func(c chat.ContactID, phone string) chat.Message {
		m := outbound("m_1", after(9), c)
		m.Send.To = chat.Address{Phone: phone}
		return m
	}
	for _, c := range []struct {
		name        string
		story       []step // the first is about the recipient
		to          string
		waid, bsuid string
		want        []string
	}{
		{"nothing new", []step{{0, onlyP("p")}}, "p", "p", "", []string{"w0: p"}},
		{"another spelling", []step{{0, onlyP("p")}}, "p", "9p", "", []string{"w0: 9p p"}},
		{"an id", []step{{0, onlyP("p")}}, "p", "p", "B1", []string{"w0: B1 p"}},
		{"an id that is known", []step{{0, onlyP("p")}, {1, onlyB("B1")}}, "p", "p", "B1", []string{"w0 w1: B1 p"}},
		{"another person's id", []step{{0, both("B1", "p")}, {1, onlyB("B2")}}, "p", "p", "B2", []string{"w0: B1 !", "w1: B2 p !"}},
		{"another person's phone", []step{{0, both("B1", "p")}, {1, both("B2", "q")}}, "p", "q", "", []string{"w0: B1 p !", "w1: B2 q !"}},
		{"a phone that isn't the contact's any more", []step{{0, both("B1", "p")}, {1, both("B2", "p")}}, "p", "9p", "", []string{"w0: B1 !", "w1: 9p B2 p !"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				if _, err := s.SeeNumber(t.Context(), Number{ID: ourNumber, WABA: "waba", Seen: chat.Stamp{At: noon, ID: "w0"}}); err != nil {
					t.Fatal(err)
				}
				tell(t, s, c.story)
				first, err := s.Receive(t.Context(), inbound("w0", after(c.story[0].at), c.story[0].seen))
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if err := s.Answered(t.Context(), toPhone(first.Message.Contact, c.to), c.waid, c.bsuid); err != nil {
						t.Fatal(err)
					}
				}
				if got := people(t, s); fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("there are %v, want %v", got, c.want)
				}
			})
		})
	}
	t.Run("nobody", func(t *testing.T) {
		mem := NewMemory()
		s := newStore(mem, "table")
		group := outbound("m_2", after(9), "")
		group.Send.To = chat.Address{Group: "g"}
		for _, m := range []chat.Message{group, toPhone("erased", "p")} {
			if err := s.Answered(t.Context(), m, "q", "B1"); err != nil || len(mem.Items()) != 0 {
				t.Errorf("%d items, %v", len(mem.Items()), err)
			}
		}
	})
}
