package handler

import (
	"errors"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func refusal(class whatsapp.Class, code int, wait time.Duration) error {
	return &whatsapp.Error{Class: class, HTTPStatus: 400, Code: code, Title: "Meta's words", RetryAfter: wait}
}

var (
	lostAnswer = refusal(whatsapp.ClassAmbiguous, 0, 0)
	unwritten  = refusal(whatsapp.ClassNotSent, 0, 0)
	no         = refusal(whatsapp.ClassPermanent, 131026, 0)
)

// TestOutcomes: the first attempt meets err, and what comes after it is accepted.
func TestOutcomes(t *testing.T) {
	stopped := metric.ConnectorStopped + " Connector whatsapp"
	for _, test := range []struct {
		name     string
		err      error
		status   chat.Status // after the first receive
		wait     time.Duration
		attempts int    // handed to Meta, in the end
		final    string // status
		counted  string
		refresh  int
	}{
		{"accepted", nil, chat.Accepted, 0, 1, "accepted", metric.MessageSent, 0},
		{"refused for good", no, chat.Failed, 0, 1, "failed", metric.SendFailed, 0},
		{"refused by ourselves", whatsapp.ErrInvalid, chat.Failed, 0, 1, "failed", metric.SendFailed, 0},
		{"too fast", refusal(whatsapp.ClassWait, 80007, 0), chat.Queued, time.Minute, 2, "accepted", metric.MessageSent, 0},
		{"too fast, and told so", refusal(whatsapp.ClassWait, 131048, time.Hour), chat.Queued, time.Hour, 2, "accepted", metric.MessageSent, 0},
		{"the account", refusal(whatsapp.ClassAccount, 190, 0), chat.Queued, time.Minute, 2, "accepted", stopped, 1},
		{"the account, for longer", refusal(whatsapp.ClassAccount, 131042, time.Hour), chat.Queued, time.Hour, 2, "accepted", stopped, 1},
		{"for now", refusal(whatsapp.ClassTransient, 130429, 0), chat.Queued, time.Second, 2, "accepted", metric.MessageSent, 0},
		{"to this recipient", refusal(whatsapp.ClassTransient, 131056, 6*time.Second), chat.Queued, 6 * time.Second, 2, "accepted", metric.MessageSent, 0},
		{"never written", unwritten, chat.Queued, time.Second, 2, "accepted", metric.MessageSent, 0},
		{"500, dropped or garbage", lostAnswer, chat.Unknown, after, 2, "accepted", metric.MessageSent, 0},
		{"a failure that nobody knows", errors.New("34600111222"), chat.Unknown, after, 2, "accepted", metric.MessageSent, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.err)
			err := r.receive(text())
			m := r.lookup("m_1")
			if m.Status != test.status || m.Send.Lease != "" {
				t.Errorf("it is %s, leased to %q", m.Status, m.Send.Lease)
			}
			if (err != nil) != (test.wait > 0) || err != nil && held(err) != test.wait {
				t.Errorf("it waits with %v", err)
			}
			if known, unsure := m.Send.Attempt == 1, test.status != chat.Queued; known != unsure {
				t.Errorf("it may have been handed to Meta %d times", m.Send.Attempt)
			}
			if err != nil {
				r.now = r.now.Add(held(err))
				r.drain(text())
			}
			m = r.lookup("m_1")
			if string(m.Status) != test.final || len(r.graph.sent) != test.attempts || r.counts[test.counted] != 1 || r.refreshed != test.refresh {
				t.Errorf("in the end it is %s after %d attempts, counted %v, %d refreshes", m.Status, len(r.graph.sent), r.counts, r.refreshed)
			}
			if test.final == "accepted" {
				r.onTheRecord(1)
			} else {
				r.onTheRecord(0)
				if p := m.Steps[chat.Failed].Error; p == nil || p.Reason == "" {
					t.Errorf("nobody is told why: %+v", p)
				}
			}
			if r.drain(text()); len(r.graph.sent) != test.attempts {
				t.Error("a redelivery sends it again")
			}
		})
	}
}

// onTheRecord checks what CRM.fifo got, redeliveries aside.
func (r *rig) onTheRecord(n int) {
	r.Helper()
	seen := map[string]bool{}
	for _, e := range r.crm.entries {
		ref, err := route.ParseRef(e.Body)
		if err != nil || ref.Kind != chat.EffectCRM || ref.Target != "hubspot" || ref.Cause != route.Accepted || ref.Message != store.SortKey(r.lookup("m_1")) ||
			e.DedupID != ref.DedupID() || e.Group != ref.Group("01CONTACT") {
			r.Errorf("entry %s (%v)", e.Body, err)
		}
		seen[e.DedupID] = true
	}
	if len(seen) != n {
		r.Errorf("%d entries to CRM.fifo, want %d", len(seen), n)
	}
}

