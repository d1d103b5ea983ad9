package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func template(name, language, status string) Template {
	return Template{Name: name, Language: language, ID: "1", Category: "UTILITY", Status: status, Quality: "GREEN", Format: "NAMED",
		Components: json.RawMessage(`[{"type":"BODY","text":"{{name}}"}]`)}
}

func putTemplates(t *testing.T, s *Store, at int, all ...Template) {
	t.Helper()
	if err := s.PutTemplates(t.Context(), "waba", after(at), all); err != nil {
		t.Fatal(err)
	}
}

func templatesOf(t *testing.T, s *Store) TemplateList {
	t.Helper()
	l, err := s.Templates(t.Context(), "waba")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// called are the templates in short.
func called(l TemplateList) string {
	var out []string
	for _, t := range l.Templates {
		out = append(out, t.Name+"/"+t.Language+":"+t.Status)
	}
	return strings.Join(out, " ")
}

func TestTemplates(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		if l := templatesOf(t, s); !l.Fetched.IsZero() || !l.Stale() || l.WABA != "waba" {
			t.Errorf("before the first: %+v", l)
		}
		first := template("hello", "es", "APPROVED")
		putTemplates(t, s, 1, template("order", "en_US", "PENDING"), first, template("hello", "en", "APPROVED"))
		l := templatesOf(t, s)
		if called(l) != "hello/en:APPROVED hello/es:APPROVED order/en_US:PENDING" || !l.Fetched.Equal(after(1)) || l.Stale() {
			t.Errorf("%s, %+v", called(l), l)
		}
		if !reflect.DeepEqual(l.Templates[1], first) {
			t.Errorf("it came back as %+v", l.Templates[1])
		}
		putTemplates(t, s, 2, template("order", "en_US", "APPROVED"), first, first)
		if got := called(templatesOf(t, s)); got != "hello/es:APPROVED order/en_US:APPROVED" {
			t.Errorf("one was changed, one vanished: %s", got)
		}
		putTemplates(t, s, 1, template("late", "en", "APPROVED"))
		if l := templatesOf(t, s); strings.Contains(called(l), "late") || !l.Fetched.Equal(after(2)) {
			t.Errorf("an older answer counts: %s", called(l))
		}
		putTemplates(t, s, 3, template("hello", "en", "APPROVED"))
		if got := called(templatesOf(t, s)); got != "hello/en:APPROVED" {
			t.Errorf("one came back: %s", got)
		}
		putTemplates(t, s, 4)
		if l := templatesOf(t, s); called(l) != "" || !l.Fetched.Equal(after(4)) {
			t.Errorf("there are none: %+v", l)
		}
	})
}

// Whatever a template is called, it has a place of its own.
func TestTemplatesWithLongNames(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		long := strings.Repeat("x", 1100)
		putTemplates(t, s, 1, template(long, "en", "A"), template(long, "es", "B"), template(long+"y", "es", "C"), template("", "", "D"))
		if l := templatesOf(t, s); len(l.Templates) != 4 {
			t.Errorf("there are %d", len(l.Templates))
		}
	})
}

func TestTemplatesGoStale(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		expire := func(at time.Time) {
			t.Helper()
			if err := s.ExpireTemplates(t.Context(), "waba", at); err != nil {
				t.Fatal(err)
			}
		}
		fetch := func(at time.Time) {
			t.Helper()
			if err := s.PutTemplates(t.Context(), "waba", at, []Template{template("hello", "en", "APPROVED")}); err != nil {
				t.Fatal(err)
			}
		}
		stale := func(want bool, why string) {
			t.Helper()
			if got := templatesOf(t, s).Stale(); got != want {
				t.Errorf("%s: stale is %v", why, got)
			}
		}
		expire(after(5)) // while the first answer is on its way
		fetch(after(4))
		stale(true, "asked before the change")
		fetch(after(5).Add(300 * time.Millisecond))
		stale(true, "asked in the second of the change")
		fetch(after(6))
		stale(false, "asked after the change")
		expire(after(3))
		stale(false, "an old change")
		expire(after(9))
		expire(after(8))
		stale(true, "changed again")
		if l := templatesOf(t, s); called(l) != "hello/en:APPROVED" || !l.Expired.Equal(after(9)) {
			t.Errorf("%+v", l)
		}
	})
}

// many are templates that fill several transactions.
func many(n int, status string) []Template {
	var all []Template
	for i := range n {
		all = append(all, template(fmt.Sprintf("t%03d", i), "en", status))
	}
	return all
}

