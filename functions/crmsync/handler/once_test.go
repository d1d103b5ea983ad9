package handler

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// shapes are CRMs with and without keys of their own, that take files before and after entries.
var shapes = map[string]crm.Capabilities{
	"nothing is atomic, files last":            {},
	"nothing is atomic, files first":           {FilesFirst: true},
	"nothing is atomic, and search lags":       {SearchLag: 30 * time.Second},
	"files first, in the order of insertion":   {FilesFirst: true, InsertionOrder: true},
	"contacts are atomic, and messages aren't": {AtomicContacts: true},
}

// TestAnyCallMayFail: every call of a text and of a photo fails in every way, once, and the record is that of a perfect day.
func TestAnyCallMayFail(t *testing.T) {
	for name, can := range shapes {
		for n := 1; n <= 12; n++ {
			for how, fault := range map[string]func(r *rig, err error) (before, after error){
				"refused before": func(_ *rig, err error) (error, error) { return &crm.Error{Class: crm.Transient, Status: 503}, nil },
				"lost after":     func(_ *rig, err error) (error, error) { return nil, &crm.Error{Class: crm.Transient, Unknown: true} },
				"killed after":   func(_ *rig, err error) (error, error) { return nil, errors.New("killed") },
				"killed before":  func(_ *rig, err error) (error, error) { return errors.New("killed"), nil },
			} {
				t.Run(fmt.Sprintf("%s, call %d %s", name, n, how), func(t *testing.T) {
					r := newRig(t)
					r.crm.can = can
					calls := 0
					before, after := fault(r, nil)
					r.crm.fail = func(string) error {
						if calls++; calls == n {
							return before
						}
						return nil
					}
					r.crm.lose = func(string) error {
						if calls == n {
							return after
						}
						return nil
					}
					text, photo := r.text("wamid.1", "hello"), r.photo()
					r.arrives(photo, chat.Stored, "")
					for range 5 {
						for _, m := range []chat.Message{text, photo} {
							_ = r.sync(m) // it comes again
							r.now = r.now.Add(time.Minute)
						}
					}
					if e := r.entry(text); e.said().Text != "hello" {
						t.Errorf("the text is %+v", e)
					}
					if e := r.entry(photo); len(e.files) != 1 {
						t.Errorf("the photo is %+v", e)
					}
					// A file that no entry has is nobody's to see.
					if len(r.crm.people) != 1 || len(r.crm.entries) != 2 || len(r.crm.files) != 1 {
						t.Errorf("%d contacts, %d entries, %d files", len(r.crm.people), len(r.crm.entries), len(r.crm.files))
					}
				})
			}
		}
	}
}

// TestSearchIsNotTrustedTooSoon: where the CRM's search lags, a lost answer is waited out.
func TestSearchIsNotTrustedTooSoon(t *testing.T) {
	r := newRig(t)
	r.crm.can.SearchLag = 30 * time.Second
	r.mustSync(r.text("wamid.1", "hello"))
	r.crm.lose = once("entry", &crm.Error{Class: crm.Transient, Status: 502, Unknown: true})
	m := r.text("wamid.2", "again")
	if err := r.sync(m); err == nil {
		t.Fatal("nobody knows, and it is done")
	}
	r.crm.calls = nil
	r.now = r.now.Add(20 * time.Second)
	if err := r.sync(m); err == nil || waits(err) != 10*time.Second {
		t.Errorf("too soon: %v", err)
	}
	r.called()
	r.now = r.now.Add(10 * time.Second)
	r.mustSync(m)
	r.called("find", "update")
	r.entry(m)
}

// TestARefusalLeavesNothingToLookFor: what certainly wasn't made is made without a look.
func TestARefusalLeavesNothingToLookFor(t *testing.T) {
	r := newRig(t)
	r.mustSync(r.text("wamid.1", "hello"))
	r.crm.fail = once("entry", &crm.Error{Class: crm.Limited, Status: 429, After: time.Second})
	m := r.text("wamid.2", "again")
	if err := r.sync(m); err == nil {
		t.Fatal("it is done")
	}
	r.crm.calls = nil
	r.now = r.now.Add(time.Second)
	r.mustSync(m)
	r.called("entry")
}

