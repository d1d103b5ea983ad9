package odoo_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
	"threadline/shared/crm/odoo"
)

// hooked is an account whose hooks are caught.
func hooked(t *testing.T, o sim.Options) (*account, chan crm.Call) {
	t.Helper()
	calls := make(chan crm.Call, 10)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- crm.Call{Method: r.Method, URL: "https://threadline.example" + r.URL.String(), Header: r.Header, Body: body}
	}))
	t.Cleanup(web.Close)
	a := newAccount(t, o)
	a.hookURL = web.URL + "/crm/odoo/events"
	return a, calls
}

// fetch returns what users sent after a cursor, and the next one.
func fetch(t *testing.T, c *odoo.Connector, after string) ([]crm.Request, string) {
	t.Helper()
	requests, next, err := c.FetchOutbound(t.Context(), after)
	if err != nil {
		t.Fatal(err)
	}
	return requests, next
}

// TestSendFromChatter proves the whole way: a user sends a message from a contact, Odoo calls, the message is fetched, and
// what we wrote ourselves isn't.
func TestSendFromChatter(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		a, calls := hooked(t, sim.Options{Version: v, Admin: true})
		c := a.connector()
		for range 2 { // it is idempotent
			must[int](t)(0, c.Provision(t.Context()))
		}
		on := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
		_, cursor := fetch(t, c, "")
		must[crm.EntryRef](t)(c.PutMessage(t.Context(), on, sent("m1", "by us"), nil))
		if len(calls) != 0 {
			t.Fatalf("%s: our entry called a hook", version(v))
		}
		must[int](t)(0, a.sim.Write(string(on), "Your order is ready.\nSee you <soon>!"))
		if len(calls) != 1 {
			t.Fatalf("%s: %d calls, want one", version(v), len(calls))
		}
		in := must[crm.Inbound](t)(c.ParseInbound(t.Context(), <-calls))
		if !in.Fetch || len(in.Requests) != 0 {
			t.Errorf("%s: the call says %+v, want to fetch", version(v), in)
		}
		requests, next := fetch(t, c, cursor)
		if len(requests) != 1 {
			t.Fatalf("%s: %d requests, want one", version(v), len(requests))
		}
		got := requests[0]
		if got.Contact != on || got.Text != "Your order is ready.\nSee you <soon>!" || got.Actor != "Sales" || got.Phone != "+34600111222" || !got.At.Equal(a.clock.Now()) {
			t.Errorf("%s: request %+v", version(v), got)
		}
		// A message with a lower number may still come to light, so that young ones are told again.
		again, next := fetch(t, c, next)
		if len(again) != 1 || again[0].ID != got.ID {
			t.Errorf("%s: a second time: %+v", version(v), again)
		}
		a.clock.Advance(time.Hour)
		_, next = fetch(t, c, next)
		if later, _, err := c.FetchOutbound(t.Context(), next); err != nil || len(later) != 0 {
			t.Errorf("%s: an hour later: %+v, %v", version(v), later, err)
		}
	}
}

// TestOrdinaryUser proves that without the right to make rules nothing fails, and that messages are found all the same.
func TestOrdinaryUser(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, calls := hooked(t, sim.Options{Version: v})
		c := a.connector()
		must[int](t)(0, c.Provision(t.Context()))
		on := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
		_, cursor := fetch(t, c, "")
		must[int](t)(0, a.sim.Write(string(on), "hello"))
		requests, _ := fetch(t, c, cursor)
		if len(requests) != 1 || len(calls) != 0 {
			t.Errorf("%s: %d requests and %d calls, want one and none", version(v), len(requests), len(calls))
		}
	}
}

