package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"threadline/shared/chat"
)

// turns lets two operations take turns at the table: bit i of plan says whose the i-th call is. That is every way in
// which two functions can meet, as far as the plan reaches.
type turns struct {
	asks [2]chan struct{} // an operation wants to make a call
	goes [2]chan struct{} // it may, and says when it has made it
	done [2]chan error
}

func take(db API, plan uint, ops [2]func(*Store) error) [2]error {
	tt := &turns{}
	for i := range ops {
		tt.asks[i], tt.goes[i], tt.done[i] = make(chan struct{}), make(chan struct{}), make(chan error, 1)
		s := newStore(&turn{db, tt, i}, "table")
		s.Pause = func(context.Context, int) error { return nil }
		go func() { tt.done[i] <- ops[i](s) }()
	}
	var errs [2]error
	var waiting, over [2]bool
	for call := 0; ; call++ {
		for i := range ops {
			if waiting[i] || over[i] {
				continue
			}
			select {
			case <-tt.asks[i]:
				waiting[i] = true
			case errs[i] = <-tt.done[i]:
				over[i] = true
			}
		}
		who := int(plan >> call & 1)
		if over[who] {
			who = 1 - who
		}
		if over[who] {
			return errs
		}
		tt.goes[who] <- struct{}{}
		<-tt.goes[who]
		waiting[who] = false
	}
}

// turn is the table as one of the two operations sees it.
type turn struct {
	API
	*turns
	i int
}

func (u *turn) call(f func()) {
	u.asks[u.i] <- struct{}{}
	<-u.goes[u.i]
	f()
	u.goes[u.i] <- struct{}{}
}

func (u *turn) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.BatchGetItemOutput, err error) {
	u.call(func() { out, err = u.API.BatchGetItem(ctx, in, o...) })
	return out, err
}

func (u *turn) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (out *dynamodb.QueryOutput, err error) {
	u.call(func() { out, err = u.API.Query(ctx, in, o...) })
	return out, err
}

func (u *turn) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.PutItemOutput, err error) {
	u.call(func() { out, err = u.API.PutItem(ctx, in, o...) })
	return out, err
}

func (u *turn) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (out *dynamodb.TransactWriteItemsOutput, err error) {
	u.call(func() { out, err = u.API.TransactWriteItems(ctx, in, o...) })
	return out, err
}

// meet runs two operations in every order of their first nine calls. prepare may be nil.
func meet(t *testing.T, prepare func(*Store), a, b func(*Store) error, check func(*Store) error) {
	t.Helper()
	for plan := range uint(1 << 9) {
		mem := NewMemory()
		s := newStore(mem, "table")
		prepare(s)
		for i, err := range take(mem, plan, [2]func(*Store) error{a, b}) {
			if err != nil {
				t.Fatalf("plan %09b: operation %d: %v", plan, i, err)
			}
		}
		if err := check(s); err != nil {
			t.Fatalf("plan %09b: %v", plan, err)
		}
	}
}

func settling(rs ...chat.Receipt) func(*Store) error {
	return func(s *Store) error {
		for _, r := range rs {
			if _, _, err := s.Settle(context.Background(), r); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestReceiptMeetsItsMessage(t *testing.T) {
	m := outbound("m_1", after(1), "")
	prepare := func(s *Store) {
		m = queue(t, s, outbound("m_1", after(1), somebody(t, s)))
	}
	accepting := func(s *Store) error { _, err := s.Accept(context.Background(), m, "wamid.1"); return err }
	read := receipt("wamid.1", chat.Read, after(3))
	withID := receipt("wamid.1", chat.Sent, after(2))
	withID.ID = "m_1"
	isRead := func(s *Store) error {
		got, err := s.Lookup(context.Background(), "m_1")
		if err == nil && (got.Status != chat.Read || got.ProviderID != "wamid.1") {
			err = fmt.Errorf("it is %s as %q", got.Status, got.ProviderID)
		}
		return err
	}
	t.Run("accepted", func(t *testing.T) { meet(t, prepare, settling(read), accepting, isRead) })
	t.Run("named by another receipt", func(t *testing.T) { meet(t, prepare, settling(read), settling(withID), isRead) })
	t.Run("both", func(t *testing.T) { meet(t, prepare, settling(read, withID), accepting, isRead) })
}

// An echo of what was written in the phone app is a message of the provider's that gets receipts.
func TestReceiptMeetsAnEcho(t *testing.T) {
	echo := inbound("w1", noon, chat.Seen{BSUID: "ES.1"})
	echo.Message.Direction, echo.Message.Status, echo.Message.Origin = chat.Out, chat.Accepted, chat.FromPhoneApp
	meet(t, func(*Store) {}, settling(receipt("w1", chat.Delivered, after(1))),
		func(s *Store) error { _, err := s.Receive(context.Background(), echo); return err },
		func(s *Store) error {
			got, err := s.Receive(context.Background(), echo)
			if err == nil && (got.First || got.Message.Status != chat.Delivered) {
				err = fmt.Errorf("%+v", got)
			}
			return err
		})
}

func TestPeopleMeet(t *testing.T) {
	receiving := func(id string, at int, seen chat.Seen) func(*Store) error {
		return func(s *Store) error {
			_, err := s.Receive(context.Background(), inbound(id, after(at), seen))
			return err
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(*Store)
		a, b    func(*Store) error
		want    string
	}{
		{"one person, first seen", func(*Store) {}, receiving("v1", 1, both("B1", "p")), receiving("v2", 2, onlyP("p")), "[v1 v2: B1 p]"},
		{"two ids at a known phone", func(s *Store) { receive(t, s, inbound("v0", noon, onlyP("p"))) },
			receiving("v1", 1, both("B1", "p")), receiving("v2", 2, onlyB("B1")), "[v0 v1 v2: B1 p]"},
		{"a join and a message", func(s *Store) {
			receive(t, s, inbound("v0", noon, onlyP("p")))
			receive(t, s, inbound("v1", after(1), onlyB("B1")))
		}, receiving("v2", 2, both("B1", "p")), receiving("v3", 3, onlyB("B1")), "[v0 v1 v2 v3: B1 p]"},
		{"two joins", func(s *Store) {
			for i := range 3 {
				receive(t, s, inbound(fmt.Sprint("v", i), after(i), onlyB(fmt.Sprint("B", i))))
			}
		}, receiving("v3", 3, newID("B1", "B2")), receiving("v4", 4, newID("B0", "B1")), "[v0 v1 v2 v3 v4: B0 B1 B2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			meet(t, c.prepare, c.a, c.b, func(s *Store) error {
				if got := fmt.Sprint(people(t, s)); got != c.want {
					return fmt.Errorf("there are %s, want %s", got, c.want)
				}
				return nil
			})
		})
	}
	t.Run("two people at one phone", func(t *testing.T) {
		meet(t, func(s *Store) { receive(t, s, inbound("v0", noon, onlyP("p"))) },
			receiving("v1", 1, both("B1", "p")), receiving("v2", 1, both("B2", "p")),
			func(s *Store) error {
				for _, got := range people(t, s) {
					if got[len(got)-1] != '!' {
						return fmt.Errorf("there are %v", people(t, s))
					}
				}
				return nil
			})
	})
}
