package crmsim

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	slog.SetDefault(quiet())
	os.Exit(m.Run())
}

// TestFaultsAmongMany: 200 messages of ten customers with 60 files, handled by three functions, each entry delivered twice, and many a
// call goes wrong, in whatever way. CRMSIM_SEEDS says how many runs to make.
func TestFaultsAmongMany(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		for seed := range uint64(seeds(2)) {
			rng := rand.New(rand.NewPCG(seed, 1))
			hit, rare := 0, 3+rng.IntN(40)
			r := New(t, Options{Seed: seed + 1, Twice: true, Fault: func(Call) Fault {
				if rng.IntN(rare) > 0 {
					return None
				}
				hit++
				return Faults[rng.IntN(len(Faults))]
			}}, k)
			s := tell(r, 10, 20, often)
			r.Quiet()
			check(t, r.CRMs[0], s)
			settled(t, r)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			t.Logf("%d of %d calls went wrong", hit, len(r.Calls()))
		}
	})
}

// short is a new customer's text, a photo that comes later, an edit, and an answer; or all of it in one bundle.
func short(r *Rig) story {
	from := number(0)
	photo, bill := []byte("a photo"), []byte("a bill")
	r.Text(from, "wamid.1", "<one>")
	r.After(time.Minute, func() { r.Photo(from, "wamid.2", "<two>", photo, 10*time.Second) })
	r.After(2*time.Minute, func() { r.Edit(from, "wamid.3", "wamid.1", "<three>") })
	r.After(3*time.Minute, func() { r.Answer(from, "m_4", "<four>", bill) })
	entries := []want{
		{texts: []string{"<three>", "Edited. Before: <one>"}},
		{texts: []string{"<two>"}, files: []string{sum(photo)}},
		{texts: []string{"Edited a message:", "<three>"}},
		{texts: []string{"<four>"}, files: []string{sum(bill)}},
	}
	if r.o.Bundle == 0 {
		return story{from: entries}
	}
	var all want
	for _, w := range entries {
		all.texts, all.files = append(all.texts, w.texts...), append(all.files, w.files...)
	}
	return story{from: {all}}
}

// TestEveryFaultAtEveryCall: a short story, with each single call of it going wrong in each way. Of the variants, each third
// call has to do, unless CRMSIM_SEEDS is set.
func TestEveryFaultAtEveryCall(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		for _, bundle := range []time.Duration{0, 5 * time.Minute} {
			for i, fault := range Faults {
				first, step := 1, 1
				if _, main := Kinds[k.Name]; !main && seeds(0) == 0 {
					first, step = 1+i%3, 3
				}
				t.Run(fmt.Sprintf("%s, bundle %s", fault, bundle), func(t *testing.T) {
					for n := first; ; n += step {
						r := New(t, Options{Seed: uint64(n), Workers: 1, Twice: true, Bundle: bundle, Fault: func(c Call) Fault {
							if c.N == n {
								return fault
							}
							return None
						}}, k)
						s := short(r)
						r.Quiet()
						check(t, r.CRMs[0], s)
						settled(t, r)
						if t.Failed() {
							t.Fatalf("after call %d, %s, went wrong", n, r.Calls()[n-1].Op)
						}
						if len(r.Calls()) < n {
							t.Logf("%d calls, and one in %d had its turn", len(r.Calls()), step)
							return
						}
					}
				})
			}
		}
	})
}
