package doctor

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

var some = []Finding{
	{"AWS", "stack", OK, "Stack threadline is UPDATE_COMPLETE, deployed 3 days ago", nil},
	{"AWS", "dead letters", Fail, "3 messages are parked in the dead-letter queue of the CRM, and this goes on and on until it wraps",
		[]string{"Find out why, in the section that the runbook has for this queue: docs/runbook.md#crm-dead", "threadline redrive crm"}},
	{"CRM", "crm", Warn, "HubSpot answers 503", []string{"https://example.com/" + strings.Repeat("long/", 20)}},
}

func TestPrint(t *testing.T) {
	const want = `
AWS
  ok    Stack threadline is UPDATE_COMPLETE, deployed 3 days ago
  FAIL  3 messages are parked in the dead-letter queue of the CRM, and this goes
        on and on until it wraps
        > Find out why, in the section that the runbook has for this queue:
          docs/runbook.md#crm-dead
        > threadline redrive crm

CRM
  warn  HubSpot answers 503
        > https://example.com/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/long/

1 failure, 1 warning. See the lines that begin with >.
`
	if got := text(some); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSum(t *testing.T) {
	for want, all := range map[string][]Finding{
		"All is well.":              some[:1],
		"Nothing fails; 1 warning.": some[2:],
	} {
		if got := text(all); !strings.HasSuffix(got, "\n"+want+"\n") {
			t.Errorf("got %q, want %q at its end", got, want)
		}
	}
}

// TestLinesFit prints every problem that the doctor knows from a world in which nothing works.
func TestLinesFit(t *testing.T) {
	w := newWorld(t)
	w.parked, w.concurrency, w.status = "3", 10, "UPDATE_ROLLBACK_COMPLETE"
	w.graph["111"] = number(`{"status":"BANNED","quality_rating":"RED","account_mode":"SANDBOX"}`)
	w.graph["900/subscriptions"] = w.subscriptions("https://old.example.com", "messages")
	w.hubspot.Grant()
	for line := range strings.Lines(text(w.findings(t))) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > width && strings.ContainsRune(strings.TrimLeft(line, " >"), ' ') {
			t.Errorf("too long: %q", line)
		}
	}
}

func TestJSON(t *testing.T) {
	in := Report{Stack: "threadline", Region: "eu-west-1", Findings: some}
	var b strings.Builder
	if err := in.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var out Report
	if err := json.Unmarshal([]byte(b.String()), &out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v, want %+v", out, in)
	}
	for _, name := range []string{`"healthy": false`, `"level": "FAIL"`, `"check": "dead letters"`} {
		if !strings.Contains(b.String(), name) {
			t.Errorf("%s is missing in %s", name, b.String())
		}
	}
}
