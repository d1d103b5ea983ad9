package handler

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/metric"
	"threadline/shared/store"
)

func TestItProvisionsWhatTheCRMLacks(t *testing.T) {
	r := newRig(t)
	r.crm.provisioned = false
	m := r.text("wamid.1", "hello")
	r.mustSync(m)
	r.called("key", "provision", "key", "search", "contact", "entry")

	// Somebody removes the properties, again and again.
	r.crm.fail = always("entry", fmt.Errorf("write: %w", crm.ErrNotProvisioned))
	r.stopped(r.sync(r.text("wamid.2", "again")), time.Minute)
	r.called("entry", "provision", "entry")
	r.now = r.now.Add(time.Hour)

	// Or there is no right to make them.
	r.crm.fail = func(op string) error {
		if op == "provision" {
			return &crm.Error{Class: crm.Stopped, Op: "provision", Scopes: []string{"schemas"}}
		}
		return crm.ErrNotProvisioned
	}
	r.stopped(r.sync(r.text("wamid.3", "again")), time.Minute)
	r.called("entry", "provision")
}

// TestACRMIsProvisionedOnFirstUse: once for all instances, again for another address, and nothing older than that is sent.
func TestACRMIsProvisionedOnFirstUse(t *testing.T) {
	r := newRig(t)
	r.api()
	r.h.PublicURL = "https://one.example"
	r.crm.requests = []crm.Request{{ID: "old", Phone: "+34600333444", Text: "x"}}
	r.crm.fail = once("provision", &crm.Error{Class: crm.Transient, Status: 409})
	m := r.text("wamid.1", "hello")
	if err := r.sync(m); err == nil {
		t.Fatal("it isn't provisioned, and nobody knows")
	}
	r.mustSync(m)
	r.called("provision", "provision", "fetch", "key", "search", "contact", "entry")
	r.h.ready = ready{} // another process
	r.mustSync(r.text("wamid.2", "again"))
	r.called("entry")
	r.h.ready, r.h.PublicURL = ready{}, "https://two.example"
	r.mustSync(r.text("wamid.3", "and again"))
	r.called("provision", "entry")
}

// TestARefusalToProvisionIsNoMessages: nobody's message is given up because a hook can't be made.
func TestARefusalToProvisionIsNoMessages(t *testing.T) {
	r := newRig(t)
	r.h.PublicURL = "https://one.example"
	r.crm.fail = once("provision", &crm.Error{Class: crm.Refused, Status: 422, Reason: "INVALID"})
	m := r.text("wamid.1", "hello")
	r.stopped(r.sync(m), time.Minute)
	if got := r.claim(m); got.Reason != "" {
		t.Errorf("on the table it is %+v", got)
	}
	r.now = r.now.Add(time.Hour)
	r.mustSync(m)
	r.entry(m)
}

// stopped checks that a failure waits for a person, for least at least, and was counted.
func (r *rig) stopped(err error, least time.Duration) {
	r.Helper()
	var wait *chat.Error
	if !errors.As(err, &wait) || !wait.Temporary() || wait.RetryAfter() != least {
		r.Errorf("it waits with %v", err)
	}
	if n := r.counts[metric.ConnectorStopped+" Connector fake"]; n != 1 {
		r.Errorf("counted %v", r.counts)
	}
	clear(r.counts)
}

func TestWhatWasDeletedInTheCRMIsMadeAgain(t *testing.T) {
	t.Run("the contact", func(t *testing.T) {
		r := newRig(t)
		r.mustSync(r.text("wamid.1", "hello"))
		clear(r.crm.people)
		r.crm.calls = nil
		m := r.text("wamid.2", "again")
		r.mustSync(m)
		r.called("entry", "fill", "key", "search", "contact", "entry")
		if e := r.entry(m); r.crm.people[e.on].Key != m.Contact {
			t.Errorf("it is on %s", e.on)
		}
	})
	t.Run("the entry", func(t *testing.T) {
		r := newRig(t)
		m := r.photo()
		r.mustSync(m)
		clear(r.crm.entries)
		r.crm.calls = nil
		r.arrives(m, chat.Stored, "")
		r.mustSync(m)
		r.called("file", "update", "fill", "find", "entry", "find file", "update") // the file outlived its entry
		if e := r.entry(m); len(e.files) != 1 {
			t.Errorf("it shows %+v", e)
		}
	})
	t.Run("faster than we make it", func(t *testing.T) {
		r := newRig(t)
		r.crm.fail = always("entry", crm.ErrGone)
		r.stopped(r.sync(r.text("wamid.1", "hello")), time.Minute)
		r.called("key", "search", "contact", "entry", "fill", "entry")
	})
}

