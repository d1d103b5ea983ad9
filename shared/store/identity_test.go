package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

// Short forms for the stories below. B1 and B2 are people of one account, W is another account of the same company.
func both(b, p string) chat.Seen   { return chat.Seen{BSUID: b, Phone: p, Scope: "waba"} }
func onlyB(b string) chat.Seen     { return chat.Seen{BSUID: b, Scope: "waba"} }
func onlyP(p string) chat.Seen     { return chat.Seen{Phone: p} }
func atW(b, p string) chat.Seen    { return chat.Seen{BSUID: b, Phone: p, Scope: "W"} }
func newID(b0, b string) chat.Seen { return chat.Seen{PrevBSUID: b0, BSUID: b, Scope: "waba"} }
func newPhone(p0, p string) chat.Seen {
	return chat.Seen{PrevPhone: p0, Phone: p}
}
func moved(b0, p0, b, p string) chat.Seen {
	return chat.Seen{PrevBSUID: b0, PrevPhone: p0, BSUID: b, Phone: p, Scope: "waba"}
}

// under adds the user id that linked portfolios share; spelled names another way to write the phone.
func under(parent string, s chat.Seen) chat.Seen { s.Parent = parent; return s }
func spelled(v string, s chat.Seen) chat.Seen    { s.Variants = []string{v}; return s }

// step is an update at a second of the story.
type step struct {
	at   int
	seen chat.Seen
}

// tell lets the updates arrive in the order of the list. Message ids name the places in it.
func tell(t *testing.T, s *Store, story []step) {
	t.Helper()
	for i, st := range story {
		st.arrive(t, s, i)
	}
}

func (st step) arrive(t *testing.T, s *Store, i int) {
	t.Helper()
	in := inbound(fmt.Sprint("w", i), after(st.at), st.seen)
	if st.seen.PrevBSUID != "" || st.seen.PrevPhone != "" {
		in.Seen.Source, in.Message.Kind = chat.SourceSystem, chat.KindSystem
	}
	receive(t, s, in)
}

