package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

// thirteen is the hour of the tests' clock.
var thirteen = noon.Add(time.Hour)

// marked are the conversations of an hour, in all shards, a few at a time.
func marked(t *testing.T, s *Store, hour time.Time, limit int) (all []Marked) {
	t.Helper()
	for shard := range Shards {
		after := chat.ConversationID("")
		for range 100 {
			page, err := s.Marked(t.Context(), hour, shard, after, limit)
			if err != nil || len(page) > limit {
				t.Fatal(len(page), err)
			}
			if len(page) == 0 {
				break
			}
			all, after = append(all, page...), page[len(page)-1].Conversation
		}
	}
	return all
}

// TestWhatCameInAnHourIsListed: each conversation once, from the earliest of its messages on.
func TestWhatCameInAnHourIsListed(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := thirteen
		s.Now = func() time.Time { return now }
		var convs []chat.ConversationID
		for i := range 9 {
			m := receive(t, s, inbound(fmt.Sprint("w", i), noon, onlyP(fmt.Sprint("3460000000", i)))).Message
			convs = append(convs, m.Conversation)
		}
		slices.Sort(convs)
		for _, limit := range []int{1, 2, 100} {
			var got []chat.ConversationID
			for _, m := range marked(t, s, thirteen, limit) {
				got = append(got, m.Conversation)
			}
			if slices.Sort(got); !slices.Equal(got, convs) {
				t.Errorf("by %d: %v, want %v", limit, got, convs)
			}
		}
		only := func(hour time.Time, want chat.Mark) {
			t.Helper()
			got := marked(t, s, hour, 10)
			i := slices.IndexFunc(got, func(m Marked) bool {
				return m.Conversation == receive(t, s, inbound("w0", noon, onlyP("34600000000"))).Message.Conversation
			})
			if i < 0 || !got[i].Hour.Equal(hour) || !got[i].From.Equal(want.From) || got[i].First != want.First || got[i].Ahead != want.Ahead {
				t.Errorf("in the hour of %v: %+v, want %+v", hour, got, want)
			}
		}
		take := func(id string, at time.Time, effects ...chat.Effect) {
			in := inbound(id, at, onlyP("34600000000"))
			in.Message.Effects = effects
			receive(t, s, in)
		}
		crm := chat.Effect{Kind: chat.EffectCRM, Target: "hubspot"}
		only(thirteen, chat.Mark{From: noon, First: 1})
		take("a1", after(-100), crm)
		only(thirteen, chat.Mark{From: after(-100), First: 1})
		take("a2", after(100), crm)
		only(thirteen, chat.Mark{From: after(-100), First: 1})
		take("a3", thirteen.Add(time.Hour), crm)
		only(thirteen, chat.Mark{From: after(-100), First: 1, Ahead: true})
		now = thirteen.Add(2 * time.Hour)
		take("a4", after(-9000)) // what belongs into no CRM
		take("a5", after(-9000), chat.Effect{Kind: chat.EffectMedia})
		if got := marked(t, s, now, 10); len(got) != 0 {
			t.Errorf("what belongs into no CRM is listed: %+v", got)
		}
		take("a6", after(200), crm)
		only(now, chat.Mark{From: after(200), First: 7})
		fifteen := now
		now = now.Add(-90 * time.Minute) // another function's clock
		take("a7", after(150), crm)
		only(fifteen, chat.Mark{From: after(150), First: 7})
		only(thirteen, chat.Mark{From: after(-100), First: 1, Ahead: true})
	})
}

