package handler

import (
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
)

// TestReceiptsInBetween: whatever the sender believes, a receipt knows better.
func TestReceiptsInBetween(t *testing.T) {
	for _, test := range []struct {
		name   string
		errs   []error
		during chat.Status // while the first attempt is under way
		later  chat.Status // while it is unknown
		sends  int
		status chat.Status
		record int
	}{
		{"during an attempt that is lost", []error{lostAnswer}, chat.Delivered, "", 1, chat.Delivered, 1},
		{"during one that is accepted", nil, chat.Delivered, "", 1, chat.Delivered, 1},
		{"that says it failed, during one that is lost", []error{lostAnswer}, chat.Failed, "", 1, chat.Failed, 0},
		{"while it is unknown", []error{lostAnswer}, "", chat.Sent, 1, chat.Sent, 1},
		{"that says it failed, while it is unknown", []error{lostAnswer}, "", chat.Failed, 1, chat.Failed, 0},
		{"none", []error{lostAnswer}, "", "", 2, chat.Accepted, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.errs...)
			r.graph.meanwhile = func() {
				if test.during != "" {
					r.receipt(test.during)
				}
			}
			err := r.receive(text())
			r.graph.meanwhile = nil
			if test.later != "" {
				r.receipt(test.later)
			}
			if err != nil {
				r.now = r.now.Add(held(err))
				r.drain(text())
			}
			if m := r.lookup("m_1"); m.Status != test.status || len(r.graph.sent) != test.sends || m.Send.Lease != "" {
				t.Errorf("it is %s after %d sends, leased to %q", m.Status, len(r.graph.sent), m.Send.Lease)
			}
			r.onTheRecord(test.record)
		})
	}
}

// TestARepeatThatIsRefusedAfterAReceipt: the receipt of the first attempt came during the second.
func TestARepeatThatIsRefusedAfterAReceipt(t *testing.T) {
	r := newRig(t, lostAnswer, no)
	r.graph.meanwhile = func() {
		if len(r.graph.sent) == 2 {
			r.receipt(chat.Sent)
		}
	}
	r.drain(text())
	if m := r.lookup("m_1"); m.Status != chat.Sent || r.counts[metric.SendFailed]+r.counts[metric.SendUnknown] != 0 {
		t.Errorf("it is %s, counted %v", m.Status, r.counts)
	} else if p := m.Steps[chat.Unknown].Error; p != nil {
		t.Errorf("the refusal is held against a message that was sent: %+v", p)
	}
}

