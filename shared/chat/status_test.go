package chat

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var ranked = []Status{Queued, Sending, Unknown, Accepted, Sent, Failed, Delivered, Read, Played}

func TestStatusRank(t *testing.T) {
	for i, a := range ranked {
		for j, b := range ranked {
			if got := a.Outranks(b); got != (i > j) {
				t.Errorf("%s outranks %s: %v", a, b, got)
			}
		}
		if !a.Known() {
			t.Errorf("%s isn't known", a)
		}
	}
	if Status("warning").Known() || Status("warning").Outranks("") {
		t.Error("a status that we don't know ranks")
	}
	for s, want := range map[Status]bool{Queued: false, Sending: false, Unknown: false, Accepted: true, Sent: true,
		Failed: false, Delivered: true, Read: true, Played: true} {
		if s.AtMeta() != want {
			t.Errorf("%s: AtMeta is %v", s, s.AtMeta())
		}
	}
}

// receipts are what Meta may say about one message, contradictions included: a failure after the delivery, the same
// word at two times, two participants who failed at the same second for different reasons.
func receipts() []Receipt {
	return []Receipt{
		{ProviderID: "w", Status: Sent, At: noon},
		{ProviderID: "w", Status: Delivered, At: noon.Add(2 * time.Second)},
		{ProviderID: "w", Status: Delivered, At: noon.Add(time.Second), Participant: "b"},
		{ProviderID: "w", Status: Read, At: noon.Add(3 * time.Second)},
		{ProviderID: "w", Status: Failed, At: noon.Add(time.Second), Error: &Problem{Code: 131026, Reason: "undeliverable"}},
		{ProviderID: "w", Status: Failed, At: noon.Add(time.Second), Error: &Problem{Code: 131000, Reason: "something"}, Participant: "b"},
		{ProviderID: "w", Status: Failed, At: noon.Add(time.Second), Error: &Problem{Code: 131000, Reason: "something", Details: "more"}},
		{ProviderID: "w", Status: Failed, At: noon.Add(time.Second)},
	}
}

// permutations calls f with every order of the indices 0..n-1.
func permutations(n int, f func([]int)) {
	var grow func([]int)
	grow = func(p []int) {
		if len(p) == n {
			f(p)
			return
		}
		for i := range n {
			if !slices.Contains(p, i) {
				grow(append(slices.Clone(p), i))
			}
		}
	}
	grow(nil)
}

// charges are what the same receipts may say of the price, two of one second among them.
func charges(rs []Receipt) []Receipt {
	for i := range rs {
		stamp := Stamp{At: rs[i].At, ID: fmt.Sprint("hash ", i)}
		if i != 0 { // the first receipt needn't be the one that says it
			rs[i].Pricing = &Pricing{Type: fmt.Sprint("type ", i), Stamp: stamp}
		}
		if i%2 == 1 {
			rs[i].FreeEntry = &FreeEntry{Origin: fmt.Sprint("origin ", i), Stamp: stamp}
		}
	}
	return rs
}

func TestReceiptsCommute(t *testing.T) {
	rs := charges(append(receipts(), Receipt{ProviderID: "w", Status: Played, At: noon.Add(4 * time.Second)}))
	var want string
	permutations(len(rs), func(order []int) {
		m := Message{Status: Accepted}
		for _, i := range order {
			before := m.Status
			m.Apply(rs[i])
			if before.Outranks(m.Status) {
				t.Fatalf("%s became %s", before, m.Status)
			}
			if m.Apply(rs[i]) {
				t.Fatalf("%v: a repeated receipt changed the message", rs[i])
			}
		}
		got, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(got)
		}
		if string(got) != want {
			t.Fatalf("order %v:\n%s\nwant\n%s", order, got, want)
		}
	})
	if want == "" {
		t.Fatal("nothing was tried")
	}
	var m Message
	if err := json.Unmarshal([]byte(want), &m); err != nil || m.Pricing == nil || m.Pricing.Type != "type 2" || m.FreeEntry.Origin != "origin 5" {
		t.Errorf("the earliest word on the price isn't kept: %s (%v)", want, err)
	}
}

func TestReceiptsNeverLower(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		m := Message{Status: ranked[rng.IntN(len(ranked))]}
		top := m.Status
		for range 1 + rng.IntN(12) {
			r := Receipt{Status: ranked[rng.IntN(len(ranked))], At: noon.Add(time.Duration(rng.IntN(5)) * time.Second)}
			if r.Status.Outranks(top) {
				top = r.Status
			}
			m.Apply(r)
			if m.Status != top {
				t.Fatalf("the message is %s, the highest was %s", m.Status, top)
			}
			if _, ok := m.Steps[r.Status]; !ok {
				t.Fatalf("the step %s isn't kept", r.Status)
			}
		}
	}
}

func TestApplyIgnoresWhatItDoesNotKnow(t *testing.T) {
	m := Message{Status: Sent}
	if m.Apply(Receipt{ProviderID: "w", Status: "warning", At: noon}) || m.ProviderID != "" || m.Steps != nil {
		t.Fatalf("a status that we don't know changed the message: %+v", m)
	}
}

func TestReach(t *testing.T) {
	m := Message{Status: Queued}
	m.Reach(Sending, noon, nil)
	m.Reach(Accepted, noon.Add(time.Second), nil)
	m.Reach(Accepted, noon.Add(time.Hour), nil)
	if m.Status != Accepted || !m.Steps[Accepted].At.Equal(noon.Add(time.Second)) {
		t.Fatalf("a repeated step moved: %+v", m.Steps)
	}
	m.Reach(Unknown, noon.Add(time.Hour), nil)
	if m.Status != Accepted {
		t.Fatalf("%s is lower than accepted", m.Status)
	}
	m.Apply(Receipt{Status: Delivered, At: noon.Add(time.Minute)})
	m.Reach(Failed, noon.Add(time.Hour), &Problem{Reason: "expired"})
	if m.Status != Delivered || m.Steps[Failed].Error.Reason != "expired" {
		t.Fatalf("a failure after the delivery: %s, %+v", m.Status, m.Steps)
	}
}

func ExampleMessage_Apply() {
	m := Message{Status: Accepted}
	m.Apply(Receipt{Status: Read, At: noon.Add(2 * time.Second)})
	m.Apply(Receipt{Status: Sent, At: noon})
	fmt.Println(m.Status, len(m.Steps))
	// Output: read 2
}