// TestASecondMessageOfAnHourCostsNothingMore: the first one is one item of a transaction more, and no call.
func TestASecondMessageOfAnHourCostsNothingMore(t *testing.T) {
	cost := func(effects []chat.Effect, first bool) Cost {
		meter := NewMeter(NewMemory())
		s := newStore(meter, "table")
		now := thirteen
		s.Now = func() time.Time { return now }
		take := func(id string, at int) {
			in := inbound(id, after(at), onlyP("34600111222"))
			in.Message.Effects = effects
			receive(t, s, in)
		}
		take("w0", 0)
		if first {
			now = now.Add(time.Hour)
		}
		before := meter.Cost()
		take("w1", 1)
		c := meter.Cost().Less(before)
		c.Stored = 0
		return c
	}
	crm := []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}}
	none := cost(nil, true)
	if second := cost(crm, false); second != none {
		t.Errorf("a second one costs %+v, without a CRM %+v", second, none)
	}
	want := none
	want.Written, want.Writes = want.Written+1, want.Writes+2
	if first := cost(crm, true); first != want {
		t.Errorf("the first one costs %+v, want %+v", first, want)
	}
}

func TestComparison(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		begin := func(id string) {
			t.Helper()
			if err := s.BeginComparison(t.Context(), noon, 1, id); err != nil {
				t.Fatal(err)
			}
		}
		save := func(c Comparison, want bool) {
			t.Helper()
			if current, err := s.SaveComparison(t.Context(), noon, 1, c); err != nil || current != want {
				t.Errorf("%+v is current: %v, %v", c, current, err)
			}
		}
		is := func(id string, look int, passed chat.ConversationID, done bool) {
			t.Helper()
			c, err := s.Comparison(t.Context(), noon, 1)
			if err != nil || c.ID != id || c.Look != look || c.Passed != passed || c.Done != done {
				t.Errorf("it is %+v, %v", c, err)
			}
		}
		compared := func(want bool) {
			t.Helper()
			if done, err := s.Compared(t.Context(), noon); err != nil || done != want {
				t.Errorf("compared: %v, %v", done, err)
			}
		}
		compared(true) // nothing came
		save(Comparison{ID: "a"}, false)
		begin("a")
		compared(false)
		save(Comparison{ID: "a", Passed: "100.b"}, true)
		save(Comparison{ID: "a", Passed: "100.a"}, false)
		within := func(after string) Comparison {
			return Comparison{ID: "a", Passed: "100.b", Within: &Within{Conversation: "100.c", After: after, Tallies: map[string]Tally{"hubspot": {Stored: 2}}}}
		}
		save(within("MSG#2"), true)
		save(within("MSG#1"), false)
		save(Comparison{ID: "a", Passed: "100.b"}, false)
		save(within("MSG#3"), true)
		if c, err := s.Comparison(t.Context(), noon, 1); err != nil || c.Within.Tallies["hubspot"].Stored != 2 {
			t.Errorf("%+v, %v", c, err)
		}
		begin("a")
		is("a", 0, "100.b", false)
		save(Comparison{ID: "a", Look: 1, Next: after(100)}, true)
		save(Comparison{ID: "a", Passed: "100.z"}, false)
		is("a", 1, "", false)
		compared(true)
		save(Comparison{ID: "a", Look: 2, Done: true}, true)
		save(Comparison{ID: "a", Look: 3}, false)
		begin("b")
		is("b", 0, "", false)
		save(Comparison{ID: "a", Look: 9}, false)
		compared(false)
		save(Comparison{ID: "b", Look: 1, Done: true}, true)
		compared(true)
	})
}

func TestReconciliationNeverGoesBack(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for _, c := range []struct{ begun, compared, wantBegun, wantCompared int }{{10, 0, 10, 0}, {5, 3, 10, 3}, {20, 1, 20, 3}} {
			now, err := s.SaveReconciliation(t.Context(), Reconciliation{Begun: after(c.begun), Compared: after(c.compared)})
			if err != nil || !now.Begun.Equal(after(c.wantBegun)) || !now.Compared.Equal(after(c.wantCompared)) {
				t.Errorf("%+v is %+v, %v", c, now, err)
			}
		}
		now, err := s.Reconciliation(t.Context())
		if err != nil || !now.Through().Equal(after(3).Add(time.Hour)) || !(Reconciliation{}).Through().IsZero() {
			t.Errorf("%+v, %v", now, err)
		}
	})
}