// TestReceiptsParkedBeforeAProcessDied: Meta's id was recorded, and nobody looked who waits for it.
func TestReceiptsParkedBeforeAProcessDied(t *testing.T) {
	r := newRig(t)
	if err := r.receive(text()); err != nil {
		t.Fatal(err)
	}
	_, _, err := r.store.Settle(t.Context(), chat.Receipt{Number: "100", ProviderID: "wamid.1", Status: chat.Read, At: noon, Hash: "h"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.receive(text()); err != nil || r.lookup("m_1").Status != chat.Read {
		t.Errorf("it is %s (%v)", r.lookup("m_1").Status, err)
	}
}

func TestLeases(t *testing.T) {
	dies := func(r *rig) { // during the call
		r.graph.meanwhile = func() { panic("the process is gone") }
		defer func() { _ = recover(); r.graph.meanwhile = nil }()
		_ = r.receive(text())
	}
	t.Run("of a process that died", func(t *testing.T) {
		r := newRig(t)
		dies(r)
		if m := r.lookup("m_1"); m.Status != chat.Sending || m.Send.Lease != "token1" || !m.Send.LeaseUntil.Equal(noon.Add(leaseFor)) {
			t.Fatalf("it is %s, %+v", m.Status, m.Send)
		}
		r.now = noon.Add(20 * time.Second)
		if err := r.receive(text()); held(err) != 30*time.Second || len(r.graph.sent) != 1 {
			t.Errorf("while the lease runs: %v", err)
		}
		r.now = noon.Add(leaseFor)
		if err := r.receive(text()); held(err) != after || r.lookup("m_1").Status != chat.Unknown {
			t.Errorf("when it has run out: %v", err)
		}
		if m := r.lookup("m_1"); !m.Send.UnknownSince.Equal(noon.Add(leaseFor)) {
			t.Errorf("unknown since %v", m.Send.UnknownSince)
		}
		r.now = noon.Add(leaseFor + after)
		if err := r.receive(text()); err != nil || len(r.graph.sent) != 2 || r.lookup("m_1").Status != chat.Accepted {
			t.Errorf("in the end: %v", err)
		}
	})
	t.Run("that ran out unseen for longer than a receipt is waited for", func(t *testing.T) {
		r := newRig(t)
		dies(r)
		r.now = noon.Add(leaseFor + after)
		if err := r.receive(text()); err != nil || len(r.graph.sent) != 2 {
			t.Errorf("%v, %d sends", err, len(r.graph.sent))
		}
	})
	t.Run("of another at the same moment", func(t *testing.T) {
		r := newRig(t)
		nested := error(nil)
		r.graph.meanwhile = func() {
			r.graph.meanwhile = nil
			nested = r.receive(text())
		}
		if err := r.receive(text()); err != nil || held(nested) != leaseFor || len(r.graph.sent) != 1 {
			t.Errorf("%v and %v, %d sends", err, nested, len(r.graph.sent))
		}
	})
}

func TestExpiry(t *testing.T) {
	for _, test := range []struct {
		at    time.Duration
		sends int
		final chat.Status
	}{
		{24*time.Hour - time.Second, 1, chat.Accepted},
		{24 * time.Hour, 0, chat.Failed},
		{48 * time.Hour, 0, chat.Failed},
	} {
		r := newRig(t)
		r.now = noon.Add(test.at)
		if err := r.receive(text()); err != nil {
			t.Fatal(err)
		}
		m := r.lookup("m_1")
		if m.Status != test.final || len(r.graph.sent) != test.sends || r.counts[metric.SendFailed] != 1-test.sends {
			t.Errorf("after %v it is %s after %d sends, counted %v", test.at, m.Status, len(r.graph.sent), r.counts)
		}
		if p := m.Steps[chat.Failed].Error; test.sends == 0 && (p == nil || p.Reason != "expired") {
			t.Errorf("after %v: %+v", test.at, p)
		}
	}
}

// TestExpiryGivesWay: between the look and the write somebody else got further.
func TestExpiryGivesWay(t *testing.T) {
	r := newRig(t)
	stale, _, err := r.store.Queue(t.Context(), text())
	if err != nil {
		t.Fatal(err)
	}
	r.receipt(chat.Sent)
	r.now = noon.Add(25 * time.Hour)
	if err := r.h.advance(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	if m := r.lookup("m_1"); m.Status != chat.Sent || r.counts[metric.SendFailed] != 0 {
		t.Errorf("it is %s, counted %v", m.Status, r.counts)
	}
}

// TestAnAttemptGivesWay: the same, before a send.
func TestAnAttemptGivesWay(t *testing.T) {
	r := newRig(t)
	stale, _, err := r.store.Queue(t.Context(), text())
	if err != nil {
		t.Fatal(err)
	}
	r.receipt(chat.Delivered)
	if err := r.h.advance(t.Context(), stale); err != nil || len(r.graph.sent) != 0 {
		t.Errorf("%v, %d sends", err, len(r.graph.sent))
	}
	r.onTheRecord(1)
}

// TestATableThatStumbles: what was just learnt of Meta exists nowhere else, so a write is tried three times.
func TestATableThatStumbles(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, err := range []error{nil, no, unwritten, lostAnswer} {
			r := newRig(t, err)
			r.table.lost = lost
			r.graph.meanwhile = func() { r.table.failing = 2; r.graph.meanwhile = nil }
			_ = r.receive(text())
			want := map[error]chat.Status{nil: chat.Accepted, no: chat.Failed, unwritten: chat.Queued, lostAnswer: chat.Unknown}[err]
			if m := r.lookup("m_1"); m.Status != want || m.Send.Lease != "" {
				t.Errorf("%v, answer lost %v: it is %s, leased to %q", err, lost, m.Status, m.Send.Lease)
			}
		}
	}
	t.Run("when the lease is written", func(t *testing.T) {
		r := newRig(t)
		if _, _, err := r.store.Queue(t.Context(), text()); err != nil {
			t.Fatal(err)
		}
		r.table.failing, r.table.lost = 1, true
		if err := r.receive(text()); err != nil || len(r.graph.sent) != 1 {
			t.Errorf("%v, %d sends", err, len(r.graph.sent))
		}
	})
	t.Run("for longer", func(t *testing.T) {
		r := newRig(t)
		r.graph.meanwhile = func() { r.table.failing = 100 }
		if err := r.receive(text()); chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("it ends with %v", err)
		}
		r.table.failing = 0
		r.now = noon.Add(leaseFor)
		if err := r.receive(text()); held(err) != after || r.lookup("m_1").Status != chat.Unknown {
			t.Errorf("it is %s (%v)", r.lookup("m_1").Status, err)
		}
	})
}
