package crmsim

import (
	"fmt"
	"testing"
	"time"
)

// TestTwoCRMs: each has all of it, and while one is away the other one's entries are there as soon as ever.
func TestTwoCRMs(t *testing.T) {
	for _, away := range []string{"odoo", "hubspot"} {
		t.Run(away+" is away", func(t *testing.T) {
			r := New(t, Options{Seed: 1, Twice: true, Fault: func(c Call) Fault {
				if c.CRM == away && c.At.Before(Start.Add(down)) {
					return Refused
				}
				return None
			}}, Kinds["odoo"], Kinds["hubspot"])
			dead, alive := r.CRMs[0], r.CRMs[1]
			if dead.Connector != away {
				dead, alive = alive, dead
			}
			s := tell(r, 5, 10, 20*time.Minute)
			for i := range 10 {
				at := time.Duration(i)*20*time.Minute + 90*time.Second // a photo that comes late has its entry by then
				r.After(at, func() {
					for c := range 5 {
						if entries, _ := showing(t, alive, fmt.Sprintf("<%d/%d>", c, i)); len(entries) == 0 {
							t.Errorf("message %d of %d isn't in %s after a minute", i, c, alive.Name)
						}
					}
				})
			}
			r.Run(down - time.Minute)
			if n := len(dead.Ledger()); n > 0 {
				t.Fatalf("%s was called %d times", dead.Name, n)
			}
			check(t, alive, s)
			r.Quiet()
			check(t, alive, s)
			check(t, dead, s)
			settled(t, r)
		})
	}
}

// TestAnotherCRM: what is written after the configuration changed is in the new one only, what waits for the old one is
// dropped, and back again the old records go on.
func TestAnotherCRM(t *testing.T) {
	isDown := false
	r := New(t, Options{Seed: 1, Fault: func(c Call) Fault {
		if isDown && c.CRM == "odoo" {
			return Refused
		}
		return None
	}}, Kinds["odoo"], Kinds["hubspot"])
	odoo, hubspot, from := r.CRMs[0], r.CRMs[1], number(0)
	r.Configure(odoo)
	r.Text(from, "wamid.1", "<one>")
	r.Run(time.Hour)
	isDown = true
	r.Text(from, "wamid.2", "<two>")
	r.Run(time.Hour)
	r.Configure(hubspot)
	r.Text(from, "wamid.3", "<three>")
	r.Run(time.Hour)
	isDown = false
	r.Configure(odoo)
	r.Text(from, "wamid.4", "<four>")
	r.Quiet()
	settled(t, r)
	for _, row := range []struct {
		text          string
		odoo, hubspot int
	}{{"<one>", 1, 0}, {"<two>", 0, 0}, {"<three>", 0, 1}, {"<four>", 1, 0}} {
		inOdoo, _ := showing(t, odoo, row.text)
		inHubSpot, _ := showing(t, hubspot, row.text)
		if len(inOdoo) != row.odoo || len(inHubSpot) != row.hubspot {
			t.Errorf("%s is there %d times in Odoo, %d in HubSpot; want %d, %d", row.text, len(inOdoo), len(inHubSpot), row.odoo, row.hubspot)
		}
	}
	if n := len(records(t, odoo)); n != 1 {
		t.Errorf("%d contacts in Odoo", n)
	}
}