func TestFindingsTakeTheirCourse(t *testing.T) {
	f := Finding{}
	for i, step := range []struct {
		t        Tally
		at       int
		verdict  Verdict
		repaired int
		attempts int
		since    int
	}{
		{Tally{Stored: 5, Waiting: 2}, 10, Waiting, 0, 0, 10},
		{Tally{Stored: 5, Missing: 2, Asked: true}, 20, Missing, 0, 1, 20},
		{Tally{Stored: 5, Missing: 2, Asked: true}, 30, Missing, 0, 2, 20},
		{Tally{Stored: 5, Missing: 1, Synced: 4}, 40, Missing, 1, 2, 20},
		{Tally{Stored: 5, Refused: 1, Synced: 4, Reason: "no"}, 50, Refused, 1, 2, 20},
		{Tally{Stored: 5, Synced: 5}, 60, Repaired, 1, 2, 20},
		{Tally{Stored: 6, Missing: 1, Asked: true}, 70, Missing, 1, 1, 70},
	} {
		f.Take(step.t, after(step.at))
		if f.Verdict != step.verdict || f.Repaired != step.repaired || f.Attempts != step.attempts || !f.Since.Equal(after(step.since)) ||
			!f.Checked.Equal(after(step.at)) || f.Open() != (step.t.Missing+step.t.Waiting > 0) {
			t.Errorf("step %d: %+v", i, f)
		}
	}
	f.Take(Tally{Stored: 6, Synced: 6}, after(80))
	if g := (Finding{}); f.Verdict != Repaired {
		t.Errorf("%+v", f)
	} else if g.Take(Tally{Waiting: 1}, noon); g.Verdict != Waiting {
		t.Errorf("%+v", g)
	} else if g.Take(Tally{Synced: 1}, noon); g.Verdict != Complete {
		t.Errorf("%+v", g)
	}
}

func TestWhenAFindingIsDue(t *testing.T) {
	f := Finding{Tally: Tally{Missing: 1}, Since: noon, LastAsk: noon, Attempts: 1, Checked: noon.Add(61 * time.Minute)}
	if f.Due(noon.Add(4*time.Minute), 5*time.Minute) || !f.Due(noon.Add(5*time.Minute), 5*time.Minute) || f.Overdue() {
		t.Error("after the first time")
	}
	f.Attempts = 4
	if f.Due(noon.Add(39*time.Minute), 5*time.Minute) || !f.Due(noon.Add(40*time.Minute), 5*time.Minute) || !f.Overdue() {
		t.Error("after the fourth time")
	}
	if f.Checked = noon.Add(time.Hour); f.Overdue() {
		t.Error("too early")
	}
	if !(Finding{}).Due(noon, time.Hour) {
		t.Error("at first")
	}
}

// find notes what is found of a conversation.
func find(t *testing.T, s *Store, hour time.Time, conv chat.ConversationID, connector string, tally Tally) {
	t.Helper()
	if _, _, err := s.Find(t.Context(), hour, conv, connector, func(f *Finding) { f.Take(tally, thirteen) }); err != nil {
		t.Fatal(err)
	}
}

