package store

import (
	"testing"

	"threadline/shared/chat"
)

func TestDecided(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		first := receive(t, s, inbound("w1", noon, both("ES.1", ""))).Message.Contact
		second := receive(t, s, inbound("w2", after(1), both("ES.2", ""))).Message.Contact
		by := func(seconds int, id string) chat.Stamp { return chat.Stamp{At: after(seconds), ID: id} }
		want := func(id string, want bool) {
			t.Helper()
			for _, c := range []chat.ContactID{first, second} {
				if got, err := s.Decided(t.Context(), c, id); err != nil || got != want {
					t.Errorf("%s of %s: %v (%v), want %v", id, c, got, err, want)
				}
			}
		}
		want("joined", false)
		if _, err := s.Join(t.Context(), first, second, by(10, "joined")); err != nil {
			t.Fatal(err)
		}
		want("joined", true) // also of the one whom the other speaks for
		want("", false)
		if _, err := s.Part(t.Context(), second, by(20, "parted")); err != nil {
			t.Fatal(err)
		}
		want("joined", false)
		want("parted", true)
		if got, err := s.Decided(t.Context(), "01NOBODY", "parted"); err != nil || got {
			t.Errorf("of nobody: %v (%v)", got, err)
		}
	})
}
