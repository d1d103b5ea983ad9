package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"threadline/shared/chat"
)

func webhook(event string, second int) TemplateWord {
	return TemplateWord{Event: event, Why: "why " + event, Stamp: chat.Stamp{At: after(second), ID: event}}
}

func say(t *testing.T, s *Store, name string, w TemplateWord) {
	t.Helper()
	if err := s.TemplateSaid(t.Context(), "waba", name, "en", w); err != nil {
		t.Fatal(err)
	}
}

// sayings are the words on the templates of a list, in short.
func sayings(l TemplateList) string {
	var out []string
	for _, t := range l.Templates {
		if t.Said != nil {
			out = append(out, t.Name+":"+t.Said.Event+":"+t.Said.Why)
		}
	}
	return strings.Join(out, " ")
}

// The newest word stays on its template, whatever lists come: one that is listed later, not any longer, and again.
func TestWhatIsSaidOfATemplate(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		say(t, s, "early", webhook("REJECTED", 1))
		if l := templatesOf(t, s); len(l.Templates) != 0 || !l.Fetched.IsZero() {
			t.Errorf("a word makes a list: %+v", l)
		}
		if _, _, found, err := s.Template(t.Context(), "waba", "early", "en"); found || err != nil {
			t.Errorf("one that isn't listed is found: %v, %v", found, err)
		}
		list := func(at int, names ...string) (all []Template) {
			for _, n := range names {
				all = append(all, template(n, "en", fmt.Sprint("at ", at)))
			}
			putTemplates(t, s, at, all...)
			return all
		}
		want := func(words string, lists ...TemplateList) {
			t.Helper()
			for _, l := range append(lists, templatesOf(t, s)) {
				if got := sayings(l); got != words {
					t.Errorf("said %q, want %q", got, words)
				}
			}
		}
		want("early:REJECTED:why REJECTED", TemplateList{Templates: list(2, "early", "other")})
		say(t, s, "early", webhook("PAUSED", 3))
		say(t, s, "early", webhook("APPROVED", 2)) // late
		say(t, s, "other", webhook("DISABLED", 3))
		want("early:PAUSED:why PAUSED other:DISABLED:why DISABLED")
		want("early:PAUSED:why PAUSED other:DISABLED:why DISABLED", TemplateList{Templates: list(4, "early", "other")})
		list(5, "other")
		say(t, s, "early", webhook("DELETED", 6))
		want("other:DISABLED:why DISABLED")
		want("early:DELETED:why DELETED other:DISABLED:why DISABLED", TemplateList{Templates: list(7, "early", "other")})
		one, _, found, err := s.Template(t.Context(), "waba", "early", "en")
		if err != nil || !found || one.Said == nil || one.Said.Event != "DELETED" {
			t.Errorf("%+v, %v, %v", one.Said, found, err)
		}
	})
}

// Whatever the order of the words, of two of one second too, and of the lists between them.
func TestWordsOnTemplatesCommute(t *testing.T) {
	words := []TemplateWord{webhook("A", 1), webhook("B", 2), webhook("C", 2), webhook("D", 1)}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		s := newStore(NewMemory(), "table")
		fetched := 0
		for _, i := range append(rng.Perm(len(words)), rng.IntN(len(words))) {
			say(t, s, "hello", words[i])
			if rng.IntN(2) == 0 {
				fetched++
				putTemplates(t, s, fetched, many(rng.IntN(2), "x")...)
			}
		}
		putTemplates(t, s, 100, template("hello", "en", "APPROVED"))
		if got := sayings(templatesOf(t, s)); got != "hello:C:why C" {
			t.Fatalf("said %q", got)
		}
	}
}

// A word on a template that nobody lists is forgotten in time, and so is the word on one that is gone.
func TestWordsOnTemplatesAreForgotten(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	k := templateKey("waba", "hello", "en")
	ttl := func() int64 { return asInt(mem.Items()[[2]string{k.pk, k.sk}]["ttl"]) }
	say(t, s, "hello", webhook("REJECTED", 1))
	if want := s.now().Add(goneFor).Unix(); ttl() != want {
		t.Errorf("ttl is %d, want %d", ttl(), want)
	}
	putTemplates(t, s, 2, template("hello", "en", "APPROVED"))
	if say(t, s, "hello", webhook("PAUSED", 3)); ttl() != 0 {
		t.Errorf("ttl of one that is listed is %d", ttl())
	}
}
