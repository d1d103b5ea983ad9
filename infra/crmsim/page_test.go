package crmsim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/demo"
	"threadline/shared/chat"
	"threadline/shared/crm"
)

// TestWhoWroteAndWhatFailedIsOnThePage: the demo page says of every entry what it is, from which side it came and why it
// failed, whatever a CRM has fields for, and it knows whom to answer who has no number.
func TestWhoWroteAndWhatFailedIsOnThePage(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1}, k)
		from := number(0)
		first := r.Text(from, "wamid.1", "<one>")
		r.After(time.Minute, func() { r.Answer(from, "m_2", "<two>", nil) })
		r.Quiet()
		r.Receipt("m_2", chat.Failed)
		r.Quiet()

		key, entries := onPage(t, r.CRMs[0])
		if len(entries) != 2 {
			t.Fatalf("%+v", entries)
		}
		in, out := entries[0], entries[1]
		if in.From != demo.Customer || in.Kind == "" || !strings.Contains(in.Heading, "Received from") || in.Problem != "" {
			t.Errorf("the customer's: %+v", in)
		}
		if out.From != demo.Company || out.Kind == "" || !strings.Contains(out.Heading, "Sent") {
			t.Errorf("the company's: %+v", out)
		}
		if k.Name == "espocrm with notes" {
			return // a post has no place for more
		}
		if !strings.HasPrefix(out.Problem, "Not delivered") || out.Status == "" {
			t.Errorf("that it failed: %+v", out)
		}
		if key != string(first.Contact) {
			t.Errorf("the record is %q's, want %q", key, first.Contact)
		}
	})
}

// TestARefusalIsOnThePage: why nothing came of what the CRM's user wrote is told on the page in one sentence, wherever the
// connector reports it.
func TestARefusalIsOnThePage(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		if k.Name == "espocrm with notes" {
			return // nobody writes there
		}
		r := New(t, Options{Seed: 1}, k)
		r.Text(number(0), "wamid.1", "<one>")
		r.Quiet()
		c := r.CRMs[0]
		request, reason := asked(t, r), "Not sent: nobody is there."
		if reporter, ok := c.connect(nil).(crm.Reporter); ok && k.Connector != "webhook" {
			if err := reporter.Report(t.Context(), request, crm.Outcome{Problem: reason}); err != nil {
				t.Fatal(err)
			}
		} else {
			reason = "Not sent: Threadline wasn’t reached." // it finds that out by itself
		}
		_, entries := onPage(t, c)
		if !slices.ContainsFunc(entries, func(e demo.Entry) bool { return e.Problem == reason }) {
			t.Errorf("%+v", entries)
		}
	})
}

// asked is what the CRM's user asks for on the only contact, as the connector reads it; what only a call could bring is
// made up, with the newest entry as its record.
func asked(t *testing.T, r *Rig) crm.Request {
	t.Helper()
	c := r.CRMs[0]
	contact := c.Contacts()[0].ID
	fetcher, fetches := c.connect(nil).(crm.Fetcher)
	cursor := ""
	if fetches {
		var err error
		if _, cursor, err = fetcher.FetchOutbound(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	r.Run(time.Minute)
	if writer, ok := c.CRM.(demo.Writer); ok {
		_ = writer.Write(contact, "/wa hello") // where it calls, nobody listens
	}
	if fetches {
		requests, _, err := fetcher.FetchOutbound(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(requests) > 0 {
			return requests[0]
		}
	}
	entries := c.Timeline(contact)
	return crm.Request{ID: entries[len(entries)-1].ID, Contact: crm.ContactRef(contact), Text: "hello", At: r.Now()}
}

// onPage is what the page is told of the only contact.
func onPage(t *testing.T, c *CRM) (key string, entries []demo.Entry) {
	t.Helper()
	page := demo.Page([]demo.Place{{Name: c.Connector, CRM: c.CRM}}, "")
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/crm/data/contacts/"+url.PathEscape(c.Contacts()[0].ID), nil))
	var got struct {
		Key     string
		Entries []demo.Entry
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return got.Key, got.Entries
}
