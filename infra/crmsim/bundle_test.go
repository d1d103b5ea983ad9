package crmsim

import (
	"testing"
	"time"
)

const span = 5 * time.Minute

// bundled is a story as entries of several messages show it.
func bundled(s story) story {
	out := story{}
	for from, entries := range s {
		var all []want
		for _, w := range entries {
			if last := len(all) - 1; last >= 0 && w.at.Before(all[last].at.Add(span)) {
				all[last].texts, all[last].files = append(all[last].texts, w.texts...), append(all[last].files, w.files...)
				continue
			}
			all = append(all, w)
		}
		out[from] = all
	}
	return out
}

// TestBundles: what is written within five minutes is one entry, in order and with its files, whatever goes wrong meanwhile.
func TestBundles(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		for seed := range uint64(seeds(1)) {
			n := 0
			r := New(t, Options{Seed: seed + 1, Twice: true, Bundle: span, Fault: func(Call) Fault {
				if n++; n%17 > 0 {
					return None
				}
				return Faults[(n/17)%len(Faults)]
			}}, k)
			s := tell(r, 4, 20, often)
			r.Quiet()
			check(t, r.CRMs[0], bundled(s))
			settled(t, r)
		}
	})
}

// TestBundlesOfAGroupChat: several customers write in one chat, and each has their own words on their record.
func TestBundlesOfAGroupChat(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1, Bundle: span}, k)
		s := story{}
		for i, text := range []string{"<one>", "<two>", "<three>", "<four>"} {
			from := number(i % 2)
			r.After(time.Duration(i)*time.Second, func() { r.GroupText("120363040000000001", from, "wamid."+text, text) })
			s[from] = append(s[from], want{texts: []string{text}, at: r.Now()})
		}
		r.Quiet()
		check(t, r.CRMs[0], bundled(s))
	})
}