// people describes who there is after a story: each person by their messages and identities, with "!" if flagged.
func people(t *testing.T, s *Store) []string {
	t.Helper()
	var out []string
	for _, l := range conversations(t, s, Filter{}, 50) {
		who, err := s.Contact(t.Context(), l.With.ID)
		if err != nil {
			t.Fatal(err)
		}
		known, err := s.Identities(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, i := range known {
			names = append(names, i.Value)
		}
		slices.Sort(names)
		flag := ""
		if len(who.Flags) > 0 {
			flag = " !"
		}
		out = append(out, ids(messages(t, s, l.ID, 100))+": "+strings.Join(slices.Compact(names), " ")+flag)
	}
	slices.Sort(out)
	return out
}

func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		name  string
		story []step
		want  []string
	}{
		{"a phone alone", []step{{0, onlyP("p")}, {1, onlyP("p")}}, []string{"w0 w1: p"}},
		{"an id alone", []step{{0, onlyB("B1")}, {1, onlyB("B1")}}, []string{"w0 w1: B1"}},
		{"two people", []step{{0, onlyB("B1")}, {1, onlyP("p")}}, []string{"w0: B1", "w1: p"}},
		{"both, then each", []step{{0, both("B1", "p")}, {1, onlyP("p")}, {2, onlyB("B1")}}, []string{"w0 w1 w2: B1 p"}},
		{"phone, then both", []step{{0, onlyP("p")}, {1, both("B1", "p")}, {2, onlyB("B1")}}, []string{"w0 w1 w2: B1 p"}},
		{"id, then both", []step{{0, onlyB("B1")}, {1, both("B1", "p")}, {2, onlyP("p")}}, []string{"w0 w1 w2: B1 p"}},
		{"two known contacts are one", []step{{0, onlyB("B1")}, {1, onlyP("p")}, {2, both("B1", "p")}, {3, onlyP("p")}},
			[]string{"w0 w1 w2 w3: B1 p"}},
		{"a second phone", []step{{0, both("B1", "p")}, {1, both("B1", "q")}, {2, onlyP("q")}, {3, onlyP("p")}},
			[]string{"w0 w1 w2 w3: B1 p q"}},
		{"another person's phone", []step{{0, both("B1", "p")}, {10, both("B2", "p")}}, []string{"w0: B1 !", "w1: B2 p !"}},
		{"the phone moves from then on", []step{{0, both("B1", "p")}, {10, both("B2", "p")}, {5, onlyP("p")}, {11, onlyP("p")}, {10, onlyP("p")}},
			[]string{"w0 w2: B1 !", "w1 w4 w3: B2 p !"}},
		{"an earlier holder turns up late", []step{{10, both("B2", "p")}, {0, both("B1", "p")}, {5, onlyP("p")}, {11, onlyP("p")}},
			[]string{"w0 w3: B2 p !", "w1 w2: B1 !"}},
		{"an old message of the first holder", []step{{0, both("B1", "p")}, {10, both("B2", "p")}, {1, both("B1", "p")}},
			[]string{"w0 w2: B1 !", "w1: B2 p !"}},
		{"a known id with another person's phone", []step{{0, both("B1", "p")}, {1, onlyB("B2")}, {2, both("B2", "p")}},
			[]string{"w0: B1 !", "w1 w2: B2 p !"}},
		{"one person in two accounts", []step{{0, both("B1", "p")}, {1, atW("B9", "p")}, {2, onlyP("p")}},
			[]string{"w0 w1 w2: B1 B9 p"}},
		{"strangers in a third account", []step{{0, both("B1", "p")}, {1, atW("B1", "p")}, {2, atW("B9", "q")}, {3, both("B1", "q")}},
			[]string{"w0 w1 w3: B1 p q !", "w2: B9 !"}},
		{"a new id", []step{{0, onlyB("B1")}, {1, newID("B1", "B2")}, {2, onlyB("B2")}}, []string{"w0 w1 w2: B1 B2"}},
		{"a new id, told late", []step{{0, onlyB("B1")}, {2, onlyB("B2")}, {1, newID("B1", "B2")}}, []string{"w0 w2 w1: B1 B2"}},
		{"a new id, told first", []step{{1, newID("B1", "B2")}, {2, onlyB("B2")}, {0, onlyB("B1")}}, []string{"w2 w0 w1: B1 B2"}},
		{"a new phone", []step{{0, onlyP("p")}, {1, newPhone("p", "q")}, {2, onlyP("q")}}, []string{"w0 w1 w2: p q"}},
		{"a new phone, told late", []step{{0, onlyP("p")}, {2, onlyP("q")}, {1, newPhone("p", "q")}}, []string{"w0 w2 w1: p q"}},
		{"a new phone and id, told late", []step{{0, both("B1", "p")}, {2, both("B2", "q")}, {1, moved("B1", "p", "B2", "q")}},
			[]string{"w0 w2 w1: B1 B2 p q"}},
		{"a new phone that was somebody else's", []step{{0, both("B9", "q")}, {1, both("B1", "p")}, {2, moved("B1", "p", "B2", "q")}, {3, onlyP("q")}},
			[]string{"w0: B9 !", "w1 w2 w3: B1 B2 p q !"}},
		{"the same, told without ids", []step{{0, both("B9", "q")}, {1, both("B1", "p")}, {2, newPhone("p", "q")}, {3, onlyP("q")}},
			[]string{"w0: B9 !", "w1 w2 w3: B1 p q !"}},
		{"told without ids, of nobody else", []step{{0, both("B1", "p")}, {1, atW("B9", "q")}, {2, newPhone("p", "q")}}, []string{"w0 w1 w2: B1 B9 p q"}},
		{"nothing changed", []step{{0, moved("B1", "p", "B1", "p")}, {1, both("B1", "p")}, {2, moved("B1", "p", "B1", "p")}}, []string{"w0 w1 w2: B1 p"}},
		{"a parent id, then a new id", []step{{0, under("P", onlyB("B1"))}, {1, under("P", onlyB("B2"))}, {2, onlyB("B2")}}, []string{"w0 w1 w2: B1 B2 P"}},
		{"a parent id joins two accounts", []step{{0, onlyB("B1")}, {1, atW("B9", "")}, {2, under("P", onlyB("B1"))}, {3, under("P", atW("B9", ""))}},
			[]string{"w0 w1 w2 w3: B1 B9 P"}},
		{"a parent id says whose phone it is", []step{{0, under("P", both("B1", "p"))}, {1, under("P", both("B2", "p"))}}, []string{"w0 w1: B1 B2 P p"}},
		{"another person's phone, by the parent ids", []step{{0, under("P1", chat.Seen{Phone: "p", Scope: "waba"})},
			{1, under("P2", chat.Seen{Phone: "p", Scope: "waba"})}, {2, onlyP("p")}}, []string{"w0: P1 !", "w1 w2: P2 p !"}},
		{"a new parent id", []step{{0, under("P1", onlyB("B1"))}, {1, chat.Seen{PrevBSUID: "B1", BSUID: "B2", PrevParent: "P1", Parent: "P2"}},
			{2, under("P2", onlyB("B3"))}}, []string{"w0 w1 w2: B1 B2 B3 P1 P2"}},
		{"another spelling", []step{{0, onlyP("p")}, {1, spelled("p", onlyP("9p"))}, {2, onlyP("9p")}, {3, onlyP("p")}}, []string{"w0 w1 w2 w3: 9p p"}},
		{"another spelling, with an id", []step{{0, onlyP("p")}, {1, spelled("p", both("B1", "9p"))}, {2, onlyB("B1")}}, []string{"w0 w1 w2: 9p B1 p"}},
		{"another spelling of a known id's phone", []step{{0, onlyP("p")}, {1, onlyB("B1")}, {2, spelled("p", both("B1", "9p"))}}, []string{"w0 w1 w2: 9p B1 p"}},
		{"another person's phone, in another spelling", []step{{0, both("B1", "p")}, {1, spelled("p", both("B2", "9p"))}, {2, onlyP("p")}, {3, onlyP("9p")}},
			[]string{"w0 w2: B1 p !", "w1 w3: 9p B2 !"}},
		{"a change of the spelling", []step{{0, both("B1", "p")}, {1, spelled("p", newPhone("p", "9p"))}, {2, onlyP("9p")}}, []string{"w0 w1 w2: 9p B1 p"}},
		{"joined again and again", []step{{0, onlyB("B1")}, {1, onlyB("B2")}, {2, onlyB("B3")}, {3, onlyB("B4")},
			{7, newID("B3", "B4")}, {6, newID("B2", "B3")}, {5, newID("B1", "B2")}, {8, onlyB("B4")}},
			[]string{"w0 w1 w2 w3 w6 w5 w4 w7: B1 B2 B3 B4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, s *Store) {
				tell(t, s, c.story)
				if got := people(t, s); !slices.Equal(got, c.want) {
					t.Errorf("there are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			})
		})
	}
}

// The oldest contact survives, and what leads to another still leads to the person.
func TestJoinedChain(t *testing.T) {
	const n = 12
	mem := NewMemory()
	s := newStore(mem, "table")
	var contacts []chat.ContactID
	for i := range n {
		contacts = append(contacts, receive(t, s, inbound(fmt.Sprint("w", i), after(i), onlyB(fmt.Sprint("B", i)))).Message.Contact)
	}
	for i := n - 1; i > 0; i-- { // the youngest first: each survivor is joined to an older one next
		in := inbound(fmt.Sprint("j", i), after(n), newID(fmt.Sprint("B", i-1), fmt.Sprint("B", i)))
		receive(t, s, in)
	}
	for _, id := range contacts {
		who, err := s.Contact(t.Context(), id)
		if err != nil || who.ID != contacts[0] || len(who.Absorbed) != n-1 {
			t.Errorf("%s is %s with %d others, %v", id, who.ID, len(who.Absorbed), err)
		}
		if got := len(messages(t, s, chat.Direct(ourNumber, id), 7)); got != 2*n-1 {
			t.Errorf("%d messages by %s", got, id)
		}
	}
}

func TestNames(t *testing.T) {
	named := func(id string, at time.Time, seen chat.Seen, name, user string) Inbound {
		in := inbound(id, at, seen)
		in.Seen.Name, in.Seen.Username = name, user
		return in
	}
	updates := []Inbound{
		named("w1", noon, onlyB("B1"), "old", "u"),
		named("w2", after(5), onlyP("p"), "new", ""),
		named("w3", after(5), both("B1", "p"), "tie", "v"),
		named("w4", after(9), both("B1", "p"), "", ""),
	}
	orders(len(updates), func(order []int) {
		s := newStore(NewMemory(), "table")
		for _, i := range order {
			receive(t, s, updates[i])
		}
		for _, a := range [][2]string{{chat.AliasBSUID, "B1"}, {chat.AliasWAID, "p"}} {
			c, ok, err := s.FindContact(t.Context(), a[0], a[1])
			if !ok || err != nil || c.Name != "tie" || c.Username != "v" || c.Named.ID != "w3" {
				t.Errorf("order %v: %s is %+v, %v", order, a[1], c, err)
			}
		}
	})
}

// What the company's address book says of a person wins over the person's own word until it is removed there.
func TestSavedNames(t *testing.T) {
	saved := func(id string, at int, seen chat.Seen, name string) Inbound {
		in := inbound(id, after(at), seen)
		in.Seen.Saved = &name
		return in
	}
	named := inbound("w1", after(9), onlyB("B1"))
	named.Seen.Name = "own"
	updates := []Inbound{
		named, saved("w2", 1, onlyP("p"), "first"), saved("w3", 3, onlyP("p"), "second"), saved("w4", 2, both("B1", "p"), ""),
	}
	orders(len(updates), func(order []int) {
		s := newStore(NewMemory(), "table")
		for _, i := range order {
			receive(t, s, updates[i])
		}
		if c, _, err := s.FindContact(t.Context(), chat.AliasWAID, "p"); err != nil || c.Shown() != "second" || c.Name != "own" {
			t.Errorf("order %v: %+v, %v", order, c, err)
		}
		receive(t, s, saved("w5", 4, onlyP("p"), ""))
		if c, _, err := s.FindContact(t.Context(), chat.AliasWAID, "p"); err != nil || c.Shown() != "own" {
			t.Errorf("removed: %+v, %v", c, err)
		}
	})
}

// A phone whose WhatsApp was installed anew may be somebody else's by now.
func TestKeys(t *testing.T) {
	keyed := func(id string, at int, hash string, isNew bool) Inbound {
		in := inbound(id, after(at), onlyB("B1"))
		in.Seen.KeyHash, in.Seen.NewKey = hash, isNew
		return in
	}
	for _, c := range []struct {
		name    string
		updates []Inbound
		hash    string
		flagged bool
	}{
		{"the same", []Inbound{keyed("w1", 1, "a", false), keyed("w2", 2, "a", false), keyed("w3", 3, "", false)}, "a", false},
		{"another", []Inbound{keyed("w1", 1, "a", false), keyed("w2", 2, "b", false), keyed("w3", 3, "b", false)}, "b", true},
		{"and back", []Inbound{keyed("w1", 1, "a", false), keyed("w2", 2, "b", false), keyed("w3", 3, "a", false)}, "a", true},
		{"Meta's word", []Inbound{keyed("w1", 1, "", false), keyed("w2", 2, "", true)}, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			orders(len(c.updates), func(order []int) {
				s := newStore(NewMemory(), "table")
				for _, i := range order {
					receive(t, s, c.updates[i])
				}
				who, _, err := s.FindContact(t.Context(), chat.AliasBSUID, "B1")
				if err != nil || who.KeyHash != c.hash || slices.Contains(who.Flags, chat.FlagNewIdentity) != c.flagged {
					t.Errorf("order %v: %+v, %v", order, who, err)
				}
			})
		})
	}
}

