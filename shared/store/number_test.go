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

// said is a fact that Meta gave at a second.
func said(value string, at int) chat.Fact {
	return chat.Fact{Value: value, Stamp: chat.Stamp{At: after(at), ID: fmt.Sprint(value, at)}}
}

func learnNumber(t *testing.T, s *Store, id chat.NumberID, waba string, facts map[string]chat.Fact) (Number, string) {
	t.Helper()
	n, changed, err := s.LearnNumber(t.Context(), id, waba, facts)
	if err != nil {
		t.Fatal(err)
	}
	return n, strings.Join(changed, " ")
}

func learnAccount(t *testing.T, s *Store, waba string, facts map[string]chat.Fact) (Account, string) {
	t.Helper()
	a, changed, err := s.LearnAccount(t.Context(), waba, facts)
	if err != nil {
		t.Fatal(err)
	}
	return a, strings.Join(changed, " ")
}

func see(t *testing.T, s *Store, n Number, at int) Number {
	t.Helper()
	n.Seen = chat.Stamp{At: after(at), ID: fmt.Sprint("w", at)}
	n, err := s.SeeNumber(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func health(t *testing.T, s *Store, id chat.NumberID) (Number, Account) {
	t.Helper()
	n, a, err := s.Health(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return n, a
}

// values are facts in short.
func values(f chat.Facts) map[string]string {
	out := map[string]string{}
	for name, fact := range f {
		out[name] = fact.Value
	}
	return out
}

func TestLearnNumber(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		type facts = map[string]chat.Fact
		for i, step := range []struct {
			facts   facts
			changed string
			known   string
		}{
			{facts{"quality": said("GREEN", 5), "limit": said("TIER_2K", 5)}, "limit quality", "map[limit:TIER_2K quality:GREEN]"},
			{facts{"quality": said("GREEN", 7)}, "", "map[limit:TIER_2K quality:GREEN]"},
			{facts{"quality": said("RED", 6)}, "", "map[limit:TIER_2K quality:GREEN]"}, // older than the word that repeated
			{facts{"quality": said("RED", 8), "limit": said("TIER_2K", 8)}, "quality", "map[limit:TIER_2K quality:RED]"},
			{facts{"quality": said("RED", 8), "limit": said("TIER_250", 4)}, "quality", "map[limit:TIER_2K quality:RED]"}, // redelivered
			{facts{"token": {Stamp: chat.Stamp{At: after(9)}}}, "", "map[limit:TIER_2K quality:RED token:]"},
			{nil, "", "map[limit:TIER_2K quality:RED token:]"},
		} {
			n, changed := learnNumber(t, s, ourNumber, "waba", step.facts)
			if changed != step.changed || fmt.Sprint(values(n.Facts)) != step.known || n.WABA != "waba" || n.ID != ourNumber {
				t.Errorf("step %d: %q changed, known is %+v", i, changed, n)
			}
		}
	})
}

// What repeats what is known writes nothing.
func TestLearningNothingNewIsFree(t *testing.T) {
	m := NewMeter(NewMemory())
	s := newStore(m, "table")
	facts := map[string]chat.Fact{"quality": said("GREEN", 5)}
	learnNumber(t, s, ourNumber, "waba", facts)
	learnAccount(t, s, "waba", facts)
	see(t, s, Number{ID: ourNumber, Display: "1555", WABA: "waba"}, 5)
	before := m.Cost()
	learnNumber(t, s, ourNumber, "waba", facts)
	learnNumber(t, s, ourNumber, "", map[string]chat.Fact{"quality": said("RED", 4)})
	learnAccount(t, s, "waba", facts)
	see(t, s, Number{ID: ourNumber, Display: "1555", WABA: "waba"}, 6)
	if c := m.Cost().Less(before); c.Writes > 0 || c.Calls != 4 {
		t.Errorf("it costs %+v", c)
	}
}

// A number with everything that is ever said of one costs each message no more than a bare one.
func TestFactsDontMakeMessagesDearer(t *testing.T) {
	m := NewMeter(NewMemory())
	s := newStore(m, "table")
	cost := func() Cost {
		before := m.Cost()
		see(t, s, Number{ID: ourNumber, Display: "1555", WABA: "waba"}, 6)
		return m.Cost().Less(before)
	}
	see(t, s, Number{ID: ourNumber, Display: "1555", WABA: "waba"}, 5)
	bare := cost()
	facts := map[string]chat.Fact{}
	for _, name := range []string{
		chat.FactName, chat.FactQuality, chat.FactLimit, chat.FactThroughput, chat.FactStatus, chat.FactHealth, chat.FactUsername,
		chat.FactSecurity, chat.FactToken, chat.FactOfficial, chat.FactHistory,
	} {
		facts[name] = chat.Fact{Value: "SOME_LONG_WORD_OF_METAS", Why: "Its reason in a sentence that people can read.", Until: after(9),
			Stamp: chat.Stamp{At: after(1), ID: Hash([]byte(name))}}
	}
	learnNumber(t, s, ourNumber, "waba", facts)
	if full := cost(); full != bare || bare.Reads != 1 || bare.Calls != 1 {
		t.Errorf("it costs %+v, without facts %+v", full, bare)
	}
}

// Whatever order updates come in, also those that name a number before anybody knows it, all ways to ask say the same.
func TestNumberIsAFunctionOfTheUpdates(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 4))
		var updates []func(*Store)
		add := func(f func(*Store)) { updates = append(updates, f) }
		for i := range 12 {
			at := rng.IntN(4)
			facts := map[string]chat.Fact{[]string{"quality", "limit"}[rng.IntN(2)]: said(fmt.Sprint(rng.IntN(3)), at)}
			switch rng.IntN(4) {
			case 0:
				add(func(s *Store) { see(t, s, Number{ID: "1", Display: fmt.Sprint(at % 2), WABA: "waba"}, at) })
			case 1:
				add(func(s *Store) { learnNumber(t, s, "1", []string{"waba", "other", ""}[i%3], facts) })
			case 2:
				add(func(s *Store) { learnAccount(t, s, "waba", facts) })
			case 3:
				under := map[string]chat.Fact{}
				for name, fact := range facts {
					under[OfDisplay("+"+fmt.Sprint(at%2), name)] = fact
				}
				add(func(s *Store) { learnAccount(t, s, "waba", under) })
			}
		}
		var want string
		for i := range 5 {
			s := newStore(NewMemory(), "table")
			for _, u := range append(slices.Clone(updates), updates[0]) {
				u(s)
			}
			n, a := health(t, s, "1")
			listed, err := s.Numbers(t.Context())
			if err != nil || len(listed) > 1 || (len(listed) == 1 && !reflect.DeepEqual(listed[0], n)) {
				t.Fatalf("seed %d: listed as %+v, %v, but is %+v", seed, listed, err, n)
			}
			got := fmt.Sprintf("%+v %+v", n, a)
			if i == 0 {
				want = got
			}
			if got != want {
				t.Fatalf("seed %d:\n%s\nin another order\n%s", seed, got, want)
			}
			rng.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
		}
	}
}

