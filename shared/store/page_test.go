package store

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

func TestMessagesPages(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var id chat.ConversationID
		var want []string
		for i := range 11 { // several of the same second
			m := receive(t, s, inbound(fmt.Sprintf("w%02d", i), after(i/4), chat.Seen{BSUID: "ES.1"})).Message
			id, want = m.Conversation, append(want, string(m.ID))
		}
		for _, limit := range []int{1, 2, 3, 5, 10, 11, 12, 100} {
			if got := ids(messages(t, s, id, limit)); got != strings.Join(want, " ") {
				t.Errorf("by %d: %s", limit, got)
			}
		}
		page, next, err := s.Messages(t.Context(), id, "", 11)
		if err != nil || next != "" || len(page) != 11 {
			t.Errorf("exactly one page: %d, next %q, %v", len(page), next, err)
		}
	})
}

func TestMessagesInOrderOfArrivalWithinASecond(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var id chat.ConversationID
		for _, w := range []string{"c", "a", "b"} {
			id = receive(t, s, inbound(w, noon, chat.Seen{BSUID: "ES.1"})).Message.Conversation
		}
		receive(t, s, inbound("d", after(-1), chat.Seen{BSUID: "ES.1"}))
		if got := ids(messages(t, s, id, 10)); got != "d c a b" {
			t.Error(got)
		}
	})
}

func TestMessagesOfNobody(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for _, id := range []chat.ConversationID{"100.01NOBODY", "100.g.none", "", "\xff", "100." + chat.ConversationID(strings.Repeat("x", 5000))} {
			if _, _, err := s.Messages(t.Context(), id, "", 10); chat.CodeOf(err) != chat.NotFound {
				t.Errorf("messages of %.20q: %v", id, err)
			}
			if _, err := s.Conversation(t.Context(), id); chat.CodeOf(err) != chat.NotFound {
				t.Errorf("conversation %.20q: %v", id, err)
			}
		}
	})
}

// joinedPair makes two contacts with a conversation each and joins them; old survives.
func joinedPair(t *testing.T, s *Store) (survivor, other chat.ConversationID) {
	t.Helper()
	a := receive(t, s, inbound("a1", noon, chat.Seen{Phone: "34600111222", Name: "Ana"})).Message
	b := receive(t, s, inbound("b1", after(1), chat.Seen{BSUID: "ES.1", Name: "Anita"})).Message
	receive(t, s, inbound("a2", after(2), chat.Seen{Phone: "34600111222"}))
	receive(t, s, inbound("b2", after(3), chat.Seen{BSUID: "ES.1"}))
	receive(t, s, inbound("j", after(4), chat.Seen{BSUID: "ES.1", Phone: "34600111222", Scope: "waba"}))
	return a.Conversation, b.Conversation
}

func TestJoinedConversationsAreReadTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		a, b := joinedPair(t, s)
		for _, id := range []chat.ConversationID{a, b} {
			for _, limit := range []int{1, 2, 3, 4, 5, 6} {
				if got := ids(messages(t, s, id, limit)); got != "a1 b1 a2 b2 j" {
					t.Errorf("%s by %d: %s", id, limit, got)
				}
			}
			c, err := s.Conversation(t.Context(), id)
			if err != nil || c.ID != a || c.Arrivals != 5 || !c.Activity.Equal(after(4)) || !c.LastInbound.Equal(after(4)) {
				t.Errorf("%s: %+v, %v", id, c, err)
			}
		}
		list := conversations(t, s, Filter{}, 10)
		if len(list) != 1 || list[0].ID != a || list[0].With.Name != "Anita" {
			t.Errorf("listed: %+v", list)
		}
	})
}

// Two that were joined to somebody who never wrote on this number are listed as one.
func TestJoinedConversationsAreListedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		elsewhere := inbound("a1", noon, chat.Seen{Phone: "34600111222"})
		elsewhere.Number = "200"
		a := receive(t, s, elsewhere).Message
		receive(t, s, inbound("b1", after(1), chat.Seen{BSUID: "ES.1"}))
		receive(t, s, inbound("c1", after(2), chat.Seen{BSUID: "US.1"}))
		for i, id := range []string{"ES.1", "US.1"} {
			in := inbound(fmt.Sprint("j", i), after(3+i), chat.Seen{BSUID: id, Phone: "34600111222", Scope: "waba of " + id})
			in.Number = "200"
			receive(t, s, in)
		}
		for _, limit := range []int{1, 10} {
			list := conversations(t, s, Filter{}, limit)
			if len(list) != 2 || list[0].ID != a.Conversation || list[1].ID != chat.Direct(ourNumber, a.Contact) {
				t.Errorf("listed: %+v", list)
			}
		}
		if got := ids(messages(t, s, chat.Direct(ourNumber, a.Contact), 10)); got != "b1 c1" {
			t.Error(got)
		}
	})
}