// TestTheCompanysChoice: no receipt ever comes.
func TestTheCompanysChoice(t *testing.T) {
	template := text()
	template.Kind, template.Content = chat.KindTemplate, []byte(`{"name":"a","language":"en"}`)
	template.Send.Category = "utility"
	code := text()
	code.Send.Category = "authentication"
	brief := text()
	brief.Send.Expires = noon.Add(after)
	for _, test := range []struct {
		name   string
		choice Ambiguity
		m      chat.Message
		errs   []error
		sends  int
		status chat.Status
		failed int // counted
	}{
		{"free text", Default, text(), []error{lostAnswer}, 2, chat.Accepted, 0},
		{"free text, held", Hold, text(), []error{lostAnswer}, 1, chat.Unknown, 0},
		{"a template", Default, template, []error{lostAnswer}, 1, chat.Unknown, 0},
		{"a template, repeated", Retry, template, []error{lostAnswer}, 2, chat.Accepted, 0},
		{"a one-time code as text", Default, code, []error{lostAnswer}, 1, chat.Unknown, 0},
		{"a one-time code, repeated", Retry, code, []error{lostAnswer}, 2, chat.Accepted, 0},
		{"twice at most", Retry, text(), []error{lostAnswer, lostAnswer, lostAnswer}, 2, chat.Unknown, 0},
		{"an attempt that wasn't written doesn't count", Default, text(), []error{lostAnswer, unwritten, unwritten}, 4, chat.Accepted, 0},
		{"past its expiry it may still have arrived", Retry, brief, []error{lostAnswer}, 1, chat.Unknown, 0},
		{"a refused repeat leaves the first unknown", Retry, text(), []error{lostAnswer, no}, 2, chat.Unknown, 0},
		{"nothing unknown before a refusal", Retry, text(), []error{unwritten, no}, 2, chat.Failed, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.errs...)
			r.h.Ambiguous = test.choice
			if r.drain(test.m) == 0 {
				t.Fatal("it comes again and again")
			}
			m := r.lookup("m_1")
			if m.Status != test.status || len(r.graph.sent) != test.sends || r.counts[metric.SendFailed] != test.failed {
				t.Errorf("it is %s after %d sends, counted %v", m.Status, len(r.graph.sent), r.counts)
			}
			if unknown := r.counts[metric.SendUnknown]; (unknown == 1) != (test.status == chat.Unknown) {
				t.Errorf("counted unknown %d times", unknown)
			}
			r.now = r.now.Add(time.Hour)
			if r.drain(test.m); len(r.graph.sent) != test.sends {
				t.Error("a redelivery sends it again")
			}
		})
	}
}

func TestWhatARefusedRepeatSays(t *testing.T) {
	r := newRig(t, lostAnswer, no)
	r.drain(text())
	if p := r.lookup("m_1").Steps[chat.Unknown].Error; p == nil || p.Code != 131026 {
		t.Errorf("the refusal is recorded as %+v", p)
	}
}

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

func TestBlueTicksAreACourtesy(t *testing.T) {
	answer := text()
	answer.Send.Answers = "wamid.asked"
	for _, test := range []struct {
		name  string
		m     chat.Message
		errs  []error
		fails error
		ticks int
	}{
		{"an answer", answer, nil, nil, 1},
		{"an answer that needed two attempts", answer, []error{unwritten}, nil, 1},
		{"an answer, and Meta doesn't care", answer, nil, errors.New("no"), 1},
		{"an answer that was refused", answer, []error{no}, nil, 0},
		{"no answer", text(), nil, nil, 0},
	} {
		r := newRig(t, test.errs...)
		r.graph.readErr = test.fails
		r.drain(test.m)
		if err := r.receive(test.m); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if len(r.graph.read) != test.ticks || test.ticks > 0 && r.graph.read[0] != "wamid.asked" {
			t.Errorf("%s: marked %q", test.name, r.graph.read)
		}
	}
}

func TestTheSameIDForAnotherRequest(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.store.Queue(t.Context(), text()); err != nil {
		t.Fatal(err)
	}
	other := text()
	other.Text, other.Send.Request = "something else", "r2"
	for _, m := range []chat.Message{other, text()} {
		if err := r.receive(m); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.graph.sent) != 1 || r.graph.sent[0].Text.Body != "hello" {
		t.Errorf("%d were sent", len(r.graph.sent))
	}
}

func TestMalformedIsFailedOnce(t *testing.T) {
	for name, edit := range map[string]func(*chat.Message){
		"a kind that isn't sent":        func(m *chat.Message) { m.Kind = chat.KindOrder },
		"a file without a file":         func(m *chat.Message) { m.Kind = chat.KindImage },
		"a kind that is no file":        func(m *chat.Message) { m.Kind, m.Attachment = chat.KindLocation, &chat.Attachment{} },
		"a template of the wrong shape": func(m *chat.Message) { m.Kind, m.Content = chat.KindTemplate, []byte(`[]`) },
	} {
		r := newRig(t)
		m := text()
		edit(&m)
		if err := r.receive(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := r.lookup("m_1")
		if p := got.Steps[chat.Failed].Error; got.Status != chat.Failed || p == nil || !strings.HasPrefix(p.Reason, "malformed: ") {
			t.Errorf("%s: it is %s, %+v", name, got.Status, p)
		}
		if len(r.graph.sent) != 0 || r.counts[metric.SendFailed] != 1 {
			t.Errorf("%s: %d sends, counted %v", name, len(r.graph.sent), r.counts)
		}
	}
	r := newRig(t)
	var passing interface{ Temporary() bool }
	if err := r.h.Handle(t.Context(), queue.Message{Body: []byte(`{"v":2}`)}); err == nil || errors.As(err, &passing) {
		t.Errorf("garbage: %v", err)
	}
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

func TestACRMQueueThatIsDown(t *testing.T) {
	r := newRig(t)
	r.crm.err = chat.E(chat.Unavailable, "", errors.New("down"))
	if err := r.receive(text()); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("it ends with %v", err)
	}
	r.crm.err = nil
	if err := r.receive(text()); err != nil || len(r.graph.sent) != 1 {
		t.Errorf("%v, %d sends", err, len(r.graph.sent))
	}
	r.onTheRecord(1)
}