// Two spellings of one phone that arrive at the same moment are one person, whoever is faster.
func TestSpellingsMeet(t *testing.T) {
	receiving := func(id string, seen chat.Seen) func(*Store) error {
		return func(s *Store) error {
			_, err := s.Receive(context.Background(), inbound(id, after(1), seen))
			return err
		}
	}
	for _, c := range []struct {
		name string
		a, b chat.Seen
		want string
	}{
		{"alone", spelled("9p", onlyP("p")), spelled("p", onlyP("9p")), "9p p"},
		{"one with an id", spelled("9p", both("B1", "p")), spelled("p", onlyP("9p")), "9p B1 p"},
		{"a new spelling and a new id", spelled("p", onlyP("9p")), both("B0", "p"), "9p B0 p"},
	} {
		t.Run(c.name, func(t *testing.T) {
			prepare := func(s *Store) {
				if strings.Contains(c.name, "new") {
					receive(t, s, inbound("v0", noon, onlyP("p")))
				}
			}
			meet(t, prepare, receiving("v1", c.a), receiving("v2", c.b), func(s *Store) error {
				if got := people(t, s); len(got) != 1 || !strings.HasSuffix(got[0], ": "+c.want) {
					return fmt.Errorf("there are %v", got)
				}
				return nil
			})
		})
	}
}

