package store

import "testing"

func TestAskedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		if at, err := s.Asked(t.Context(), "c_1"); err != nil || !at.IsZero() {
			t.Errorf("before: %v (%v)", at, err)
		}
		for _, seconds := range []int{5, 7, 3} {
			if first, err := s.Ask(t.Context(), "c_1", after(seconds)); err != nil || !first.Equal(after(5)) {
				t.Errorf("asked at %d: %v (%v)", seconds, first, err)
			}
		}
		if at, err := s.Asked(t.Context(), "c_1"); err != nil || !at.Equal(after(5)) {
			t.Errorf("after: %v (%v)", at, err)
		}
		if at, err := s.Asked(t.Context(), "c_2"); err != nil || !at.IsZero() {
			t.Errorf("another: %v (%v)", at, err)
		}
	})
}
