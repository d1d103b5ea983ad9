package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"threadline/shared/chat"
)

func by(second int) chat.Stamp { return chat.Stamp{At: after(second), ID: fmt.Sprint("d", second)} }

// strangers makes n contacts, each known by an id of its own, the oldest first.
func strangers(t *testing.T, s *Store, n int) []chat.ContactID {
	t.Helper()
	var ids []chat.ContactID
	for i := range n {
		ids = append(ids, receive(t, s, inbound(fmt.Sprint("w", i), after(i), onlyB(fmt.Sprint("B", i)))).Message.Contact)
	}
	return ids
}

func join(t *testing.T, s *Store, a, b chat.ContactID, at int) chat.Contact {
	t.Helper()
	c, err := s.Join(t.Context(), a, b, by(at))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func part(t *testing.T, s *Store, c chat.ContactID, at int) chat.Contact {
	t.Helper()
	who, err := s.Part(t.Context(), c, by(at))
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// groups says who is one person: "0+2 1".
func groups(t *testing.T, s *Store, ids []chat.ContactID) string {
	t.Helper()
	return strings.Join(groupsOf(t, s, ids), " ")
}

func groupsOf(t *testing.T, s *Store, ids []chat.ContactID) []string {
	members := map[chat.ContactID][]string{}
	for i, id := range ids {
		who, err := s.Contact(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if who.ID != id && !slices.Contains(who.Absorbed, id) {
			t.Errorf("%s is joined to %s, which doesn't know it", id, who.ID)
		}
		members[who.ID] = append(members[who.ID], fmt.Sprint(i))
	}
	var out []string
	for _, m := range members {
		out = append(out, strings.Join(m, "+"))
	}
	slices.Sort(out)
	return out
}

func TestJoinAndPart(t *testing.T) {
	type deed func(*testing.T, *Store, []chat.ContactID)
	joining := func(a, b, at int) deed {
		return func(t *testing.T, s *Store, c []chat.ContactID) { join(t, s, c[a], c[b], at) }
	}
	parting := func(c, at int) deed {
		return func(t *testing.T, s *Store, all []chat.ContactID) { part(t, s, all[c], at) }
	}
	message := func(at int, seen chat.Seen) deed {
		return func(t *testing.T, s *Store, _ []chat.ContactID) {
			receive(t, s, inbound(fmt.Sprint("m", at), after(at), seen))
		}
	}
	for _, c := range []struct {
		name  string
		deeds []deed
		want  string
	}{
		{"joined", []deed{joining(0, 1, 10)}, "0+1 2 3"},
		{"named the other way round", []deed{joining(2, 1, 10)}, "0 1+2 3"},
		{"joined and parted", []deed{joining(0, 1, 10), parting(1, 11)}, "0 1 2 3"},
		{"joined, parted and joined", []deed{joining(0, 1, 10), parting(1, 11), joining(1, 0, 12)}, "0+1 2 3"},
		{"an older join comes late", []deed{joining(0, 1, 10), parting(1, 12), joining(0, 1, 11)}, "0 1 2 3"},
		{"a join comes after what parted it", []deed{parting(1, 12), joining(0, 1, 11)}, "0 1 2 3"},
		{"an older separation comes late", []deed{joining(0, 1, 10), joining(0, 1, 12), parting(1, 11)}, "0+1 2 3"},
		{"a separation comes twice, around a join", []deed{joining(0, 1, 10), parting(1, 11), joining(0, 1, 12), joining(0, 2, 13), parting(1, 11)}, "0+1+2 3"},
		{"nested", []deed{joining(1, 2, 10), joining(0, 1, 11)}, "0+1+2 3"},
		{"nested, the middle is taken out with what hangs on it", []deed{joining(1, 2, 10), joining(0, 1, 11), parting(1, 12)}, "0 1+2 3"},
		{"nested, the last is taken out", []deed{joining(1, 2, 10), joining(0, 1, 11), parting(2, 12)}, "0+1 2 3"},
		{"nested, joined the other way round", []deed{joining(0, 1, 10), joining(1, 2, 11), parting(1, 12)}, "0 1+2 3"},
		{"two at one, one is taken out", []deed{joining(0, 1, 10), joining(0, 2, 11), parting(1, 12)}, "0+2 1 3"},
		{"two people joined", []deed{joining(0, 1, 10), joining(2, 3, 11), joining(1, 3, 12)}, "0+1+2+3"},
		{"two people joined and parted", []deed{joining(0, 1, 10), joining(2, 3, 11), joining(0, 2, 12), parting(2, 13)}, "0+1 2+3"},
		{"a join outdoes what parted others of the same people", []deed{message(51, newID("B1", "B2")), parting(2, 10),
			message(52, newID("B0", "B1")), joining(0, 2, 12)}, "0+1+2 3"},
		{"evidence doesn't overrule a person", []deed{message(53, newID("B0", "B1")), parting(1, 10), message(54, newID("B1", "B0"))}, "0 1 2 3"},
		{"nor does it through a third", []deed{joining(0, 1, 10), parting(1, 11), message(55, newID("B0", "B2")), message(56, newID("B2", "B1"))}, "0+2 1 3"},
		{"the one who speaks for others isn't joined to any", []deed{joining(0, 1, 10), parting(0, 11)}, "0+1 2 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				all := strangers(t, s, 4)
				for _, d := range c.deeds {
					d(t, s, all)
				}
				if got := groups(t, s, all); got != c.want {
					t.Errorf("there are %s, want %s", got, c.want)
				}
			})
		})
	}
}

