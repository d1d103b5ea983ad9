package store

import (
	"reflect"
	"testing"

	"threadline/shared/chat"
)

func TestOneTemplate(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		look := func(name, language string) (Template, TemplateList, bool) {
			t.Helper()
			one, list, found, err := s.Template(t.Context(), "waba", name, language)
			if err != nil {
				t.Fatal(err)
			}
			return one, list, found
		}
		if one, list, found := look("hello", "es"); found || list.WABA != "waba" || !list.Stale() {
			t.Errorf("before the first: %+v of %+v", one, list)
		}
		want := template("hello", "es", "APPROVED")
		putTemplates(t, s, 1, template("hello", "en", "APPROVED"), want, template("order", "es", "APPROVED"))
		if one, list, found := look("hello", "es"); !found || !reflect.DeepEqual(one, want) || !list.Fetched.Equal(after(1)) || list.Stale() || list.Templates != nil {
			t.Errorf("%+v of %+v", one, list)
		}
		for _, c := range [][2]string{{"hello", "pt"}, {"hell", "es"}, {"", ""}} {
			if one, list, found := look(c[0], c[1]); found || list.Stale() {
				t.Errorf("%v is %+v of %+v", c, one, list)
			}
		}
		if err := s.ExpireTemplates(t.Context(), "waba", after(1)); err != nil {
			t.Fatal(err)
		}
		if _, list, found := look("hello", "es"); !found || !list.Stale() || !list.Expired.Equal(after(1)) {
			t.Errorf("after a change: %v, %+v", found, list)
		}
		putTemplates(t, s, 9, template("order", "es", "APPROVED"))
		if _, list, found := look("hello", "es"); found || list.Stale() {
			t.Errorf("it is gone, and found is %v of %+v", found, list)
		}
	})
}

// Meta may be asked for one template alone. Of several answers about it, that of the latest question counts.
func TestATemplateAskedForAlone(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		put := func(at int, status string) {
			t.Helper()
			if err := s.PutTemplate(t.Context(), "waba", after(at), template("hello", "es", status)); err != nil {
				t.Fatal(err)
			}
		}
		look := func(status string, fetched int, why string) {
			t.Helper()
			one, list, found, err := s.Template(t.Context(), "waba", "hello", "es")
			if err != nil || !found || one.Status != status || !list.Fetched.Equal(after(fetched)) {
				t.Errorf("%s: %+v of %+v (%v)", why, one, list, err)
			}
		}
		put(1, "one")
		look("one", 1, "the first question of all")
		putTemplates(t, s, 3, template("hello", "es", "three"), template("order", "es", "three"))
		put(2, "two")
		look("three", 3, "the list is younger")
		put(5, "five")
		look("five", 5, "the list is older")
		if _, list, _, err := s.Template(t.Context(), "waba", "order", "es"); err != nil || !list.Fetched.Equal(after(3)) {
			t.Errorf("another one is of %+v (%v)", list, err)
		}
		putTemplates(t, s, 4, template("hello", "es", "four"))
		look("five", 5, "a list that was asked for before")
		putTemplates(t, s, 4, template("order", "es", "four"))
		look("five", 5, "one that it wasn't on")
		putTemplates(t, s, 6, template("hello", "es", "six"))
		look("six", 6, "a list that was asked for after")
	})
}

// What a template costs doesn't depend on how many there are.
func TestOneTemplateIsOneCall(t *testing.T) {
	var all []Template
	for i := range 250 {
		all = append(all, template("t"+string(rune('a'+i%26))+string(rune('a'+i/26)), "es", "APPROVED"))
	}
	m := NewMeter(NewMemory())
	s := newStore(m, "table")
	putTemplates(t, s, 1, all...)
	before := m.Cost()
	if _, _, found, err := s.Template(t.Context(), "waba", "taa", "es"); !found || err != nil {
		t.Fatal(found, err)
	}
	if c := m.Cost().Less(before); c.Calls != 1 || c.Read != 2 || c.Reads != 2 {
		t.Errorf("it costs %+v", c)
	}
}

func TestAccountOf(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		want := func(n chat.NumberID, account string) {
			t.Helper()
			if got, err := s.AccountOf(t.Context(), n); err != nil || got != account {
				t.Errorf("number %s is of %q (%v), want %q", n, got, err, account)
			}
		}
		want("100", "")
		if _, _, err := s.LearnNumber(t.Context(), "100", "told", nil); err != nil {
			t.Fatal(err)
		}
		want("100", "told")
		if _, err := s.SeeNumber(t.Context(), Number{ID: "100", WABA: "seen", Seen: chat.Stamp{At: noon, ID: "1"}}); err != nil {
			t.Fatal(err)
		}
		want("100", "seen")
	})
}
