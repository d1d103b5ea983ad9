package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestABudgetIsKept: whoever takes calls, and however unevenly, no stretch of the budget's length sees more than it has;
// and whoever waits gets nearly all of it.
func TestABudgetIsKept(t *testing.T) {
	for _, b := range []Budget{{100, 10 * time.Second}, {10, 2 * time.Second}, {1, time.Second}, {2, time.Minute}} {
		s := New(NewMemory(), "t", 0)
		now := noon
		s.Now = func() time.Time { return now }
		rng := rand.New(rand.NewPCG(1, uint64(b.Calls)))
		var taken []time.Time
		for now.Sub(noon) < 20*b.Per {
			got, wait, err := s.Lease(t.Context(), "crm", b, 1+rng.IntN(5), rng.IntN(2) == 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			for range got {
				taken = append(taken, now)
			}
			if got == 0 && wait <= 0 {
				t.Fatalf("%+v: nothing, and no wait", b)
			}
			if rng.IntN(40) == 0 {
				wait += time.Duration(rng.Int64N(int64(b.Per))) // nobody asks for a while
			}
			now = now.Add(wait)
		}
		for i, at := range taken {
			n := 0
			for _, other := range taken[i:] {
				if other.Sub(at) < b.Per {
					n++
				}
			}
			if n > b.Calls {
				t.Fatalf("%+v: %d calls within %s", b, n, b.Per)
			}
		}
		if least := 8 * b.Calls; len(taken) < least && b.Calls > 2 {
			t.Errorf("%+v: %d calls in 20 stretches, want %d at least", b, len(taken), least)
		}
	}
}

// TestThoseWhoWaitHaveTheirTurn: a thousand who come at once wait as long as it is their turn, or are sent away; nobody
// stands in the way of the others.
func TestThoseWhoWaitHaveTheirTurn(t *testing.T) {
	s := New(NewMemory(), "t", 0)
	s.Now = func() time.Time { return noon }
	b, turns, away := Budget{10, 2 * time.Second}, map[time.Duration]int{}, 0
	for range 1000 {
		got, wait, err := s.Lease(t.Context(), "crm", b, 1, false, 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if got == 0 {
			away++
			continue
		}
		turns[wait]++
	}
	if len(turns) < 10 || len(turns) > 15 || away < 980 {
		t.Errorf("%d different turns, %d sent away", len(turns), away)
	}
	for wait, n := range turns {
		if wait > 0 && n > 1 || wait > 3*time.Second {
			t.Errorf("%d have their turn after %s", n, wait)
		}
	}
}

// TestWhatHasTimeLeavesRoom: while an import takes all that it can get, a customer's message finds calls at once.
func TestWhatHasTimeLeavesRoom(t *testing.T) {
	s := New(NewMemory(), "t", 0)
	now := noon
	s.Now = func() time.Time { return now }
	b := Budget{100, 10 * time.Second}
	taken := 0
	for now.Sub(noon) < time.Minute {
		got, wait, err := s.Lease(t.Context(), "crm", b, 4, true, 0)
		if err != nil {
			t.Fatal(err)
		}
		if taken += got; got > 0 {
			continue
		}
		if live, _, err := s.Lease(t.Context(), "crm", b, 4, false, 0); err != nil || live != 4 {
			t.Fatalf("after %s a message finds %d calls (%v)", now.Sub(noon), live, err)
		}
		now = now.Add(max(wait, time.Second))
	}
	if taken < 100 {
		t.Errorf("the import had %d calls in a minute", taken)
	}
}

func TestAGateClosesAndOpens(t *testing.T) {
	s := New(NewMemory(), "t", 0)
	now := noon
	s.Now = func() time.Time { return now }
	entries := 0
	fail := func(least time.Duration) Gate {
		t.Helper()
		entries++
		g, err := s.Fail(t.Context(), "crm", fmt.Sprint("entry ", entries), "down", least)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for range gateFailures - 1 {
		if g := fail(0); !g.Until.IsZero() {
			t.Errorf("closed after %d failures", g.Failures)
		}
	}
	for _, pause := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 900, 900} {
		g := fail(0)
		if g.Until.Sub(now) != pause*time.Second {
			t.Errorf("after %d failures it is left alone for %s, want %d s", g.Failures, g.Until.Sub(now), pause)
		}
		if again := fail(0); again.Failures != g.Failures {
			t.Error("a call that had begun before counts")
		}
		now = g.Until
	}
	for range 2 {
		if err := s.Recover(t.Context(), "crm"); err != nil {
			t.Fatal(err)
		}
	}
	if g, err := s.Gate(t.Context(), "crm"); g != (Gate{}) || err != nil {
		t.Errorf("after that it is %+v (%v)", g, err)
	}
	if g := fail(time.Minute); g.Until.Sub(now) != time.Minute {
		t.Errorf("the CRM asked for a minute, and gets %s", g.Until.Sub(now))
	}
	now = now.Add(time.Hour)
	if g := fail(400 * 24 * time.Hour); g.Until.Sub(now) != gateMost {
		t.Errorf("the CRM asked for a year, and gets %s", g.Until.Sub(now))
	}
}

// TestOneEntryClosesNoGate: what fails by itself, however often, is about itself.
func TestOneEntryClosesNoGate(t *testing.T) {
	s := New(NewMemory(), "t", 0)
	s.Now = func() time.Time { return noon }
	for range 20 {
		if g, err := s.Fail(t.Context(), "crm", "the same", "down", 0); err != nil || !g.Until.IsZero() {
			t.Fatalf("%+v (%v)", g, err)
		}
	}
}