func TestFindingsInPages(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var want []string
		for i := range 30 {
			connector, tally := []string{"hubspot", "odoo"}[i%2], Tally{Stored: 1, Missing: 1}
			if i%3 == 0 {
				tally = Tally{Stored: 1, Refused: 1}
			}
			find(t, s, noon.Add(time.Duration(i)*time.Hour), chat.ConversationID(fmt.Sprintf("100.C%02d", i%4)), connector, tally)
			want = append(want, fmt.Sprint(i))
		}
		slices.Reverse(want)
		pages := func(f FindingFilter, limit int) (got []string) {
			t.Helper()
			cursor := ""
			for range 100 {
				page, next, err := s.AllFindings(t.Context(), f, cursor, limit)
				if err != nil || len(page) > limit {
					t.Fatal(len(page), err)
				}
				for _, p := range page {
					if !f.matches(p) {
						t.Errorf("%+v doesn't match %+v", p, f)
					}
					got = append(got, fmt.Sprint(int(p.Hour.Sub(noon).Hours())))
				}
				if cursor = next; next == "" {
					return got
				}
			}
			t.Fatal("the pages never end")
			return nil
		}
		for _, limit := range []int{1, 7, 29, 30, 31, 100} {
			if got := pages(FindingFilter{}, limit); !slices.Equal(got, want) {
				t.Errorf("by %d: %v", limit, got)
			}
		}
		for _, c := range []struct {
			f FindingFilter
			n int
		}{
			{FindingFilter{Connector: "odoo"}, 15}, {FindingFilter{Verdict: Refused}, 10}, {FindingFilter{Connector: "odoo", Verdict: Refused}, 5},
			{FindingFilter{Day: noon}, 12}, {FindingFilter{Day: noon.Add(24 * time.Hour)}, 18}, {FindingFilter{Day: noon.Add(-24 * time.Hour)}, 0},
			{FindingFilter{Day: noon, Connector: "nobody"}, 0},
		} {
			for _, limit := range []int{1, 4, 100} {
				if got := pages(c.f, limit); len(got) != c.n {
					t.Errorf("%+v by %d: %v", c.f, limit, got)
				}
			}
		}
		_, next, err := s.AllFindings(t.Context(), FindingFilter{Day: noon}, "", 1)
		if err != nil {
			t.Fatal(err)
		}
		if page, _, err := s.AllFindings(t.Context(), FindingFilter{Day: noon.Add(24 * time.Hour)}, next, 1); err != nil || len(page) != 0 {
			t.Errorf("with another day's cursor: %+v, %v", page, err)
		}
		for _, wrong := range []string{"x", encodeCursor("0"), encodeCursor("1772452800000#a"), strings.Repeat("A", 2000)} {
			if _, _, err := s.AllFindings(t.Context(), FindingFilter{}, wrong, 1); chat.CodeOf(err) != chat.Invalid {
				t.Errorf("cursor %s: %v", wrong, err)
			}
		}
	})
}

// TestWhatLacksIsFoundAgain: of an hour, a few at a time, and nothing of what is done.
func TestWhatLacksIsFoundAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var convs, open []chat.ConversationID
		for i := range 12 {
			m := receive(t, s, inbound(fmt.Sprint("w", i), noon, onlyP(fmt.Sprint(34600000000+i)))).Message
			convs = append(convs, m.Conversation)
			done, lacks := Tally{Stored: 1, Refused: 1}, Tally{Stored: 1, Missing: 1}
			find(t, s, thirteen, m.Conversation, "odoo", done)
			if i%3 == 0 {
				find(t, s, thirteen, m.Conversation, "espocrm", lacks)
				find(t, s, thirteen, m.Conversation, "hubspot", lacks)
				open = append(open, m.Conversation)
			}
		}
		find(t, s, thirteen, "100.forgotten", "hubspot", Tally{Missing: 1})
		slices.Sort(open)
		for _, limit := range []int{1, 2, 100} {
			var got []chat.ConversationID
			for shard := range Shards {
				after := chat.ConversationID("")
				for range 20 {
					page, err := s.Lacking(t.Context(), thirteen, shard, after, limit)
					if err != nil || len(page) > limit {
						t.Fatal(len(page), err)
					}
					if len(page) == 0 {
						break
					}
					for _, m := range page {
						got, after = append(got, m.Conversation), m.Conversation
						if !m.From.Equal(noon) {
							t.Errorf("%+v", m)
						}
					}
				}
			}
			if slices.Sort(got); !slices.Equal(got, open) {
				t.Errorf("by %d: %v, want %v", limit, got, open)
			}
		}
		found, err := s.Findings(t.Context(), thirteen, convs, []string{"hubspot", "odoo"})
		if err != nil || len(found) != 12 || len(found[open[0]]) != 2 || found[open[0]]["hubspot"].Missing != 1 || found[open[0]]["odoo"].Refused != 1 {
			t.Errorf("%+v, %v", found, err)
		}
	})
}