// TestMenu proves that a user sends what they wrote by an action on the contact, also where Odoo has no automation rules.
func TestMenu(t *testing.T) {
	for _, o := range []sim.Options{{Version: 17, Admin: true, NoAutomation: true}, {Version: 19, Admin: true, NoAutomation: true}, {Version: 19, Admin: true}} {
		a, calls := hooked(t, o)
		c := a.connector()
		for range 2 { // it is idempotent
			must[int](t)(0, c.Provision(t.Context()))
		}
		on := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
		must[int](t)(0, a.sim.Write(string(on), "Your order is ready."))
		if rules := !o.NoAutomation; rules != (len(calls) == 1) {
			t.Errorf("%+v: %d calls before the action was chosen", o, len(calls))
		}
		for len(calls) > 0 {
			<-calls
		}
		must[int](t)(0, a.sim.Act("Send WhatsApp", string(on)))
		if len(calls) != 1 {
			t.Fatalf("%+v: %d calls, want one", o, len(calls))
		}
		if in := must[crm.Inbound](t)(c.ParseInbound(t.Context(), <-calls)); !in.Fetch {
			t.Errorf("%+v: the call says %+v, want to fetch", o, in)
		}
	}
}

// TestManyMessages proves that a backlog is fetched whole, in order.
func TestManyMessages(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{})
	_, cursor := fetch(t, c, "")
	const many = 230
	for i := range many {
		must[int](t)(0, a.sim.Write(string(on), strings.Repeat("x", i+1)))
	}
	requests, _ := fetch(t, c, cursor)
	if len(requests) != many {
		t.Fatalf("%d requests, want %d", len(requests), many)
	}
	for i, r := range requests {
		if len(r.Text) != i+1 {
			t.Fatalf("request %d is out of order", i)
		}
	}
	if _, _, err := c.FetchOutbound(t.Context(), "yesterday"); asError(t, err).Class != crm.Refused {
		t.Errorf("a cursor that isn't one: %v", err)
	}
}

// TestOutOfSight proves that messages which we may not see neither bring back what was written before we began, nor hide
// what is written after them.
func TestOutOfSight(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		elsewhere, _ := a.AddContact("Another company's", "+34 911 22 33 44")
		must[int](t)(0, a.sim.Hide(elsewhere))
		must[int](t)(0, a.sim.Write(string(on), "before"))
		for range 2 {
			must[int](t)(0, a.sim.Write(elsewhere, "not for us"))
		}
		_, cursor := fetch(t, c, "")
		for range 230 {
			must[int](t)(0, a.sim.Write(elsewhere, "not for us"))
		}
		must[int](t)(0, a.sim.Write(string(on), "after"))
		requests, _ := fetch(t, c, cursor)
		if len(requests) != 1 || requests[0].Text != "after" {
			t.Errorf("%s: requests %+v, want what was written afterwards", version(v), requests)
		}
	}
}

// TestWhatBecameOfIt proves that a sender sees it below the message, which stays as it was written, and is told once why
// nothing was sent.
func TestWhatBecameOfIt(t *testing.T) {
	a, c, on := acquainted(t, sim.Options{})
	_, cursor := fetch(t, c, "")
	must[int](t)(0, a.sim.Write(string(on), "hello"))
	requests, _ := fetch(t, c, cursor)
	r := requests[0]
	for _, note := range []string{"Sent & on its way", "Read"} {
		e := sent("m1", "hello")
		e.Messages[0].Note = note
		for range 2 {
			must[int](t)(0, c.UpdateMessage(t.Context(), r.Contact, r.Entry, e, nil))
		}
	}
	if got := a.only(on); got.html() != "<p>hello</p><p><em>WhatsApp · Read</em></p>" || got.author() != "Sales" {
		t.Errorf("the message is %q by %s", got.html(), got.author())
	}
	for _, problem := range []string{"", "The number isn't on WhatsApp.", "24 hours have passed since the customer wrote: <use> a template."} {
		for range 2 {
			must[int](t)(0, c.Report(t.Context(), r, crm.Outcome{Problem: problem}))
		}
		want := "<p>hello</p><p><em>WhatsApp · Sent.</em></p>"
		if problem != "" {
			want = "<p>hello</p><p><em>WhatsApp · Not sent.</em></p>"
		}
		if got := a.chatter(string(on))[0]; got.html() != want {
			t.Errorf("after %q the message is %q", problem, got.html())
		}
	}
	list := a.chatter(string(on))
	if len(list) != 2 || !strings.Contains(list[1].html(), "&lt;use&gt; a template") || list[1].author() != "Threadline" {
		t.Fatalf("the chatter is %+v, want the message and one report", list)
	}
	if again, _, err := c.FetchOutbound(t.Context(), cursor); err != nil || len(again) != 1 {
		t.Errorf("fetched %+v, %v: the report isn't to be sent", again, err)
	}
}

