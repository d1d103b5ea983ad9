package handler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
	"threadline/shared/route"
	"threadline/shared/store"
)

func TestNextStepOfAJob(t *testing.T) {
	page, lacks := []chat.Message{{}}, []feeding{{}}
	const usual = pace(settled)
	long, justNow := noon.Add(-time.Hour), noon.Add(-30*time.Second)
	for _, test := range []struct {
		name string
		l    look
		what step
		wait time.Duration
	}{
		{"done before", look{done: true, page: page, lacks: lacks}, toEnd, 0},
		{"nothing left", look{quiet: long}, toEnd, 0},
		{"all of it there", look{quiet: justNow, page: page}, toPass, 0},
		{"all of what was fed there", look{quiet: long, page: page, fed: justNow}, toPass, 0},
		{"chunks still come", look{quiet: justNow, page: page, lacks: lacks}, toWait, 90 * time.Second},
		{"ready", look{quiet: long, page: page, lacks: lacks}, toFeed, 0},
		{"just fed", look{quiet: long, page: page, lacks: lacks, fed: noon.Add(-time.Second)}, toWait, 5 * time.Second},
		{"fed a while ago", look{quiet: long, page: page, lacks: lacks, fed: noon.Add(-time.Minute)}, toWait, 30 * time.Second},
		{"fed long ago", look{quiet: long, page: page, lacks: lacks, fed: noon.Add(-time.Hour)}, toWait, 5 * time.Minute},
		{"fed a day ago", look{quiet: long, page: page, lacks: lacks, fed: noon.Add(-25 * time.Hour)}, toPass, 0},
	} {
		if what, wait := next(test.l, usual, noon); what != test.what || wait != test.wait {
			t.Errorf("%s: step %d after %v, want %d after %v", test.name, what, wait, test.what, test.wait)
		}
	}
}

// TestGapsFollowTheRate: all feeders together bring as much as a CRM takes, and an import that is to be quick is quicker.
func TestGapsFollowTheRate(t *testing.T) {
	for _, test := range []struct {
		pace      pace
		entries   int
		perSecond float64
		want      time.Duration
	}{
		{pace(settled), 5, 2, 10 * time.Second},
		{pace(settled), 10, 2, 20 * time.Second},
		{pace(settled), 5, 0.1, 200 * time.Second},
		{pace(settled), 5, 20, 5 * time.Second}, // it takes as long to look
		{pace(settled / 12), 5, 0.1, 200 * time.Second / 12},
	} {
		if got := test.pace.gap(test.entries, test.perSecond); (got - test.want).Abs() > time.Millisecond {
			t.Errorf("%d entries at %v a second: %v, want %v", test.entries, test.perSecond, got, test.want)
		}
	}
}

// TestAnImportSlowsDown: a CRM that objects is brought less.
func TestAnImportSlowsDown(t *testing.T) {
	fed := map[bool]int{}
	for _, objects := range []bool{false, true} {
		w := newWork(t)
		w.importThread("34600111222", 250)
		w.run(settled)
		for range 5 {
			w.run(time.Minute)
			if objects {
				if err := w.store.Slow(t.Context(), "hubspot"); err != nil {
					t.Fatal(err)
				}
			}
		}
		fed[objects] = len(w.fed)
	}
	if fed[true] == 0 || fed[true] > fed[false]/2 {
		t.Errorf("%d were fed to a CRM that objects, %d to one that doesn't", fed[true], fed[false])
	}
}

// TestAQuickPaceTakesMore: a queue's shortest wait is a second.
func TestAQuickPaceTakesMore(t *testing.T) {
	for p, want := range map[pace]int{pace(10 * time.Minute): 5, pace(settled): 5, pace(time.Minute): 10, pace(10 * time.Second): 50} {
		if got := p.mouthful(); got != want {
			t.Errorf("%v: %d at once, want %d", time.Duration(p), got, want)
		}
	}
}

