package handler

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/route"
	"threadline/shared/store"
)

func (r *rig) find(hour time.Time, conv chat.ConversationID, connector string, tallies ...store.Tally) {
	r.Helper()
	for i, t := range tallies {
		_, _, err := r.store.Find(r.Context(), hour, conv, connector, func(f *store.Finding) { f.Take(t, r.now.Add(time.Duration(i)*time.Hour)) })
		if err != nil {
			r.Fatal(err)
		}
	}
}

type reconciliation struct {
	Reconciliation []findingView
	Through        *time.Time `json:"compared_through"`
	Next           string     `json:"next_cursor"`
}

func TestReconciliationIsListed(t *testing.T) {
	r := newRig(t)
	var got reconciliation
	r.get("/api/v1/crm/reconciliation").want(http.StatusOK, &got)
	if got.Reconciliation == nil || len(got.Reconciliation) != 0 || got.Through != nil || got.Next != "" {
		t.Errorf("before anything was compared: %+v", got)
	}
	missing := store.Tally{Stored: 3, Synced: 2, Missing: 1, Asked: true}
	r.find(noon, "100.01A", "hubspot", missing, missing, missing)
	r.find(noon, "100.01B", "hubspot", missing, store.Tally{Stored: 3, Synced: 3})
	r.find(noon.Add(-24*time.Hour), "100.01B", "odoo", store.Tally{Stored: 1, Refused: 1, Reason: "INVALID"})
	r.find(noon.Add(time.Hour), "100.01C", "odoo", store.Tally{Stored: 1, Waiting: 1})
	if _, err := r.store.SaveReconciliation(t.Context(), store.Reconciliation{Begun: noon, Compared: noon}); err != nil {
		t.Fatal(err)
	}
	r.get("/api/v1/crm/reconciliation").want(http.StatusOK, &got)
	if len(got.Reconciliation) != 4 || got.Through == nil || !got.Through.Equal(noon.Add(time.Hour)) {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		state   store.Verdict
		runbook string
	}{{"waiting", ""}, {}, {}, {"refused", attention}} {
		if f := got.Reconciliation[i]; want.state != "" && (f.State != want.state || f.Runbook != want.runbook) {
			t.Errorf("%d: %+v", i, f)
		}
	}
	for query, want := range map[string][]chat.ConversationID{
		"?state=missing":                   {"100.01A"},
		"?state=repaired":                  {"100.01B"},
		"?connector=odoo":                  {"100.01C", "100.01B"},
		"?connector=odoo&state=refused":    {"100.01B"},
		"?day=2026-03-01":                  {"100.01B"},
		"?day=2026-03-03":                  {},
		"?state=complete&connector=nobody": {},
	} {
		got = reconciliation{}
		r.get("/api/v1/crm/reconciliation"+query).want(http.StatusOK, &got)
		var convs []chat.ConversationID
		for _, f := range got.Reconciliation {
			convs = append(convs, f.Conversation)
		}
		if len(convs) != len(want) || len(want) > 0 && convs[0] != want[0] {
			t.Errorf("%s: %v, want %v", query, convs, want)
		}
	}
	r.get("/api/v1/crm/reconciliation?state=missing").want(http.StatusOK, &got)
	f := got.Reconciliation[0]
	if f.Stored != 3 || f.Synced != 2 || f.Missing != 1 || !f.Since.Equal(noon) || !f.Checked.Equal(noon.Add(2*time.Hour)) || f.Runbook != attention {
		t.Errorf("%+v", f)
	}
	r.get("/api/v1/crm/reconciliation?limit=3").want(http.StatusOK, &got)
	if len(got.Reconciliation) != 3 || got.Next == "" {
		t.Fatalf("%+v", got)
	}
	next := got.Next
	got = reconciliation{}
	r.get("/api/v1/crm/reconciliation?limit=3&cursor="+next).want(http.StatusOK, &got)
	if len(got.Reconciliation) != 1 || got.Next != "" {
		t.Errorf("%+v", got)
	}
}