// Nobody is reached through a parent id, so it comes last.
func TestIdentitiesByReach(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		receive(t, s, inbound("w1", noon, under("P", both("B1", "p"))))
		c := receive(t, s, inbound("w2", after(1), under("P", both("B1", "q")))).Message.Contact
		who, err := s.Contact(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		want := "[{wa_id q} {wa_id p} {bsuid B1} {parent_bsuid P}]"
		if known, err := s.Identities(t.Context(), who); err != nil || fmt.Sprint(known) != want {
			t.Errorf("%v, %v, want %s", known, err, want)
		}
	})
}

// Meta's sample of a changed phone names the new user id alone. What we reply to then isn't the old phone, until a message
// shows that the person has it after all.
func TestAPhoneGivenUp(t *testing.T) {
	const day = 24 * 60 * 60
	change := func(at int) step { return step{at, newID("B1", "B2")} }
	for _, c := range []struct {
		name  string
		story []step
		want  string
	}{
		{"given up", []step{{0, both("B1", "p")}, change(5), {6, onlyB("B2")}}, "[{bsuid B2} {bsuid B1}]"},
		{"shown just before", []step{{0, both("B1", "p")}, {4, both("B1", "p")}, change(5)}, "[{bsuid B2} {bsuid B1}]"},
		{"shown at the same time", []step{{0, both("B1", "p")}, change(5), {5, both("B2", "p")}}, "[{bsuid B2} {bsuid B1}]"},
		{"shown again on the day itself", []step{{0, both("B1", "p")}, change(5), {6, onlyP("p")}}, "[{bsuid B2} {bsuid B1}]"},
		{"shown again on the next day", []step{{0, both("B1", "p")}, change(5), {day, both("B2", "p")}}, "[{wa_id p} {bsuid B2} {bsuid B1}]"},
		{"the new phone is shown", []step{{0, both("B1", "p")}, change(5), {6, both("B2", "q")}}, "[{wa_id q} {bsuid B2} {bsuid B1}]"},
		{"given up twice", []step{{0, both("B1", "p")}, change(5), {day, both("B2", "p")}, {2 * day, newID("B2", "B3")}},
			"[{bsuid B3} {bsuid B2} {bsuid B1}]"},
		{"the phone is joined later", []step{{0, onlyP("p")}, {1, onlyB("B1")}, change(5), {4, both("B1", "p")}}, "[{bsuid B2} {bsuid B1}]"},
		{"the change names the phone", []step{{0, both("B1", "p")}, {5, moved("B1", "p", "B2", "q")}}, "[{wa_id q} {wa_id p} {bsuid B2} {bsuid B1}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			orders(len(c.story), func(order []int) {
				s := newStore(NewMemory(), "table")
				for _, i := range order {
					c.story[i].arrive(t, s, i)
				}
				who, _, err := s.FindContact(t.Context(), chat.AliasBSUID, "B1")
				if err != nil {
					t.Fatal(err)
				}
				if known, err := s.Identities(t.Context(), who); err != nil || fmt.Sprint(known) != c.want {
					t.Errorf("order %v: %v, %v, want %s", order, known, err, c.want)
				}
				if c, known, err := s.FindContact(t.Context(), chat.AliasWAID, "p"); err != nil || !known || c.ID != who.ID {
					t.Errorf("order %v: the phone leads to %s, %v", order, c.ID, err)
				}
			})
		})
	}
}

