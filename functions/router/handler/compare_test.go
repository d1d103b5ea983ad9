package handler

import (
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/store"
)

// fails is what crmsync notes of entries that a CRM didn't take.
func (w *work) fails(entries ...string) {
	w.Helper()
	for _, entry := range entries {
		if _, err := w.store.Fail(w.Context(), "hubspot", entry, "down", 0); err != nil {
			w.Fatal(err)
		}
	}
}

// TestWhatStandsInTheQueueIsNotMissing: a day's outage, of which the failure of one entry is all that is known, or of many.
// Their entries come when it is over, and nobody was told of anything missing.
func TestWhatStandsInTheQueueIsNotMissing(t *testing.T) {
	for name, failing := range map[string][]string{"one entry": {"e1"}, "several": {"e1", "e2", "e3"}} {
		w := newWork(t)
		w.writes("34600111222", "w1")
		w.run(0)
		w.swallows["w2"] = true // crmsync has its entry, and can't write it
		w.writes("34600111222", "w2")
		for range 24 {
			w.fails(failing...)
			w.ticks(time.Hour)
		}
		w.foundAre("12 waiting of 2, 0 missing 0 repaired 0 refused")
		w.swallows["w2"] = false
		if err := w.store.Recover(t.Context(), "hubspot"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.ClaimEntry(t.Context(), w.lookup("w2"), "hubspot", func(e *store.Entry) { e.Ref = "entry" }); err != nil {
			t.Fatal(err)
		}
		w.sentTo = 0
		w.ticks(7 * time.Hour)
		w.foundAre("12 complete of 2, 0 missing 0 repaired 0 refused")
		w.countedAre(2, 0, 0, 0, 0)
		if w.sentTo != 0 {
			t.Errorf("%s: it was asked for %d times", name, w.sentTo)
		}
	}
}

// TestAnOutageRepairsNothing: what was missing before it waits in it, and is missing after it, anew.
func TestAnOutageRepairsNothing(t *testing.T) {
	w := newWork(t)
	w.swallows["w1"] = true
	w.writes("34600111222", "w1")
	w.ticks(100 * time.Minute)
	w.foundAre("12 missing of 1, 1 missing 0 repaired 0 refused")
	for range 24 {
		w.fails("e1", "e2", "e3")
		w.ticks(time.Hour)
	}
	w.foundAre("12 waiting of 1, 0 missing 0 repaired 0 refused")
	if n := w.counts[metric.CRMOverdue+" Connector hubspot"]; n != 0 {
		t.Errorf("the alarm rang %d times", n)
	}
	if err := w.store.Recover(t.Context(), "hubspot"); err != nil {
		t.Fatal(err)
	}
	w.ticks(30 * time.Hour)
	w.foundAre("12 missing of 1, 1 missing 0 repaired 0 refused")
	if w.counts[metric.CRMOverdue+" Connector hubspot"] == 0 {
		t.Error("it is lost, and nobody is told")
	}
	w.swallows["w1"] = false
	w.ticks(13 * time.Hour)
	w.foundAre("12 repaired of 1, 0 missing 1 repaired 0 refused")
}

// TestADoubtfulReplyIsMissedWhenItsTimeIsOver: until it expires the sender may try it once more, and tells the CRM itself.
// Whoever should have may have died.
func TestADoubtfulReplyIsMissedWhenItsTimeIsOver(t *testing.T) {
	w := newWork(t)
	w.writes("34600111222", "w1")
	who := w.lookup("w1").Contact
	m, _, err := w.store.Queue(t.Context(), chat.Message{
		ID: "m_doubt", Conversation: chat.Direct("100", who), Contact: who, At: w.clock.Now(), Direction: chat.Out, Kind: chat.KindText,
		Status: chat.Queued, Send: &chat.Send{Request: "r", Expires: w.clock.Now().Add(20 * time.Hour)},
		Effects: []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
		m.Reach(chat.Unknown, w.clock.Now(), nil)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.ticks(19 * time.Hour)
	w.foundAre("12 waiting of 2, 0 missing 0 repaired 0 refused")
	w.ticks(13 * time.Hour)
	w.foundAre("12 repaired of 2, 0 missing 1 repaired 0 refused")
}