// Joining moves nothing: it writes the contacts and nothing else, and parting restores what they show.
func TestJoiningIsUndone(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	say := func(id string, seen chat.Seen, name string) chat.ContactID {
		in := inbound(id, noon, seen)
		in.Seen.Name, in.Seen.KeyHash, in.Seen.ID = name, "key of "+name, id
		return receive(t, s, in).Message.Contact
	}
	a, b := say("w1", onlyB("B1"), "Ana"), say("w2", onlyP("p"), "Bea")
	before := mem.Items()
	if who := join(t, s, a, b, 1); who.ID != a || who.Name != "Bea" || !slices.Equal(who.Absorbed, []chat.ContactID{b}) ||
		!slices.Equal(who.Flags, []string{chat.FlagNewIdentity}) {
		t.Errorf("joined they are %+v", who)
	}
	for k, it := range mem.Items() {
		if k[1] != "CONTACT" && !reflect.DeepEqual(it, before[k]) {
			t.Errorf("%v was written", k)
		}
	}
	part(t, s, b, 2)
	for _, c := range []struct {
		id   chat.ContactID
		name string
	}{{a, "Ana"}, {b, "Bea"}} {
		who, err := s.Contact(t.Context(), c.id)
		if err != nil || who.ID != c.id || who.Name != c.name || who.Own != nil || len(who.Absorbed) != 0 || len(who.Flags) != 0 || who.KeyHash != "key of "+c.name {
			t.Errorf("%+v, %v, want %s", who, err, c.name)
		}
	}
	if got := say("w3", onlyB("B1"), ""); got != a {
		t.Errorf("the id leads to %s", got)
	}
	if got := say("w4", onlyP("p"), ""); got != b {
		t.Errorf("the phone leads to %s", got)
	}
}

// What is learned while contacts are joined belongs to the one whose identity showed it.
func TestLearnedWhileJoined(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a := receive(t, s, inbound("w1", noon, onlyB("B1"))).Message.Contact
		b := receive(t, s, inbound("w2", noon, onlyB("B2"))).Message.Contact
		join(t, s, a, b, 1)
		in := inbound("w3", after(2), both("B2", "p"))
		in.Seen.Name = "Bea"
		if got := receive(t, s, in).Message.Contact; got != a {
			t.Errorf("it went to %s", got)
		}
		saved := "Ana (work)"
		in = inbound("w4", after(3), onlyB("B1"))
		in.Seen.Name, in.Seen.Saved = "Ana", &saved
		receive(t, s, in)
		if who, err := s.Contact(t.Context(), b); err != nil || who.Name != "Ana" || who.Shown() != saved {
			t.Errorf("together they are %+v, %v", who, err)
		}
		part(t, s, b, 4)
		for id, want := range map[chat.ContactID]string{a: "Ana Ana (work) [{bsuid B1}]", b: "Bea Bea [{wa_id p} {bsuid B2}]"} {
			who, err := s.Contact(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			known, err := s.Identities(t.Context(), who)
			if got := fmt.Sprint(who.Name, " ", who.Shown(), " ", known); err != nil || got != want {
				t.Errorf("parted: %s, %v, want %s", got, err, want)
			}
		}
	})
}