func TestReconcileNow(t *testing.T) {
	r := newRig(t)
	post := func(body string, headers ...string) answer {
		return r.call("POST", "/api/v1/crm/reconciliation", body, headers...)
	}
	for body, hours := range map[string]int{`{}`: 24, `{"hours":1}`: 1, `{"hours":168}`: 168} {
		if c := r.asked(post(body)); c.Command != route.Reconcile || c.Hours != hours {
			t.Errorf("%s: %+v", body, c)
		}
	}
	one, again, other := r.asked(post(`{"hours":2}`, "Idempotency-Key", "k")), r.asked(post(`{"hours":2}`, "Idempotency-Key", "k")), r.asked(post(`{"hours":3}`, "Idempotency-Key", "k"))
	if one.ID != again.ID || one.ID == other.ID {
		t.Errorf("under one key: %s, %s, %s", one.ID, again.ID, other.ID)
	}
	for _, body := range []string{`{"hours":0}`, `{"hours":169}`, `{"hours":-1}`} {
		r.callBadly("POST", "/api/v1/crm/reconciliation", body).refused(http.StatusBadRequest, "invalid", "hours: use")
	}
	r.inbox.err = errors.New("down")
	post(`{}`).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	r.api.Connectors = nil
	post(`{}`).refused(http.StatusConflict, "conflict", "no CRM is connected")
}

func TestBackfillIsAskedForAndFollowed(t *testing.T) {
	r := newRig(t)
	r.api.Connectors = []string{"hubspot", "odoo"}
	post := func(body string, headers ...string) answer {
		return r.call("POST", "/api/v1/crm/backfill", body, headers...)
	}
	c := r.asked(post(`{"connector":"odoo"}`))
	if c.Command != route.Backfill || c.Connector != "odoo" {
		t.Errorf("%+v", c)
	}
	if a, b := r.asked(post(`{"connector":"odoo"}`, "Idempotency-Key", "k")), r.asked(post(`{"connector":"hubspot"}`, "Idempotency-Key", "k")); a.ID == b.ID {
		t.Error("two CRMs are one request")
	}
	post(`{"connector":"espocrm"}`).refused(http.StatusConflict, "conflict", "CrmConnector")
	r.callBadly("POST", "/api/v1/crm/backfill", `{}`).refused(http.StatusBadRequest, "invalid", "connector: name")

	list := func(query string) []backfillView {
		var got struct{ Backfills []backfillView }
		r.get("/api/v1/crm/backfill"+query).want(http.StatusOK, &got)
		return got.Backfills
	}
	if got := list(""); got == nil || len(got) != 0 {
		t.Errorf("before any: %+v", got)
	}
	if err := r.store.BeginBackfill(t.Context(), "odoo", c.ID); err != nil {
		t.Fatal(err)
	}
	save := func(change func(*store.Backfill)) {
		t.Helper()
		b, err := r.store.Backfill(t.Context(), "odoo")
		if err == nil {
			_, err = r.store.SaveBackfill(t.Context(), b, change)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func(state string) backfillView {
		t.Helper()
		got := list("")
		if len(got) != 1 || got[0].State != state || got[0].ID != c.ID || !got[0].Since.Equal(noon) {
			t.Fatalf("%+v, want %s", got, state)
		}
		return got[0]
	}
	is("counting")
	save(func(b *store.Backfill) { b.Counted, b.Found, b.Finished, b.GivenUp, b.Fed = true, 9, 4, 2, 50 })
	if v := is("running"); v.Conversations != (conversationsCount{9, 4, 2}) || v.Messages != 50 || v.Ended != nil {
		t.Errorf("%+v", v)
	}
	save(func(b *store.Backfill) { b.Ended = noon })
	if v := is("done"); v.Ended == nil {
		t.Errorf("%+v", v)
	}
	save(func(b *store.Backfill) { b.Stopped = "why" })
	if v := is("stopped"); v.Why != "why" {
		t.Errorf("%+v", v)
	}
	if len(list("?connector=hubspot")) != 0 || len(list("?connector=odoo")) != 1 {
		t.Error("the filter shows others")
	}
	r.inbox.err = errors.New("down")
	post(`{"connector":"odoo"}`).refused(http.StatusServiceUnavailable, "unavailable", "try again")
}
