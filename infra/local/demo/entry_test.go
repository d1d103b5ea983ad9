package demo_test

import (
	"encoding/json"
	"testing"
	"time"

	"threadline/infra/local/demo"
)

// queue is a shop with a timeline of one's own, and with what was asked for.
type queue struct {
	*shop
	timeline, asked []demo.Entry
}

func (q queue) Timeline(string) []demo.Entry { return q.timeline }
func (q queue) Asked(string) []demo.Entry    { return q.asked }

func shown(t *testing.T, crm demo.CRM) []demo.Entry {
	t.Helper()
	var record struct{ Entries []demo.Entry }
	if err := json.Unmarshal(call(one(crm), "GET", "/crm/data/contacts/1", "").Body.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	return record.Entries
}

// Ensure that the page reads from Threadline's words what a CRM has no place for, and nothing from those of people.
func TestRead(t *testing.T) {
	const late = "Not delivered: the window is <closed>."
	for name, row := range map[string]struct{ given, want demo.Entry }{
		"received": {
			demo.Entry{HTML: "<p><strong>Received from Ana &amp; Co</strong></p><p>hello</p>"},
			demo.Entry{From: demo.Customer, Heading: "Received from Ana & Co"},
		},
		"sent and failed": {
			demo.Entry{HTML: "<p><strong>Sent by Sales</strong></p><p>hello</p><p><em>Forwarded.<br>Not delivered: the window is &lt;closed&gt;.</em></p>"},
			demo.Entry{From: demo.Company, Heading: "Sent by Sales", Problem: late, Status: "Not delivered"},
		},
		"nobody knows": {
			demo.Entry{HTML: "<p><strong>Sent</strong></p><p><em>May have been delivered: WhatsApp’s answer was lost.</em></p>"},
			demo.Entry{From: demo.Company, Heading: "Sent", Problem: "May have been delivered: WhatsApp’s answer was lost.", Status: "May have been delivered"},
		},
		"several": {
			demo.Entry{HTML: "<p><strong>09:00 UTC · Received from Ana</strong></p><p>hello</p><p><strong>09:01 UTC · Sent by Sales</strong></p>"},
			demo.Entry{From: demo.Both},
		},
		"a note of somebody's": {
			demo.Entry{HTML: "<p><strong>Sentinel</strong></p><p>Received from the printer. Not sent: the invoice.</p>"}, demo.Entry{},
		},
		"the CRM has places": {
			demo.Entry{HTML: "<p>Received from Ana<br>Not sent: the invoice.</p>", From: demo.Customer, Heading: "Received from Ana", Status: "new", Problem: late},
			demo.Entry{From: demo.Customer, Heading: "Received from Ana", Status: "new"},
		},
	} {
		got := shown(t, queue{shop: &shop{}, timeline: []demo.Entry{row.given}})[0]
		if got.From != row.want.From || got.Heading != row.want.Heading || got.Status != row.want.Status || got.Problem != row.want.Problem {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
}

func TestNotSent(t *testing.T) {
	for reason, want := range map[string]string{
		"":                   "",
		"Nobody is known.":   "Not sent: Nobody is known.",
		"Not delivered: no.": "Not delivered: no.",
		"It was not sent.":   "Not sent: It was not sent.",
	} {
		if got := demo.NotSent(reason); got != want {
			t.Errorf("%q becomes %q, want %q", reason, got, want)
		}
	}
}

// Ensure that what was asked for stands where its time puts it, and leaves the timeline as the CRM has it.
func TestAsked(t *testing.T) {
	at := func(id string, minutes int) demo.Entry {
		return demo.Entry{ID: id, At: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	q := queue{&shop{}, []demo.Entry{at("a", 1), at("c", 3), at("imported", 0)}, []demo.Entry{at("b", 2), at("d", 4)}}
	order := ""
	for _, e := range shown(t, q) {
		order += e.ID + " "
	}
	if order != "a b c imported d " {
		t.Errorf("the order is %s", order)
	}
}