// What shows two contacts that somebody parted goes to the one who has the user id; each keeps their identities, and
// both are flagged.
func TestEvidenceOfTheParted(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		phone := receive(t, s, inbound("w1", noon, onlyP("p"))).Message.Contact
		id := receive(t, s, inbound("w2", noon, onlyB("B1"))).Message.Contact
		receive(t, s, inbound("w3", after(1), both("B1", "p")))
		part(t, s, id, 2)
		for n, c := range []struct {
			seen chat.Seen
			want chat.ContactID
		}{{both("B1", "p"), id}, {onlyP("p"), phone}, {onlyB("B1"), id}, {both("B1", "p"), id}} {
			if got := receive(t, s, inbound(fmt.Sprint("v", n), after(3+n), c.seen)).Message.Contact; got != c.want {
				t.Errorf("%+v is %s, want %s", c.seen, got, c.want)
			}
		}
		for _, id := range []chat.ContactID{phone, id} {
			who, err := s.Contact(t.Context(), id)
			if err != nil || who.ID != id || !slices.Equal(who.Flags, []string{chat.FlagSharedPhone}) {
				t.Errorf("%+v, %v", who, err)
			}
		}
		if who := join(t, s, phone, id, 9); who.ID != phone || len(who.Absorbed) != 1 {
			t.Errorf("joined again they are %+v", who)
		}
	})
}

// Whose phone it is doesn't depend on whether the two were joined by hand by the time that it was shown.
func TestRivalsJoinedByHand(t *testing.T) {
	for _, joinedFirst := range []bool{true, false} {
		t.Run(fmt.Sprint("joined first: ", joinedFirst), func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				a := receive(t, s, inbound("w1", noon, both("B1", "p"))).Message.Contact
				b := receive(t, s, inbound("w2", noon, onlyB("B2"))).Message.Contact
				if joinedFirst {
					join(t, s, a, b, 1)
				}
				receive(t, s, inbound("w3", after(2), both("B2", "p")))
				if !joinedFirst {
					join(t, s, a, b, 1)
				}
				part(t, s, b, 3)
				if got := receive(t, s, inbound("w4", after(4), onlyP("p"))).Message.Contact; got != b {
					t.Errorf("it is %s's, want %s", got, b)
				}
				for _, id := range []chat.ContactID{a, b} {
					if who, err := s.Contact(t.Context(), id); err != nil || !slices.Equal(who.Flags, []string{chat.FlagSharedPhone}) {
						t.Errorf("%+v, %v", who, err)
					}
				}
			})
		})
	}
}

func TestJoinErrors(t *testing.T) {
	s := newStore(NewMemory(), "table")
	all := strangers(t, s, mostJoined+1)
	if _, err := s.Join(t.Context(), all[0], all[0], by(1)); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("with itself: %v", err)
	}
	for _, pair := range [][2]chat.ContactID{{all[0], "nobody"}, {"nobody", all[0]}} {
		if _, err := s.Join(t.Context(), pair[0], pair[1], by(1)); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("with nobody: %v", err)
		}
	}
	if _, err := s.Part(t.Context(), "nobody", by(1)); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("nobody is parted: %v", err)
	}
	for i := 1; i < mostJoined; i++ {
		join(t, s, all[i], all[0], i)
	}
	if _, err := s.Join(t.Context(), all[0], all[mostJoined], by(99)); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("more than one person has: %v", err)
	}
	// A message is stored all the same, and nobody is joined.
	receive(t, s, inbound("v", after(99), newID("B0", fmt.Sprint("B", mostJoined))))
	if got := len(groupsOf(t, s, all)); got != 2 {
		t.Errorf("there are %d people", got)
	}
	if who := part(t, s, all[1], 100); who.ID != all[1] {
		t.Errorf("taken out of many it is %+v", who)
	}
}

