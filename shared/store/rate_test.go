package store

import (
	"testing"
	"time"
)

func TestRates(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		const step = 5 * time.Minute
		now := noon
		s.Now = func() time.Time { return now }
		is := func(want float64) {
			t.Helper()
			if got, err := s.Rate(t.Context(), "crm", step); err != nil || got != want {
				t.Errorf("after %v it is %v (%v), want %v", now.Sub(noon), got, err, want)
			}
		}
		slow := func(d time.Duration) {
			t.Helper()
			now = now.Add(d)
			if err := s.Slow(t.Context(), "crm"); err != nil {
				t.Fatal(err)
			}
		}
		is(firstRate)
		now = now.Add(step - time.Second)
		is(firstRate)
		now = now.Add(time.Second)
		is(firstRate + rateStep)
		is(firstRate + rateStep)
		slow(time.Minute)
		slow(objection - time.Second) // about the same
		is((firstRate + rateStep) / 2)
		for range 10 {
			slow(objection)
		}
		is(leastRate)
		for range 100 {
			now = now.Add(step)
			_, _ = s.Rate(t.Context(), "crm", step)
		}
		is(mostRate)
		now = now.Add(2 * idleRate)
		is(firstRate)
		slow(2 * idleRate)
		is(firstRate / 2)
		if got, err := s.Rate(t.Context(), "another", step); err != nil || got != firstRate {
			t.Errorf("another's is %v (%v)", got, err)
		}
	})
}
