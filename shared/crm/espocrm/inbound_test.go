package espocrm_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/espocrm"
)

// receiver is our end of a webhook: it keeps the calls, and answers what a test says.
type receiver struct {
	url    string
	calls  chan crm.Call
	status int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{calls: make(chan crm.Call, 10), status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.calls <- crm.Call{Method: req.Method, URL: r.url, Header: req.Header, Body: body}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/crm/espocrm/events"
	return r
}

// TestReplyByWebhook proves that what somebody makes on a contact reaches us signed, of either version, that our own
// records don't, and that what became of it is on that record.
func TestReplyByWebhook(t *testing.T) {
	for _, version := range []int{8, 9} {
		r := newReceiver(t)
		s := newSimulated(t, sim.Options{SetUp: true, HookURL: r.url, Version: version})
		c := s.connector(nil)
		on := contactOf(t, c)
		ours := entry("good morning")
		ours.Messages[0].Direction = chat.Out
		must(c.PutMessage(t.Context(), on, ours, nil))(t)
		id := must(s.sim.AddMessage(string(on), "we are open"))(t)
		if err := s.sim.RunJob(t.Context()); err != nil {
			t.Fatal(err)
		}
		in := must(c.ParseInbound(t.Context(), <-r.calls))(t)
		if len(in.Requests) != 1 {
			t.Fatalf("version %d: %+v, want one request: ours is none", version, in.Requests)
		}
		want := crm.Request{ID: id, Contact: on, Text: "we are open", At: s.clock.Now(), Entry: crm.EntryRef("message." + id)}
		if got := in.Requests[0]; got.ID != want.ID || got.Contact != want.Contact || got.Text != want.Text || !got.At.Equal(want.At) || got.Entry != want.Entry {
			t.Errorf("version %d: %+v, want %+v", version, got, want)
		}
		if err := c.Report(t.Context(), in.Requests[0], crm.Outcome{Problem: "Not sent: the customer last wrote more than 24 hours ago"}); err != nil {
			t.Fatal(err)
		}
		if _, m := s.call("GET", "CWhatsappMessage/"+id, nil); !strings.HasPrefix(str(m, "status"), "Not sent: the customer") {
			t.Errorf("status %q", str(m, "status"))
		}
		if err := c.Report(t.Context(), in.Requests[0], crm.Outcome{}); err != nil {
			t.Fatal(err)
		}
		_, m := s.call("GET", "CWhatsappMessage/"+id, nil)
		if str(m, "status") != "sent" || !strings.HasSuffix(str(m, "name"), ": we are open") || str(m, "dateSent") != s.clock.Now().UTC().Format(time.DateTime) || str(m, "body") != "we are open" {
			t.Errorf("version %d: what was sent looks like %v", version, m)
		}
		if again, _, err := c.FetchOutbound(t.Context(), s.clock.Now().Add(-time.Hour).UTC().Format(time.DateTime)); err != nil || len(again) != 0 {
			t.Errorf("version %d: it is asked for again: %+v, %v", version, again, err)
		}
	}
}

// TestForged proves that a call is believed only with a signature of the secret over its very bytes.
func TestForged(t *testing.T) {
	const body = `[{"id":"1","direction":"Out","body":"hello","filesIds":[],"threadlineKey":null}]`
	sum := func(secret, body string) []byte {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		return mac.Sum(nil)
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	good := encode("hook:" + hex.EncodeToString(sum(secret, body)))
	legacy := encode("hook:" + string(sum(secret, body)))
	c := newSimulated(t, sim.Options{}).connector(nil)
	for name, row := range map[string]struct {
		signature, legacy, body string
		ok                      bool
	}{
		"version 9":                       {good, legacy, body, true},
		"version 8":                       {"", legacy, body, true},
		"no signature":                    {"", "", body, false},
		"another body":                    {good, legacy, strings.Replace(body, "hello", "hallo", 1), false},
		"another secret":                  {encode("hook:" + hex.EncodeToString(sum("x", body))), "", body, false},
		"new one wrong, old one right":    {encode("hook:00"), legacy, body, false},
		"not base64":                      {"%", "", body, false},
		"without the webhook's id":        {encode(hex.EncodeToString(sum(secret, body))), "", body, false},
		"the new sum in the old header":   {"", good, body, false},
		"the old sum in the new header":   {legacy, "", body, false},
		"signed by nobody's empty secret": {encode("hook:" + hex.EncodeToString(sum("", body))), "", body, false},
	} {
		h := http.Header{}
		if row.signature != "" {
			h.Set("Signature", row.signature)
		}
		if row.legacy != "" {
			h.Set("X-Signature", row.legacy)
		}
		in, err := c.ParseInbound(t.Context(), crm.Call{Header: h, Body: []byte(row.body)})
		if row.ok && (err != nil || len(in.Requests) != 1) || !row.ok && !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s: %+v, %v", name, in, err)
		}
	}
	deaf := espocrm.New(espocrm.Config{WebhookSecret: crmtest.Secret("")})
	h := http.Header{"Signature": {encode("hook:" + hex.EncodeToString(sum("", body)))}}
	if _, err := deaf.ParseInbound(t.Context(), crm.Call{Header: h, Body: []byte(body)}); !errors.Is(err, crm.ErrForged) {
		t.Errorf("without a secret: %v, want ErrForged", err)
	}
}

// TestFetchOutbound proves that replies are found without a webhook: those made from the first question on, until they
// are entries of ours, also on contacts that we may not read.
func TestFetchOutbound(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	on := contactOf(t, c)
	must(s.sim.AddMessage(string(on), "too old"))(t)
	s.clock.Advance(time.Minute)
	requests, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil || len(requests) != 0 {
		t.Fatalf("at first: %+v, %v", requests, err)
	}
	s.clock.Advance(time.Minute)
	first := must(s.sim.AddMessage(string(on), "first"))(t)
	s.clock.Advance(time.Minute)
	must(s.sim.AddMessage(string(on), "second"))(t)
	s.clock.Advance(time.Minute)
	requests, next, err := c.FetchOutbound(t.Context(), cursor)
	if err != nil || len(requests) != 2 || requests[0].Text != "first" || requests[1].Text != "second" {
		t.Fatalf("%+v, %v", requests, err)
	}
	if r := requests[0]; r.Phone != "+34600111222" || r.Actor != "Ana Silva" || r.ID != first || r.Contact != on {
		t.Errorf("%+v", r)
	}
	sent := entry("first")
	sent.Messages[0].Direction, sent.Messages[0].Author, sent.Messages[0].Status = chat.Out, "Ana Silva", chat.Delivered
	if err := c.UpdateMessage(t.Context(), on, requests[0].Entry, sent, nil); err != nil {
		t.Fatal(err)
	}
	if requests, _, err = c.FetchOutbound(t.Context(), cursor); err != nil || len(requests) != 1 || requests[0].Text != "second" {
		t.Errorf("after the first was sent: %+v, %v", requests, err)
	}
	if requests, _, err = c.FetchOutbound(t.Context(), next); err != nil || len(requests) != 1 {
		t.Errorf("from the new cursor: %+v, %v, want what was made in its second", requests, err)
	}
	s.sim.Forbid("Contact", "read")
	if requests, _, err = c.FetchOutbound(t.Context(), next); err != nil || len(requests) != 1 || requests[0].Contact != on || requests[0].Phone != "" {
		t.Errorf("on a contact that we may not read: %+v, %v", requests, err)
	}
}

// TestFetchMany proves that more than a page is fetched, even if all of it was made in one second.
func TestFetchMany(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	_, cursor, err := c.FetchOutbound(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	on := contactOf(t, c)
	for range 120 {
		must(s.sim.AddMessage(string(on), "hello"))(t)
	}
	s.clock.Advance(time.Minute)
	requests, _, err := c.FetchOutbound(t.Context(), cursor)
	seen := map[string]bool{}
	for _, r := range requests {
		seen[r.ID] = true
	}
	if err != nil || len(seen) != 120 {
		t.Errorf("%d requests, %v, want 120", len(seen), err)
	}
}

// TestNoRepliesWithoutTheEntity proves that an instance as it comes is asked nothing.
func TestNoRepliesWithoutTheEntity(t *testing.T) {
	requests, cursor, err := newSimulated(t, sim.Options{}).connector(nil).FetchOutbound(t.Context(), "")
	if err != nil || requests != nil || cursor != "" {
		t.Errorf("%v %q %v", requests, cursor, err)
	}
}
