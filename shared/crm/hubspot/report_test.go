package hubspot_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
)

// TestReport proves that a workflow which waits goes on, told what happened.
func TestReport(t *testing.T) {
	o := newOffice(t)
	contact, _ := o.AddContact("María García", "+34600111222")
	for _, row := range []struct{ problem, state string }{
		{"", "SUCCESS"},
		{"the customer has not written for 24 hours", "FAIL_CONTINUE"},
	} {
		id, err := o.sim.Enrol(contact, map[string]string{"text": "hello", "wait": "true"})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := o.connector.Report(t.Context(), o.requests[len(o.requests)-1], crm.Outcome{Problem: row.problem}); err != nil {
				t.Fatal(err)
			}
		}
		state, outputs := o.sim.Execution(id)
		if state != row.state || outputs["problem"] != row.problem {
			t.Errorf("the execution is %s because of %q, want %s because of %q", state, outputs["problem"], row.state, row.problem)
		}
	}
	if notes := o.sim.Timeline(contact); len(notes) != 0 {
		t.Errorf("the workflow was told, and the contact has %+v", notes)
	}
}

// TestReportWithoutWaiting proves that a problem of which no workflow hears is a note on the contact, once, whatever the
// account takes and however often it is said, and that what was sent makes no call.
func TestReportWithoutWaiting(t *testing.T) {
	for name, lacks := range map[string][]string{
		"as HubSpot is": nil,
		"notes":         {"communications.hs_attachment_ids"},
		"searched":      {"notes.unique"},
		"marked":        {"notes.custom"},
	} {
		t.Run(name, func(t *testing.T) {
			a := lacking(t, lacks...)
			contact, _ := a.AddContact("María García", "+34600111222")
			r := crm.Request{
				ID: "ap-1-1-1-0", Contact: crm.ContactRef(contact), Text: "Your order <b>42</b>\n" + strings.Repeat("x", 100),
				Actor: "HubSpot workflow 7001", At: a.clock.Now(),
			}
			report := func(r crm.Request, problem string) {
				t.Helper()
				if err := a.connector(nil).Report(t.Context(), r, crm.Outcome{Problem: problem}); err != nil {
					t.Fatal(err)
				}
				a.clock.Advance(time.Minute)
			}
			before := len(a.sim.Calls())
			report(r, "")
			if err := a.connector(nil).Report(t.Context(), r, crm.Outcome{Problem: "May have been delivered.", Unknown: true}); err != nil {
				t.Fatal(err)
			}
			if calls := len(a.sim.Calls()) - before; calls != 0 {
				t.Errorf("%d calls for what was sent, or stands on the message's entry", calls)
			}
			report(r, "They opted out & <left>.\nNothing was sent.")
			report(r, "They opted out & <left>.\nNothing was sent.")
			list := a.sim.Timeline(contact)
			if len(list) != 1 || list[0].Kind != "notes" || !list[0].At.Equal(r.At) {
				t.Fatalf("%+v, want one note at %v", list, r.At)
			}
			for _, want := range []string{
				"not sent", "They opted out &amp; &lt;left&gt;.<br>Nothing was sent.", "HubSpot workflow 7001: Your order &lt;b&gt;42&lt;/b&gt;<br>xxx", "x…",
			} {
				if !strings.Contains(list[0].HTML, want) {
					t.Errorf("%q isn't in %s", want, list[0].HTML)
				}
			}
			r.ID, r.Text = "ap-1-2-1-0", ""
			report(r, "Nobody is known.")
			if list = a.sim.Timeline(contact); len(list) != 2 || !strings.Contains(list[1].HTML, "<em>HubSpot workflow 7001</em>") {
				t.Errorf("another request: %+v", list)
			}
		})
	}
}

// TestReportAfterALostAnswer proves that a note whose answer got lost isn't made again.
func TestReportAfterALostAnswer(t *testing.T) {
	for name, lacks := range map[string][]string{"keyed": nil, "searched": {"notes.unique"}, "marked": {"notes.custom"}} {
		a := lacking(t, lacks...)
		contact, _ := a.AddContact("María García", "+34600111222")
		r := crm.Request{ID: "ap-1-1-1-0", Contact: crm.ContactRef(contact), At: a.clock.Now()}
		c := a.connector(losing("POST", "/notes"))
		err := c.Report(t.Context(), r, crm.Outcome{Problem: "why"})
		e, ok := errors.AsType[*crm.Error](err)
		if !ok || e.Class != crm.Transient {
			t.Fatalf("%s: %v, want Transient", name, err)
		}
		a.clock.Advance(e.After)
		if err := c.Report(t.Context(), r, crm.Outcome{Problem: "why"}); err != nil {
			t.Fatal(err)
		}
		if list := a.sim.Timeline(contact); len(list) != 1 {
			t.Errorf("%s: %d notes, want 1", name, len(list))
		}
	}
}

// losing carries out the first call of a kind and loses its answer.
func losing(method, suffix string) func(http.RoundTripper) http.RoundTripper {
	lost := false
	return func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(r)
			if err == nil && !lost && r.Method == method && strings.HasSuffix(r.URL.Path, suffix) {
				lost = true
				return nil, errors.Join(errors.New("connection reset"), res.Body.Close())
			}
			return res, err
		})
	}
}

// TestReportForAContactThatIsElsewhere proves that the problem is on the record that stays, and on none that is gone.
func TestReportForAContactThatIsElsewhere(t *testing.T) {
	a := newAccount(t)
	stays, _ := a.AddContact("María García", "+34600111222")
	merged, _ := a.AddContact("María", "")
	survivor := a.merge(stays, merged)
	gone, _ := a.AddContact("Ana Silva", "+351912345678")
	a.DeleteContact(gone)
	c := a.connector(nil)
	if err := c.Report(t.Context(), crm.Request{ID: "1", Contact: crm.ContactRef(merged), At: a.clock.Now()}, crm.Outcome{Problem: "why"}); err != nil {
		t.Error(err)
	}
	if list := a.sim.Timeline(string(survivor)); len(list) != 1 {
		t.Errorf("the survivor has %+v", list)
	}
	if err := c.Report(t.Context(), crm.Request{ID: "2", Contact: crm.ContactRef(gone), At: a.clock.Now()}, crm.Outcome{Problem: "why"}); !errors.Is(err, crm.ErrGone) {
		t.Errorf("of somebody who is gone: %v, want ErrGone", err)
	}
}