// conversations reads the whole list, page by page.
func conversations(t *testing.T, s *Store, f Filter, limit int) []Listed {
	t.Helper()
	var all []Listed
	cursor := ""
	for range 1000 {
		page, next, err := s.Conversations(t.Context(), f, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("a page of %d has %d", limit, len(page))
		}
		all = append(all, page...)
		if cursor = next; next == "" {
			return all
		}
	}
	t.Fatal("the pages never end")
	return nil
}

func TestConversationsPages(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		var want []string
		for i := range 13 { // two of each second
			m := receive(t, s, inbound(fmt.Sprintf("w%02d", i), after(i/2), chat.Seen{BSUID: fmt.Sprint("ES.", i), Name: fmt.Sprint(i)})).Message
			want = append(want, millis(m.At)+"#"+string(m.Conversation))
		}
		slices.Sort(want)
		slices.Reverse(want)
		for _, limit := range []int{1, 2, 3, 6, 12, 13, 14, 100} {
			var got []string
			for _, l := range conversations(t, s, Filter{}, limit) {
				got = append(got, millis(l.Activity)+"#"+string(l.ID))
				if l.With.ID != l.Contact || l.With.Name == "" {
					t.Errorf("%s is with %+v", l.ID, l.With)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %d:\n%v\nwant\n%v", limit, got, want)
			}
		}
		if got := conversations(t, s, Filter{Team: DefaultTeam, State: chat.InQueue}, 5); len(got) != 13 {
			t.Errorf("%d are queued", len(got))
		}
		for _, f := range []Filter{{State: chat.Resolved}, {Owner: "someone"}, {Team: "sales"}, {State: chat.WithBot},
			{Owner: strings.Repeat("x", 5000)}, {Team: "\xff"}} {
			if got := conversations(t, s, f, 5); len(got) != 0 {
				t.Errorf("%.40v selects %d", f, len(got))
			}
		}
	})
}

func TestCursorsThatWeDidNotGiveOut(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		id := receive(t, s, inbound("w1", noon, chat.Seen{BSUID: "ES.1"})).Message.Conversation
		for _, raw := range []string{"", "!", "\xff", "\x00", "0", "zzz", "1772366400000", "17723664000000#w1", "177236640000x#w1",
			"1772366400000#\xff", strings.Repeat("1", 2000)} {
			for _, c := range []string{base64.RawURLEncoding.EncodeToString([]byte(raw)), raw + "?"} {
				if c == "" {
					continue // asks for the first page
				}
				if _, _, err := s.Messages(t.Context(), id, c, 10); chat.CodeOf(err) != chat.Invalid {
					t.Errorf("messages after %q: %v", c, err)
				}
				if _, _, err := s.Conversations(t.Context(), Filter{}, c, 10); chat.CodeOf(err) != chat.Invalid {
					t.Errorf("conversations after %q: %v", c, err)
				}
			}
		}
		if _, _, err := s.Messages(t.Context(), id, encodeCursor("1772366400000#x#y"), 10); chat.CodeOf(err) != chat.Invalid {
			t.Errorf("an arrival that is no number: %v", err)
		}
		if page, next, err := s.Messages(t.Context(), id, encodeCursor("0000000000000#1#x"), 10); err != nil || len(page) != 0 || next != "" {
			t.Errorf("after the end: %v %q %v", page, next, err)
		}
	})
}

func TestLookup(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		for i, n := range []chat.NumberID{"200", ourNumber, "300"} {
			if _, err := s.SeeNumber(t.Context(), Number{ID: n, Seen: chat.Stamp{At: after(i), ID: "x"}}); err != nil {
				t.Fatal(err)
			}
		}
		in := receive(t, s, inbound("w1", noon, chat.Seen{BSUID: "ES.1"})).Message
		out := queue(t, s, outbound("m_1", after(1), in.Contact))
		accept(t, s, out, "w2")
		for id, want := range map[chat.MessageID]chat.MessageID{"w1": "w1", "m_1": "m_1", "w2": "m_1"} {
			if m, err := s.Lookup(t.Context(), id); err != nil || m.ID != want {
				t.Errorf("%s is %q, %v", id, m.ID, err)
			}
		}
		for _, id := range []chat.MessageID{"w9", "m_9", "", "\xff", "m_\xff", chat.MessageID(strings.Repeat("x", 5000))} {
			if _, err := s.Lookup(t.Context(), id); chat.CodeOf(err) != chat.NotFound {
				t.Errorf("%.20q: %v", id, err)
			}
		}
		if m, err := s.Message(t.Context(), in.Conversation, SortKey(in)); err != nil || m.ID != "w1" {
			t.Errorf("by its place: %q, %v", m.ID, err)
		}
	})
}

