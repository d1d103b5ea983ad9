package crmsim

import (
	"fmt"
	"testing"
	"time"
)

// TestABreathBeforeARush: what functions leased for few calls, and then need for many, is within the limit too.
func TestABreathBeforeARush(t *testing.T) {
	for _, k := range []Kind{Kinds["hubspot"], Kinds["odoo"], Kinds["pipedrive"]} {
		t.Run(k.Name, func(t *testing.T) {
			for seed := range uint64(seeds(1)) {
				r := New(t, Options{Seed: seed + 1, Workers: 12, Takes: 10 * time.Millisecond, Calls: map[string]int{"odoo": 64}[k.Connector]}, k)
				c := r.CRMs[0]
				n := 0
				write := func(customers int) {
					for customer := range customers {
						n++
						r.Text(number(customer), fmt.Sprint("wamid.", n), fmt.Sprint("<", n, ">"))
					}
				}
				write(30)
				r.Run(time.Minute)
				write(6)
				r.Run(c.Capabilities().Per / 9)
				for range 6 {
					write(30)
				}
				r.Quiet()
				within(t, c)
				settled(t, r)
			}
		})
	}
}

// TestARush: many functions have more to do than the CRM takes, after a pause in which nobody asked.
func TestARush(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1, Workers: 10, Takes: 10 * time.Millisecond, Calls: map[string]int{"odoo": 40}[k.Connector]}, k)
		c := r.CRMs[0]
		if c.Capabilities().Calls == 0 {
			t.Skip("it has no limit")
		}
		for wave := range 4 {
			for customer := range 30 {
				r.Text(number(customer), fmt.Sprintf("wamid.%d.%d", customer, wave), fmt.Sprintf("<%d/%d>", customer, wave))
			}
			r.Run(20*time.Second + time.Duration(r.rng.IntN(5000))*time.Millisecond)
		}
		r.Quiet()
		within(t, c)
		settled(t, r)
		if n := len(records(t, c)); n != 30 {
			t.Errorf("%d contacts", n)
		}
	})
}
