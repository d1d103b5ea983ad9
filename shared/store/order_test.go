package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

// What is a function of the set of updates, and what isn't.
//
// Where no phone is shown with two business-scoped ids of one account, everything is: who is joined with whom, names,
// which messages each person has, windows, who holds an identity at which time, where a person is to be reached.
// TestUpdatesCommute shows it.
//
// Where one is, two people are told apart by what is known when an update arrives. Out of order,
//   - a message that showed the phone alone stays with the contact that had the phone then, and that contact is
//     completed by whichever id comes first, not by the one that had the phone at that time;
//   - an id of a second account that shows the same phone goes to whoever has the phone when it comes;
//   - the flags stay on people whom Meta's word about a change joins later;
//   - an id of a second account that was shown with another's phone draws that other along when a parent id, which is
//     Meta's word, tells whose it is.
//
// What holds all the same, in any order: one id is one person's, and two ids of one account are never one person's
// unless Meta said so. TestPeopleStayApart shows that.
//
// What people decide by hand is about contacts that there are already. TestDecisionsCommute shows that with these,
// whatever updates and decisions follow, who is one person is a function of their set: evidence that comes late,
// decisions that come in the wrong order or twice.

// shift is a time of the worlds: they last some days, because what is known to the day matters.
func shift(n int) time.Time { return noon.Add(time.Duration(n-4) * 13 * time.Hour) }

// world makes random updates about a few people. shared lets phones be shown with several ids of an account.
func world(rng *rand.Rand, shared bool) []Inbound {
	var all []Inbound
	for i := range 4 + rng.IntN(6) {
		person := rng.IntN(3)
		b, p := fmt.Sprint("B", person), fmt.Sprint("p", person)
		if shared {
			p = fmt.Sprint("p", rng.IntN(2))
		}
		var seen chat.Seen
		switch rng.IntN(8) {
		case 0, 1:
			seen = onlyB(b)
		case 2, 3:
			seen = onlyP(p)
		case 4:
			seen = both(b, p)
		case 5:
			seen = atW("W"+b, p)
		case 6:
			if seen = newPhone("old "+p, p); shared {
				seen = newPhone(fmt.Sprint("p", rng.IntN(2)), p)
			}
		case 7:
			seen = newID("old "+b, b)
		}
		if seen.BSUID != "" && (!shared || seen.Scope != "W") && rng.IntN(3) == 0 {
			seen.Parent = fmt.Sprint("P", person)
		}
		if seen.Phone != "" && !shared {
			spell(rng, &seen)
		}
		if rng.IntN(3) == 0 {
			seen.Name = fmt.Sprint("name ", i)
		}
		if rng.IntN(4) == 0 {
			saved := fmt.Sprint("saved ", rng.IntN(2))
			seen.Saved = &saved
		}
		if rng.IntN(3) == 0 {
			seen.KeyHash = fmt.Sprint("key ", rng.IntN(2))
		}
		all = append(all, inbound(fmt.Sprintf("w%d", i), shift(rng.IntN(5)), seen))
	}
	return all
}

// spell writes the phone in one of three ways and names the others, as the numbers of some countries have them.
func spell(rng *rand.Rand, seen *chat.Seen) {
	ways := []string{seen.Phone, "9" + seen.Phone, "99" + seen.Phone}
	n := rng.IntN(len(ways))
	seen.Phone = ways[n]
	seen.Variants = slices.Delete(ways, n, n+1)
}

// view is what is to be seen of a store: every person with all that is known of them, and who an identity leads to.
func view(t *testing.T, s *Store, updates []Inbound) string {
	t.Helper()
	var lines []string
	names := map[chat.ContactID]string{}
	for _, l := range conversations(t, s, Filter{}, 3) {
		known, err := s.Identities(t.Context(), l.With)
		if err != nil {
			t.Fatal(err)
		}
		var own []string
		for _, i := range known {
			own = append(own, i.Value)
		}
		name := strings.Join(own, " ") // in the order of reach
		names[l.With.ID] = name
		ms := strings.Fields(ids(messages(t, s, l.ID, 3)))
		slices.Sort(ms) // within a second they are in the order of arrival
		lines = append(lines, fmt.Sprint(name, ": ", l.With.Name, l.With.Saved, l.With.KeyHash, l.With.Flags, ms, l.Activity, l.LastInbound, l.Arrivals))
	}
	for _, in := range updates {
		for _, k := range aliasKeys(in.Seen) {
			items, err := s.get(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			a, err := read[chat.Alias](items, k)
			if err != nil {
				t.Fatal(err)
			}
			for at := range 5 {
				if len(a.val.Holders) == 0 {
					continue // a spelling that nobody used
				}
				c, err := s.Contact(t.Context(), a.val.HolderAt(shift(at)))
				if err != nil {
					t.Fatal(err)
				}
				lines = append(lines, fmt.Sprint(k.pk, " at ", at, " is ", names[c.ID]))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

func arrive(t *testing.T, updates []Inbound) *Store {
	t.Helper()
	s := newStore(NewMemory(), "table")
	for _, in := range updates {
		receive(t, s, in)
	}
	return s
}

func shuffled(rng *rand.Rand, updates []Inbound) []Inbound {
	out := append(slices.Clone(updates), updates[rng.IntN(len(updates))]) // one of them twice
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func describe(updates []Inbound) string {
	var out []string
	for _, in := range updates {
		out = append(out, fmt.Sprintf("%s at %v: %+v", in.Message.ID, in.Message.At.Sub(noon), in.Seen))
	}
	return strings.Join(out, "\n")
}

func TestUpdatesCommute(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		updates := world(rng, false)
		want := view(t, arrive(t, updates), updates)
		for range 4 {
			again := shuffled(rng, updates)
			if d := difference(view(t, arrive(t, again), updates), want); d != "" {
				t.Fatalf("seed %d:\n%s\narrived as\n%s\nare seen as\n%s", seed, describe(updates), describe(again), d)
			}
		}
	}
}

func TestPeopleStayApart(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		updates := shuffled(rng, world(rng, true))
		s := arrive(t, updates)
		for _, scope := range []string{"waba", "W"} {
			owners := map[chat.ContactID]string{}
			for _, in := range updates {
				if in.Seen.Scope != scope || in.Seen.BSUID == "" {
					continue
				}
				c, ok, err := s.FindContact(context.Background(), chat.AliasBSUID, in.Seen.BSUID)
				if !ok || err != nil {
					t.Fatal(in.Seen.BSUID, ok, err)
				}
				if other := owners[c.ID]; other != "" && other != in.Seen.BSUID {
					t.Fatalf("seed %d:\n%s\n%s and %s are one person", seed, describe(updates), other, in.Seen.BSUID)
				}
				owners[c.ID] = in.Seen.BSUID
			}
		}
	}
}
