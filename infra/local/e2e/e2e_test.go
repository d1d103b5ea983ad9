// Package e2e tests the whole system through the wire protocols that it runs on: template.yaml deployed into the local
// emulator, the functions as processes behind the Lambda Runtime API, Meta and the CRM played on loopback ports.
//
// What only the real arrangement can show is shown here: bytes over HTTP, rights, logs, killed processes, restarts. What
// the handlers decide is proven elsewhere, in memory and with every fault (infra/sim, infra/corpus).
package e2e

import (
	"path/filepath"
	"testing"
)

// TestTheWholeStack tells one story on one stack, in order: what comes late looks at what all of it left behind, in the
// logs and in the rights that were used.
func TestTheWholeStack(t *testing.T) {
	w := start(t, filepath.Join(t.TempDir(), "state"))
	var ( // what one part begins and a later one ends
		storm   chaos
		history past
		refused refusal
	)
	for _, part := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"poison is put into every queue", poisoned},
		{"Meta refuses the token", refused.begin},
		{"the past begins to arrive", history.begin},
		{"a customer and the company talk", talk},
		{"a customer without a phone number", withoutNumber},
		{"a group chat stays apart", inGroup},
		{"everything that people do", story},
		{"templates", templates},
		{"files to send", uploads},
		{"links to files", links},
		{"two contacts are one person", joined},
		{"a number written in another way", spelled},
		{"read, and about to answer", reading},
		{"the past has arrived", history.arrived},
		{"the company works in its CRM", inTheCRM},
		{"functions are killed", storm.killing},
		{"what is written now doesn't wait for the past", history.live},
		{"the account is banned and reinstated", banned},
		{"the webhook refuses", refusals},
		{"a number that isn't ours", foreignNumber},
		{"a thousand updates in one POST", batch},
		{"a text too long for a queue", long},
		{"everything comes twice", repeated},
		{"what is posted in public", corpus},
		{"each function says something", speaking},
		{"what was killed has converged", storm.converged},
		{"Meta is down", metaDown},
		{"Meta takes the token again", refused.over},
		{"the past is complete", history.complete},
		{"the CRM has what came", compared},
		{"the CRM is down", crmDown},
		{"a file is gone before the CRM is back", fileGone},
		{"poison is parked", parked},
		{"no log says who or what", discreet},
		{"each role allows what was done", rights},
		{"everything is there after a restart", restart},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.test(t, w) }) {
			t.Logf("the runner said:\n%s", w.runner)
			return
		}
	}
}