// TestAnEntryWaitsForItsFile: in a CRM that sorts by insertion an entry without its photo would stay where it is.
func TestAnEntryWaitsForItsFile(t *testing.T) {
	for name, arrives := range map[string]time.Duration{"it comes": 10 * time.Second, "it doesn't come soon": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.crm.can = crm.Capabilities{InsertionOrder: true, FilesFirst: true}
			m := r.photo()
			r.queued = r.now
			for r.now.Sub(noon) < time.Minute {
				if r.now.Sub(noon) >= arrives {
					r.arrives(m, chat.Stored, "")
				}
				if r.sync(m) == nil {
					break
				}
				r.called()
				r.now = r.now.Add(5 * time.Second)
			}
			r.mustSync(m)
			e := r.entry(m)
			if waited := r.now.Sub(noon); waited != min(arrives, time.Minute) {
				t.Errorf("it waited %s", waited)
			}
			if came := arrives < time.Minute; came != (len(e.files) == 1) || came == (e.said().Note != "") {
				t.Errorf("it shows %+v", e)
			}
		})
	}
	r := newRig(t) // a CRM that sorts by time shows it at once
	m := r.photo()
	r.queued = r.now
	r.mustSync(m)
	r.entry(m)
}

// TestSeveralRecordsHaveTheNumber: none is guessed, and people are told.
func TestSeveralRecordsHaveTheNumber(t *testing.T) {
	r := newRig(t)
	for _, ref := range []crm.ContactRef{"t1", "t2"} {
		r.crm.typed[ref] = []string{"600 111 222"}
	}
	m := r.text("wamid.1", "hello")
	r.mustSync(m)
	if on := r.entry(m).on; on == "t1" || on == "t2" {
		t.Errorf("it is on %s", on)
	}
	link, err := r.store.Link(t.Context(), m.Contact, "fake")
	slices.Sort(link.Others)
	if err != nil || !slices.Equal(link.Others, []string{"t1", "t2"}) {
		t.Errorf("the link is %+v (%v)", link, err)
	}
	if r.counts["ContactAmbiguous Connector fake"] != 1 {
		t.Errorf("counted %v", r.counts)
	}
}

// TestARecordIsOnePersons: of two customers whose numbers stand on one record the first has it, and the CRM needn't know.
func TestARecordIsOnePersons(t *testing.T) {
	r := newRig(t)
	r.crm.typed["t1"] = []string{"+34 600 111 222", "600 999 888"}
	first := r.text("wamid.1", "1")
	r.mustSync(first)
	if on := r.entry(first).on; on != "t1" {
		t.Fatalf("it is on %s", on)
	}
	r.crm.people["t1"] = crm.Person{} // the CRM itself keeps no key
	second := r.received(chat.Message{ID: "wamid.2", Kind: chat.KindText, Text: "2"}, chat.Seen{Phone: "34600999888"})
	r.mustSync(second)
	if on := r.entry(second).on; on == "t1" {
		t.Error("the second has the first one's record")
	}
}

// TestAMergedRecordIsFollowed: the CRM's user joined two records.
func TestAMergedRecordIsFollowed(t *testing.T) {
	r := newRig(t)
	r.mustSync(r.text("wamid.1", "hello"))
	r.crm.people["winner"] = crm.Person{}
	r.crm.fail = once("entry", &crm.Moved{To: "winner"})
	m := r.text("wamid.2", "again")
	r.mustSync(m)
	if on := r.entry(m).on; on != "winner" {
		t.Errorf("it is on %s", on)
	}
	next := r.text("wamid.3", "and again")
	r.mustSync(next)
	if on := r.entry(next).on; on != "winner" {
		t.Errorf("the next one is on %s", on)
	}
}

