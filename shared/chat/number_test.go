package chat

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func TestClearance(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	soon, later, past := now.Add(time.Hour), now.Add(2*time.Hour), now.Add(-time.Second)
	const first, answers = "restriction:RESTRICTED_BIZ_INITIATED_MESSAGING", "restriction:RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
	is := func(v string) Fact { return Fact{Value: v} }
	until := func(t time.Time) Fact { return Fact{Value: "RESTRICTED", Until: t} }
	at := func(v string, t time.Time) Fact { return Fact{Value: v, Stamp: Stamp{At: t}} }
	clear := Clearance{Answers: true, Templates: true}
	for _, c := range []struct {
		name            string
		number, account Facts
		want            Clearance
	}{
		{"nothing is known", nil, nil, clear},
		{"all is well", Facts{FactStatus: is("CONNECTED"), FactHealth: is("LIMITED"), FactQuality: is("RED")}, Facts{FactBan: is("REINSTATE")}, clear},
		{"banned", nil, Facts{FactBan: is("DISABLE")}, Clearance{Why: "ban"}},
		{"to be banned", nil, Facts{FactBan: is("SCHEDULE_FOR_DISABLE")}, clear},
		{"the number is disconnected", Facts{FactStatus: is("DISCONNECTED")}, nil, Clearance{Why: "status"}},
		{"another number's status", Facts{FactStatus: is("CONNECTED")}, Facts{"@1555/status": is("BANNED")}, clear},
		{"the number is blocked", Facts{FactHealth: is("BLOCKED")}, nil, Clearance{Why: "health"}},
		{"the account is blocked", nil, Facts{FactHealth: is("BLOCKED")}, Clearance{Why: "health"}},
		{"one may only answer", nil, Facts{first: until(soon)}, Clearance{Answers: true, Why: first, Until: soon}},
		{"one may only begin", nil, Facts{answers: until(soon)}, Clearance{Templates: true, Why: answers, Until: soon}},
		{"it ends now", Facts{first: until(now)}, Facts{answers: until(now)}, clear},
		{"it ended", Facts{first: until(past)}, Facts{answers: until(past)}, clear},
		{"it has no end", nil, Facts{first: until(time.Time{})}, Clearance{Answers: true, Why: first}},
		{"it was lifted", nil, Facts{first: {}}, clear},
		{"another restriction", nil, Facts{"restriction:RESTRICTED_ADD_PHONE_NUMBER_ACTION": until(soon)}, clear},
		{"both ways", Facts{first: until(soon)}, Facts{answers: until(later)}, Clearance{Why: answers, Until: later}},
		{"both ways, one of them over", nil, Facts{first: until(soon), answers: until(past)}, Clearance{Answers: true, Why: first, Until: soon}},
		{"twice, the account's for longer", Facts{first: until(soon)}, Facts{first: until(later)}, Clearance{Answers: true, Why: first, Until: later}},
		{"twice, the number's for longer", Facts{first: until(later)}, Facts{first: until(soon)}, Clearance{Answers: true, Why: first, Until: later}},
		{"twice, the number's for good", Facts{first: until(time.Time{})}, Facts{first: until(soon)}, Clearance{Answers: true, Why: first}},
		{"twice, the account's for good", Facts{first: until(soon)}, Facts{first: until(time.Time{})}, Clearance{Answers: true, Why: first}},
		{"the gravest is named", Facts{first: until(soon), FactStatus: is("BANNED")}, Facts{FactBan: {Value: "DISABLE", Until: later}}, Clearance{Why: "ban", Until: later}},
		{"blocked by a ban that was lifted", Facts{FactHealth: at("BLOCKED", now), FactStatus: at("BANNED", past)}, Facts{FactBan: at("REINSTATE", now)}, clear},
		{"lifted within the second", Facts{FactHealth: at("BLOCKED", now.Add(time.Millisecond))}, Facts{FactBan: at("REINSTATE", now)}, clear},
		{"blocked again after that", Facts{FactHealth: at("BLOCKED", soon)}, Facts{FactBan: at("REINSTATE", now)}, Clearance{Why: "health"}},
		{"asked later, an account's disconnection is over", Facts{FactStatus: at("CONNECTED", soon)}, Facts{FactStatus: at("DISCONNECTED", now)}, clear},
		{"asked before, it isn't", Facts{FactStatus: at("CONNECTED", past)}, Facts{FactStatus: at("DISCONNECTED", now)}, Clearance{Why: "status"}},
		{"asked within the second, it isn't", Facts{FactStatus: at("CONNECTED", now.Add(time.Millisecond))}, Facts{FactStatus: at("DISCONNECTED", now)}, Clearance{Why: "status"}},
		{"the account is connected again", Facts{FactStatus: at("DISCONNECTED", now)}, Facts{FactStatus: at("CONNECTED", soon)}, clear},
		{"asked later, a ban is over", Facts{FactHealth: at("AVAILABLE", soon), FactToken: at("ok", soon)}, Facts{FactBan: at("DISABLE", now)}, clear},
		{"asked later, it isn't", Facts{FactHealth: at("BLOCKED", soon), FactStatus: at("CONNECTED", soon), FactToken: at("ok", soon)}, Facts{FactBan: at("DISABLE", now)}, Clearance{Why: "ban"}},
		{"a token that works is no proof", Facts{FactToken: {Value: "ok", Stamp: Stamp{soon, "poll"}}}, Facts{FactBan: at("DISABLE", now)}, Clearance{Why: "ban"}},
		{"a message that was taken is", Facts{FactToken: {Value: "ok", Stamp: Stamp{soon, "m_1"}}}, Facts{FactBan: at("DISABLE", now), FactStatus: at("DELETED", now)}, clear},
		{"and so is one that was tried", Facts{FactStatus: {Value: "CONNECTED", Stamp: Stamp{soon, "m_1"}}}, Facts{FactBan: at("DISABLE", now), first: at("RESTRICTED", now)}, clear},
		{"limited is not free", Facts{FactHealth: at("LIMITED", soon)}, Facts{first: at("RESTRICTED", now), FactHealth: at("BLOCKED", now)}, Clearance{Answers: true, Why: first}},
		{"a restriction without an end, and free", Facts{FactHealth: at("AVAILABLE", soon)}, Facts{first: at("RESTRICTED", now)}, clear},
		{"a restriction with an end, and free", Facts{FactHealth: at("AVAILABLE", soon)}, Facts{first: until(later)}, Clearance{Answers: true, Why: first, Until: later}},
		{"banned again", Facts{FactHealth: at("AVAILABLE", now)}, Facts{FactBan: at("DISABLE", soon)}, Clearance{Why: "ban"}},
		{"a refused token", Facts{FactToken: is("190")}, Facts{FactToken: is("190")}, clear},
	} {
		if got := c.number.Clearance(c.account, now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// What is known is a function of the set of updates.
// TestALiftedBanClearsTheToken: a refusal while the account was banned says nothing once the ban is lifted.
func TestALiftedBanClearsTheToken(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(v string, t time.Time) Fact { return Fact{Value: v, Stamp: Stamp{At: t}} }
	for _, c := range []struct {
		name            string
		number, account Facts
		want            bool
	}{
		{"nothing is known", nil, nil, false},
		{"it works", Facts{FactToken: at(TokenWorks, now)}, nil, false},
		{"it was refused", Facts{FactToken: at("190", now)}, nil, true},
		{"the ban was lifted since", Facts{FactToken: at("131031", now)}, Facts{FactBan: at("REINSTATE", now.Add(time.Second))}, false},
		{"in the same second", Facts{FactToken: at("131031", now.Add(300*time.Millisecond))}, Facts{FactBan: at("REINSTATE", now)}, false},
		{"it was refused after that", Facts{FactToken: at("131031", now.Add(time.Second))}, Facts{FactBan: at("REINSTATE", now)}, true},
		{"the ban stands", Facts{FactToken: at("131031", now)}, Facts{FactBan: at("DISABLE", now.Add(time.Second))}, true},
	} {
		for _, template := range []bool{true, false} {
			if got := c.number.TokenRefused(c.account, template); got != c.want {
				t.Errorf("%s, a template %v: %v", c.name, template, got)
			}
		}
	}
	if unpaid := (Facts{FactToken: at("131042", now)}); !unpaid.TokenRefused(nil, true) || unpaid.TokenRefused(nil, false) {
		t.Error("what nobody pays for is templates")
	}
}

func TestLearnInAnyOrder(t *testing.T) {
	type update struct {
		name string
		Fact
	}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var updates []update
		for i := range 8 {
			at := time.Date(2026, 3, 1, 12, 0, rng.IntN(3), 0, time.UTC)
			updates = append(updates, update{fmt.Sprint("fact ", rng.IntN(3)),
				Fact{Value: fmt.Sprint(rng.IntN(2)), Stamp: Stamp{at, fmt.Sprint(i)}}})
		}
		learn := func() Facts {
			var f Facts
			for _, u := range append(updates, updates[0]) {
				before := maps.Clone(f)
				if changed := f.Learn(u.name, u.Fact); changed == reflect.DeepEqual(f, before) {
					t.Fatalf("changed is %v from %v to %v", changed, before, f)
				}
			}
			return f
		}
		want := learn()
		for range 5 {
			rng.Shuffle(len(updates), func(i, j int) { updates[i], updates[j] = updates[j], updates[i] })
			if got := learn(); !reflect.DeepEqual(got, want) {
				t.Fatalf("%v leads to %v, another order to %v", updates, got, want)
			}
		}
	}
}

func TestFactRepeats(t *testing.T) {
	f := Fact{Value: "RED", Why: "blocks", Until: time.Unix(1, 0), Stamp: Stamp{ID: "1"}}
	same := f
	same.Stamp.ID, same.Until = "2", time.Unix(1, 0).UTC()
	if !same.Repeats(f) {
		t.Error("the same said later isn't the same")
	}
	for _, g := range []Fact{{Value: "GREEN", Why: f.Why, Until: f.Until}, {Value: f.Value, Until: f.Until}, {Value: f.Value, Why: f.Why}, {}} {
		if g.Repeats(f) {
			t.Errorf("%+v is the same as %+v", g, f)
		}
	}
}
