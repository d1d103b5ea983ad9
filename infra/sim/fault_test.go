package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

// conversation is what the faults strike: a text and a photo come in, a reply goes out and is read, a thank-you comes.
func conversation(s *Sim) {
	sum := s.AddFile("900100", "image/jpeg", []byte("a photo"))
	s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
	s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", sum, "look", s.Now()))
	// By then whatever befell the router is over, so that the reply knows the service window and ends with it.
	s.After(time.Hour, func() { s.Reply("key-1", customer, "thank you") })
	s.After(2*time.Hour, func() {
		s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.3", "you are welcome", s.Now()))
	})
	s.Quiet()
}

// perfect is the state that every run must end in, and how many calls a run without faults makes.
func perfect(t *testing.T) (state string, calls int) {
	t.Helper()
	s := New(t, Options{})
	conversation(s)
	if got := s.Delivered(); len(got) != 1 {
		t.Fatalf("a perfect day: %d replies reached the phone, want 1", len(got))
	}
	return s.State(), len(s.Calls())
}

// hit makes the faults happen at the calls with these numbers.
func hit(faults map[int]Fault) func(Call) Fault {
	return func(c Call) Fault { return faults[c.N] }
}

func TestEveryFaultAtEveryCall(t *testing.T) {
	want, calls := perfect(t)
	t.Logf("%d calls, %d faults each", calls, len(Faults))
	for n := 1; n <= calls; n++ {
		for _, fault := range Faults {
			t.Run(fmt.Sprintf("call %d %s", n, fault), func(t *testing.T) {
				t.Parallel()
				converges(t, want, map[int]Fault{n: fault}, 0)
			})
		}
	}
}

func converges(t *testing.T, want string, faults map[int]Fault, seed uint64) {
	t.Helper()
	s := New(t, Options{Fault: hit(faults), Seed: seed})
	conversation(s)
	if diff := Diff(want, s.State()); diff != "" {
		for _, c := range s.Calls() {
			if faults[c.N] != None {
				t.Logf("%s at call %d: %s %s of %s", faults[c.N], c.N, c.Service, c.Op, c.Function)
			}
		}
		t.Errorf("the run didn't end as a perfect one does:\n%s", diff)
	}
}

var (
	seed = flag.Uint64("seed", 20260302, "of the random faults")
	runs = flag.Int("pairs", 1200, "how many pairs of random faults")
)

func TestPairsOfFaults(t *testing.T) {
	want, calls := perfect(t)
	t.Logf("seed %d, %d pairs", *seed, *runs)
	rng := rand.New(rand.NewPCG(*seed, 0))
	for i := range *runs {
		faults := map[int]Fault{}
		for len(faults) < 2 {
			// A run with a fault makes more calls than one without.
			faults[1+rng.IntN(calls+calls/4)] = Faults[rng.IntN(len(Faults))]
		}
		t.Run(fmt.Sprintf("%d %v", i, faults), func(t *testing.T) {
			t.Parallel()
			converges(t, want, faults, uint64(i))
		})
	}
}