// TestForged proves that only a call with the token is believed.
func TestForged(t *testing.T) {
	a := newAccount(t, sim.Options{})
	c := a.connector()
	const good = `{"_action":"x(#1)","_id":6,"_model":"res.partner"}`
	for address, want := range map[string]error{
		"https://threadline.example/crm/odoo/events":                               crm.ErrForged,
		"https://threadline.example/crm/odoo/events?token=":                        crm.ErrForged,
		"https://threadline.example/crm/odoo/events?token=wrong":                   crm.ErrForged,
		"https://threadline.example/crm/odoo/events?token=a+token+of+the+test%27s": nil,
	} {
		_, err := c.ParseInbound(t.Context(), crm.Call{Method: http.MethodPost, URL: address, Body: []byte(good)})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
	}
	right := "https://threadline.example/crm/odoo/events?token=a+token+of+the+test%27s"
	if _, err := c.ParseInbound(t.Context(), crm.Call{Method: http.MethodGet, URL: right}); !errors.Is(err, crm.ErrForged) {
		t.Errorf("a GET: %v", err)
	}
	if _, err := c.ParseInbound(t.Context(), crm.Call{Method: http.MethodPost, URL: right, Body: []byte("<html>")}); asError(t, err).Class != crm.Refused {
		t.Errorf("no JSON: %v", err)
	}
	in, err := c.ParseInbound(t.Context(), crm.Call{Method: http.MethodPost, URL: right, Body: []byte(`{"_model":"crm.lead","_id":1}`)})
	if err != nil || in.Fetch {
		t.Errorf("another model: %+v, %v", in, err)
	}
}

// TestRuleStays proves that an administrator's work on the rule isn't undone, and that what Odoo refuses to make of it stops
// nothing, the other parts neither.
func TestRuleStays(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, calls := hooked(t, sim.Options{Version: v, Admin: true})
		c := a.connector()
		var rules []int64
		for i, refused := range []string{"base.automation", "ir.actions.server", ""} {
			a.sim.Demand(refused, "x_owner")
			must[int](t)(0, c.Provision(t.Context()))
			a.call("base.automation", "search", []any{[]any{}}, nil, &rules)
			if want := min(i, 1); len(rules) != want {
				t.Fatalf("%s: without %q there are %d rules, want %d", version(v), refused, len(rules), want)
			}
		}
		done := false
		a.call("base.automation", "write", []any{rules, map[string]any{"name": "Ours", "active": false}}, nil, &done)
		must[int](t)(0, c.Provision(t.Context()))
		var found []struct {
			Name   string `json:"name"`
			Active bool   `json:"active"`
		}
		a.call("base.automation", "read", []any{rules, []string{"name", "active"}}, nil, &found)
		if len(found) != 1 || found[0].Name != "Ours" || found[0].Active {
			t.Errorf("%s: the rule is %+v", version(v), found)
		}
		on := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
		must[int](t)(0, a.sim.Write(string(on), "hello"))
		if len(calls) != 0 {
			t.Errorf("%s: a rule that is off called", version(v))
		}
	}
}

// TestToken proves that a token which was replaced reaches the rule that is there.
func TestToken(t *testing.T) {
	a, calls := hooked(t, sim.Options{Admin: true})
	c := a.connector()
	must[int](t)(0, c.Provision(t.Context()))
	on := must[crm.ContactRef](t)(c.CreateContact(t.Context(), maria()))
	a.hookURL += "/moved"
	must[int](t)(0, a.connector().Provision(t.Context()))
	must[int](t)(0, a.sim.Write(string(on), "hello"))
	if len(calls) != 1 {
		t.Fatalf("%d calls, want one", len(calls))
	}
	if got := <-calls; !strings.Contains(got.URL, "/moved?token=") {
		t.Error("the rule calls the old address")
	}
}
