package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"threadline/shared/chat"
)

func TestImportQuiet(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := noon
		s.Now = func() time.Time { return now }
		quiet := func() time.Time {
			t.Helper()
			since, err := s.ImportQuiet(t.Context(), ourNumber)
			if err != nil {
				t.Fatal(err)
			}
			return since
		}
		if !quiet().IsZero() {
			t.Error("an import that never was is quiet since", quiet())
		}
		for _, c := range []struct{ at, want int }{{0, 0}, {9, 0}, {10, 10}, {5, 10}, {15, 10}, {100, 100}} {
			now = after(c.at)
			if err := s.SawImport(t.Context(), ourNumber); err != nil {
				t.Fatal(err)
			}
			if !quiet().Equal(after(c.want)) {
				t.Errorf("seen at %d: quiet since %v, want %d", c.at, quiet(), c.want)
			}
		}
		if since, err := s.ImportQuiet(t.Context(), "200"); err != nil || !since.IsZero() {
			t.Errorf("of another number: %v, %v", since, err)
		}
	})
}

// An import is many updates at once; each takes one call, and few of them write.
func TestSawImportWritesSeldom(t *testing.T) {
	meter := NewMeter(NewMemory())
	s := newStore(meter, "table")
	for i := range 100 {
		s.Now = func() time.Time { return noon.Add(time.Duration(i) * 100 * time.Millisecond) }
		if err := s.SawImport(t.Context(), ourNumber); err != nil {
			t.Fatal(err)
		}
	}
	if c := meter.Cost(); c.Calls != 101 || c.Written != 1 {
		t.Errorf("%+v", c)
	}
}

func TestJob(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const conv = chat.ConversationID("100.01ABC")
		is := func(want Job) {
			t.Helper()
			if j, err := s.Job(t.Context(), conv, ImportJob); err != nil || j != want {
				t.Errorf("it is %+v, want %+v, %v", j, want, err)
			}
		}
		begin := func(id string, until int) {
			t.Helper()
			if err := s.BeginJob(t.Context(), conv, ImportJob, id, after(until)); err != nil {
				t.Fatal(err)
			}
		}
		save := func(j Job, want bool) {
			t.Helper()
			if current, err := s.SaveJob(t.Context(), conv, ImportJob, j); err != nil || current != want {
				t.Errorf("%+v is current: %v, %v", j, current, err)
			}
		}
		is(Job{})
		save(Job{ID: "a", Cursor: "MSG#1"}, false)
		save(Job{}, false)
		is(Job{})
		begin("b", 5)
		is(Job{ID: "b", Until: after(5)})
		save(Job{ID: "b", Cursor: "MSG#2"}, true)
		begin("b", 5) // a redelivery of what began it
		is(Job{ID: "b", Until: after(5), Cursor: "MSG#2"})
		save(Job{ID: "b", Cursor: "MSG#1"}, true) // a second delivery of the job, and slower
		is(Job{ID: "b", Until: after(5), Cursor: "MSG#2"})
		save(Job{ID: "b", Cursor: "MSG#3", Done: true}, true)
		save(Job{ID: "b", Cursor: "MSG#3"}, true)
		is(Job{ID: "b", Until: after(5), Cursor: "MSG#3", Done: true})
		begin("a", 4) // more was imported, earlier; ids are in no order
		is(Job{ID: "a", Until: after(5)})
		save(Job{ID: "b", Cursor: "MSG#4"}, false)
		is(Job{ID: "a", Until: after(5)})
		begin("c", 6)
		is(Job{ID: "c", Until: after(6)})
	})
}

// A job that was replaced learns it, whoever is faster.
func TestAJobMeetsTheNextOne(t *testing.T) {
	const conv = chat.ConversationID("100.01ABC")
	ctx := context.Background()
	begin := func(id string) func(*Store) error {
		return func(s *Store) error { return s.BeginJob(ctx, conv, ImportJob, id, noon) }
	}
	meet(t, func(s *Store) {
		if err := s.BeginJob(ctx, conv, ImportJob, "a", noon); err != nil {
			t.Fatal(err)
		}
	}, begin("b"), func(s *Store) error {
		_, err := s.SaveJob(ctx, conv, ImportJob, Job{ID: "a", Cursor: "MSG#1", Done: true})
		return err
	}, func(s *Store) error {
		if j, err := s.Job(ctx, conv, ImportJob); err != nil || j != (Job{ID: "b", Until: noon}) {
			return fmt.Errorf("%+v, %w", j, err)
		}
		if current, err := s.SaveJob(ctx, conv, ImportJob, Job{ID: "a"}); err != nil || current {
			return errors.New("it wasn't told")
		}
		return nil
	})
}

func TestSlots(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := noon
		s.Now = func() time.Time { return now }
		take := func(holder string, want bool) {
			t.Helper()
			if taken, err := s.TakeSlot(t.Context(), "crm", holder, 2, time.Minute); err != nil || taken != want {
				t.Errorf("%s takes one: %v, %v", holder, taken, err)
			}
		}
		take("a", true)
		take("b", true)
		take("c", false)
		now = after(40)
		take("a", true) // keeps it for longer
		now = after(70)
		take("c", true) // instead of b
		take("b", false)
		if taken, err := s.TakeSlot(t.Context(), "elsewhere", "b", 1, time.Minute); err != nil || !taken {
			t.Errorf("of another name: %v, %v", taken, err)
		}
		for _, holder := range []string{"a", "nobody", "b", "a"} {
			if err := s.FreeSlot(t.Context(), "crm", holder); err != nil {
				t.Fatal(err)
			}
		}
		take("b", true)
		take("a", false)
		if taken, err := s.TakeSlot(t.Context(), "elsewhere", "c", 1, time.Minute); err != nil || taken {
			t.Errorf("freeing took another name's: %v, %v", taken, err)
		}
	})
}

func TestSlotsUnderContention(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const slots = 4
		var taken atomic.Int32
		together(3*slots, func(i int) {
			holder := fmt.Sprint("holder ", i%(2*slots)) // some come twice at once
			persist(t, func() error {
				ok, err := s.TakeSlot(t.Context(), "crm", holder, slots, time.Minute)
				if ok && i < 2*slots {
					taken.Add(1)
				}
				return err
			})
		})
		if n := taken.Load(); n > slots {
			t.Errorf("%d hold one of %d", n, slots)
		}
		items, err := s.query(t.Context(), prefix("LIMIT#crm", "SLOT#"))
		if err != nil {
			t.Fatal(err)
		}
		holders := map[string]bool{}
		for _, it := range items {
			d, err := decode[slot](keyOf(it), it)
			if err != nil {
				t.Fatal(err)
			}
			holders[d.val.Holder] = true
		}
		if len(items) != slots || len(holders) != slots {
			t.Errorf("%d slots are held by %d", len(items), len(holders))
		}
	})
}

// One slot, two who want it, in every order of their calls: never both have it.
func TestTwoWantASlot(t *testing.T) {
	ctx := context.Background()
	var has [2]bool
	take := func(i int) func(*Store) error {
		return func(s *Store) (err error) {
			has[i], err = s.TakeSlot(ctx, "crm", fmt.Sprint("holder ", i), 1, time.Minute)
			return err
		}
	}
	meet(t, func(*Store) {}, take(0), take(1), func(*Store) error {
		if has[0] == has[1] {
			return fmt.Errorf("who has it: %v", has)
		}
		return nil
	})
}
