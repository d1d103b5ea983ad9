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
		{"the account", refusal(whatsapp.ClassAccount, 190, 0), chat.Queued, shortGap, 2, "accepted", stopped, 1},
		{"an answer beyond the free ones", refusal(whatsapp.ClassAccount, whatsapp.CodeUnpaid, 0), chat.Queued, time.Minute, 2, "accepted", stopped, 1},
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
			want := map[chat.Status]string{chat.Unknown: route.Doubtful, chat.Accepted: route.Accepted}[test.status]
			if got := r.causes(); want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[want] == 0) {
				t.Errorf("the CRM is told for %v, want %q", got, want)
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