// A list never says more than is true: until the last template is written, it is as old as the one before, and each
// template is at least as new as that.
func TestTemplatesHalfWritten(t *testing.T) {
	old, next := append(many(150, "old"), template("gone", "en", "old")), many(250, "new")
	for n := 1; ; n++ {
		mem := NewMemory()
		s := newStore(mem, "table")
		putTemplates(t, s, 1, old...)
		table := &faulty{API: mem, fault: fault{err: context.DeadlineExceeded}, n: n}
		err := newStore(table, "table").PutTemplates(t.Context(), "waba", after(2), next)
		l := templatesOf(t, s)
		if err == nil {
			if n != table.calls+1 || n < 5 || !l.Fetched.Equal(after(2)) || !slices.EqualFunc(l.Templates, next, Template.equal) {
				t.Errorf("after %d calls: fetched %v, %s", table.calls, l.Fetched, called(l))
			}
			return
		}
		if !l.Fetched.Equal(after(1)) || len(l.Templates) < 150 {
			t.Errorf("stopped at call %d: fetched %v, %d templates", n, l.Fetched, len(l.Templates))
		}
		putTemplates(t, s, 1, template("late", "en", "old")) // a slow older answer
		putTemplates(t, s, 2, next...)
		if l := templatesOf(t, s); !l.Fetched.Equal(after(2)) || !slices.EqualFunc(l.Templates, next, Template.equal) {
			t.Errorf("taken up after call %d: fetched %v, %s", n, l.Fetched, called(l))
		}
	}
}

// The first list that stops halfway is no list.
func TestFirstTemplatesHalfWritten(t *testing.T) {
	table := &faulty{API: NewMemory(), fault: fault{err: context.DeadlineExceeded}, n: 3}
	s := newStore(table, "table")
	if err := s.PutTemplates(t.Context(), "waba", after(1), many(250, "new")); err == nil {
		t.Fatal("nothing failed")
	}
	if l := templatesOf(t, s); !l.Fetched.IsZero() || !l.Stale() || len(l.Templates) == 0 {
		t.Errorf("%+v", l)
	}
}

// Several functions fetch at once; the latest answer is what is known, whole.
func TestTemplatesTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		together(5, func(i int) {
			persist(t, func() error {
				return s.PutTemplates(t.Context(), "waba", after(i), many(110+i, fmt.Sprint("asked at ", i)))
			})
			persist(t, func() error { return s.ExpireTemplates(t.Context(), "waba", after(i)) })
		})
		if l := templatesOf(t, s); !l.Fetched.Equal(after(4)) || !l.Expired.Equal(after(4)) ||
			!slices.EqualFunc(l.Templates, many(114, "asked at 4"), Template.equal) {
			t.Errorf("%v %v %s", l.Fetched, l.Expired, called(l))
		}
	})
}

func TestTemplatesDespiteFaults(t *testing.T) {
	for _, f := range faults {
		for n := 1; ; n++ {
			mem := NewMemory()
			table := &faulty{API: mem, fault: f, n: n}
			s := newStore(table, "table")
			for at := range 2 {
				persist(t, func() error { return s.PutTemplates(t.Context(), "waba", after(at), many(120+at, fmt.Sprint(at))) })
				persist(t, func() error { return s.ExpireTemplates(t.Context(), "waba", after(at)) })
			}
			if l := templatesOf(t, newStore(mem, "table")); !slices.EqualFunc(l.Templates, many(121, "1"), Template.equal) || !l.Expired.Equal(after(1)) {
				t.Errorf("%s at call %d: %s", f.name, n, called(l))
			}
			if n > table.calls {
				break
			}
		}
	}
}

// What is read is one query, and what is the same isn't written again.
func TestTemplatesCost(t *testing.T) {
	m := NewMeter(NewMemory())
	s := newStore(m, "table")
	putTemplates(t, s, 1, many(40, "x")...)
	before := m.Cost()
	templatesOf(t, s)
	if c := m.Cost().Less(before); c.Calls != 1 {
		t.Errorf("to read costs %+v", c)
	}
	before = m.Cost()
	putTemplates(t, s, 2, append(many(39, "x"), template("t039", "en", "y"))...)
	if c := m.Cost().Less(before); c.Calls != 2 || c.Written != 2 {
		t.Errorf("one change costs %+v", c)
	}
}

// Large templates are divided by their size too.
func TestTemplatesOfManyBytes(t *testing.T) {
	all := many(30, "x")
	for i := range all {
		all[i].Components = json.RawMessage(`"` + strings.Repeat("x", 300<<10) + `"`)
	}
	s := newStore(NewMemory(), "table")
	ops, err := s.replace("waba", nil, all, after(1))
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, batch := range inBatches(ops) {
		bytes := maxItem // for the list
		for _, o := range batch {
			bytes += size(o.item)
		}
		if total += len(batch); bytes > 4<<20 || len(batch) == 0 {
			t.Errorf("a batch of %d has %d bytes", len(batch), bytes)
		}
	}
	if total != 30 {
		t.Errorf("%d are written", total)
	}
}

// A template that Meta doesn't list any more is forgotten in time, one that it does never.
func TestGoneTemplatesAreForgotten(t *testing.T) {
	mem := NewMemory()
	s := newStore(mem, "table")
	ttl := func() int64 {
		k := templateKey("waba", "hello", "en")
		return asInt(mem.Items()[[2]string{k.pk, k.sk}]["ttl"])
	}
	hello := template("hello", "en", "APPROVED")
	for at, step := range []struct {
		all  []Template
		want int64
	}{
		{[]Template{hello}, 0},
		{nil, noon.Add(time.Hour + goneFor).Unix()},
		{[]Template{hello}, 0},
	} {
		putTemplates(t, s, at+1, step.all...)
		if got := ttl(); got != step.want {
			t.Errorf("step %d: ttl is %d, want %d", at, got, step.want)
		}
	}
}
