package phone

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Where this differs from the list in crm/hubspot, which goes by length alone, is marked.
func TestVariants(t *testing.T) {
	for _, c := range []struct{ why, digits, want string }{
		{"Brazil, new", "5511987654321", "551187654321"},
		{"Brazil, old", "551187654321", "5511987654321"},
		{"Brazil, old, begins with 6", "553168765432", "5531968765432"},
		{"Brazil, a trunked radio", "551178123456", "5511978123456"},
		{"Brazil, a landline", "551133334444", ""},                             // hubspot: with a 9
		{"Brazil, a mobile that never had eight digits", "5511941234567", ""},  // hubspot: a landline
		{"Brazil, no such area code", "5510987654321", ""},                     // hubspot: without the 9
		{"Brazil, toll-free", "558001234567", ""},                              // hubspot: with a 9
		{"Argentina, abroad", "5491123456789", "541123456789 54111523456789"},  // hubspot: no 15
		{"Argentina, bare", "541123456789", "5491123456789 54111523456789"},    // hubspot: no 15
		{"Argentina, at home", "54111523456789", "5491123456789 541123456789"}, // hubspot: none
		{"Argentina, area code of three", "5492235123456", "542235123456 54223155123456"},
		{"Argentina, area code of four", "5492966421234", "542966421234 54296615421234"},
		{"Argentina, 15 in a number", "5491115156789", "541115156789 54111515156789"},
		{"Argentina, toll-free", "548001234567", ""},
		{"Argentina, both 9 and 15", "549111523456789", ""},
		{"Mexico, new", "525512345678", "5215512345678"},
		{"Mexico, old", "5215512345678", "525512345678"},
		{"Mexico, toll-free", "528001234567", ""}, // hubspot: with a 1
		{"Spain", "34600111222", ""},
		{"United States", "15550783881", ""},
		{"too short to be read", "55", ""},
		{"nothing", "", ""},
		{"not only digits", "+525512345678", ""},
		{"letters that a telephone has", "5255FLOWERSX", ""},
		{"digits of another script", "52٥٥١٢٣٤٥٦٧٨", ""},
	} {
		got := Variants(c.digits)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s is %q, want %q", c.why, c.digits, got, c.want)
		}
	}
}

// promise checks what holds of every number: the ways to write it are numbers, and find each other.
func promise(t *testing.T, digits string) (known bool) {
	t.Helper()
	all := append(Variants(digits), digits)
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Fatalf("%q: %q has one twice", digits, all)
	}
	for _, v := range Variants(digits) {
		if strings.Trim(v, "0123456789") != "" || v[:2] != digits[:2] {
			t.Fatalf("%q: %q is no number of the country", digits, v)
		}
		back := append(Variants(v), v)
		slices.Sort(back)
		if !slices.Equal(back, all) {
			t.Fatalf("%q is also %q, but from %q it is %q", digits, all, v, back)
		}
	}
	return len(all) > 1
}

func TestWaysFindEachOther(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	known := map[string]int{}
	some := func(of ...string) string { return of[rng.IntN(len(of))] }
	for range 20_000 {
		country := some("52", "54", "55")
		digits := country + some("", "", "1", "9") + some("", "11", "22", "223", "31", "2966") + some("", "9", "15")
		for want := 12 + rng.IntN(4); len(digits) < want; {
			digits += fmt.Sprint(rng.IntN(10))
		}
		if promise(t, digits) {
			known[fmt.Sprint(country, " with ", len(digits))]++
		}
	}
	for _, form := range []string{"52 with 12", "52 with 13", "54 with 12", "54 with 13", "54 with 14", "55 with 12", "55 with 13"} {
		if known[form] < 50 {
			t.Errorf("%s digits: %d numbers had variants, too few to show anything", form, known[form])
		}
	}
}

func FuzzVariants(f *testing.F) {
	for _, seed := range []string{"5511987654321", "54111523456789", "5215512345678", "34600111222", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, digits string) { promise(t, digits) })
}