func TestNumbers(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		see := func(display string, at time.Time) {
			n := Number{ID: ourNumber, Display: display, Seen: chat.Stamp{At: at, ID: "w"}}
			if _, err := s.SeeNumber(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		see("second", after(2))
		see("third", after(3))
		see("first", after(1))
		if _, err := s.SeeNumber(t.Context(), Number{ID: "050", Seen: chat.Stamp{At: noon, ID: "w"}}); err != nil {
			t.Fatal(err)
		}
		ns, err := s.Numbers(t.Context())
		if err != nil || len(ns) != 2 || ns[0].ID != "050" || ns[1].Display != "first" {
			t.Errorf("%+v, %v", ns, err)
		}
	})
}

func TestEvents(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		e := Event{WABA: "1", Number: ourNumber, Field: "account_update", At: noon, Body: []byte("{\xff}"), Hash: Hash([]byte("e"))}
		for _, put := range []func() (bool, error){
			func() (bool, error) { return s.PutRaw(t.Context(), e) },
			func() (bool, error) { return s.PutAccountEvent(t.Context(), e) },
		} {
			for i := range 2 {
				if first, err := put(); err != nil || first != (i == 0) {
					t.Errorf("time %d: first is %v, %v", i+1, first, err)
				}
			}
		}
		undated := e
		undated.At, undated.Hash = time.Time{}, Hash([]byte("undated"))
		if first, err := s.PutRaw(t.Context(), undated); err != nil || !first {
			t.Error(first, err)
		}
		for _, c := range []struct {
			day  time.Time
			hash string
		}{{noon, e.Hash}, {time.Time{}, undated.Hash}} {
			es, err := s.Raw(t.Context(), c.day)
			if err != nil || len(es) != 1 || es[0].Hash != c.hash || string(es[0].Body) != string(e.Body) {
				t.Errorf("of %v: %+v, %v", c.day, es, err)
			}
		}
	})
}

func TestCRM(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		m := receive(t, s, inbound("w1", noon, chat.Seen{BSUID: "ES.1"})).Message
		if l, err := s.Link(t.Context(), m.Contact, "hubspot"); err != nil || l.Ref != "" {
			t.Fatal(l, err)
		}
		record := Link{Ref: "42", Shown: "hash"}
		if err := s.SetLink(t.Context(), m.Contact, "hubspot", record); err != nil {
			t.Fatal(err)
		}
		if l, err := s.Link(t.Context(), m.Contact, "hubspot"); err != nil || !reflect.DeepEqual(l, record) {
			t.Error(l, err)
		}
		if l, err := s.Link(t.Context(), m.Contact, "odoo"); err != nil || l.Ref != "" {
			t.Error(l, err)
		}
		for connector, want := range map[string]chat.ContactID{"hubspot": m.Contact, "odoo": ""} {
			if who, err := s.Owner(t.Context(), connector, "42"); who != want || err != nil {
				t.Errorf("the %s record is %q's (%v)", connector, who, err)
			}
		}
		together(6, func(i int) {
			persist(t, func() error {
				_, err := s.ClaimEntry(t.Context(), m, "hubspot", func(e *Entry) {
					e.Contact = "42"
					if e.Ref == "" {
						e.Ref = fmt.Sprint("entry ", i)
					}
				})
				return err
			})
		})
		a, err := s.ClaimEntry(t.Context(), m, "hubspot", func(*Entry) {})
		if err != nil || a.Contact != "42" || !strings.HasPrefix(a.Ref, "entry ") {
			t.Fatalf("%+v, %v", a, err)
		}
		b, err := s.ClaimEntry(t.Context(), m, "hubspot", func(e *Entry) { e.File = "7" })
		if err != nil || b.Ref != a.Ref || b.File != "7" {
			t.Errorf("%+v, %v", b, err)
		}
	})
}