// An account of any number of flows stays small enough to be stored, whatever order their news come in, and forgets no
// stop.
func TestAccountsForgetTheOldestNews(t *testing.T) {
	var news []string
	for i := range 300 {
		news = append(news, fmt.Sprint("alert:flow:", i), fmt.Sprint("payment:", i), fmt.Sprint(OfDisplay("1555", "alert:"), i))
	}
	var want map[string]string
	for seed := range uint64(3) {
		s := newStore(NewMemory(), "table")
		learnAccount(t, s, "waba", map[string]chat.Fact{"ban": said("DISABLE", -10), "restriction:A": said("RESTRICTED", -10), OfDisplay("1555", "status"): said("DELETED", -10)})
		rand.New(rand.NewPCG(seed, 5)).Shuffle(len(news), func(i, j int) { news[i], news[j] = news[j], news[i] })
		for _, name := range append(slices.Clone(news), news[:20]...) {
			at := 0
			for _, digit := range name[strings.LastIndexByte(name, ':')+1:] {
				at = 10*at + int(digit-'0')
			}
			facts := map[string]chat.Fact{name: said(strings.Repeat("x", 1000), at)}
			if _, changed := learnAccount(t, s, "waba", facts); at >= 250 && changed != name {
				t.Errorf("%q changed of %s", changed, name)
			}
		}
		see(t, s, Number{ID: ourNumber, Display: "1555", WABA: "waba"}, 3)
		n, a := health(t, s, ourNumber)
		got := values(a.Facts)
		if len(n.Facts) != 51 || len(got) != 102 || got["ban"] != "DISABLE" || got["restriction:A"] == "" || n.Facts["status"].Value != "DELETED" {
			t.Fatalf("%d of the account, %d of the number", len(got), len(n.Facts))
		}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Error("another order ends otherwise")
		}
		if _, changed := learnAccount(t, s, "waba", map[string]chat.Fact{"alert:flow:0": said("x", 0)}); changed != "" {
			t.Errorf("%q changed, which was forgotten", changed)
		}
	}
}

