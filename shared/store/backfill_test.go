package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"threadline/shared/chat"
)

func TestEveryConversationIsFoundOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var want []chat.ConversationID
		for i := range 23 {
			m := receive(t, s, inbound(fmt.Sprint("w", i), after(i*7%23), onlyP(fmt.Sprint(34600000000+i)))).Message
			want = append(want, m.Conversation)
		}
		joined := receive(t, s, inbound("j", after(50), both("ES.1", "34600000003"))) // one more identity of one of them
		a, b := want[1].Contact, want[2].Contact
		first, _ := a()
		second, _ := b()
		if _, err := s.Join(t.Context(), first, second, chat.Stamp{At: noon, ID: "by hand"}); err != nil {
			t.Fatal(err)
		}
		if joined.Message.Conversation != want[3] {
			t.Fatalf("%+v", joined)
		}
		slices.Sort(want)
		for _, limit := range []int{1, 5, 22, 23, 100} {
			var got []chat.ConversationID
			at := ""
			for range 50 {
				page, last, err := s.EveryConversation(t.Context(), at, limit)
				if err != nil || len(page) > limit {
					t.Fatal(len(page), err)
				}
				got, at = append(got, page...), last
				if len(page) < limit {
					break
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("by %d: %d of %d", limit, len(got), len(want))
			}
		}
	})
}

// TestAConversationThatGoesOnMovesAhead: it is met again, and nobody is passed over.
func TestAConversationThatGoesOnMovesAhead(t *testing.T) {
	s := newStore(NewMemory(), "table")
	all := map[chat.ConversationID]bool{}
	for i := range 10 {
		all[receive(t, s, inbound(fmt.Sprint("w", i), after(i), onlyP(fmt.Sprint(34600000000+i)))).Message.Conversation] = true
	}
	at := ""
	for i := 0; ; i++ {
		page, last, err := s.EveryConversation(t.Context(), at, 2)
		if err != nil {
			t.Fatal(err)
		}
		if at = last; len(page) == 0 {
			break
		}
		for _, conv := range page {
			delete(all, conv)
		}
		if i < 5 {
			receive(t, s, inbound(fmt.Sprint("v", i), after(100+i), onlyP(fmt.Sprint(34600000009-i))))
		}
	}
	if len(all) != 0 {
		t.Errorf("%d were passed over", len(all))
	}
}

func TestBackfill(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		is := func(want Backfill) {
			t.Helper()
			want.Connector, want.Since = "odoo", thirteen
			if got, err := s.Backfill(t.Context(), "odoo"); err != nil || got != want {
				t.Errorf("it is %+v, want %+v, %v", got, want, err)
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		save := func(from Backfill, want bool, change func(*Backfill)) {
			t.Helper()
			if current, err := s.SaveBackfill(t.Context(), from, change); err != nil || current != want {
				t.Errorf("from %+v: %v, %v", from, current, err)
			}
		}
		count := func(b *Backfill) { b.Found, b.Cursor = b.Found+2, "1" }
		save(Backfill{Connector: "odoo", ID: "a"}, false, count)
		do(s.BeginBackfill(t.Context(), "odoo", "a"))
		is(Backfill{ID: "a"})
		b := Backfill{Connector: "odoo", ID: "a"}
		save(b, true, count)
		save(b, false, count) // a second delivery
		is(Backfill{ID: "a", Found: 2, Cursor: "1"})
		do(s.BeginBackfill(t.Context(), "odoo", "a"))
		is(Backfill{ID: "a", Found: 2, Cursor: "1"})
		do(s.BeginPart(t.Context(), "100.x", b))
		do(s.BeginPart(t.Context(), "100.x", b))
		do(s.FinishPart(t.Context(), "100.x", "odoo", Job{ID: "other", Fed: 9}))
		if j, err := s.Job(t.Context(), "100.x", BackfillJob("odoo")); err != nil || j != (Job{ID: "a", Seen: thirteen}) {
			t.Errorf("%+v, %v", j, err)
		}
		if _, err := s.SaveJob(t.Context(), "100.x", BackfillJob("odoo"), Job{ID: "a", Cursor: "x", Fed: 5}); err != nil {
			t.Fatal(err)
		}
		do(s.FinishPart(t.Context(), "100.x", "odoo", Job{ID: "a", Cursor: "y"}))
		do(s.FinishPart(t.Context(), "100.x", "odoo", Job{ID: "a", Cursor: "y"}))
		is(Backfill{ID: "a", Found: 2, Cursor: "1", Begun: 1, Finished: 1, Fed: 5})
		if j, err := s.Job(t.Context(), "100.x", ImportJob); err != nil || j != (Job{}) {
			t.Errorf("it is an import's too: %+v, %v", j, err)
		}
		do(s.BeginPart(t.Context(), "100.y", b))
		do(s.BeginBackfill(t.Context(), "odoo", "b"))
		do(s.FinishPart(t.Context(), "100.y", "odoo", Job{ID: "a"})) // an earlier one's
		do(s.BeginPart(t.Context(), "100.y", b))
		is(Backfill{ID: "b"})
		if b, err := s.Backfill(t.Context(), "odoo"); err != nil || !b.Running() {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

// TestPartsEndTogether: nobody's count is lost.
func TestPartsEndTogether(t *testing.T) {
	ctx := context.Background()
	b := Backfill{Connector: "odoo", ID: "a"}
	finish := func(conv chat.ConversationID) func(*Store) error {
		return func(s *Store) error { return s.FinishPart(ctx, conv, "odoo", Job{ID: "a", Fed: 2}) }
	}
	meet(t, func(s *Store) {
		err := s.BeginBackfill(ctx, "odoo", "a")
		for _, conv := range []chat.ConversationID{"100.x", "100.y"} {
			err = errors.Join(err, s.BeginPart(ctx, conv, b))
		}
		if err != nil {
			t.Fatal(err)
		}
	}, finish("100.x"), finish("100.y"), func(s *Store) error {
		if b, err := s.Backfill(ctx, "odoo"); err != nil || b.Begun != 2 || b.Finished != 2 || b.Fed != 4 {
			return fmt.Errorf("%+v, %w", b, err)
		}
		return nil
	})
}

func TestFollowing(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var conv chat.ConversationID
		for i := range 9 {
			in := imported(fmt.Sprint("w", i), i)
			in.Message.Imported = i%2 == 0
			conv = receive(t, s, in).Message.Conversation
		}
		for _, c := range []struct {
			from  time.Time
			limit int
			want  string
		}{{after(-9), 3, "w0 w1 w2"}, {noon, 100, "w0 w1 w2 w3 w4 w5 w6 w7 w8"}, {after(3), 2, "w3 w4"}, {after(99), 2, ""}} {
			page, err := s.Following(t.Context(), conv, FromOn(c.from), c.limit)
			if got := ids(page); err != nil || got != c.want {
				t.Errorf("from %v on: %q, want %q, %v", c.from, got, c.want, err)
			}
		}
	})
}
