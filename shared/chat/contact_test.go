package chat

import (
	"encoding/json"
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

func TestSeenSomeone(t *testing.T) {
	if (Seen{PrevPhone: "1", Name: "x"}).Someone() || !(Seen{Phone: "1"}).Someone() || !(Seen{BSUID: "ES.1"}).Someone() {
		t.Error("whom an update shows")
	}
}
