package salesforce_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/salesforce"
)

const asked = `{"id":"a0ADm0000000001","contact":"003Dm0000000001","phone":"+34 600 111 222","text":"On its way","template":"","actor":"Ana","at":"2026-01-02T12:00:00Z"}`

func signed(body string) http.Header {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(body))
	return http.Header{salesforce.SignatureHeader: {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
}

func bearer(secret string) http.Header { return http.Header{"Authorization": {"Bearer " + secret}} }

func TestInboundVerified(t *testing.T) {
	o := newOrg(t, true)
	silent := o.config()
	silent.HookSecret = nil
	empty := o.config()
	empty.HookSecret = crmtest.Secret("")
	for _, row := range []struct {
		name   string
		config salesforce.Config
		header http.Header
		body   string
		ok     bool
	}{
		{"bearer", o.config(), bearer(hookSecret), asked, true},
		{"header of its own", o.config(), http.Header{salesforce.SecretHeader: {hookSecret}}, asked, true},
		{"signature", o.config(), signed(asked), asked, true},
		{"another secret", o.config(), bearer(hookSecret + "x"), asked, false},
		{"a part of it", o.config(), bearer(hookSecret[:5]), asked, false},
		{"nothing", o.config(), http.Header{}, asked, false},
		{"no bearer", o.config(), http.Header{"Authorization": {"Basic eDp5"}}, asked, false},
		{"signature of another body", o.config(), signed(asked + " "), asked, false},
		{"a wrong signature beside the secret", o.config(), http.Header{salesforce.SignatureHeader: {"sha256=00"}, "Authorization": {"Bearer " + hookSecret}}, asked, false},
		{"no secret configured", silent, bearer(""), asked, false},
		{"an empty secret configured", empty, bearer(""), asked, false},
	} {
		_, err := salesforce.New(row.config).ParseInbound(t.Context(), crm.Call{Method: "POST", Header: row.header, Body: []byte(row.body)})
		if row.ok && err != nil || !row.ok && !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestInboundRead(t *testing.T) {
	c := newOrg(t, true).connector()
	parse := func(body string) (crm.Inbound, error) {
		return c.ParseInbound(t.Context(), crm.Call{Method: "POST", Header: bearer(hookSecret), Body: []byte(body), At: time.Unix(1, 0)})
	}
	in, err := parse(asked)
	if err != nil || len(in.Requests) != 1 || in.Fetch {
		t.Fatalf("%+v %v", in, err)
	}
	r := in.Requests[0]
	if len(r.ID) != 18 || len(r.Contact) != 18 || r.Text != "On its way" || r.Template != nil || r.Actor != "Ana" || !r.At.Equal(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", r)
	}
	if !json.Valid(in.Answer) || in.Status != http.StatusOK || in.ContentType != "application/json" {
		t.Errorf("answer %s: a flow reads JSON", in.Answer)
	}
	in, err = parse(`{"id":"interview 1","phone":"+34600111222","template":{"name":"hello","language":"es"}}`)
	if err != nil || in.Requests[0].ID != "interview 1" || !json.Valid(in.Requests[0].Template) || !in.Requests[0].At.Equal(time.Unix(1, 0)) {
		t.Errorf("%+v %v", in, err)
	}
	in, err = parse(`{"id":"2","contact":"003Dm0000000001","text":"","at":"","template":"{\"name\":\"hello\",\"language\":\"es\"}"}`)
	if err != nil || string(in.Requests[0].Template) != `{"name":"hello","language":"es"}` {
		t.Errorf("a template as a flow's text: %+v %v", in, err)
	}
	for reason, bodies := range map[string][]string{
		"NOT_THE_JSON_EXPECTED": {``, `[]`, `{"id":1}`, `{"id":"1","at":5}`},
		"NOT_A_TIME":            {`{"id":"1","contact":"003Dm0000000001","text":"x","at":"yesterday"}`},
		"NOT_A_TEMPLATE":        {`{"id":"1","contact":"003Dm0000000001","template":"hello"}`, `{"id":"1","contact":"003Dm0000000001","template":[1]}`},
		"NO_ID":                 {`{"contact":"003Dm0000000001","text":"x"}`, `{"id":"` + strings.Repeat("x", 256) + `","contact":"003Dm0000000001","text":"x"}`},
		"NOT_A_CONTACT":         {`{"id":"1","contact":"00QDm0000000001","text":"x"}`, `{"id":"1","contact":"003' OR","text":"x"}`},
		"NO_CONTACT":            {`{"id":"1","text":"x"}`, `{"id":"1","phone":" ","text":"x"}`},
		"TEXT_OR_TEMPLATE":      {`{"id":"1","contact":"003Dm0000000001"}`, `{"id":"1","contact":"003Dm0000000001","text":"x","template":{"name":"y"}}`},
	} {
		for _, body := range bodies {
			_, err := parse(body)
			wantError(t, err, crm.Refused, reason)
		}
	}
}

// TestWrittenInSalesforce lets a user queue a message, the flow call us, and us report.
func TestWrittenInSalesforce(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		o := newOrg(t, metadata)
		c := o.connector()
		contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		var got []crm.Request
		ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			in, err := c.ParseInbound(r.Context(), crm.Call{Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: body, At: o.clock.Now()})
			if err != nil {
				t.Errorf("the flow's call: %v", err)
			}
			got = append(got, in.Requests...)
			w.Header().Set("Content-Type", in.ContentType)
			w.WriteHeader(in.Status)
			_, _ = w.Write(in.Answer)
		}))
		defer ours.Close()
		o.sim.Callout(ours.URL+"/crm/salesforce/events", hookSecret)
		if err := o.sim.Write(string(contact), "On its way"); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Contact != contact || got[0].Text != "On its way" {
			t.Fatalf("metadata=%v: %+v", metadata, got)
		}
		doubt := crm.Outcome{Problem: "May have been delivered: WhatsApp's answer was lost.", Unknown: true}
		if err := c.Report(t.Context(), got[0], doubt); err != nil {
			t.Fatal(err)
		}
		if metadata {
			if row := o.sim.Rows("WA_Outbound__c")[0].Values; row["Status__c"] != "Unknown" || row["Problem__c"] != doubt.Problem {
				t.Errorf("a doubt is reported as %v", row)
			}
		} else if tasks := o.Entries(string(contact)); len(tasks) != 0 {
			t.Errorf("%+v, want nothing beside the message's own entry", tasks)
		}
		const problem = "The customer wrote more than 24 hours ago."
		for range 2 { // it is idempotent
			if err := c.Report(t.Context(), got[0], crm.Outcome{Problem: problem}); err != nil {
				t.Fatal(err)
			}
		}
		if metadata {
			row := o.sim.Rows("WA_Outbound__c")[0].Values
			if row["Status__c"] != "Failed" || row["Problem__c"] != problem {
				t.Errorf("reported as %v", row)
			}
			continue
		}
		if tasks := o.Entries(string(contact)); len(tasks) != 1 || !strings.Contains(tasks[0].Text, problem) {
			t.Errorf("%+v, want one task that tells the problem", tasks)
		}
	}
}

