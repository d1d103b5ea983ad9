package handler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

// TestAPersonsWordReachesTheRecord: without waiting for the next message, and without making a record for nobody.
func TestAPersonsWordReachesTheRecord(t *testing.T) {
	r := newRig(t)
	tell := func(c chat.ContactID) {
		t.Helper()
		ref := route.NewPerson("fake", c, "hash")
		if err := r.h.Handle(t.Context(), queue.Message{ID: "person", Body: ref.Body(), Receives: 1}); err != nil {
			t.Fatal(err)
		}
	}
	m := r.text("wamid.1", "hello")
	tell(m.Contact)
	r.called()
	r.mustSync(m)
	r.crm.calls = nil
	_, err := r.store.Prefer(t.Context(), chat.Seen{Phone: ana, At: noon.Add(time.Minute), Source: chat.SourceMessage, ID: "x"}, chat.CategoryMarketing,
		chat.Consent{Source: "user_preferences", Value: "stop", Stamp: chat.Stamp{At: noon.Add(time.Minute), ID: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	tell(m.Contact)
	tell(m.Contact)
	r.called("fill")
	if p := r.crm.people[r.entry(m).on]; p.Marketing != "withdrawn" {
		t.Errorf("the record says %+v", p)
	}
	tell("01NOBODY")
	r.called()
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

// TestARecordThatIsForbiddenStopsNobodyElse: what a CRM forbids may be about one record.
func TestARecordThatIsForbiddenStopsNobodyElse(t *testing.T) {
	r := newRig(t)
	bad := r.text("wamid.1", "hello")
	good := r.received(chat.Message{ID: "wamid.2", Kind: chat.KindText, Text: "2"}, chat.Seen{Phone: "34600999888"})
	r.mustSync(good)
	r.crm.fail = always("contact", &crm.Error{Class: crm.Stopped, Status: 403, Reason: "NOT_THIS_ONE"})
	for i := range 10 {
		r.stopped(r.sync(bad), stoppedFor)
		r.now = r.now.Add(time.Minute)
		next := r.received(chat.Message{ID: chat.MessageID(fmt.Sprint("wamid.3", i)), Kind: chat.KindText, Text: "3", At: r.now}, chat.Seen{Phone: "34600999888"})
		r.mustSync(next)
	}
	r.crm.fail = always("entry", &crm.Error{Class: crm.Stopped, Status: 401})
	if err := r.sync(r.received(chat.Message{ID: "wamid.4", Kind: chat.KindText, Text: "4", At: r.now}, chat.Seen{Phone: "34600999888"})); err == nil {
		t.Fatal("it is done")
	}
	r.crm.calls = nil
	if err := r.sync(bad); err == nil {
		t.Fatal("it is done")
	}
	r.called() // a dead login stops all
}

// TestAnEntryIsGivenUpAfterADay: one that the CRM answers no, and not one of many.
func TestAnEntryIsGivenUpAfterADay(t *testing.T) {
	for _, others := range []bool{false, true} {
		r := newRig(t)
		m := r.text("wamid.1", "hello")
		r.queued = r.now
		r.crm.fail = always("contact", &crm.Error{Class: crm.Stopped, Status: 403})
		for hours := range 30 {
			r.now = noon.Add(time.Duration(hours) * time.Hour)
			_ = r.sync(m)
			if others { // fail too: it is about all of them
				for i := range 3 {
					_ = r.sync(r.received(chat.Message{ID: chat.MessageID(fmt.Sprint("wamid.9", i)), Kind: chat.KindText, Text: "x"}, chat.Seen{Phone: fmt.Sprint("3460099988", i)}))
				}
			}
		}
		if given := r.claim(m).Reason != ""; given == others {
			t.Errorf("others fail too: %v, and it is given up: %v", others, given)
		}
	}
}

// TestTwoOnOneRecord: records of two customers were merged. An answer goes to the one who wrote last.
func TestTwoOnOneRecord(t *testing.T) {
	r := newRig(t)
	api := r.api()
	bob := r.text("wamid.1", "1")
	r.mustSync(bob)
	one := r.entry(bob).on
	ann := r.received(chat.Message{ID: "wamid.2", Kind: chat.KindText, Text: "2", At: noon.Add(time.Minute)}, chat.Seen{Phone: "34600999888"})
	r.mustSync(ann)
	r.crm.fail = once("entry", &crm.Moved{To: one})
	again := r.received(chat.Message{ID: "wamid.3", Kind: chat.KindText, Text: "3", At: noon.Add(2 * time.Minute)}, chat.Seen{Phone: "34600999888"})
	r.mustSync(again)
	r.mustSync(r.says("wamid.4", 3, "4"))
	if err := r.deliver(crm.Request{ID: "8", Contact: one, Text: "answer", At: noon}); err != nil {
		t.Fatal(err)
	}
	if got := api.asked[len(api.asked)-1]; !strings.Contains(got, string(bob.Contact)) {
		t.Errorf("asked %s, want it for %s", got, bob.Contact)
	}
	if bob.Contact == ann.Contact {
		t.Fatal("they are one")
	}
	latest := r.received(chat.Message{ID: "wamid.5", Kind: chat.KindText, Text: "5", At: noon.Add(4 * time.Minute)}, chat.Seen{Phone: "34600999888"})
	r.mustSync(latest)
	if err := r.deliver(crm.Request{ID: "9", Contact: one, Text: "answer", At: noon}); err != nil {
		t.Fatal(err)
	}
	if got := api.asked[len(api.asked)-1]; !strings.Contains(got, string(ann.Contact)) {
		t.Errorf("asked %s, want it for %s", got, ann.Contact)
	}
}

// TestADeletedNoteMovesNobody: the record that is a customer's stays theirs, whoever else has the number by now.
func TestADeletedNoteMovesNobody(t *testing.T) {
	r := newRig(t)
	r.crm.typed["t1"] = []string{"600 111 222"}
	photo := r.photo()
	r.mustSync(photo)
	r.crm.people["t1"] = crm.Person{} // this CRM keeps no key
	r.crm.typed["t2"] = []string{"600 111 222"}
	clear(r.crm.entries)
	r.arrives(photo, chat.Stored, "")
	r.mustSync(photo)
	if on := r.entry(photo).on; on != "t1" {
		t.Errorf("it is on %s", on)
	}
}

// TestAConnectorThatLacksASettingWaits: nothing is dropped, and the others go on.
func TestAConnectorThatLacksASettingWaits(t *testing.T) {
	r := newRig(t)
	m := r.text("wamid.1", "hello")
	r.h.Wanted = []string{"fake", "odoo"}
	ref := route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectCRM, Target: "odoo"}, route.Stored)
	if err := r.h.Handle(t.Context(), queue.Message{ID: "x", Body: ref.Body(), Receives: 1}); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("it is %v", err)
	}
	if r.counts["ConnectorStopped Connector odoo"] != 1 {
		t.Errorf("counted %v", r.counts)
	}
	r.mustSync(m)
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
	for i := range 5 {
		m := r.text(fmt.Sprintf("wamid.1%d", i), "hello")
		ref := route.NewRef(m, store.SortKey(m), chat.Effect{Kind: chat.EffectCRM, Target: "other"}, route.Stored)
		if err := r.h.Handle(t.Context(), queue.Message{ID: ref.ID, Body: ref.Body(), Receives: 1}); err == nil {
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
