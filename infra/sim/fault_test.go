package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	sender "threadline/functions/sender/handler"
	"threadline/shared/whatsapp/whatsapptest"
)

// conversation is what the faults strike: a text and a photo come in, a reply goes out and is read, a thank-you comes.
func conversation(s *Sim) {
	sum := s.AddFile("900100", "image/jpeg", []byte("a photo"))
	s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.1", "hello", s.Now()))
	s.Deliver(customer, whatsapptest.Photo(Number, customer, "wamid.in.2", "900100", sum, "look", s.Now()))
	// By then whatever befell the router is over, so that the reply knows the service window and ends with it.
	s.After(time.Hour, func() { s.Reply("key-1", customer, "thank you") })
	s.After(2*time.Hour, func() {
		s.Deliver(customer, whatsapptest.Text(Number, customer, "wamid.in.3", "you are welcome", s.Now()))
	})
	s.Quiet()
}

// oddities are the ways less trodden: an update too long for a queue and one too long for the table, a customer known
// only by a business-scoped id, a file that Meta won't give out, a template that isn't delivered after all.
func oddities(s *Sim) {
	const bsuid = "ES.13491208655302741918"
	long := strings.Repeat("long ", 50_000)
	s.Deliver(bsuid, whatsapptest.Text(Number, bsuid, "wamid.in.1", long, s.Now()))
	s.Deliver(bsuid, whatsapptest.Text(Number, bsuid, "wamid.in.2", long[:10_000], s.Now()))
	// Older than Meta keeps files: that it doesn't give this one out is believed.
	s.Deliver(bsuid, whatsapptest.Photo(Number, bsuid, "wamid.in.3", "900404", "", "gone", s.Now().Add(-8*24*time.Hour)))
	s.After(time.Hour, func() {
		s.Ask("key-1", map[string]any{
			"to": map[string]any{"bsuid": bsuid}, "template": map[string]any{"name": "hello", "language": "en"},
		})
	})
	s.Quiet()
}

// afterthoughts are what is said of messages, of people and of the number: an hour lies between any two.
func afterthoughts(s *Sim) {
	st := &story{s: s, now: Start}
	id := func(name string) string { return "wamid." + name }
	text := func(wamid, said string) { st.tell(whatsapptest.Text(Number, customer, wamid, said, st.at())) }
	text("wamid.text", "hello")
	st.tell(whatsapptest.Edit(Number, customer, id("edit"), id("text"), "good morning", st.at()))
	st.tell(whatsapptest.EchoOf(Number, customer, id("ours"), "reaction", map[string]any{"message_id": id("text"), "emoji": "🙏"}, st.at()))
	st.tell(whatsapptest.Revoke(Number, customer, id("revoke"), id("text"), st.at()))
	st.tell(whatsapptest.CallEnd(Number, customer, id("call"), "COMPLETED", time.Minute, st.at())) // before the call
	st.tell(whatsapptest.Call(Number, customer, id("call"), st.at()))
	st.tell(whatsapptest.Preference(Number, customer, "stop", st.at()))
	st.tell(whatsapptest.SavedContact(Number, customer, "Ana", st.at()))
	st.tell(whatsapptest.Signal(Number, id("text"), "LeadSubmitted", "click", st.at()))
	st.wroteBefore(customer, id)
	st.tell(whatsapptest.MessageWith(Number, customer, id("both"), "text", map[string]any{"body": "me"}, map[string]any{"from_user_id": cleosID}, st.at()))
	st.account()
	for i, body := range st.posts {
		s.After(time.Duration(i)*time.Hour, func() { s.Deliver("", body) })
	}
	s.After(time.Duration(len(st.posts))*time.Hour, func() {
		text("wamid.last", "are you there?")
		s.Deliver("", st.posts[len(st.posts)-1])
	})
	s.After(time.Duration(len(st.posts)+1)*time.Hour, func() { s.Reply("key-1", customer, "yes") })
	s.Quiet()
}