// TestQueueRead proves that what a flow didn't tell is read from the queue, and nothing that is older than the start.
func TestQueueRead(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	contact := string(must[crm.ContactRef](t)(c.CreateContact(t.Context(), person())))
	queue := func(values map[string]string) string {
		t.Helper()
		values["Contact__c"] = contact
		o.clock.Advance(time.Second)
		return o.add("WA_Outbound__c", values)
	}
	fetch := func(cursor string) ([]crm.Request, string) {
		t.Helper()
		requests, next, err := c.FetchOutbound(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		return requests, next
	}
	queue(map[string]string{"Text__c": "too old"})
	o.clock.Advance(time.Minute)
	none, cursor := fetch("")
	first := queue(map[string]string{"Text__c": "first\r\nline"})
	queue(map[string]string{"Text__c": "sent", "Status__c": "Sent"})
	second := queue(map[string]string{"Template__c": `{"name":"hello","language":"es"}`})
	broken := queue(map[string]string{"Template__c": "hello"})
	got, next := fetch(cursor)
	if len(none) != 0 || len(got) != 2 || got[0].ID != first || got[1].ID != second {
		t.Fatalf("%+v, then %+v", none, got)
	}
	if r := got[0]; r.Text != "first\nline" || string(r.Contact) != contact || r.Phone != "+34600111222" || r.Actor != "Sales User" || r.At.IsZero() {
		t.Errorf("%+v", r)
	}
	if r := got[1]; r.Text != "" || !json.Valid(r.Template) {
		t.Errorf("%+v", r)
	}
	for _, row := range o.sim.Rows("WA_Outbound__c") {
		if row.ID == broken && (row.Values["Status__c"] != "Failed" || row.Values["Problem__c"] == "") {
			t.Errorf("what can't be sent is %v", row.Values)
		}
	}
	if err := c.Report(t.Context(), got[0], crm.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if rest, _ := fetch(next); len(rest) != 1 || rest[0].ID != second {
		t.Errorf("%+v is left, want the second", rest)
	}
	o.DeleteContact(second) // a queued message that somebody takes back
	if err := c.Report(t.Context(), crm.Request{ID: second}, crm.Outcome{Problem: "gone"}); err != nil {
		t.Errorf("report on what was deleted: %v", err)
	}
}

// TestQueueGoesOn proves that a record which can't be sent, and won't be told why, holds up none of the others, and that what
// still says Queued after weeks isn't sent a second time.
func TestQueueGoesOn(t *testing.T) {
	o := newOrg(t, true)
	contact := string(must[crm.ContactRef](t)(o.connector().CreateContact(t.Context(), person())))
	_, cursor, err := o.connector().FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		o.add("WA_Outbound__c", map[string]string{"Contact__c": contact, "Template__c": "not JSON"})
	}
	good := o.add("WA_Outbound__c", map[string]string{"Contact__c": contact, "Text__c": "hello"})
	patches := 0
	c := o.connect(func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodPatch {
				return next.RoundTrip(r)
			}
			patches++
			_ = r.Body.Close()
			return answerOf(400, `[{"message":"no","errorCode":"ENTITY_IS_LOCKED"}]`), nil
		})
	})
	got, cursor, err := c.(crm.Fetcher).FetchOutbound(t.Context(), cursor)
	if err != nil || len(got) != 1 || got[0].ID != good || patches > 5 {
		t.Errorf("%+v %v with %d reports, want %s", got, err, patches, good)
	}
	o.clock.Advance(15 * 24 * time.Hour)
	if got, _, err := o.connector().FetchOutbound(t.Context(), cursor); err != nil || len(got) != 0 {
		t.Errorf("after two weeks: %+v %v", got, err)
	}
}

func TestNoQueueWithoutMetadata(t *testing.T) {
	c := newOrg(t, false).connector()
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if got, next, err := c.FetchOutbound(t.Context(), cursor); len(got) != 0 || next != cursor || err != nil {
		t.Errorf("%v %q %v", got, next, err)
	}
}
