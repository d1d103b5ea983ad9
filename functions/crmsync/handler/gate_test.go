package handler

import (
	"fmt"
	"testing"
	"time"

	"threadline/shared/crm"
)

// TestWhoDoesNotCallLearnsNothing: while a CRM is down, a tick that has nothing to ask and an entry that is complete don't
// make it a CRM that works.
func TestWhoDoesNotCallLearnsNothing(t *testing.T) {
	r := newRig(t)
	there := r.text("wamid.0", "hello")
	r.mustSync(there)
	if err := r.tick(); err != nil {
		t.Fatal(err)
	}
	r.crm.fail = func(string) error { return &crm.Error{Class: crm.Transient, Status: 503} }
	for failures, down := 1, false; failures <= 4; failures++ {
		if r.sync(r.text(fmt.Sprint("wamid.", failures), "x")) == nil {
			t.Fatal("the CRM is down")
		}
		g, err := r.store.Gate(t.Context(), "fake")
		if err != nil || g.Failures != failures {
			t.Fatalf("%+v, %v, want %d failures", g, err, failures)
		}
		down = g.Down()
		r.now = r.now.Add(10 * time.Minute) // its next turn
		r.crm.calls = nil
		r.mustSync(there)
		if err := r.tick(); err != nil {
			t.Fatal(err)
		}
		r.called()
		if g, err = r.store.Gate(t.Context(), "fake"); err != nil || g.Failures != failures || g.Down() != down {
			t.Errorf("nobody called, and of %d failures there are %d (%v)", failures, g.Failures, err)
		}
	}
	r.crm.fail = nil
	r.mustSync(r.text("wamid.again", "x"))
	if g, err := r.store.Gate(t.Context(), "fake"); err != nil || g.Failures != 0 {
		t.Errorf("it works, and is %+v (%v)", g, err)
	}
}
