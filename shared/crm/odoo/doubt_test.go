package odoo_test

import (
	"fmt"
	"strings"
	"testing"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
)

// TestDoubtBelowTheMessage proves that a user's message of unknown outcome says so, as neither sent nor not, and then what
// came of it.
func TestDoubtBelowTheMessage(t *testing.T) {
	const doubt = "May have been delivered: WhatsApp's answer was lost."
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		_, cursor := fetch(t, c, "")
		must[int](t)(0, a.sim.Write(string(on), "hello"))
		requests, _ := fetch(t, c, cursor)
		if len(requests) != 1 {
			t.Fatalf("%s: requests %+v", version(v), requests)
		}
		for range 2 {
			must[int](t)(0, c.Report(t.Context(), requests[0], crm.Outcome{Problem: doubt, Unknown: true}))
		}
		if body := fmt.Sprint(a.only(on).Body); strings.Count(body, "May have been delivered") != 1 || strings.Contains(strings.ToLower(body), "sent") {
			t.Errorf("%s: it says %s", version(v), body)
		}
		must[int](t)(0, c.Report(t.Context(), requests[0], crm.Outcome{}))
		if body := fmt.Sprint(a.only(on).Body); !strings.Contains(body, "Sent.") || strings.Contains(body, "May have") {
			t.Errorf("%s: when that is known it says %s", version(v), body)
		}
	}
}