// apart is the decision that Part makes of a single pair.
func apart(s *Store, a, b chat.ContactID, at int) error {
	_, err := s.judge(context.Background(), func(d *decision) error {
		d.note(a, b, chat.Parting{Apart: true, Stamp: chat.Stamp{At: after(at), ID: "apart"}})
		d.regroup(d.circle)
		return nil
	}, a, b)
	return err
}

// happening is something that says who is one person, in words and in deed.
type happening struct {
	words string
	do    func(*Store) error
}

// happenings are random updates about the identities of some contacts, and decisions about these. The first three have
// the ids B0 to B2.
func happenings(rng *rand.Rand, ids []chat.ContactID) []happening {
	var all []happening
	for i := range 4 + rng.IntN(8) {
		two, at := rng.Perm(len(ids)), rng.IntN(9)
		x, y := two[0], two[1]
		b := x % 3
		seen := onlyB(fmt.Sprint("B", b))
		switch rng.IntN(8) {
		case 0, 1:
			all = append(all, happening{fmt.Sprint("join ", x, y, " at ", at), func(s *Store) error {
				_, err := s.Join(context.Background(), ids[x], ids[y], by(at))
				return err
			}})
			continue
		case 2, 3:
			all = append(all, happening{fmt.Sprint("part ", x, y, " at ", at), func(s *Store) error { return apart(s, ids[x], ids[y], at) }})
			continue
		case 4:
			if rng.IntN(2) == 0 {
				seen = chat.Seen{}
			}
			seen.Phone = fmt.Sprint("p", b)
			spell(rng, &seen)
		case 5:
			seen.Parent = fmt.Sprint("P", b)
		case 6, 7:
			seen = newID(fmt.Sprint("B", b), fmt.Sprint("B", (b+1+y%2)%3))
		}
		in := inbound(fmt.Sprint("v", i), after(at), seen)
		all = append(all, happening{fmt.Sprintf("%+v", seen), func(s *Store) error {
			_, err := s.Receive(context.Background(), in)
			return err
		}})
	}
	return all
}

// identified says which identities are one person's.
func identified(t *testing.T, mem *Memory, s *Store) string {
	t.Helper()
	owners := map[chat.ContactID][]string{}
	for k := range mem.Items() {
		kind, value, ok := strings.Cut(strings.TrimPrefix(k[0], "ALIAS#"), "#"+channel+"#")
		if k[1] != "ALIAS" || !ok {
			continue
		}
		c, ok, err := s.FindContact(t.Context(), kind, value)
		if err != nil || !ok {
			t.Fatal(value, ok, err)
		}
		owners[c.ID] = append(owners[c.ID], value)
	}
	var out []string
	for _, own := range owners {
		slices.Sort(own)
		out = append(out, strings.Join(own, " "))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestDecisionsCommute(t *testing.T) {
	parted := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 3))
		start := NewMemory()
		first := newStore(start, "table")
		ids := strangers(t, first, 3)
		for i := range 2 {
			ids = append(ids, receive(t, first, inbound(fmt.Sprint("q", i), after(i), onlyP(fmt.Sprint("p", i)))).Message.Contact)
		}
		all := happenings(rng, ids)
		want := ""
		for range 4 {
			mem := start.copy()
			s := newStore(mem, "table")
			order := append(slices.Clone(all), all[rng.IntN(len(all))]) // one of them twice
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			var words []string
			for _, h := range order {
				words = append(words, h.words)
				if err := h.do(s); err != nil {
					t.Fatalf("seed %d: %s: %v", seed, h.words, err)
				}
			}
			got := identified(t, mem, s)
			groups(t, s, ids)
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("seed %d:\n%s\nends as\n%s\nwant\n%s", seed, strings.Join(words, "\n"), got, want)
			}
		}
		if strings.Count(want, "\n") > 0 && strings.Contains(fmt.Sprint(all), "part") {
			parted++
		}
	}
	if parted < 100 {
		t.Errorf("only %d worlds have people apart: they show little", parted)
	}
}

