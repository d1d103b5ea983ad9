package crm

import (
	"slices"
	"testing"
)

func TestNameWords(t *testing.T) {
	for name, want := range map[string][]string{
		"":                             nil,
		" \n\x00":                      nil,
		"María":                        {"María"},
		" María\u00a0García\x1bLópez ": {"María", "García", "López"},
	} {
		if got := (Person{Name: name}).NameWords(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