// TestARefusalIsRecordedAndTheRestGoesOn: nobody waits behind an entry that the CRM will never take.
func TestARefusalIsRecordedAndTheRestGoesOn(t *testing.T) {
	for _, op := range []string{"contact", "entry", "update"} {
		t.Run(op, func(t *testing.T) {
			r := newRig(t)
			m := r.photo()
			r.arrives(m, chat.Stored, "")
			r.crm.fail = once(op, &crm.Error{Class: crm.Refused, Op: op, Status: 400, Reason: "INVALID"})
			r.mustSync(m)
			if n := r.counts[metric.Parked+" Source fake"]; n != 1 {
				t.Errorf("counted %v", r.counts)
			}
			if got := r.claim(m); !strings.Contains(got.Reason, "INVALID") {
				t.Errorf("on the table it is %+v", got)
			}
			next := r.text("wamid.2", "again")
			r.mustSync(next)
			r.entry(next)

			r.mustSync(m) // asked for again, it is done, and the reason is gone
			if got := r.claim(m); got.Reason != "" || got.Ref == "" || got.File == "" {
				t.Errorf("on the table it is %+v", got)
			}
		})
	}
}

// claim is what the table knows of a message's entry.
func (r *rig) claim(m chat.Message) store.Entry {
	r.Helper()
	e, err := r.store.ClaimEntry(r.Context(), m, "fake", func(*store.Entry) {})
	if err != nil {
		r.Fatal(err)
	}
	return e
}

func TestWaiting(t *testing.T) {
	usual, err := newRig(t).store.Rate(t.Context(), "fake", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		err   *crm.Error
		after time.Duration
		stops bool
	}{
		{"a token that expired", &crm.Error{Class: crm.Stopped, Status: 401}, time.Minute, true},
		{"a day's quota", &crm.Error{Class: crm.Stopped, Status: 429, After: time.Hour}, time.Hour, true},
		{"too fast", &crm.Error{Class: crm.Limited, Status: 429, After: 11 * time.Second}, 11 * time.Second, false},
		{"down", &crm.Error{Class: crm.Transient, Status: 503}, 0, false},
	} {
		for _, op := range []string{"contact", "entry", "file", "update"} {
			t.Run(test.name+" at "+op, func(t *testing.T) {
				r := newRig(t)
				m := r.photo()
				r.arrives(m, chat.Stored, "")
				r.crm.fail = once(op, test.err)
				err := r.sync(m)
				if test.stops {
					r.stopped(err, test.after)
				} else {
					var wait *crm.Error
					if !errors.As(err, &wait) || !wait.Temporary() || wait.RetryAfter() != test.after || len(r.counts) != 0 {
						t.Errorf("it waits with %v, counted %v", err, r.counts)
					}
				}
				if rate, err := r.store.Rate(t.Context(), "fake", time.Hour); err != nil || (rate < usual) != (test.err.Class == crm.Limited) {
					t.Errorf("an import goes on at %v a second (%v)", rate, err)
				}
				r.now = r.now.Add(max(test.after, time.Second))
				r.mustSync(m)
				if e := r.entry(m); len(e.files) != 1 || len(r.crm.people) != 1 || len(r.crm.files) != 1 {
					t.Errorf("in the end it is %+v, of %d contacts and %d files", e, len(r.crm.people), len(r.crm.files))
				}
			})
		}
	}
}

// TestALostAnswerMakesNothingTwice: the CRM did it, and we don't know.
func TestALostAnswerMakesNothingTwice(t *testing.T) {
	for _, test := range []struct {
		op    string
		state chat.FileState // by the time of the second try, when the message says something else
		files int
		note  string
	}{
		{"contact", chat.Stored, 1, ""},
		{"entry", chat.Stored, 1, ""},
		{"entry", chat.FileFailed, 0, "The file could not be fetched: gone."},
		{"file", chat.Stored, 1, ""},
		{"update", chat.Stored, 1, ""},
		{"update", chat.FileFailed, 0, "The file could not be fetched: gone."},
	} {
		r := newRig(t)
		m := r.photo()
		r.crm.lose = once(test.op, &crm.Error{Class: crm.Transient, Unknown: true})
		first := r.sync(m)
		r.arrives(m, test.state, "gone")
		if second := r.sync(m); (first == nil) == (second == nil) {
			t.Errorf("%s: %v, then %v", test.op, first, second)
		}
		r.mustSync(m)
		if e := r.entry(m); len(e.files) != test.files || e.said().Note != test.note || len(r.crm.people) != 1 || len(r.crm.files) > 1 {
			t.Errorf("%s: in the end it is %+v, of %d contacts and %d entries", test.op, e, len(r.crm.people), len(r.crm.files))
		}
	}
}
