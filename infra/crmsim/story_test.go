package crmsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kinds are all CRMs in all their variants.
func kinds() []Kind {
	all := slices.Clone(Variants)
	for _, k := range Kinds {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// each runs a test for every kind.
func each(t *testing.T, test func(*testing.T, Kind)) {
	for _, k := range kinds() {
		t.Run(k.Name, func(t *testing.T) { test(t, k) })
	}
}

// seeds is how many runs a sample has: CRMSIM_SEEDS, or few.
func seeds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("CRMSIM_SEEDS")); err == nil {
		return n
	}
	return few
}

// want is what one entry of a story has to show.
type want struct {
	texts []string // in this order
	files []string // SHA-256
	at    time.Time
}

// story is what has to be on each customer's record, by number.
type story map[string][]want

// often is how often a customer of most stories writes, or is written to.
const often = 97 * time.Second

func number(customer int) string { return fmt.Sprintf("346001110%02d", customer) }

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// tell has customers and the company write to each other, n messages each: texts, answers, edits, photos that come at
// once, soon and late, and documents of the company's.
func tell(r *Rig, customers, n int, every time.Duration) story {
	s := story{}
	for c := range customers {
		from := number(c)
		for i := range n {
			id, text := fmt.Sprintf("wamid.%d.%d", c, i), fmt.Sprintf("<%d/%d>", c, i)
			content := []byte("the file " + id)
			w := want{texts: []string{text}}
			var do func()
			switch i % 10 {
			default:
				do = func() { r.Text(from, id, text) }
			case 2, 7:
				do = func() { r.Answer(from, "m_"+id, text, nil) }
			case 3, 8:
				after := []time.Duration{0, 5 * time.Second, 20 * time.Minute}[(c+i)%3]
				do = func() { r.Photo(from, id, text, content, after) }
				w.files = []string{sum(content)}
			case 5:
				of := i - 1
				before := s[from][of].texts[0]
				do = func() { r.Edit(from, id, fmt.Sprintf("wamid.%d.%d", c, of), text) }
				w.texts = []string{"Edited a message:", text}
				s[from][of].texts = []string{text, "Edited. Before: " + before}
			case 9:
				if i%20 == 9 {
					content = append(content, make([]byte, 100<<10)...)
				}
				do = func() { r.Answer(from, "m_"+id, text, content) }
				w.files = []string{sum(content)}
			}
			after := time.Duration(i)*every + time.Duration(c)*3*time.Second
			w.at = r.Now().Add(after)
			s[from] = append(s[from], w)
			r.After(after, do)
		}
	}
	return s
}

// digits leaves nothing else of a text.
func digits(s string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
}

// check compares the CRM with a story: one record for each customer, every entry and file once and in order, and nothing else.
func check(t *testing.T, c *CRM, s story) {
	t.Helper()
	records, err := c.Records()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(s) {
		t.Errorf("%d contacts, want %d", len(records), len(s))
	}
	for _, record := range records {
		entries := s[digits(record.Phone)]
		if len(record.Entries) != len(entries) {
			t.Errorf("%s has %d entries, want %d: %q", record.Phone, len(record.Entries), len(entries), record.Entries)
			continue
		}
		for i, want := range entries {
			want.check(t, fmt.Sprintf("entry %d of %s", i, record.Phone), record.Entries[i])
		}
	}
}

func (w want) check(t *testing.T, name string, got Entry) {
	t.Helper()
	at := 0
	for _, text := range w.texts {
		n := strings.Index(got.Text[at:], text)
		if n < 0 {
			t.Errorf("%s is %q, want %q in this order", name, got.Text, w.texts)
			return
		}
		at += n + len(text)
	}
	if strings.Contains(got.Text, "is arriving") {
		t.Errorf("%s still waits for its file: %q", name, got.Text)
	}
	if !slices.Equal(slices.Sorted(slices.Values(got.Files)), slices.Sorted(slices.Values(w.files))) {
		t.Errorf("%s has the files %q, want %q", name, got.Files, w.files)
	}
}

// settled checks that nothing was given up.
func settled(t *testing.T, r *Rig) {
	t.Helper()
	if n := r.DLQ.Len(); n > 0 {
		t.Errorf("%d entries were parked: %v", n, r.DLQ.Messages())
	}
	if n := r.Metrics.Of("Parked"); n > 0 {
		t.Errorf("%d entries were refused for good", n)
	}
}

func TestAPerfectDay(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1}, k)
		s := tell(r, 3, 20, often)
		r.Quiet()
		check(t, r.CRMs[0], s)
		settled(t, r)
		t.Logf("%d calls", len(r.CRMs[0].Ledger()))
	})
}
