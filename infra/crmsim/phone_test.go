package crmsim

import (
	"strings"
	"testing"
	"time"

	"threadline/shared/metric"
	"threadline/shared/store"
)

// numbers are what people typed into a CRM, and who writes from WhatsApp.
var numbers = []struct {
	typed, writes string
	same          bool
}{
	{"+34 600 111 200", "34600111200", true},
	{"699 11 22 33", "34699112233", true}, // without its country
	{"0034600333444", "34600333444", true},
	{"(+34) 600-444-555", "34600444555", true},
	{"0612345678", "31612345678", true}, // with the trunk prefix
	{"+31 (0)6 12345679", "31612345679", true},
	{"07911 123456", "447911123456", true},
	{"+52 55 1234 5678", "5215512345678", true}, // WhatsApp kept Mexico's 1
	{"55 1234 5679", "5215512345679", true},
	{"+521 55 1234 5670", "525512345670", true},
	{"+54 11 2345 6789", "5491123456789", true}, // Argentina's 9 comes and goes
	{"+54 9 11 2345 6780", "541123456780", true},
	{"+54 11 15-2345-6781", "5491123456781", true},
	{"+55 11 98765-4321", "551187654321", true}, // Brazil's ninth digit
	{"+55 11 8765-4322", "5511987654322", true},
	{"(11) 98765-4323", "551187654323", true},
	{"+49 600 555 666", "34600555666", false}, // another country
	{"+34 600 666 7778", "34600666777", false},
	{"666 777", "34600666779", false},
}

// searches tells whether such a CRM looks for numbers at all.
func (k Kind) searches() bool { return k.Name != "webhook that does the least" }

// TestWhoWritesIsFoundByNumber: however the number was typed. Whoever isn't, gets a record of their own.
func TestWhoWritesIsFoundByNumber(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1}, k)
		c := r.CRMs[0]
		typed := map[string]string{} // the record, by who writes
		for _, n := range numbers {
			id, err := c.Add("Somebody Known", n.typed)
			if err != nil {
				t.Logf("it holds no %q: %v", n.typed, err)
				continue
			}
			typed[n.writes] = id
		}
		r.Run(time.Hour)
		for _, n := range numbers {
			r.Text(n.writes, "wamid."+n.writes, "<"+n.writes+">")
		}
		r.Quiet()
		settled(t, r)
		for _, n := range numbers {
			_, on := showing(t, c, "<"+n.writes+">")
			if len(on) != 1 {
				t.Errorf("%s is there %d times", n.writes, len(on))
				continue
			}
			known, held := typed[n.writes]
			if found := on[0] == known; held && found != (n.same && k.searches()) {
				t.Errorf("typed %q, written by %s: found is %v, want %v", n.typed, n.writes, found, n.same)
			}
		}
	})
}

// TestSeveralRecordsWithTheNumber: none of them is chosen, and somebody is told. A record that is another customer's doesn't
// count.
func TestSeveralRecordsWithTheNumber(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1}, k)
		c, from := r.CRMs[0], "34600111222"
		known := map[string]bool{}
		for _, number := range []string{"+34 600 111 222", "0034600111222"} {
			id, err := c.Add("The Family", number)
			if err != nil {
				t.Fatal(err)
			}
			known[id] = true
		}
		r.Run(time.Hour)
		r.Text(from, "wamid.1", "<one>")
		r.Quiet()
		r.Text(from, "wamid.2", "<two>")
		r.Quiet()
		_, on := showing(t, c, "<one>")
		if len(on) != 1 || known[on[0]] {
			t.Fatalf("<one> is on %q", on)
		}
		once(t, c, "<two>", on[0], 0)
		link := r.link(from, c)
		want, told := 2, 1
		if !k.searches() {
			want, told = 0, 0
		}
		if len(link.Others) != want || r.Metrics.Of(metric.ContactAmbiguous) != told {
			t.Errorf("told of %q, %d times", link.Others, r.Metrics.Of(metric.ContactAmbiguous))
		}
		for _, other := range link.Others {
			if !known[other] {
				t.Errorf("told of %s, which nobody typed in", other)
			}
		}
	})
}

// TestANumberThatIsPassedOn: the record of somebody who had the number before isn't the next one's.
func TestANumberThatIsPassedOn(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1}, k)
		c, number := r.CRMs[0], "34600111222"
		r.TextAs("ES.first", number, "wamid.1", "<one>")
		r.Run(time.Hour)
		r.TextAs("ES.second", number, "wamid.2", "<two>")
		r.Quiet()
		_, first := showing(t, c, "<one>")
		_, second := showing(t, c, "<two>")
		if len(first) != 1 || len(second) != 1 || first[0] == second[0] {
			t.Errorf("<one> is on %q, <two> on %q", first, second)
		}
		settled(t, r)
	})
}

// link is what the table knows of a customer's record.
func (r *Rig) link(from string, c *CRM) store.Link {
	r.t.Helper()
	who, err := r.Store.FindContacts(r.t.Context(), strings.TrimPrefix(from, "+"), nil)
	if err != nil || len(who) != 1 {
		r.t.Fatalf("%d contacts have the number: %v", len(who), err)
	}
	link, err := r.Store.Link(r.t.Context(), who[0].ID, c.Connector)
	if err != nil {
		r.t.Fatal(err)
	}
	return link
}