// TestCursorsGrow: the store takes the greater text for the later place.
func TestCursorsGrow(t *testing.T) {
	at := time.UnixMilli(1772452800123).UTC()
	places := []place{
		{},
		{fed: "MSG#1#a", at: at},
		{fed: "MSG#1#b", at: at.Add(time.Hour)},
		{passed: "MSG#1#b"},
		{passed: "MSG#1#b", fed: "MSG#1#b2", at: at},
		{passed: "MSG#1#b2"},
		{passed: "MSG#1#b2", fed: "MSG#2#a", at: at},
		{passed: "MSG#2#a\nodd", fed: "MSG#3#\n\nodder", at: at},
	}
	var cursors []string
	for _, p := range places {
		if got := placeOf(p.cursor()); got != p {
			t.Errorf("%+v comes back as %+v", p, got)
		}
		cursors = append(cursors, p.cursor())
	}
	if !slices.IsSorted(cursors) {
		t.Errorf("cursors %q", cursors)
	}
	for _, c := range []string{"", "x", "MSG#1#a", "MSG#1#a\n\nxxxxxxxxxxxxxxxx", strings.Repeat("9", 40)} {
		if got := placeOf(c); got != (place{}) {
			t.Errorf("%q is %+v", c, got)
		}
	}
}

// work is a rig whose jobs run from a queue, on a clock, into a CRM that takes what it is given at its own pace.
type work struct {
	*rig
	clock    *queuetest.Clock
	q        *queuetest.Queue
	pump     *queuetest.Pump
	fed      []string // in the order of their entries
	most     int      // fed and not there yet, at any time
	refuses  map[string]bool
	swallows map[string]bool
	drops    map[string]bool // once
	dropped  int
	sentTo   int // entries for messages
}

func newWork(t *testing.T) *work {
	w := &work{rig: newRig(t), clock: queuetest.NewClock(noon), refuses: map[string]bool{}, swallows: map[string]bool{}, drops: map[string]bool{}}
	w.q = queuetest.New(w.clock.Now).Create("Bulk", queuetest.Options{})
	w.store.Now, w.h.Now = w.clock.Now, w.clock.Now
	w.h.Bulk = &queue.Sender{Client: w.q, URL: w.q.URL}
	c := &queue.Consumer{Client: w.q, QueueURL: w.q.URL, Source: "Bulk", Handle: w.h.Handle}
	w.pump = &queuetest.Pump{Client: w.q, URL: w.q.URL, BatchSize: 1, Lambda: c.Lambda}
	return w
}