// An event may name a number by its digits before any message did.
func TestFactsWaitForTheirNumber(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a, changed := learnAccount(t, s, "waba", map[string]chat.Fact{
			OfDisplay("15550783881", "quality"): said("RED", 1), OfDisplay("1555078388", "quality"): said("GREEN", 2), "review": said("APPROVED", 1),
		})
		if changed != "@1555078388/quality @15550783881/quality review" || fmt.Sprint(values(a.Facts)) != "map[review:APPROVED]" {
			t.Errorf("%q changed, the account is %v", changed, a)
		}
		see(t, s, Number{ID: ourNumber, Display: "+1 555-078-3881", WABA: "waba"}, 3)
		n, a := health(t, s, ourNumber)
		if fmt.Sprint(values(n.Facts)) != "map[quality:RED]" || fmt.Sprint(values(a.Facts)) != "map[review:APPROVED]" || a.WABA != "waba" {
			t.Errorf("%+v %+v", n, a)
		}
		learnNumber(t, s, ourNumber, "waba", map[string]chat.Fact{"quality": said("YELLOW", 5)})
		if n, _ = health(t, s, ourNumber); fmt.Sprint(values(n.Facts)) != "map[quality:YELLOW]" {
			t.Errorf("later: %+v", n)
		}
	})
}

func TestHealthOfTheUnknown(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		n, a := health(t, s, "404")
		if c := n.Facts.Clearance(a.Facts, noon); n.ID != "404" || len(n.Facts) > 0 || !c.Answers || !c.Templates {
			t.Errorf("%+v %+v", n, a)
		}
		if a, _ := learnAccount(t, s, "waba", nil); a.WABA != "waba" || len(a.Facts) > 0 {
			t.Errorf("%+v", a)
		}
	})
}

// Several functions learn at once, and all of it is known in the end.
func TestLearnTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		together(6, func(i int) {
			facts := map[string]chat.Fact{fmt.Sprint("fact ", i): said("x", i)}
			persist(t, func() error { _, _, err := s.LearnNumber(t.Context(), ourNumber, "waba", facts); return err })
			persist(t, func() error { _, _, err := s.LearnAccount(t.Context(), "waba", facts); return err })
			persist(t, func() error {
				_, err := s.SeeNumber(t.Context(), Number{ID: ourNumber, Display: fmt.Sprint(i), WABA: "waba", Seen: chat.Stamp{At: after(i), ID: "w"}})
				return err
			})
		})
		n, a := health(t, s, ourNumber)
		listed, err := s.Numbers(t.Context())
		if len(n.Facts) != 6 || len(a.Facts) != 6 || n.Display != "0" || err != nil || !reflect.DeepEqual(listed, []Number{n}) {
			t.Errorf("%+v %+v, listed %+v, %v", n, a, listed, err)
		}
	})
}

// Learning survives whatever the table does, and says again what a caller may not have heard.
func TestLearnDespiteFaults(t *testing.T) {
	facts := map[string]chat.Fact{"quality": said("RED", 1)}
	for _, f := range faults {
		for n := 1; ; n++ {
			table := &faulty{API: NewMemory(), fault: f, n: n}
			s := newStore(table, "table")
			var news []string
			persist(t, func() (err error) {
				_, news, err = s.LearnNumber(context.Background(), ourNumber, "waba", facts)
				return err
			})
			if len(news) != 1 {
				t.Errorf("%s at call %d: %q changed", f.name, n, news)
			}
			persist(t, func() (err error) { _, news, err = s.LearnAccount(context.Background(), "waba", facts); return err })
			if len(news) != 1 {
				t.Errorf("%s at call %d: %q of the account changed", f.name, n, news)
			}
			if n > table.calls {
				break
			}
		}
	}
}
