package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"threadline/infra/local/webhookcrm"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/webhook"
)

func nobody(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", nil }

// signed is a call as a receiver makes it.
func signed(body, secret string, at, now time.Time) crm.Call {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "." + body))
	return crm.Call{
		Method: http.MethodPost, Body: []byte(body), At: now,
		Header: http.Header{"Threadline-Timestamp": {timestamp}, "Threadline-Signature": {"v1=" + hex.EncodeToString(mac.Sum(nil))}},
	}
}

const oneRequest = `{"v":1,"requests":[{"id":"r1","contact":"17","text":"Hello","actor":"Ana Silva","at":"2026-11-02T08:59:00+01:00"}]}`

func TestForged(t *testing.T) {
	now := crmtest.NewClock().Now()
	c := webhook.New(webhook.Config{URL: "https://crm.example/", Secret: crmtest.Secret("the-new-secret-00 the-old-secret-00")})
	good := func() crm.Call { return signed(oneRequest, "the-new-secret-00", now, now) }
	for name, call := range map[string]crm.Call{
		"the new secret": good(), "the old secret": signed(oneRequest, "the-old-secret-00", now, now),
		"five minutes late":  signed(oneRequest, "the-new-secret-00", now.Add(-5*time.Minute), now),
		"five minutes early": signed(oneRequest, "the-new-secret-00", now.Add(5*time.Minute), now),
	} {
		if in, err := c.ParseInbound(t.Context(), call); err != nil || len(in.Requests) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	several := good()
	several.Header.Set("Threadline-Signature", "v2=x, v1=00, "+several.Header.Get("Threadline-Signature"))
	if _, err := c.ParseInbound(t.Context(), several); err != nil {
		t.Errorf("one of several signatures: %v", err)
	}
	changed, unsigned, undated := good(), good(), good()
	changed.Body = []byte(strings.Replace(oneRequest, "Hello", "Hallo", 1))
	unsigned.Header.Del("Threadline-Signature")
	undated.Header.Set("Threadline-Timestamp", "now")
	redated := good()
	redated.Header.Set("Threadline-Timestamp", strconv.FormatInt(now.Unix()+1, 10))
	for name, call := range map[string]crm.Call{
		"another secret": signed(oneRequest, "another-secret-000", now, now), "another body": changed, "no signature": unsigned,
		"no time": undated, "another time": redated, "nothing": {Method: http.MethodPost, At: now, Header: http.Header{}},
		"both secrets as one": signed(oneRequest, "the-new-secret-00 the-old-secret-00", now, now),
		"too late":            signed(oneRequest, "the-new-secret-00", now.Add(-5*time.Minute-time.Second), now),
		"too early":           signed(oneRequest, "the-new-secret-00", now.Add(5*time.Minute+time.Second), now),
	} {
		if _, err := c.ParseInbound(t.Context(), call); !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s: %v, want ErrForged", name, err)
		}
	}
}