// An address book knows nothing of who has a phone by now.
func TestABookDoesntShowAPhone(t *testing.T) {
	s := newStore(NewMemory(), "table")
	tell(t, s, []step{{0, both("B1", "p")}, {5, newID("B1", "B2")}})
	seen, name := onlyP("p"), "Ana"
	seen.Saved, seen.At, seen.ID, seen.Source = &name, after(48*60*60), "book", chat.SourceBook
	who, err := s.Person(t.Context(), seen)
	if err != nil || who.Shown() != "Ana" {
		t.Fatalf("%+v, %v", who, err)
	}
	if known, err := s.Identities(t.Context(), who); err != nil || fmt.Sprint(known) != "[{bsuid B2} {bsuid B1}]" {
		t.Errorf("%v, %v", known, err)
	}
}

func TestFindContacts(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a := receive(t, s, inbound("w1", noon, both("B1", "p"))).Message.Contact
		b := receive(t, s, inbound("w2", noon, spelled("p", both("B2", "9p")))).Message.Contact
		for _, c := range []struct {
			phone    string
			variants []string
			want     []chat.ContactID
		}{
			{"p", nil, []chat.ContactID{a}}, {"p", []string{"9p", "99p"}, []chat.ContactID{a, b}},
			{"9p", []string{"p"}, []chat.ContactID{b, a}}, {"99p", []string{"9p"}, []chat.ContactID{b}}, {"x", []string{"y"}, nil},
		} {
			found, err := s.FindContacts(t.Context(), c.phone, c.variants)
			var got []chat.ContactID
			for _, f := range found {
				got = append(got, f.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s or %v: %v, %v, want %v", c.phone, c.variants, got, err, c.want)
			}
		}
		if _, err := s.Join(t.Context(), a, b, chat.Stamp{At: after(2)}); err != nil {
			t.Fatal(err)
		}
		if found, err := s.FindContacts(t.Context(), "9p", []string{"p"}); err != nil || len(found) != 1 || found[0].ID != a {
			t.Errorf("joined: %+v, %v", found, err)
		}
	})
}