// scripts are what is struck, with the options under which every run must end alike: held, a template whose attempt died
// before it came to anything would stay unknown.
var scripts = map[string]struct {
	play  func(*Sim)
	o     Options
	every int // of so many combinations of a call and a fault one is tried; the seed says which
}{
	"conversation":  {conversation, Options{}, 1},
	"afterthoughts": {afterthoughts, Options{}, 12},
	"oddities": {oddities, Options{
		Ambiguous: sender.Retry, Receipts: []Receipt{{"failed", 2 * time.Second}},
	}, 2},
}

// perfect is the state that every run of a script must end in, and the calls of a run without faults.
func perfect(t *testing.T, script string) (state string, calls []Call) {
	t.Helper()
	s := New(t, scripts[script].o)
	scripts[script].play(s)
	if got := s.Delivered(); len(got) != 1 {
		t.Fatalf("a perfect day: %d replies reached the phone, want 1", len(got))
	}
	return s.State(), s.Calls()
}

// hit makes the faults happen at the calls with these numbers.
func hit(faults map[int]Fault) func(Call) Fault {
	return func(c Call) Fault { return faults[c.N] }
}

// harmless to an attempt to send are those after which the sender knows, or a receipt tells, what came of it.
var harmless = map[Fault]bool{Refused: true, Throttled: true, Conflict: true, Lost: true, Repeated: true, Partial: true, Overtaken: true}

// sparing lets one attempt to send go down without a trace, and no other: it counts as one of two, and a message that this
// befell twice would rightly stay unknown.
func sparing(fault func(Call) Fault) func(Call) Fault {
	gone := false
	return func(c Call) Fault {
		f := fault(c)
		if c.Function != "sender" || harmless[f] || !f.strikes(c) || f == None {
			return f
		}
		if gone {
			return None
		}
		gone = true
		return f
	}
}

func TestEveryFaultAtEveryCall(t *testing.T) {
	for script := range scripts {
		want, calls := perfect(t, script)
		t.Logf("%s: %d calls", script, len(calls))
		for _, c := range calls {
			for i, fault := range Faults {
				if !fault.strikes(c) || (c.N+i+int(*seed%12))%scripts[script].every != 0 {
					continue
				}
				t.Run(fmt.Sprintf("%s call %d %s", script, c.N, fault), func(t *testing.T) {
					t.Parallel()
					converges(t, script, want, map[int]Fault{c.N: fault}, 0)
				})
			}
		}
	}
}

func converges(t *testing.T, script, want string, faults map[int]Fault, seed uint64) {
	t.Helper()
	o := scripts[script].o
	o.Fault, o.Seed = sparing(hit(faults)), seed
	s := New(t, o)
	scripts[script].play(s)
	if diff := Diff(want, s.State()); diff != "" {
		for _, c := range s.Calls() {
			if faults[c.N] != None {
				t.Logf("%s at call %d: %s %s of %s", faults[c.N], c.N, c.Service, c.Op, c.Function)
			}
		}
		t.Errorf("the run didn't end as a perfect one does:\n%s", diff)
	}
}

var (
	seed = flag.Uint64("seed", 20260302, "of the random faults")
	runs = flag.Int("pairs", 1000, "how many pairs of random faults")

	schedules = flag.Int("schedules", 80, "how many random orders")
)

func TestPairsOfFaults(t *testing.T) {
	want, calls := perfect(t, "conversation")
	t.Logf("seed %d, %d pairs", *seed, *runs)
	rng := rand.New(rand.NewPCG(*seed, 0))
	for i := range *runs {
		faults := map[int]Fault{}
		for len(faults) < 2 {
			// A run with a fault makes more calls than one without.
			faults[1+rng.IntN(len(calls)+len(calls)/4)] = Faults[rng.IntN(len(Faults))]
		}
		t.Run(fmt.Sprintf("%d %v", i, faults), func(t *testing.T) {
			t.Parallel()
			converges(t, "conversation", want, faults, uint64(i))
		})
	}
}
