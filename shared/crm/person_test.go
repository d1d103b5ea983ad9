package crm

import (
	"slices"
	"testing"
)

func TestDigits(t *testing.T) {
	for typed, want := range map[string]string{"": "", "+34 (600) 11-12.22": "34600111222", "x٣\n7": "7"} {
		if got := Digits(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

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