// Two functions that meet while they join and part leave what one after the other would.
func TestDecisionsMeet(t *testing.T) {
	var all []chat.ContactID
	prepare := func(s *Store) {
		all = strangers(t, s, 4)
		join(t, s, all[1], all[2], 1)
	}
	deciding := func(a, b, at int) func(*Store) error {
		return func(s *Store) error { _, err := s.Join(context.Background(), all[a], all[b], by(at)); return err }
	}
	parting := func(c, at int) func(*Store) error {
		return func(s *Store) error { _, err := s.Part(context.Background(), all[c], by(at)); return err }
	}
	receiving := func(seen chat.Seen) func(*Store) error {
		return func(s *Store) error {
			_, err := s.Receive(context.Background(), inbound("v", after(9), seen))
			return err
		}
	}
	for _, c := range []struct {
		name string
		a, b func(*Store) error
		want []string
	}{
		{"two joins", deciding(0, 1, 2), deciding(2, 3, 3), []string{"0+1+2+3"}},
		{"a join and what parts others", deciding(0, 1, 2), parting(2, 3), []string{"0+1 2 3"}},
		{"a join and a message that joins", deciding(0, 1, 2), receiving(newID("B2", "B3")), []string{"0+1+2+3"}},
		{"a separation and a message that shows both", parting(2, 3), receiving(newID("B1", "B2")), []string{"0 1 2 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			meet(t, prepare, c.a, c.b, func(s *Store) error {
				if got := groups(t, s, all); !slices.Contains(c.want, got) {
					return fmt.Errorf("there are %s, want %v", got, c.want)
				}
				return nil
			})
		})
	}
}

// lives has everything that says who is who in it. Each step is repeated until it succeeds, as its queue would.
func lives(t *testing.T, s *Store) {
	ctx := t.Context()
	do := func(call func() error) { t.Helper(); persist(t, call) }
	take := func(id string, at int, seen chat.Seen) (who chat.ContactID) {
		do(func() error {
			r, err := s.Receive(ctx, inbound(id, after(at), seen))
			who = r.Message.Contact
			return err
		})
		return who
	}
	named := onlyB("B1")
	named.Name, named.KeyHash = "Ana", "k"
	a := take("w1", 1, named)
	spelled := onlyP("p")
	spelled.Variants, spelled.Name = []string{"9p"}, "Bea"
	b := take("w2", 2, spelled)
	c := take("w3", 3, chat.Seen{BSUID: "B3", Parent: "P3", Scope: "W"})
	do(func() error { _, err := s.Join(ctx, b, a, by(4)); return err })
	take("w4", 5, chat.Seen{BSUID: "B1", Phone: "9p", Variants: []string{"p"}, Scope: "waba", KeyHash: "l"})
	do(func() error { _, err := s.Part(ctx, b, by(6)); return err })
	take("w5", 7, chat.Seen{BSUID: "B5", Parent: "P3", Phone: "q", Scope: "waba"})
	do(func() error { _, err := s.Join(ctx, a, c, by(8)); return err })
	do(func() error {
		_, err := s.Prefer(ctx, chat.Seen{BSUID: "B3", At: after(9), ID: "w6", Source: chat.SourceMessage}, "marketing", chat.Consent{Stamp: by(9)})
		return err
	})
	m := outbound("m_1", after(10), a)
	do(func() error { return s.Answered(ctx, m, "99q", "B1") })
	do(func() error { return s.Answered(ctx, m, "p", "") })
}

func TestFaultsInLives(t *testing.T) {
	mem := NewMemory()
	count := &faulty{API: mem}
	lives(t, newStore(count, "table"))
	want := state(t, mem)
	if count.calls < 30 || !strings.Contains(want, "CONSENT#") {
		t.Fatalf("%d calls lead to\n%s", count.calls, want)
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			for n := 1; ; n++ {
				mem := NewMemory()
				table := &faulty{API: mem, fault: f, n: n}
				lives(t, newStore(table, "table"))
				if d := difference(state(t, mem), want); d != "" {
					t.Fatalf("at call %d:\n%s", n, d)
				}
				if n > table.calls {
					return
				}
			}
		})
	}
}