func TestRequests(t *testing.T) {
	now := crmtest.NewClock().Now()
	c := webhook.New(webhook.Config{URL: "https://crm.example/", Secret: crmtest.Secret(secret)})
	const body = `{"v":1,"requests":[
		{"id":"r1","contact":"17","text":"Hello","actor":"Ana Silva","at":"2026-11-02T08:59:00+01:00"},
		{"id":"r2","phone":"+34 600 111 222","contact":"18","template":{"name":"welcome","language":"es","components":[]}},
		{"id":"r3","key":"01JCONTACT0000000000000001","text":"Hello"}]}`
	agreed(t, "requests", []byte(body))
	in, err := c.ParseInbound(t.Context(), signed(body, secret, now, now))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(in.Requests)
	const want = `[{"id":"r1","contact":"17","text":"Hello","actor":"Ana Silva","at":"2026-11-02T07:59:00Z"},` +
		`{"id":"r2","contact":"18","phone":"+34 600 111 222","template":{"name":"welcome","language":"es","components":[]},"at":"2026-11-02T09:00:00Z"},` +
		`{"id":"r3","key":"01JCONTACT0000000000000001","text":"Hello","at":"2026-11-02T09:00:00Z"}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	agreed(t, "answer.requests", in.Answer)
	if in.Status != 200 || in.ContentType != "application/json" || string(in.Answer) != `{"accepted":3}` {
		t.Errorf("answered %d %s %s", in.Status, in.ContentType, in.Answer)
	}
}

// TestWrongRequests proves that the schema and the code refuse the same, and that nothing of a bad call is taken.
func TestWrongRequests(t *testing.T) {
	now := crmtest.NewClock().Now()
	c := webhook.New(webhook.Config{URL: "https://crm.example/", Secret: crmtest.Secret(secret)})
	bodies := []string{
		``, `[]`, `{}`, `{"v":1}`, `{"v":1,"requests":null}`, `{"v":2,"requests":[]}`, `{"v":1,"requests":[]} {}`, `{"v":1,"requests":[],"more":1}`,
		fmt.Sprintf(`{"v":1,"requests":[%s{}]}`, strings.Repeat(`{"id":"r","contact":"1","text":"x"},`, 100)),
	}
	for _, r := range []string{
		`{"contact":"17","text":"x"}`, `{"id":"a b","contact":"17","text":"x"}`, `{"id":"r","text":"x"}`, `{"id":"r","contact":"17"}`,
		`{"id":"r","contact":"17","text":" "}`, `{"id":"r","contact":"17","text":"x","template":{"name":"n","language":"l"}}`,
		`{"id":"r","contact":"17","template":"welcome"}`, `{"id":"r","contact":"17","template":{"name":"n"}}`, `{"id":"r","contact":"17","template":null}`,
		`{"id":"r","contact":"niño","text":"x"}`, `{"id":"r","key":"k","contact":"17","text":"x"}`, `{"id":"r","key":"k","phone":"17","text":"x"}`,
		`{"id":"r","contact":"17","txt":"x"}`, `{"id":"r","contact":"17","text":"x","at":"yesterday"}`, `{"id":7,"contact":"17","text":"x"}`,
		`{"id":"r","contact":"17","text":"` + strings.Repeat("x", 4097) + `"}`, `{"id":"r","contact":"17","text":"x","actor":"` + strings.Repeat("x", 201) + `"}`,
	} {
		bodies = append(bodies, `{"v":1,"requests":[{"id":"good","contact":"17","text":"x"},`+r+`]}`)
	}
	for _, body := range bodies {
		in, err := c.ParseInbound(t.Context(), signed(body, secret, now, now))
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Refused || len(in.Requests) != 0 {
			t.Errorf("%.200s: %v", body, err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err == nil && compiled(t, "requests").Validate(value) == nil {
			t.Errorf("%.200s passes the schema", body)
		}
	}
	get := signed(oneRequest, secret, now, now)
	get.Method = http.MethodGet
	if _, err := c.ParseInbound(t.Context(), get); err == nil {
		t.Error("a GET is a request")
	}
}

// TestReflected proves that nobody who overhears what we send can make requests of it: it is signed with the same secret.
func TestReflected(t *testing.T) {
	a := &answering{status: 204}
	c := a.connect(t, secret)
	ctx, f := t.Context(), file("bytes", hexSum("bytes"))
	_, _ = c.CreateContact(ctx, person())
	_, _ = c.SearchContacts(ctx, person().Phone)
	_, _ = c.PutMessage(ctx, "17", entry(oneRequest), nil)
	_, _ = c.PutFile(ctx, "17", "18", f)
	_ = c.Report(ctx, crm.Request{ID: "r1"}, crm.Outcome{})
	if len(a.got) != 5 {
		t.Fatalf("%d calls", len(a.got))
	}
	for i, r := range a.got {
		body := a.bodies[i]
		if d := r.Header.Get("Threadline-Document"); d != "" {
			body = d
		}
		call := crm.Call{Method: http.MethodPost, Header: r.Header, Body: []byte(body), At: crmtest.NewClock().Now()}
		_, err := c.ParseInbound(ctx, call)
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Refused {
			t.Errorf("%s: %v, want it refused", body, err)
		}
	}
}

// TestAsked lets users of both kinds of receivers ask, as they do, and reports to them.
func TestAsked(t *testing.T) {
	for _, least := range []bool{false, true} {
		var calls []crm.Call
		answer := http.StatusServiceUnavailable // a first time, to see the same request again
		events := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			calls = append(calls, crm.Call{Method: r.Method, Header: r.Header, Body: body, At: crmtest.NewClock().Now()})
			w.WriteHeader(answer)
			answer = http.StatusOK
		}))
		t.Cleanup(events.Close)
		company := newCompany(t, webhookcrm.Options{Least: least, EventsURL: events.URL})
		c := company.connect(nil)
		on, err := c.CreateContact(t.Context(), person())
		if err != nil {
			t.Fatal(err)
		}
		id := company.Contacts()[0].ID
		if err := company.sim.Write(id, "Hello"); err != nil || len(calls) != 2 {
			t.Fatalf("%v after %d calls", err, len(calls))
		}
		var last crm.Request
		for _, call := range calls {
			in, err := c.(crm.Receiver).ParseInbound(t.Context(), call)
			if err != nil || len(in.Requests) != 1 {
				t.Fatalf("%+v, %v", in, err)
			}
			if r := in.Requests[0]; r.Contact+crm.ContactRef(r.Key) != on || r.Text != "Hello" || last.ID != "" && r.ID != last.ID {
				t.Errorf("%+v for %s, after %+v", r, on, last)
			}
			last = in.Requests[0]
			agreed(t, "requests", call.Body)
		}
		if err := c.(crm.Reporter).Report(t.Context(), last, crm.Outcome{Problem: "May have been delivered: the answer was lost.", Unknown: true}); err != nil {
			t.Fatal(err)
		}
		if shown := company.Entries(id)[0].Text; !strings.Contains(shown, "May have been delivered") || strings.Contains(shown, "Not sent") {
			t.Errorf("of a doubt the user sees %q", shown)
		}
		for range 2 {
			if err := c.(crm.Reporter).Report(t.Context(), last, crm.Outcome{Problem: "The customer wrote more than 24 hours ago."}); err != nil {
				t.Fatal(err)
			}
		}
		if r := company.sim.Requests()[0]; !r.Settled || !strings.Contains(r.Problem, "24 hours") {
			t.Errorf("%+v, want the problem", r)
		}
		if shown := company.Entries(id)[0].Text; !strings.Contains(shown, "Not sent") {
			t.Errorf("the user sees %q", shown)
		}
		if err := c.(crm.Reporter).Report(t.Context(), crm.Request{ID: "999"}, crm.Outcome{}); err != nil {
			t.Errorf("a request that they have forgotten: %v", err)
		}
		stranger, _ := company.AddContact("Ana Silva", "+34 600 111 223")
		if err := company.sim.Write(stranger, "Welcome"); err != nil {
			t.Fatal(err)
		}
		in, err := c.(crm.Receiver).ParseInbound(t.Context(), calls[2])
		if err != nil || in.Requests[0].Phone != "+34 600 111 223" || in.Requests[0].Contact != "" {
			t.Errorf("to somebody who never wrote: %+v, %v", in, err)
		}
	}
}
