package route

import (
	"strings"
	"testing"
	"time"
)

// TestCommandsAreWhatTheyWere: they wait in a queue across deployments.
func TestCommandsAreWhatTheyWere(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		c    Command
		body string
	}{
		{Command{Command: Merge, Contact: "a", With: "b", At: at, ID: "r1"},
			`{"v":1,"kind":"command","command":"merge","contact":"a","with":"b","at":"2026-03-02T12:00:00Z","id":"r1"}`},
		{Command{Command: Refetch, Conversation: "100.a", Message: "MSG#1", At: at, ID: "r2"},
			`{"v":1,"kind":"command","command":"refetch","conversation":"100.a","message":"MSG#1","at":"2026-03-02T12:00:00Z","id":"r2"}`},
		{Command{Command: Reconcile, Hours: 24, At: at, ID: "r3"},
			`{"v":1,"kind":"command","command":"reconcile","hours":24,"at":"2026-03-02T12:00:00Z","id":"r3"}`},
		{Command{Command: Backfill, Connector: "odoo", At: at, ID: "r4"},
			`{"v":1,"kind":"command","command":"backfill","connector":"odoo","at":"2026-03-02T12:00:00Z","id":"r4"}`},
	} {
		if got := string(test.c.Body()); got != test.body {
			t.Errorf("%s\nwant %s", got, test.body)
		}
		got, err := ParseCommand([]byte(test.body))
		test.c.V, test.c.Kind = 1, KindCommand
		if err != nil || got != test.c {
			t.Errorf("read back: %+v (%v)", got, err)
		}
	}
	const good = `{"v":1,"kind":"command","command":"merge","at":"2026-03-02T12:00:00Z","id":"r1"}`
	for _, change := range [][2]string{{`"v":1`, `"v":2`}, {`"command",`, `"message",`}, {`"r1"`, `""`}, {`"2026-03-02T12:00:00Z"`, `"0001-01-01T00:00:00Z"`}, {`{`, ``}} {
		if _, err := ParseCommand([]byte(strings.Replace(good, change[0], change[1], 1))); err == nil {
			t.Errorf("%s instead of %s is read", change[1], change[0])
		}
	}
}

func TestCommandsOfOneContactAreInOrder(t *testing.T) {
	a := Command{Command: Merge, Contact: "a", With: "b"}.Group()
	if a != (Command{Command: Unmerge, Contact: "a"}).Group() || a == (Command{Command: Merge, Contact: "c"}).Group() {
		t.Error("commands aren't grouped by contact")
	}
}
