package meta

import (
	"fmt"
	"slices"
	"time"
)

// Faults are troubles that can be switched on. The zero value is a perfect day. They end with the process.
type Faults struct {
	// Send is what happens to a message that the business sends: "", or
	//   - error-after: Meta accepts it and answers 500
	//   - drop-after: Meta accepts it and the connection breaks without an answer
	//   - slow: Meta accepts it and answers after Wait
	//   - refuse: Meta refuses it with Code
	//   - fail-later: Meta accepts it and later reports it as failed with Code
	Send string `json:"send"`
	Code int    `json:"code"` // zero: 131000
	Wait int    `json:"wait"` // seconds
	// Times is how many messages Send happens to; zero: all of them until it is changed.
	Times int `json:"times"`
	// Window is how a free-form message outside the service window fails: "" with an answer of 400, "late" with an
	// answer of 200 and a failed receipt. Meta does both.
	Window string `json:"window"`
	// Media is what happens to downloads: "", "gone" (404) or "corrupt" (the bytes are not those that the hash names).
	Media string `json:"media"`
	// Webhooks is how updates are posted: "", "twice", "shuffled" (each up to three seconds late, in any order),
	// "batched" (every two seconds, those of all customers in one POST) or "held" (not at all until this is changed, as
	// in an outage).
	Webhooks string `json:"webhooks"`
	// Rates says which rate is kept: "", "pair" (one message in six seconds to one customer, else 131056) or
	// "throughput" (PerSecond messages of a number, else 130429).
	Rates     string `json:"rates"`
	PerSecond int    `json:"per_second"` // zero: 80
	// Identity is how a customer who hides their phone number is named: "" or "bsuid-in-from" (the BSUID stands where
	// the phone number belongs, too).
	Identity string `json:"identity"`
}

var (
	sendFaults    = []string{"", "error-after", "drop-after", "slow", "refuse", "fail-later"}
	windowFaults  = []string{"", "late"}
	mediaFaults   = []string{"", "gone", "corrupt"}
	webhookFaults = []string{"", "twice", "shuffled", "batched", "held"}
	rateFaults    = []string{"", "pair", "throughput"}
	nameFaults    = []string{"", "bsuid-in-from"}
)

// SetFaults switches troubles on and off; a name that does not exist is an error and changes nothing.
func (s *Simulator) SetFaults(f Faults) error {
	for _, check := range []struct {
		what, name string
		known      []string
	}{{"send", f.Send, sendFaults}, {"window", f.Window, windowFaults}, {"media", f.Media, mediaFaults},
		{"webhooks", f.Webhooks, webhookFaults}, {"rates", f.Rates, rateFaults}, {"identity", f.Identity, nameFaults}} {
		if !slices.Contains(check.known, check.name) {
			return fmt.Errorf("%q is not a trouble for %s; known: %q", check.name, check.what, check.known)
		}
	}
	if f.Code < 0 || f.Times < 0 || f.PerSecond < 0 || f.Wait < 0 || f.Wait > 600 {
		return fmt.Errorf("code, times, wait and per_second are not negative, and wait is at most 600 seconds")
	}
	if f.Code == 0 {
		f.Code = 131000
	}
	if f.PerSecond == 0 {
		f.PerSecond = 80
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.paces = f, paces{}
	s.tell("faults", f)
	for _, lane := range s.wakes {
		ring(lane)
	}
	return nil
}

// Faults returns the troubles that are switched on.
func (s *Simulator) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// sendFault returns the fault that hits the message now being sent, and counts it.
func (s *Simulator) sendFault() Faults {
	f := s.faults
	if f.Send == "" || f.Times == 0 {
		return f
	}
	if s.faults.Times--; s.faults.Times == 0 {
		s.faults.Send = ""
	}
	s.tell("faults", s.faults)
	return f
}

// wait is how long a slow answer takes.
func (f Faults) wait() time.Duration { return time.Duration(f.Wait) * time.Second }
