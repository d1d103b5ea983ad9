package handler

import (
	"errors"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/route"
	"threadline/shared/store"
)

// causes are why CRM.fifo got entries of the message, and how many have each.
func (r *rig) causes() map[string]int {
	r.Helper()
	all := map[string]int{}
	for _, e := range r.crm.entries {
		ref, err := route.ParseRef(e.Body)
		if err != nil || ref.Kind != chat.EffectCRM || ref.Target != "hubspot" || ref.Message != store.SortKey(r.lookup("m_1")) ||
			e.DedupID != ref.DedupID() || e.Group != ref.Group("01CONTACT") {
			r.Errorf("entry %s (%v)", e.Body, err)
		}
		all[ref.Cause]++
	}
	return all
}

// onTheRecord checks that CRM.fifo got the message because Meta took it, redeliveries aside; or, for none, that it got nothing.
func (r *rig) onTheRecord(n int) {
	r.Helper()
	if got := r.causes(); len(got) != n || n > 0 && got[route.Accepted] == 0 {
		r.Errorf("the CRM is told for %v, want %d causes", got, n)
	}
}

// TestRefusalIsToldInTheCRM proves that what somebody asked for in a CRM, and Meta never takes, comes to that CRM, also if
// the process dies before it told; and that nothing else does that Meta never took.
func TestRefusalIsToldInTheCRM(t *testing.T) {
	for _, origin := range []chat.Origin{chat.FromCRM, chat.FromAgent} {
		r := newRig(t, no)
		m := text()
		m.Origin = origin
		if origin == chat.FromCRM {
			r.crm.err = errors.New("the queue is away")
			if r.receive(m) == nil {
				t.Error("it is done, and nobody was told")
			}
			r.crm.err = nil
		}
		r.drain(m)
		if told := r.causes(); told[route.Failed] > 0 != (origin == chat.FromCRM) || r.lookup("m_1").Status != chat.Failed || len(r.graph.sent) != 1 {
			t.Errorf("from %q: told for %v after %d sends", origin, told, len(r.graph.sent))
		}
	}
}

// TestADoubtIsToldInTheCRM: whoever asked for the message, when the wait is over and not before, and also if the process
// dies before it told.
func TestADoubtIsToldInTheCRM(t *testing.T) {
	for name, errs := range map[string][]error{"held": {lostAnswer}, "lost twice": {lostAnswer, lostAnswer}, "lost, and then refused": {lostAnswer, no}} {
		for _, origin := range []chat.Origin{chat.FromAgent, chat.FromCRM} {
			r := newRig(t, errs...)
			if name == "held" {
				r.h.Ambiguous = Hold
			}
			m := text()
			m.Origin = origin
			if err := r.receive(m); err == nil || len(r.causes()) != 0 {
				t.Errorf("%s: within the wait (%v) the CRM is told for %v", name, err, r.causes())
			}
			r.now = r.now.Add(after)
			r.crm.err = errors.New("the queue is away")
			if r.drain(m) != 0 || r.counts[metric.SendUnknown] != 0 {
				t.Errorf("%s: it is done, and nobody was told", name)
			}
			r.crm.err = nil
			for n := 1; n <= 2; n++ {
				if err := r.receive(m); err != nil || len(r.causes()) != 1 || r.causes()[route.Doubtful] != n {
					t.Errorf("%s: told for %v (%v), want %d entries", name, r.causes(), err, n)
				}
			}
			if len(r.graph.sent) != len(errs) {
				t.Errorf("%s: it was sent %d times", name, len(r.graph.sent))
			}
			r.receipt(chat.Delivered)
			r.crm.entries = nil
			if err := r.receive(m); err != nil {
				t.Error(err)
			}
			r.onTheRecord(1)
		}
	}
}
