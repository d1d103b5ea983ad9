package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"threadline/shared/chat"
)

const marketing = "marketing"

// word is what a customer says of marketing, by the given identity at a second.
func word(s *Store, seen chat.Seen, at int, given bool) error {
	seen.At, seen.ID, seen.Source = after(at), fmt.Sprint("w", at, given), chat.SourceMessage
	_, err := s.Prefer(context.Background(), seen, marketing, chat.Consent{Given: given, Source: "user_preferences",
		Value: "stop", Detail: "User requested to stop", Stamp: chat.Stamp{At: seen.At, ID: seen.ID}})
	return err
}

func refuses(t *testing.T, s *Store, kind, value string) bool {
	t.Helper()
	c, ok, err := s.FindContact(t.Context(), kind, value)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return c.Refuses(marketing)
}

func TestPrefer(t *testing.T) {
	words := []struct {
		at    int
		given bool
		want  bool // refused, once all up to this one are known
	}{{1, false, true}, {2, true, false}, {3, true, false}, {3, false, true}, {5, true, false}}
	for n := 1; n <= len(words); n++ {
		orders(n, func(order []int) {
			s := newStore(NewMemory(), "table")
			for _, i := range append(order, order[0]) { // one of them twice
				if err := word(s, onlyB("B1"), words[i].at, words[i].given); err != nil {
					t.Fatal(err)
				}
			}
			if got := refuses(t, s, chat.AliasBSUID, "B1"); got != words[n-1].want {
				t.Fatalf("order %v: refused is %v", order, got)
			}
		})
	}
}

func TestConsentEvidence(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for at := range 3 {
			if err := word(s, both("B1", "p"), at, at == 1); err != nil {
				t.Fatal(err)
			}
		}
		c, _, err := s.FindContact(t.Context(), chat.AliasWAID, "p")
		if err != nil {
			t.Fatal(err)
		}
		items, err := s.query(t.Context(), prefix("USER#"+string(c.ID), "CONSENT#"))
		if err != nil || len(items) != 3 {
			t.Fatalf("%d words, %v", len(items), err)
		}
		for i, given := range []bool{false, true, false} {
			d, err := decode[Statement](keyOf(items[i]), items[i])
			if err != nil {
				t.Fatal(err)
			}
			st := d.val
			if items[i]["ttl"] != nil || st.Contact != c.ID || st.Category != marketing || st.Given != given || !st.Stamp.At.Equal(after(i)) ||
				st.Source != "user_preferences" || st.Value != "stop" || st.Detail == "" {
				t.Errorf("%+v", st)
			}
		}
	})
}

// The newest word of a person holds, through whichever of the joined contacts it came; separated, each has its own.
func TestConsentOfTheJoined(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		all := strangers(t, s, 2)
		say := func(b string, at int, given bool) {
			if err := word(s, onlyB(b), at, given); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(when string, want0, want1 bool) {
			t.Helper()
			if got0, got1 := refuses(t, s, chat.AliasBSUID, "B0"), refuses(t, s, chat.AliasBSUID, "B1"); got0 != want0 || got1 != want1 {
				t.Errorf("%s: %v %v, want %v %v", when, got0, got1, want0, want1)
			}
		}
		say("B0", 1, true)
		say("B1", 2, false)
		expect("apart", false, true)
		join(t, s, all[0], all[1], 3)
		expect("joined", true, true)
		say("B0", 4, true)
		expect("the other one said yes", false, false)
		say("B1", 5, false)
		expect("and no again", true, true)
		for i, id := range all {
			words, err := s.query(t.Context(), prefix("USER#"+string(id), "CONSENT#"))
			if err != nil || len(words) != 2 {
				t.Errorf("the evidence of %d is %v, %v", i, words, err)
			}
		}
		part(t, s, all[1], 6)
		expect("parted", false, true)
	})
}

// An opt-out that meets a join isn't lost.
func TestOptOutMeetsAJoin(t *testing.T) {
	var all []chat.ContactID
	prepare := func(s *Store) { all = strangers(t, s, 2) }
	refusing := func(s *Store) error { return word(s, onlyB("B1"), 2, false) }
	joining := func(s *Store) error { _, err := s.Join(context.Background(), all[0], all[1], by(1)); return err }
	meet(t, prepare, refusing, joining, func(s *Store) error {
		if !refuses(t, s, chat.AliasBSUID, "B0") {
			return fmt.Errorf("it was lost")
		}
		return nil
	})
}

// A word about messages makes its contact, and a name that comes with it is kept.
func TestPreferMakesTheContact(t *testing.T) {
	s := newStore(NewMemory(), "table")
	seen := onlyP("p")
	seen.At, seen.ID, seen.Source, seen.Name = noon, "w1", chat.SourceMessage, "Ana"
	c, err := s.Prefer(t.Context(), seen, marketing, chat.Consent{Stamp: chat.Stamp{At: noon, ID: "w1"}})
	if err != nil || c.Name != "Ana" || !c.Refuses(marketing) || c.Refuses("utility") {
		t.Fatalf("%+v, %v", c, err)
	}
	if strings.Contains(fmt.Sprint(conversations(t, s, Filter{}, 10)), string(c.ID)) {
		t.Error("it has a conversation")
	}
}
