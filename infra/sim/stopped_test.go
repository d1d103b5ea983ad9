package sim

import (
	"encoding/json"
	"fmt"
	"slices"
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

// restriction is a webhook that keeps some messages from leaving until a time.
func restriction(kind string, until, at time.Time) []byte {
	return whatsapptest.Account("account_update", map[string]any{
		"event": "ACCOUNT_RESTRICTION", "restriction_info": []any{map[string]any{"restriction_type": kind, "expiration": until.Unix()}},
	}, at)
}

// hello is a template.
var hello = map[string]any{"name": "hello", "language": "en"}

// TestAStoppedNumber: what is to be sent waits, and leaves in order when Meta lets the number go on.
func TestAStoppedNumber(t *testing.T) {
	const (
		ends = 6 * time.Hour
		late = 20 * time.Minute // the longest wait in a queue, and jitter
	)
	for _, test := range []struct {
		name      string
		begin     func(*Sim)
		end       func(*Sim)
		refuse    func(time.Time) int
		answers   bool // whether they leave meanwhile
		templates bool
		told      int  // how often the state of the number is published
		alarm     bool // whether somebody is called
	}{
		{
			name: "a ban", begin: func(s *Sim) { s.Deliver("", ban("DISABLE", s.Now())) },
			end: func(s *Sim) { s.Deliver("", ban("REINSTATE", s.Now())) }, told: 2, alarm: true,
		},
		{
			name: "a token that expired", alarm: true, // which isn't in a webhook
			refuse: func(now time.Time) int {
				if now.After(Start.Add(time.Minute)) && now.Before(Start.Add(ends)) {
					return 190
				}
				return 0
			},
		},
		{
			name: "no messages to begin with", answers: true, told: 1, alarm: true,
			begin: func(s *Sim) {
				s.Deliver("", restriction("RESTRICTED_BIZ_INITIATED_MESSAGING", Start.Add(ends), s.Now()))
			},
		},
		{
			name: "no answers", templates: true, told: 1, alarm: true,
			begin: func(s *Sim) {
				s.Deliver("", restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", Start.Add(ends), s.Now()))
			},
		},
		{
			name: "no new numbers", answers: true, templates: true, told: 1,
			begin: func(s *Sim) {
				s.Deliver("", restriction("RESTRICTED_ADD_PHONE_NUMBER_ACTION", Start.Add(ends), s.Now()))
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := New(t, Options{Refuse: test.refuse})
			for _, who := range []string{ana, cleo, bo} {
				s.Deliver(who, whatsapptest.Text(Number, who, "wamid.in."+who, "hello", s.Now()))
			}
			s.Run(2 * time.Minute)
			if test.begin != nil {
				test.begin(s)
			}
			s.Run(time.Minute)
			var asked []chat.MessageID
			for i := range 3 {
				for _, who := range []string{ana, cleo} {
					asked = append(asked, s.Reply(fmt.Sprint(who, i), who, fmt.Sprint(i)))
				}
			}
			template := s.Ask("template", map[string]any{"to": map[string]any{"bsuid": bo}, "template": hello})
			s.Run(ends - 4*time.Minute)
			for _, id := range append(slices.Clone(asked), template) {
				m, err := s.Store.Lookup(t.Context(), id)
				leaves := test.answers
				if id == template {
					leaves = test.templates
				}
				if want := map[bool]chat.Status{true: chat.Read, false: chat.Queued}[leaves]; err != nil || m.Status != want {
					t.Errorf("meanwhile a message is %s (%v), want %s", m.Status, err, want)
				}
			}
			if n := s.SendDLQ.Len(); n != 0 {
				t.Errorf("%d messages were given up", n)
			}
			s.Run(time.Minute)
			if test.end != nil {
				test.end(s)
			}
			s.Run(late)
			texts := map[string]string{}
			for _, d := range s.Delivered() {
				texts[d.To] += d.Text + d.Template
			}
			if texts[ana] != "012" || texts[cleo] != "012" || texts[bo] != "hello" {
				t.Errorf("the phones got %v", texts)
			}
			s.Quiet()
			if n := s.SendDLQ.Len() + s.Outbound.Len(); n != 0 {
				t.Errorf("%d entries are left", n)
			}
			if n := s.Metrics.Of(metric.ConnectorStopped); (n > 0) != test.alarm {
				t.Errorf("the alarm was raised %d times", n)
			}
			told(t, s, test.told, test.answers, test.templates)
		})
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