// TestADeadCRMIsLeftAlone: a hundred entries wait through six hours, and the CRM sees a handful of calls.
func TestADeadCRMIsLeftAlone(t *testing.T) {
	r := newRig(t)
	r.mustSync(r.text("wamid.0", "hello"))
	r.crm.fail = always("entry", &crm.Error{Class: crm.Transient, Status: 503, Unknown: true})
	r.crm.lose = nil
	r.crm.fail = func(string) error { return &crm.Error{Class: crm.Transient, Status: 503} }
	r.crm.calls = nil
	type waiting struct {
		m     chat.Message
		at    time.Time
		tries int
	}
	var all []waiting
	for i := range 100 {
		all = append(all, waiting{m: r.text(fmt.Sprintf("wamid.%d", 100+i), "x"), at: r.now})
	}
	step := func(until time.Time) (left int) {
		for r.now.Before(until) {
			left = 0
			for i := range all {
				if all[i].at.After(r.now) || all[i].at.IsZero() {
					continue
				}
				err := r.sync(all[i].m)
				if err == nil {
					all[i].at = time.Time{}
					continue
				}
				all[i].tries++ // as the queue waits
				all[i].at = r.now.Add(max(waits(err), min(15*time.Minute, 5*time.Second<<min(all[i].tries, 10))))
			}
			for _, w := range all {
				if !w.at.IsZero() {
					left++
				}
			}
			if left == 0 {
				return 0
			}
			r.now = r.now.Add(time.Second)
		}
		return left
	}
	if left := step(noon.Add(6 * time.Hour)); left != 100 {
		t.Fatalf("%d wait", left)
	}
	if n := len(r.crm.calls); n > 60 {
		t.Errorf("%d calls to a CRM that was down for six hours", n)
	}
	r.crm.fail = nil
	back := r.now
	if left := step(r.now.Add(time.Hour)); left != 0 {
		t.Errorf("%d still wait an hour after it came back", left)
	}
	for _, w := range all {
		if w.tries > 60 {
			t.Errorf("an entry was received %d times", w.tries)
		}
	}
	t.Logf("drained %s after it came back; %d calls", r.now.Sub(back), len(r.crm.calls))
	if len(r.crm.entries) != 101 {
		t.Errorf("%d entries", len(r.crm.entries))
	}
}

// waits is how long the queue would hide an entry after a failure.
func waits(err error) time.Duration {
	var held interface{ Wait() time.Duration }
	if errors.As(err, &held) {
		return held.Wait()
	}
	var after interface{ RetryAfter() time.Duration }
	if errors.As(err, &after) && after.RetryAfter() > 5*time.Second {
		return after.RetryAfter()
	}
	return 5 * time.Second
}

// named is a CRM of another name.
type named struct {
	*fake
	name string
}

func (n named) Name() string { return n.name }

// TestTwoCRMsDontWaitForEachOther: each has its own claims and its own gate.
func TestTwoCRMsDontWaitForEachOther(t *testing.T) {
	r := newRig(t)
	other := newFake(t)
	other.fail = func(string) error { return &crm.Error{Class: crm.Transient, Status: 503} }
	r.h.Connectors["other"] = named{other, "other"}
	m := r.text("wamid.1", "hello")
	for range 5 {
		ref := route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectCRM, Target: "other"}, route.Stored)
		if err := r.h.Handle(t.Context(), queue.Message{ID: "other", Body: ref.Body(), Receives: 1}); err == nil {
			t.Fatal("the other one works")
		}
	}
	r.crm.calls = nil
	r.mustSync(m)
	r.entry(m)
	if len(other.calls) > gateFailuresSeen {
		t.Errorf("%d calls to the other one", len(other.calls))
	}
}

// gateFailuresSeen is how many failures in a row close a gate.
const gateFailuresSeen = 3
