package sim

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp/whatsapptest"
)

// ban is a webhook that says how the account stands.
func ban(state string, at time.Time) []byte {
	return whatsapptest.Account("account_update", map[string]any{
		"event": "DISABLED_UPDATE", "ban_info": map[string]any{"waba_ban_state": []any{state}},
	}, at)
}

// restrict has Meta say that some messages may not leave until the stop ends.
func (s *Sim) restrict(kinds ...string) {
	var list []any
	for _, kind := range kinds {
		list = append(list, map[string]any{"restriction_type": kind, "expiration": Start.Add(stopEnds).Unix()})
	}
	s.Deliver("", whatsapptest.Account("account_update", map[string]any{"event": "ACCOUNT_RESTRICTION", "restriction_info": list}, s.Now()))
}

// hello is a template.
var hello = map[string]any{"name": "hello", "language": "en"}

// stoppage is something that keeps a number from sending.
type stoppage struct {
	name               string
	begin, end         func(*Sim)
	refuse             int         // Meta's code meanwhile
	answers, templates bool        // what leaves all the same
	held               chat.Status // of what doesn't
	told               int         // how often the state of the number is published
	alarm              bool        // whether somebody is called
}

const stopEnds = 6 * time.Hour // after the start

var stoppages = []stoppage{
	{
		name: "a ban", refuse: 368, held: chat.Queued, told: 2, alarm: true,
		begin: func(s *Sim) { s.Deliver("", ban("DISABLE", s.Now())) },
		end:   func(s *Sim) { s.Deliver("", ban("REINSTATE", s.Now())) },
	},
	{name: "a token that expired", refuse: 190, held: chat.Queued, alarm: true}, // which is in no webhook
	{
		name: "no messages to begin with", answers: true, held: chat.Failed, told: 1, alarm: true,
		begin: func(s *Sim) { s.restrict("RESTRICTED_BIZ_INITIATED_MESSAGING") },
	},
	{
		name: "no answers", templates: true, held: chat.Failed, told: 1, alarm: true,
		begin: func(s *Sim) { s.restrict("RESTRICTED_CUSTOMER_INITIATED_MESSAGING") },
	},
	{
		name: "neither", held: chat.Queued, told: 1, alarm: true,
		begin: func(s *Sim) {
			s.restrict("RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
		},
	},
	{
		name: "no new numbers", answers: true, templates: true, told: 1,
		begin: func(s *Sim) { s.restrict("RESTRICTED_ADD_PHONE_NUMBER_ACTION") },
	},
}

// TestAStoppedNumber: what is to be sent waits, and leaves in order when Meta lets the number go on. Where one kind of
// message is stopped alone it holds up the rest of its conversation for ten minutes and no longer.
func TestAStoppedNumber(t *testing.T) {
	for _, test := range stoppages {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := New(t, Options{Refuse: func(now time.Time) int {
				if now.Before(Start.Add(2*time.Minute)) || !now.Before(Start.Add(stopEnds)) {
					return 0
				}
				return test.refuse
			}})
			answers, template := test.ask(s)
			s.Run(stopEnds - s.Now().Sub(Start) - time.Minute)
			for _, id := range answers {
				isAt(t, s, id, test.answers, test.held)
			}
			isAt(t, s, template, test.templates, test.held)
			if n := s.SendDLQ.Len(); n != 0 {
				t.Errorf("%d messages were given up", n)
			}
			s.Run(time.Minute)
			if test.end != nil {
				test.end(s)
			}
			s.Run(20 * time.Minute) // the longest wait in a queue, and jitter
			test.check(t, s)
		})
	}
}

// ask begins the stoppage and has three answers and a template wait.
func (test stoppage) ask(s *Sim) (answers []chat.MessageID, template chat.MessageID) {
	for _, who := range []string{ana, cleo, bo} {
		s.Deliver(who, whatsapptest.Text(Number, who, "wamid.in."+who, "hello", s.Now()))
	}
	s.Run(2 * time.Minute)
	if test.begin != nil {
		test.begin(s)
	}
	s.Run(time.Minute)
	for i := range 3 {
		for _, who := range []string{ana, cleo} {
			answers = append(answers, s.Reply(fmt.Sprint(who, i), who, fmt.Sprint(i)))
		}
	}
	return answers, s.Ask("template", map[string]any{"to": map[string]any{"bsuid": bo}, "template": hello})
}

// check looks at how it ended.
func (test stoppage) check(t *testing.T, s *Sim) {
	t.Helper()
	got := map[string]string{}
	for _, d := range s.Delivered() {
		got[d.To] += d.Text + d.Template
	}
	for who, text := range map[string]string{ana: "012", cleo: "012", bo: "hello"} {
		leaves := test.held != chat.Failed || test.answers && who != bo || test.templates && who == bo
		if want := map[bool]string{true: text}[leaves]; got[who] != want {
			t.Errorf("a phone got %q, want %q", got[who], want)
		}
	}
	s.Quiet()
	if n := s.SendDLQ.Len() + s.Outbound.Len(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	if n := s.Metrics.Of(metric.ConnectorStopped); (n > 0) != test.alarm {
		t.Errorf("the alarm was raised %d times", n)
	}
	told(t, s, test.told, test.answers, test.templates)
}

// isAt checks where a message is that leaves, or is held.
func isAt(t *testing.T, s *Sim, id chat.MessageID, leaves bool, held chat.Status) {
	t.Helper()
	want := held
	if leaves {
		want = chat.Read
	}
	if m, err := s.Store.Lookup(t.Context(), id); err != nil || m.Status != want {
		t.Errorf("meanwhile a message is %s (%v), want %s", m.Status, err, want)
	}
}

// told checks what was published of the number: how it stood in the first event, and that it is well in the last of two.
func told(t *testing.T, s *Sim, n int, answers, templates bool) {
	t.Helper()
	events := s.Bus.Events()
	if len(events) != n {
		t.Fatalf("%d events were published, want %d", len(events), n)
	}
	for i, e := range events {
		var health struct{ Answers, Templates bool }
		if err := json.Unmarshal(e.Detail, &health); err != nil || e.Type != "number.health.v1" {
			t.Fatalf("%s (%v)", e.Type, err)
		}
		if i == 1 {
			answers, templates = true, true
		}
		if health.Answers != answers || health.Templates != templates {
			t.Errorf("event %d says %s", i, e.Detail)
		}
	}
}
