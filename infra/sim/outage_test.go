package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/whatsapp/whatsapptest"
)

const day = 24 * time.Hour

// outage makes every call to a service fail for a while after the start, except what the test leaves out.
func outage(service string, fault Fault, d time.Duration, but string) func(Call) Fault {
	return func(c Call) Fault {
		if c.Service == service && c.At.Before(Start.Add(d)) && (but == "" || !strings.HasSuffix(c.Op, but)) {
			return fault
		}
		return None
	}
}

// write has customers write three texts and a photo each, a minute apart.
func write(s *Sim, customers int) {
	for c := range customers {
		from := fmt.Sprintf("3460011122%d", c)
		for i := range 3 {
			s.After(time.Duration(i)*time.Minute, func() {
				s.Deliver(from, whatsapptest.Text(Number, from, fmt.Sprintf("wamid.%d.%d", c, i), fmt.Sprintf("text %d", i), s.Now()))
			})
		}
		s.After(3*time.Minute, func() {
			id := fmt.Sprintf("90010%d", c)
			sum := s.AddFile(id, "image/jpeg", []byte("photo "+id))
			s.Deliver(from, whatsapptest.Photo(Number, from, "wamid.photo."+id, id, sum, "", s.Now()))
		})
	}
}

// TestOutages: whatever is down, for an hour or six days, everything arrives when it is up again, nothing is given up,
// and nothing was tried more often than the back-off allows.
func TestOutages(t *testing.T) {
	for _, service := range []string{"dynamodb", "sqs", "s3", "graph", "hubspot"} {
		for _, fault := range []Fault{Refused, Broken, Throttled} {
			for _, d := range []time.Duration{time.Hour, 6 * day} {
				t.Run(fmt.Sprintf("%s %s for %v", service, fault, d), func(t *testing.T) {
					t.Parallel()
					well := New(t, Options{})
					write(well, 3)
					well.Quiet()

					s := New(t, Options{Fault: outage(service, fault, d, "")})
					write(s, 3)
					s.Quiet()
					if diff := Diff(well.State(Arrivals), s.State(Arrivals)); diff != "" {
						t.Errorf("not everything arrived:\n%s", diff)
					}
					inOrder(t, s)
					patient(t, s, service == "hubspot" && fault == Throttled)
				})
			}
		}
	}
}

// inOrder checks that the CRM got every customer's entries in the order of the messages.
func inOrder(t *testing.T, s *Sim) {
	t.Helper()
	for _, c := range s.HubSpot.Contacts() {
		last := 0
		for _, e := range s.HubSpot.Timeline(c.ID) {
			id, err := strconv.Atoi(e.ID) // HubSpot's ids count up
			if err != nil || id < last {
				t.Errorf("an entry of %v was made before an earlier message's", e.At)
			}
			last = id
		}
	}
}

// patient checks the gaps between the attempts of each queue entry: min(900, 5·2^n) seconds less 20 %. A delivery
// within one instant is one attempt. What the CRM limits grows more slowly, see crmsync, until the CRM
// is left alone.
func patient(t *testing.T, s *Sim, limited bool) {
	t.Helper()
	attempts := map[string][]time.Time{}
	for _, c := range s.Calls() {
		id := c.Function + " " + c.Entry
		if at := attempts[id]; c.Entry != "" && c.Function != "router" && !slices.Contains(at, c.At) {
			attempts[id] = append(at, c.At)
		}
	}
	for id, at := range attempts {
		for n := 1; n < len(at); n++ {
			least := min(900*time.Second, 5*time.Second<<min(n-1, 8)) * 8 / 10
			if limited {
				least = min(least, time.Duration(3*n)*time.Second)
			}
			if gap := at[n].Sub(at[n-1]); gap < least {
				t.Errorf("%s: attempt %d came after %v, want at least %v", id, n+1, gap, least)
			}
		}
	}
}

// TestSendsWaitForMeta: a message that Meta can't be asked to send waits, in order, until it can or until it expires.
func TestSendsWaitForMeta(t *testing.T) {
	for _, fault := range []Fault{Refused, Throttled} {
		for _, d := range []time.Duration{time.Hour, 6 * day} {
			t.Run(fmt.Sprintf("%s for %v", fault, d), func(t *testing.T) {
				t.Parallel()
				s := New(t, Options{Fault: outage("graph", fault, d, "")})
				s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
				s.Run(time.Minute)
				early := s.Reply("early", customer, "early")
				s.Reply("early 2", customer, "early 2")
				s.Run(d - 2*time.Hour)
				s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.2", "are you there?", s.Now()))
				s.Run(time.Minute)
				template := map[string]any{"name": "hello", "language": "en"}
				s.Ask("template", map[string]any{"to": "+" + customer, "template": template})
				s.Reply("late", customer, "late")
				s.Quiet()

				var got []string
				for _, d := range s.Delivered() {
					got = append(got, d.Type+" "+d.Text)
				}
				want := []string{"text early", "text early 2", "template ", "text late"}
				if d > day {
					want = want[2:]
				}
				if !slices.Equal(got, want) {
					t.Errorf("the phone got %q, want %q", got, want)
				}
				m, err := s.Store.Lookup(t.Context(), early)
				if err != nil {
					t.Fatal(err)
				}
				if d > day && (m.Status != "failed" || m.Steps["failed"].Error.Reason != "expired") {
					t.Errorf("a text that waited longer than the service window is %s", m.Status)
				}
				if d < day && m.Status != "read" {
					t.Errorf("a text that waited an hour is %s", m.Status)
				}
				inOrder(t, s)
				patient(t, s, false)
				if n := s.SendDLQ.Len() + s.Outbound.Len(); n != 0 {
					t.Errorf("%d entries are left", n)
				}
			})
		}
	}
}

// TestMetaAnswers500ToSends: a 500 may hide an acceptance, so a message meets at most two of them and then says
// honestly that nobody knows. Nobody behind it waits for longer.
func TestMetaAnswers500ToSends(t *testing.T) {
	s := New(t, Options{Fault: outage("graph", Broken, time.Hour, "")})
	s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
	s.Run(time.Minute)
	first := s.Reply("first", customer, "first")
	s.Run(2 * time.Hour)
	s.Reply("second", customer, "second")
	s.Quiet()
	m, err := s.Store.Lookup(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if m.Status != "unknown" || m.Send.Attempt != 2 || s.Metrics.Of(metric.SendUnknown) != 1 {
		t.Errorf("the first is %s after %d attempts, counted %d times", m.Status, m.Send.Attempt, s.Metrics.Of(metric.SendUnknown))
	}
	if got := s.Delivered(); len(got) != 1 || got[0].Text != "second" {
		t.Errorf("the phone got %v, want the second", got)
	}
	patient(t, s, false)
}

// TestTokenThatLosesItsAsset: for an hour Meta says that there is no such file, as it does when the token may not see it.
func TestTokenThatLosesItsAsset(t *testing.T) {
	s := New(t, Options{})
	s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", "", "look", s.Now()))
	s.Run(time.Hour)
	if s.Metrics.Of(metric.ConnectorStopped) == 0 {
		t.Error("nobody was told")
	}
	s.AddFile("900100", "image/jpeg", []byte("a photo"))
	s.Quiet()
	if m, err := s.Store.Lookup(t.Context(), "wamid.in.2"); err != nil || m.Attachment.State != chat.Stored {
		t.Errorf("%v %+v", err, m.Attachment)
	}
}
