package handler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// says stores a customer's text of some minutes after noon.
func (r *rig) says(id string, minutes int, text string) chat.Message {
	r.Helper()
	return r.received(chat.Message{
		ID: chat.MessageID(id), Kind: chat.KindText, Text: text, At: noon.Add(time.Duration(minutes) * time.Minute),
	}, chat.Seen{Phone: ana, Name: "Test Customer"})
}

func (e entry) texts() []string {
	var all []string
	for _, m := range e.shows.Messages {
		all = append(all, m.Text)
	}
	return all
}

// TestABurstIsOneEntry: messages within the span are shown together, in order, with their files; whatever comes twice.
func TestABurstIsOneEntry(t *testing.T) {
	for _, filesFirst := range []bool{false, true} {
		r := newRig(t)
		r.crm.can.FilesFirst, r.h.Bundle = filesFirst, 5*time.Minute
		photo := r.photo()
		all := []chat.Message{photo, r.says("wamid.b", 3, "second"), r.says("wamid.a", 1, "first"), r.says("wamid.c", 6, "later"), r.says("wamid.d", 7, "and later")}
		for range 2 {
			for _, m := range all {
				r.mustSync(m)
			}
		}
		r.arrives(photo, chat.Stored, "")
		for range 2 {
			r.mustSync(photo)
		}
		if len(r.crm.entries) != 2 {
			t.Fatalf("%d entries, want 2", len(r.crm.entries))
		}
		burst, later := r.entry(photo), r.entry(all[3])
		if got := burst.texts(); !slices.Equal(got, []string{"Photo", "first", "second"}) || len(burst.files) != 1 {
			t.Errorf("the burst is %q with %d files", got, len(burst.files))
		}
		if got := later.texts(); !slices.Equal(got, []string{"later", "and later"}) || !later.shows.At.Equal(all[3].At) {
			t.Errorf("what came later is %q at %s", got, later.shows.At)
		}
		r.crm.calls = nil
		r.mustSync(all[1])
		r.called()
	}
}

// TestABundleKeepsTheOrderWithinASecond: that of arrival, whatever the ids.
func TestABundleKeepsTheOrderWithinASecond(t *testing.T) {
	r := newRig(t)
	r.h.Bundle = time.Hour
	for _, m := range []chat.Message{r.says("wamid.c", 0, "one"), r.says("wamid.b", 0, "two"), r.says("wamid.a", 0, "three")} {
		r.mustSync(m)
	}
	for _, e := range r.crm.entries {
		if got := e.texts(); len(r.crm.entries) != 1 || !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Errorf("one of %d entries shows %q", len(r.crm.entries), got)
		}
	}
}

// TestAnEditShowsInTheBundle: what is said of a member later changes the entry.
func TestAnEditShowsInTheBundle(t *testing.T) {
	r := newRig(t)
	r.h.Bundle = time.Hour
	one, two := r.says("wamid.a", 0, "one"), r.says("wamid.b", 1, "two")
	r.mustSync(one)
	r.mustSync(two)
	r.change(two, func(m *chat.Message) { m.Text = "three" })
	r.mustSync(two)
	if got := r.entry(one).texts(); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("it shows %q", got)
	}
}

// TestABundleIsOfBoundedSize: however much somebody writes, nothing has to be shortened.
func TestABundleIsOfBoundedSize(t *testing.T) {
	r := newRig(t)
	r.h.Bundle = 24 * time.Hour
	for i := range 70 {
		r.mustSync(r.says(fmt.Sprintf("wamid.%03d", i), i, "x"))
	}
	r.mustSync(r.says("wamid.long", 100, strings.Repeat("x", maxWords)))
	var sizes []int
	for _, e := range r.crm.entries {
		sizes = append(sizes, len(e.shows.Messages))
	}
	slices.Sort(sizes)
	if !slices.Equal(sizes, []int{1, 10, 30, 30}) {
		t.Errorf("entries of %d messages", sizes)
	}
}

// TestABundleSurvivesEveryFault: any call fails in any way, and each message is shown once.
func TestABundleSurvivesEveryFault(t *testing.T) {
	for n := 1; n <= 14; n++ {
		for _, lost := range []bool{false, true} {
			r := newRig(t)
			r.h.Bundle = time.Hour
			calls := 0
			r.crm.fail = func(string) error {
				if calls++; calls == n && !lost {
					return &crm.Error{Class: crm.Transient, Status: 503}
				}
				return nil
			}
			r.crm.lose = func(string) error {
				if calls == n && lost {
					return &crm.Error{Class: crm.Transient, Unknown: true}
				}
				return nil
			}
			photo := r.photo()
			r.arrives(photo, chat.Stored, "")
			all := []chat.Message{r.says("wamid.a", 0, "one"), photo, r.says("wamid.b", 2, "two")}
			for range 4 {
				for _, m := range all {
					r.now = r.now.Add(time.Minute)
					if r.sync(m) != nil {
						break // the others wait behind it
					}
				}
			}
			if len(r.crm.entries) != 1 || len(r.crm.files) != 1 {
				t.Fatalf("call %d, lost %v: %d entries, %d files", n, lost, len(r.crm.entries), len(r.crm.files))
			}
			if e := r.entry(photo); len(e.files) != 1 || len(e.shows.Messages) != 3 {
				t.Errorf("call %d, lost %v: %q with %d files", n, lost, e.texts(), len(e.files))
			}
		}
	}
}

// TestABundleThatWasDeletedIsMadeAgain: whole.
func TestABundleThatWasDeletedIsMadeAgain(t *testing.T) {
	r := newRig(t)
	r.h.Bundle = time.Hour
	photo := r.photo()
	r.arrives(photo, chat.Stored, "")
	r.mustSync(photo)
	r.mustSync(r.says("wamid.b", 1, "two"))
	clear(r.crm.entries)
	clear(r.crm.people)
	r.mustSync(r.says("wamid.c", 2, "three"))
	if e := r.entry(photo); len(e.shows.Messages) != 3 || len(e.files) != 1 {
		t.Errorf("it shows %q with %d files", e.texts(), len(e.files))
	}
}
