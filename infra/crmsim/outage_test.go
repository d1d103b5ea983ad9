package crmsim

import (
	"testing"
	"time"
)

const (
	down = 6 * time.Hour // how long a CRM is away

	// Three failures close the gate; then there is a try after 10 s, 20 s and so on, and one in each quarter of an hour. Three
	// functions may have begun before.
	fewCalls = 45
)

// tight is how many calls a CRM with a configurable limit takes, in its own period.
var tight = map[string]int{"odoo": 3, "hubspot": 20}

// TestOutage: a CRM is away for six hours, while 200 messages of 20 customers come, and then has little room.
func TestOutage(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		o := Options{Seed: 1, Calls: tight[k.Connector]}
		busy := false
		o.Fault = func(c Call) Fault {
			back := !c.At.Before(Start.Add(down))
			switch {
			case back && busy && c.N%10 == 0:
				return Slow
			case back:
				return None
			case c.N%2 == 0:
				return Away
			}
			return Refused
		}
		r := New(t, o, k)
		c := r.CRMs[0]
		limit := c.Capabilities()
		if limit.Calls == 0 { // it names no limit, but is slow, and says so
			r.o.Takes, busy = 2*time.Second, true
		}
		s := tell(r, 20, 10, 30*time.Minute)
		r.Run(down)
		waiting, tries := r.Queued(), len(r.Calls())
		if tries > fewCalls {
			t.Errorf("a CRM that is away was called %d times in %s, want %d at most", tries, down, fewCalls)
		}
		r.Quiet()
		check(t, c, s)
		settled(t, r)
		ledger := c.Ledger()
		within(t, c)
		t.Logf("%d entries waited, %d calls while it was away, %d after, the last %s later", waiting, tries, len(r.Calls())-tries,
			ledger[len(ledger)-1].At.Sub(Start.Add(down)).Round(time.Second))
	})
}

// within checks that the CRM was never called more often than its connector promises.
func within(t *testing.T, c *CRM) {
	t.Helper()
	limit, ledger := c.Capabilities(), c.Ledger()
	if limit.Calls == 0 {
		return
	}
	most := 0
	for i, first := 0, 0; i < len(ledger); i++ {
		for ledger[i].At.Sub(ledger[first].At) >= limit.Per {
			first++
		}
		most = max(most, i-first+1)
	}
	if most > limit.Calls {
		t.Errorf("%d calls in %s, want %d at most", most, limit.Per, limit.Calls)
	}
	t.Logf("at most %d calls in %s, of %d", most, limit.Per, limit.Calls)
}
