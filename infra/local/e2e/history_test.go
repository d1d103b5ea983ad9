package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/hubspot"
	"threadline/infra/local/meta"
)

const (
	threads      = 20 // four are fed at a time
	threadLength = 250
	photoEvery   = 125 // messages of a thread; its file comes in a POST of its own

	enough = 8 * time.Minute // for all of it to be stored, or in the CRM, on a machine that has much else to do
)

// past is the history of the company's telephone: stored at once, and brought to the CRM while all else goes on.
type past struct {
	meta.Imported
	began time.Time
}

// begin imports the history in shuffled POSTs. It comes before anybody with a phone number, because the simulated Meta
// takes those that it knows for the first threads.
func (p *past) begin(t *testing.T, w *world) {
	var err error
	p.began = time.Now()
	p.Imported, err = w.Meta().ImportHistory(meta.Import{Threads: threads, Messages: threadLength, Media: photoEvery, Shuffled: true})
	if err != nil || p.Messages != threads*threadLength || p.Posts < p.Messages/1000 {
		t.Fatalf("imported %+v (%v)", p.Imported, err)
	}
	w.secret(p.First)
	w.secret(p.Phones...)
	for i := range p.Phones {
		w.secret(fmt.Sprintf("History %d/", i+1))
	}
}

// arrived wants every message in its place.
func (p *past) arrived(t *testing.T, w *world) {
	p.stored(t, w, false)
	t.Logf("%d messages in %d POSTs are stored after %v", p.Messages, p.Posts, time.Since(p.began).Round(time.Second))
}

// stored waits until the API shows all threads, and that their files are there if that is asked for.
func (p *past) stored(t *testing.T, w *world, files bool) {
	t.Helper()
	for i, phone := range p.Phones {
		poll(t, enough, time.Second, time.Second, func() error {
			conversation, err := w.conversationWith(t, phone)
			if err != nil {
				return err
			}
			all, err := w.messages(t, conversation, 100)
			if err != nil {
				return err
			}
			return thread(i, all, files)
		})
	}
}

// words are what message k of a thread says, both counted from 0.
func words(thread, k int) string { return fmt.Sprintf("History %d/%d", thread+1, k+1) }

func withFile(k int) bool { return (k+1)%photoEvery == 0 }

// thread wants a thread's messages, each in its place.
func thread(i int, all []message, files bool) error {
	if len(all) != threadLength {
		return fmt.Errorf("thread %d has %d messages, want %d", i, len(all), threadLength)
	}
	for k, m := range all {
		direction := "in"
		if k%2 == 1 {
			direction = "out"
		}
		if m.Direction != direction || !m.Imported || m.Text != words(i, k) && !withFile(k) {
			return fmt.Errorf("thread %d: message %d is %+v", i, k, m)
		}
		there := m.Kind == "image" && m.Text == words(i, k) && m.Attachment != nil && m.Attachment.State == "stored"
		if files && withFile(k) && !there {
			return fmt.Errorf("thread %d: the file of message %d is %+v", i, k, m.Attachment)
		}
	}
	return nil
}

// conversationWith finds the conversation of our first number with whoever has a phone number.
func (w *world) conversationWith(t *testing.T, phone string) (string, error) {
	t.Helper()
	var found struct{ Contacts []struct{ ID string } }
	err := w.get(t, "/contacts?phone="+phone, &found)
	if err == nil && len(found.Contacts) != 1 {
		err = fmt.Errorf("%d contacts have this number", len(found.Contacts))
	}
	if err != nil {
		return "", err
	}
	return number + "." + found.Contacts[0].ID, nil
}

// records are the contacts of those in the history, by phone number.
func (p *past) records(w *world) map[string]hubspot.Contact {
	records := map[string]hubspot.Contact{}
	for _, c := range w.HubSpot().Contacts() {
		records[strings.TrimPrefix(c.Properties["phone"], "+")] = c
	}
	return records
}

// recorded counts the entries of the history.
func (p *past) recorded(w *world) (n int) {
	records := p.records(w)
	for _, phone := range p.Phones {
		n += records[phone].Entries
	}
	return n
}

// live is somebody who writes while the history goes to the CRM: what they write doesn't wait for it.
func (p *past) live(t *testing.T, w *world) {
	const written = 20
	liv := w.customer(t, "Liv Present", "34600555090")
	var took []time.Duration
	before := 0
	eventually(t, patience, func() error {
		if before = p.recorded(w); before == 0 {
			return errStill
		}
		return nil
	})
	for i := range written {
		text := fmt.Sprintf("written now, %02d of %d", i, written)
		began := time.Now()
		liv.writes(t, meta.Draft{Text: text})
		poll(t, patience, 20*time.Millisecond, 20*time.Millisecond, func() error {
			_, err := liv.find(text)
			return err
		})
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	after := p.recorded(w)
	t.Logf("while %d entries of the history were made, a new message took %v (p50), %v (p95)", after-before,
		took[written/2].Round(time.Millisecond), took[written*95/100].Round(time.Millisecond))
	if after == p.Messages {
		t.Error("the history was there before the last message: this shows nothing")
	}
}

// complete wants the whole history in the CRM, made in the order of time, and nothing sent to anybody in it.
func (p *past) complete(t *testing.T, w *world) {
	poll(t, enough, time.Second, time.Second, func() error {
		if n := p.recorded(w); n != p.Messages {
			return fmt.Errorf("%d entries, want %d", n, p.Messages)
		}
		return nil
	})
	t.Logf("all of it is in the CRM after %v", time.Since(p.began).Round(time.Second))
	records := p.records(w)
	for i, phone := range p.Phones {
		if err := chronicle(i, w.HubSpot().Timeline(records[phone].ID)); err != nil {
			t.Error(err)
		}
	}
	p.stored(t, w, true)
	for _, c := range w.Meta().Customers() {
		if !slices.Contains(p.Phones, c.Phone) {
			continue
		}
		for _, m := range w.Meta().Messages(c.ID) {
			t.Errorf("the import sent %s", m.Type)
		}
	}
}

// chronicle wants a thread's entries in the order in which they were made.
func chronicle(i int, entries []hubspot.Entry) error {
	last := 0
	for k, e := range entries {
		id, err := strconv.Atoi(e.ID)
		if err != nil {
			return err
		}
		if id < last || !holds(e.HTML, words(i, k)) {
			return fmt.Errorf("thread %d: entry %d, made as %d after %d, says %s", i, k, id, last, e.HTML)
		}
		if last = id; withFile(k) && len(e.Files) != 1 {
			return fmt.Errorf("thread %d: entry %d has %d files", i, k, len(e.Files))
		}
	}
	return nil
}