// orders calls f with every order of the indices 0..n-1.
func orders(n int, f func([]int)) {
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

// A request names people and is no evidence for who they are.
func TestPerson(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ask := func(seen chat.Seen) chat.Contact {
			seen.Source, seen.At, seen.ID = chat.SourceRequest, s.now(), "m_1"
			c, err := s.Person(t.Context(), seen)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		known := receive(t, s, inbound("w1", noon, both("B1", "p"))).Message.Contact
		if got := ask(onlyP("p")).ID; got != known {
			t.Errorf("the phone's is %s, want %s", got, known)
		}
		if got := ask(chat.Seen{BSUID: "B1"}).ID; got != known {
			t.Errorf("the id's is %s, want %s", got, known)
		}
		stranger := ask(onlyP("q"))
		if again := ask(onlyP("q")); stranger.ID == known || again.ID != stranger.ID {
			t.Errorf("a stranger is %s and %s", stranger.ID, again.ID)
		}
		if got := receive(t, s, inbound("w2", after(9), both("B2", "q"))).Message.Contact; got != stranger.ID {
			t.Errorf("the stranger answers as %s, want %s", got, stranger.ID)
		}
		if _, ok, err := s.FindContact(t.Context(), chat.AliasWAID, "none"); ok || err != nil {
			t.Errorf("nobody: %v %v", ok, err)
		}
	})
}

// An identity whose contact was erased is nobody's, and no other one's either.
func TestErasedContact(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	gone := receive(t, s, inbound("w1", noon, onlyB("B1"))).Message.Contact
	mem.forget(contactKey(gone))
	m := receive(t, s, inbound("w2", after(1), both("B1", "p"))).Message
	if m.Contact == gone || m.Contact == "" {
		t.Errorf("it is from %q", m.Contact)
	}
}

// Of a person half of whom was erased nothing is left, and nothing breaks.
func TestErasedSurvivor(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	gone := receive(t, s, inbound("w1", noon, onlyB("B1"))).Message.Contact
	half := receive(t, s, inbound("w2", noon, onlyP("p"))).Message.Contact
	receive(t, s, inbound("w3", after(1), both("B1", "p")))
	mem.forget(contactKey(gone))
	before := len(mem.Items())
	if err := s.Answered(t.Context(), outbound("m_1", after(2), half), "p", "B1"); err != nil {
		t.Error(err)
	}
	if got := len(mem.Items()); got != before {
		t.Errorf("of %d items there are %d", before, got)
	}
	if _, err := s.Join(t.Context(), gone, half, chat.Stamp{At: after(3)}); chat.CodeOf(err) != chat.NotFound {
		t.Errorf("joined: %v", err)
	}
	if m := receive(t, s, inbound("w4", after(4), onlyP("p"))).Message; m.Contact == gone || m.Contact == half {
		t.Errorf("it is from %q", m.Contact)
	}
}

// Two ids of one account that show the same phone at the same moment are two people, whoever is faster.
func TestTwoPeopleAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		receive(t, s, inbound("w0", noon, onlyP("p")))
		together(2, func(i int) {
			in := inbound(fmt.Sprint("v", i), after(1), both(fmt.Sprint("B", i), "p"))
			persist(t, func() error { _, err := s.Receive(t.Context(), in); return err })
		})
		a, _, err := s.FindContact(t.Context(), chat.AliasBSUID, "B0")
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := s.FindContact(t.Context(), chat.AliasBSUID, "B1")
		if err != nil {
			t.Fatal(err)
		}
		if a.ID == b.ID || len(a.Flags) != 1 || len(b.Flags) != 1 {
			t.Errorf("they are %+v and %+v", a, b)
		}
	})
}