// sync makes the entries of what was fed, as crmsync would.
func (w *work) sync() {
	w.Helper()
	w.most = max(w.most, len(w.crm.entries))
	for _, e := range w.crm.entries {
		ref, err := route.ParseRef(e.Body)
		if err != nil {
			w.Fatal(err)
		}
		if ref.Kind == chat.EffectFetch {
			continue
		}
		m, err := w.store.Message(w.Context(), ref.Conversation, ref.Message)
		if err != nil {
			w.Fatal(err)
		}
		w.sentTo++
		if w.drops[m.ProviderID] {
			delete(w.drops, m.ProviderID)
			w.dropped++
			continue
		}
		if w.swallows[m.ProviderID] {
			continue
		}
		if !slices.Contains(w.fed, m.ProviderID) {
			w.fed = append(w.fed, m.ProviderID)
		}
		_, err = w.store.ClaimEntry(w.Context(), m, ref.Target, func(e *store.Entry) {
			if e.Ref = "entry"; w.refuses[m.ProviderID] {
				e.Ref, e.Reason = "", "refused"
			}
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	w.crm.entries = nil
}

// run lets the jobs work for that long.
func (w *work) run(d time.Duration) {
	w.Helper()
	until := w.clock.Now().Add(d)
	for {
		if _, err := w.pump.Drain(w.Context()); err != nil {
			w.Fatal(err)
		}
		w.sync()
		at := w.q.NextVisible()
		if at.IsZero() || at.After(until) {
			w.clock.Set(until)
			return
		}
		w.clock.Set(at)
	}
}

func (w *work) importThread(phone string, n int) (ids []string) {
	w.Helper()
	var messages []string
	for i := range n {
		id := fmt.Sprintf("%s.%04d", phone, i)
		ids = append(ids, id)
		messages = append(messages, strings.Replace(pastText(id, 1700000000+int64(i)), "34600111222", phone, 1))
	}
	slices.Reverse(messages)
	w.takeAll("history", strings.Replace(thread(messages...), `"id":"34600111222"`, `"id":"`+phone+`"`, 1))
	return ids
}

func TestAConversationComesToTheCRMInOrder(t *testing.T) {
	w := newWork(t)
	ids := w.importThread("34600111222", 250)
	w.run(settled - time.Second)
	if len(w.fed) != 0 {
		t.Fatalf("%d were fed while chunks may still come", len(w.fed))
	}
	w.run(time.Hour)
	if !slices.Equal(w.fed, ids) {
		t.Errorf("%d of %d messages, in order: %v", len(w.fed), len(ids), slices.IsSorted(w.fed))
	}
	if w.most > mouthful || w.q.Len() != 0 {
		t.Errorf("%d were fed at once, %d jobs are left", w.most, w.q.Len())
	}
}

// TestWhatComesLateIsFedToo: and what is there already isn't fed again.
func TestWhatComesLateIsFedToo(t *testing.T) {
	w := newWork(t)
	w.importThread("34600111222", 120)
	w.run(time.Hour)
	w.fed = nil
	late := []string{pastText("early", 1600000000), pastText("last", 1800000000)}
	w.takeAll("history", thread(late...))
	w.run(time.Hour)
	if want := []string{"early", "last"}; !slices.Equal(w.fed, want) {
		t.Errorf("fed %q, want %q", w.fed, want)
	}
	w.takeAll("history", thread(late...))
	w.run(time.Hour)
	if len(w.fed) != 2 || w.q.Len() != 0 {
		t.Errorf("told again: fed %q, %d jobs are left", w.fed, w.q.Len())
	}
}

// TestFewConversationsAtATime: the others wait, and nobody for ever.
func TestFewConversationsAtATime(t *testing.T) {
	w := newWork(t)
	for i := range 3 * feeders {
		w.importThread(fmt.Sprint(34600000000+i), 30)
	}
	w.run(4 * time.Hour)
	if len(w.fed) != 3*feeders*30 || w.q.Len() != 0 {
		t.Errorf("%d were fed, %d jobs are left", len(w.fed), w.q.Len())
	}
	if w.most > feeders*mouthful {
		t.Errorf("%d were fed at once", w.most)
	}
}

// TestEntriesThatDontCome: a refused one is done, and one that never comes is given up after a day.
func TestEntriesThatDontCome(t *testing.T) {
	w := newWork(t)
	ids := w.importThread("34600111222", 30)
	w.refuses[ids[3]], w.swallows[ids[7]] = true, true
	w.run(patience - time.Hour)
	if len(w.fed) != 9 || w.q.Len() != 1 {
		t.Errorf("before its day is over: %d were fed, %d jobs are left", len(w.fed), w.q.Len())
	}
	w.run(3 * time.Hour)
	if len(w.fed) != 29 || w.q.Len() != 0 || w.counts[metric.CRMOverdue+" Connector hubspot"] != 1 {
		t.Errorf("after it: %d were fed, %d jobs are left, counted %v", len(w.fed), w.q.Len(), w.counts)
	}
}

// TestAJobOutlivesItsEntry: a queue ends an entry at its thousandth receive.
func TestAJobOutlivesItsEntry(t *testing.T) {
	w := newWork(t)
	w.importThread("34600111222", 5)
	body := w.q.Messages()[0].Body
	w.h.Bulk = &w.bulk
	if err := w.h.Handle(t.Context(), queue.Message{Body: []byte(body), Receives: renewal}); err != nil {
		t.Fatal(err)
	}
	if len(w.bulk.entries) != 1 || string(w.bulk.entries[0].Body) != body {
		t.Errorf("queued anew: %+v", w.bulk.entries)
	}
	w.bulk.err = chat.E(chat.Unavailable, "", errors.New("down"))
	if err := w.h.Handle(t.Context(), queue.Message{Body: []byte(body), Receives: renewal}); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("with a queue that is down: %v", err)
	}
}

func TestJobsThatAreNone(t *testing.T) {
	w := newWork(t)
	w.importThread("34600111222", 5)
	for body, fails := range map[string]bool{
		`{"v":1,"kind":"import"}`:                                      true,
		`{"v":1,"kind":"import","conversation":"100.nobody","id":"x"}`: false, // replaced, or its items are gone
	} {
		if err := w.h.Handle(t.Context(), queue.Message{Body: []byte(body), Receives: 1}); (err != nil) != fails {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestTheLatestJobCounts: those of earlier chunks end at once.
func TestTheLatestJobCounts(t *testing.T) {
	w := newWork(t)
	for i := range 5 {
		w.takeAll("history", thread(pastText(fmt.Sprint("w", i), 1700000000+int64(i))))
	}
	if w.q.Len() != 5 {
		t.Fatalf("%d jobs", w.q.Len())
	}
	w.run(time.Second)
	if w.q.Len() != 1 {
		t.Errorf("%d jobs are left", w.q.Len())
	}
	w.run(time.Hour)
	if want := []string{"w0", "w1", "w2", "w3", "w4"}; !slices.Equal(w.fed, want) {
		t.Errorf("fed %q", w.fed)
	}
}
