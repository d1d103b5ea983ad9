package chat

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestAliasHolderAt(t *testing.T) {
	var a Alias
	if a.HolderAt(noon) != "" {
		t.Fatal("an alias that nobody has has a holder")
	}
	a.See("second", noon.Add(2*time.Hour), SourceMessage)
	a.See("first", noon, SourceMessage)
	for at, want := range map[time.Duration]ContactID{-time.Hour: "first", 0: "first", time.Hour: "first",
		2 * time.Hour: "second", 99 * time.Hour: "second"} {
		if got := a.HolderAt(noon.Add(at)); got != want {
			t.Errorf("after %v it is %s, want %s", at, got, want)
		}
	}
}

func TestAliasSeeCommutes(t *testing.T) {
	type evidence struct {
		who    ContactID
		at     time.Time
		source string
	}
	all := []evidence{
		{"c1", noon, SourceMessage}, {"c1", noon, SourceSystem}, {"c1", noon.Add(49 * time.Hour), SourceRequest},
		{"c2", noon, SourceMessage}, {"c2", noon.Add(-time.Hour), SourceSystem}, {"c3", time.Time{}, SourceMessage},
		{"c2", noon, SourceRequest}, {"c0", noon, SourceMessage},
	}
	want := ""
	permutations(len(all), func(order []int) {
		var a Alias
		for _, i := range order {
			a.See(all[i].who, all[i].at, all[i].source)
			if a.See(all[i].who, all[i].at, all[i].source) {
				t.Fatal("the same evidence twice changed the alias")
			}
		}
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		}
		if string(b) != want {
			t.Fatalf("order %v:\n%s\nwant\n%s", order, b, want)
		}
	})
}

func TestAliasSeeOncePerDay(t *testing.T) {
	var a Alias
	if !a.See("c", noon, SourceMessage) {
		t.Fatal("the first evidence says nothing new")
	}
	if a.See("c", noon.Add(time.Hour), SourceMessage) {
		t.Error("an hour later is news")
	}
	if !a.See("c", noon.Add(24*time.Hour), SourceMessage) {
		t.Error("a day later isn't news")
	}
}

// A profile is a function of the set of what was learned, in whatever order and however often, alone or put together.
func TestProfileTakeCommutes(t *testing.T) {
	saved, removed := "Ana (work)", ""
	said := func(seconds int, id string, given bool) Profile {
		return Profile{Consent: map[string]Consent{"marketing": {Given: given, Stamp: Stamp{noon.Add(time.Duration(seconds) * time.Second), id}}}}
	}
	all := []Profile{
		Seen{At: noon, ID: "1", Name: "Ana", Username: "ana", KeyHash: "a"}.Profile(),
		Seen{At: noon.Add(time.Second), ID: "2", Name: "Ana B", Saved: &saved, KeyHash: "b"}.Profile(),
		Seen{At: noon.Add(time.Second), ID: "3", Saved: &removed}.Profile(),
		{Flags: []string{FlagSharedPhone}},
		said(1, "1", true), said(1, "2", false), said(1, "3", true),
	}
	want := Profile{
		Name: "Ana B", Named: Stamp{noon.Add(time.Second), "2"}, SavedAt: Stamp{noon.Add(time.Second), "3"},
		KeyHash: "b", KeyAt: Stamp{noon.Add(time.Second), "2"}, Flags: []string{FlagNewIdentity, FlagSharedPhone},
		Consent: map[string]Consent{"marketing": {Stamp: Stamp{noon.Add(time.Second), "2"}}},
	}
	permutations(len(all), func(order []int) {
		var p, rest Profile
		for n, i := range order {
			to := &p
			if n%2 == 1 {
				to = &rest
			}
			to.Take(all[i])
			if to.Take(all[i]) {
				t.Fatal("the same twice changed the profile")
			}
		}
		before := p
		if p.Take(rest); !reflect.DeepEqual(p, want) {
			t.Fatalf("order %v:\n%+v\nwant\n%+v", order, p, want)
		}
		if before.Take(rest); !reflect.DeepEqual(before, want) {
			t.Fatal("one profile was changed through another")
		}
	})
}

func TestShown(t *testing.T) {
	p := Profile{}
	for _, c := range []struct {
		learn func()
		want  string
	}{
		{func() {}, ""}, {func() { p.Username = "ana" }, "@ana"}, {func() { p.Name = "Ana" }, "Ana"}, {func() { p.Saved = "Work" }, "Work"},
	} {
		if c.learn(); p.Shown() != c.want {
			t.Errorf("%+v is shown as %q", p, p.Shown())
		}
	}
}

func TestRefuses(t *testing.T) {
	p := Profile{Consent: map[string]Consent{"marketing": {}, "utility": {Given: true}}}
	if !p.Refuses("marketing") || p.Refuses("utility") || p.Refuses("service") {
		t.Error("what the customer refuses")
	}
}

// A contact that speaks for others keeps its own profile beside the one that it shows.
func TestSelf(t *testing.T) {
	c := Contact{Profile: Profile{Name: "Bea"}}
	if c.Self().Name != "Bea" {
		t.Error("alone")
	}
	c.Own = &Profile{Name: "Ana"}
	if c.Self().Name != "Ana" || c.Shown() != "Bea" {
		t.Error("as a survivor")
	}
}

func TestSeenSomeone(t *testing.T) {
	if (Seen{PrevPhone: "1", Name: "x"}).Someone() || !(Seen{Phone: "1"}).Someone() || !(Seen{BSUID: "ES.1"}).Someone() {
		t.Error("whom an update shows")
	}
}
