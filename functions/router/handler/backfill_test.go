package handler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
)

// connect has a second CRM, and asks for all that is stored to be brought into it.
func (w *work) connect(connector, id string) {
	w.Helper()
	if !slices.Contains(w.h.Connectors, connector) {
		w.h.Connectors = append(slices.Clone(w.h.Connectors), connector)
	}
	c := route.Command{Command: route.Backfill, Connector: connector, ID: id, At: w.clock.Now()}
	if err := w.h.Handle(w.Context(), queue.Message{Body: c.Body(), Receives: 1}); err != nil {
		w.Fatal(err)
	}
}

func (w *work) backfilled(connector string) store.Backfill {
	w.Helper()
	b, err := w.store.Backfill(w.Context(), connector)
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// old has people who wrote before, and one who is two.
func (w *work) old(people, each int) (all []string) {
	w.Helper()
	for i := range each {
		for p := range people {
			id := fmt.Sprintf("%d.%03d", 34600000000+p, i)
			all = append(all, id)
			w.writesAt(fmt.Sprint(34600000000+p), id, noon.Add(time.Duration(i)*time.Second))
		}
	}
	w.run(time.Minute)
	if len(w.fed) != len(all) {
		w.Fatalf("%d of %d are in the first CRM", len(w.fed), len(all))
	}
	w.fed = nil
	return all
}

// TestABackfillKeepsTheOrderWithinASecond: that of arrival, also where a mouthful ends within one.
func TestABackfillKeepsTheOrderWithinASecond(t *testing.T) {
	w := newWork(t)
	var want []string
	for i := range 3 * mouthful {
		id := fmt.Sprintf("%c", 'z'-i)
		want = append(want, id)
		w.writesAt("34600111222", id, noon.Add(time.Duration(i/4)*time.Second))
	}
	w.run(time.Minute)
	w.fed = nil
	w.connect("odoo", "c_1")
	w.run(time.Hour)
	if !slices.Equal(w.fed, want) {
		t.Errorf("fed %q, want %q", w.fed, want)
	}
}

func TestABackfillBringsEverythingInOrder(t *testing.T) {
	w := newWork(t)
	all := w.old(60, 7)
	w.importThread("34600111222", 12)
	w.run(time.Hour)
	w.fed = nil
	a, b := w.lookup(all[0]).Contact, w.lookup(all[1]).Contact
	if _, err := w.store.Join(t.Context(), a, b, chat.Stamp{At: noon, ID: "c_join"}); err != nil {
		t.Fatal(err)
	}
	w.most = 0
	w.connect("odoo", "c_1")
	w.run(4 * time.Hour)
	got := w.backfilled("odoo")
	if n := len(all) + 12; len(w.fed) != n || got.Found != 61 || got.Finished != 61 || got.Fed != n || got.Running() || w.q.Len() != 0 {
		t.Errorf("%d of %d were fed, %d jobs are left: %+v", len(w.fed), n, w.q.Len(), got)
	}
	last := map[string]string{}
	for _, id := range w.fed {
		person, _, _ := strings.Cut(id, ".")
		if id < last[person] {
			t.Errorf("%s came after %s", id, last[person])
		}
		last[person] = id
	}
	if w.most > feeders*mouthful {
		t.Errorf("%d were fed at once", w.most)
	}
	want := []chat.Effect{{Kind: chat.EffectCRM, Target: "odoo"}, {Kind: chat.EffectCRM, Target: "hubspot"}}
	for _, id := range []string{all[0], all[len(all)-1]} {
		if m := w.lookup(id); !slices.Equal(m.Effects, want) {
			t.Errorf("the plan of %s is %v", id, m.Effects)
		}
	}
	w.fed = nil
	w.connect("odoo", "c_2")
	w.run(time.Hour)
	if got := w.backfilled("odoo"); len(w.fed) != 0 || got.ID != "c_2" || got.Running() || got.Finished != 61 || got.Fed != 0 {
		t.Errorf("again: %d were fed: %+v", len(w.fed), got)
	}
}

// parking is a queue that parks entries at once.
type parking struct {
	Queue
	parks func(body []byte) bool
}

func (p parking) Send(ctx context.Context, es ...queue.Entry) error {
	for _, e := range es {
		if p.parks(e.Body) {
			continue
		}
		if err := p.Queue.Send(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// TestPartsThatAreParked: as many as hold up a backfill are given up after a day, and the next one brings them. One that
// waits all that time isn't.
func TestPartsThatAreParked(t *testing.T) {
	w := newWork(t)
	all := w.old(50, 2)
	w.swallows[all[len(all)-1]] = true // a job that waits for its entry until it is passed over
	parked := 0
	whole := w.h.Bulk
	w.h.Bulk = parking{whole, func(body []byte) bool {
		feeds := strings.Contains(string(body), `"kind":"feed"`) && parked < ahead
		if feeds {
			parked++
		}
		return feeds
	}}
	w.connect("odoo", "c_1")
	w.run(standstill - time.Hour)
	if b := w.backfilled("odoo"); !b.Running() || b.Begun != ahead || b.GivenUp != 0 {
		t.Errorf("before their day is over: %+v", b)
	}
	w.run(2*standstill + time.Hour)
	b := w.backfilled("odoo")
	if b.Running() || b.Stopped != "" || b.Found != 50 || b.GivenUp != ahead || b.Finished != 50-ahead || w.q.Len() != 0 {
		t.Errorf("after it: %d jobs are left, %+v", w.q.Len(), b)
	}
	if n := w.counts[metric.CRMOverdue+" Connector odoo"]; n != ahead+1 {
		t.Errorf("%d are counted as overdue", n)
	}
	w.swallows = nil
	w.h.Bulk = whole
	w.connect("odoo", "c_2")
	w.run(4 * time.Hour)
	if b := w.backfilled("odoo"); b.Running() || b.GivenUp != 0 || b.Finished != 50 || len(w.fed) != len(all) {
		t.Errorf("another: %d of %d were fed, %+v", len(w.fed), len(all), b)
	}
}

// TestABackfillEndsWithItsCRM: also for the conversations that have a job.
func TestABackfillEndsWithItsCRM(t *testing.T) {
	w := newWork(t)
	w.old(50, 30)
	w.connect("odoo", "c_1")
	w.run(time.Minute)
	w.h.Connectors = []string{"hubspot"}
	w.run(30 * time.Minute)
	if b := w.backfilled("odoo"); b.Running() || b.Stopped == "" || w.q.Len() != 0 || len(w.fed) == 0 {
		t.Errorf("%d were fed, %d jobs are left: %+v", len(w.fed), w.q.Len(), b)
	}
	fed := len(w.fed)
	if err := w.h.beginBackfill(t.Context(), "odoo", "c_2"); chat.CodeOf(err) != chat.Invalid {
		t.Errorf("begun without it: %v", err)
	}
	w.run(time.Hour)
	if len(w.fed) != fed {
		t.Errorf("%d more were fed", len(w.fed)-fed)
	}
	w.connect("odoo", "c_3")
	w.run(8 * time.Hour)
	if b := w.backfilled("odoo"); len(w.fed) != 50*30 || b.Finished != 50 || w.q.Len() != 0 {
		t.Errorf("connected again: %d are fed, %+v", len(w.fed), b)
	}
}

// TestWhoWritesDuringABackfill: doesn't wait, and isn't passed over for it.
func TestWhoWritesDuringABackfill(t *testing.T) {
	w := newWork(t)
	all := w.old(120, 3)
	w.connect("odoo", "c_1")
	for i := range 60 {
		w.run(10 * time.Second)
		w.writes(fmt.Sprint(34600000000+2*i), fmt.Sprintf("live%d", i))
		if sent := w.crm.entries; len(sent) != 2 {
			t.Fatalf("a live message causes %d entries", len(sent))
		}
	}
	w.run(4 * time.Hour)
	if b := w.backfilled("odoo"); b.Finished != 120 || b.Found != 120 || len(w.fed) != len(all)+60 {
		t.Errorf("%d of %d are fed: %+v", len(w.fed), len(all)+60, b)
	}
}

// TestAReplyThatMetaHasNotTaken: isn't brought, and has the plan by which it will be.
func TestAReplyThatMetaHasNotTaken(t *testing.T) {
	w := newWork(t)
	w.old(1, 1)
	who := w.messages()[0].Contact
	m := chat.Message{
		ID: "m_1", Conversation: chat.Direct("100", who), Contact: who, At: w.clock.Now(), Direction: chat.Out, Kind: chat.KindText,
		Status: chat.Queued, Send: &chat.Send{},
	}
	if _, _, err := w.store.Queue(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	w.message(`{"id":"r1","from":"34600000000","timestamp":"1772452810","type":"reaction","reaction":{"message_id":"34600000000.000","emoji":"👍"}}`)
	w.run(0)
	w.fed, w.sentTo = nil, 0
	w.connect("odoo", "c_1")
	w.run(time.Hour)
	if !slices.Equal(w.fed, []string{"34600000000.000"}) || w.sentTo != 1 {
		t.Errorf("fed %q in %d entries", w.fed, w.sentTo)
	}
	if got := w.lookup("m_1"); !slices.Equal(got.Effects, []chat.Effect{{Kind: chat.EffectCRM, Target: "odoo"}}) {
		t.Errorf("its plan is %v", got.Effects)
	}
	if got := w.lookup("r1"); len(got.Effects) != 0 {
		t.Errorf("the plan of a reaction is %v", got.Effects)
	}
}

// TestAnyCallOfABackfillMayFail: everything is fed and counted as on a perfect day.
func TestAnyCallOfABackfillMayFail(t *testing.T) {
	play := func(f *fault) (fed int, b store.Backfill, left int) {
		w := newWork(t)
		w.old(3, 6)
		w.h.Connectors = []string{"hubspot", "odoo"}
		struck := *w.store
		struck.DB = faultyTable{w.table, f}
		w.h.Store = &struck
		w.h.CRM, w.h.Bulk = faultyQueue{w.h.CRM, f}, faultyQueue{w.h.Bulk, f}
		c := route.Command{Command: route.Backfill, Connector: "odoo", ID: "c_1", At: w.clock.Now()}
		for range 3 {
			if err := w.h.Handle(t.Context(), queue.Message{Body: c.Body(), Receives: 1}); err == nil {
				break
			}
		}
		w.run(3 * time.Hour)
		return len(w.fed), w.backfilled("odoo"), w.q.Len()
	}
	for _, done := range []bool{false, true} {
		for nth := 1; ; nth++ {
			f := &fault{nth: nth, done: done}
			fed, b, left := play(f)
			if f.err == nil {
				break
			}
			if fed != 18 || b.Finished != 3 || b.Found != 3 || b.Running() || left != 0 {
				t.Errorf("call %d failed, done %v: %d fed, %d jobs left, %+v", nth, done, fed, left, b)
			}
		}
	}
}
