package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadline/cmd/threadline/crm"
)

// rest is a REST API that begins a backfill and then gives its answers one after the other, the last for ever.
type rest struct {
	posted  string
	begun   int // status
	answers []string
	asked   int
}

func (r *rest) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != "Bearer key" || req.URL.Path != "/api/v1/crm/backfill" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"code":"unauthorized","message":"send the key"}}`)
		return
	}
	if req.Method == http.MethodPost {
		body, _ := io.ReadAll(req.Body)
		r.posted = string(body)
		w.WriteHeader(r.begun)
		if r.begun == http.StatusAccepted {
			_, _ = io.WriteString(w, `{"id":"c_1","status":"queued"}`)
		} else {
			_, _ = io.WriteString(w, `{"error":{"code":"conflict","message":"this CRM isn't connected"}}`)
		}
		return
	}
	answer := r.answers[min(r.asked, len(r.answers)-1)]
	r.asked++
	if answer == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, `{"backfills":[`+answer+`]}`)
}

func far(id, state string, done, found int) string {
	return fmt.Sprintf(`{"id":%q,"connector":"odoo","state":%q,"since":"2026-03-02T12:00:00Z","conversations":{"found":%d,"done":%d},"messages":%d,"why":"x"}`,
		id, state, found, done, 10*done)
}

func TestBackfillIsWatched(t *testing.T) {
	for _, c := range []struct {
		name            string
		begun           int
		answers         []string
		key             string
		err             error // nil: any
		says            string
		inOut, inErrors []string
	}{
		{"to its end", 202, []string{far("c_0", "done", 9, 9), far("c_1", "counting", 0, 100), "", far("c_1", "running", 0, 150), far("c_1", "running", 50, 150),
			far("c_1", "running", 50, 150), far("c_1", "done", 150, 150)}, "key", nil, "",
			[]string{"counting conversations: 100\n0 of 150 conversations (0 %), 0 messages\n50 of 150 conversations (33 %), 500 messages\n150 of 150 conversations (100 %), 1500 messages\nDone: 150 conversations, 1500 messages.\n"}, nil},
		{"of nothing", 202, []string{far("c_1", "done", 0, 0)}, "key", nil, "", []string{"0 of 0 conversations (100 %)"}, nil},
		{"that is stopped", 202, []string{far("c_1", "stopped", 5, 9)}, "key", errUnwell, "", nil, []string{"it was stopped: x"}},
		{"that gives up some", 202, []string{`{"id":"c_1","connector":"odoo","state":"done","conversations":{"found":9,"done":7,"given_up":2},"messages":70}`}, "key",
			errUnwell, "", []string{"Done: 7 conversations"}, []string{"2 conversations stood still"}},
		{"of a CRM that isn't connected", 409, []string{""}, "key", nil, "this CRM isn't connected", nil, nil},
		{"with a wrong key", 202, []string{""}, "other", nil, "send the key", nil, nil},
		{"that another replaces", 202, []string{far("c_1", "running", 5, 9), far("c_2", "running", 0, 9)}, "key", nil, "another backfill", nil, nil},
		{"that never begins", 202, []string{far("c_0", "done", 5, 9)}, "key", nil, "hasn't begun", nil, nil},
		{"out of reach", 202, []string{""}, "key", nil, "the REST API answers 503", nil, nil},
		{"in another shape", 202, []string{"<html>"}, "key", nil, "isn't JSON", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &rest{begun: c.begun, answers: c.answers}
			server := httptest.NewServer(r)
			defer server.Close()
			var out, errs bytes.Buffer
			api := &crm.API{URL: server.URL + "/api/v1/", Key: c.key, HTTP: server.Client()}
			err := backfill(t.Context(), console{strings.NewReader(""), &out, &errs}, api, "odoo", time.Millisecond)
			if c.err != nil && !errors.Is(err, c.err) || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) || c.err == nil && c.says == "" && err != nil {
				t.Errorf("%v", err)
			}
			for _, want := range c.inOut {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it says\n%s\nwithout\n%s", out.String(), want)
				}
			}
			for _, want := range c.inErrors {
				if !strings.Contains(errs.String(), want) {
					t.Errorf("it complains\n%s\nwithout\n%s", errs.String(), want)
				}
			}
			if c.key == "key" && r.posted != `{"connector":"odoo"}` {
				t.Errorf("asked for %s", r.posted)
			}
		})
	}
}

// TestInterruptingLeavesItRunning: whoever presses Ctrl-C ends the watching.
func TestInterruptingLeavesItRunning(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := &rest{begun: 202, answers: []string{far("c_1", "running", 5, 9)}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(w, req)
		if r.asked == 3 {
			cancel()
		}
	}))
	defer server.Close()
	var out bytes.Buffer
	api := &crm.API{URL: server.URL + "/api/v1", Key: "key", HTTP: server.Client()}
	if err := backfill(ctx, console{strings.NewReader(""), &out, &out}, api, "odoo", time.Millisecond); err != nil || !strings.Contains(out.String(), "It goes on.") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestABarStaysInItsLine(t *testing.T) {
	var out bytes.Buffer
	p := crm.Progress{Out: &out, Terminal: true}
	show := func(state string, done, found int) {
		b := crm.Backfill{State: state, Messages: done}
		b.Conversations.Done, b.Conversations.Found = done, found
		p.Show(b)
	}
	show("counting", 0, 100)
	show("running", 50, 100)
	show("running", 50, 100)
	show("running", 100, 100)
	p.End()
	want := "\r[..............................] counting conversations: 100" +
		"\r[###############...............] 50 of 100 conversations (50 %), 50 messages" +
		"\r[##############################] 100 of 100 conversations (100 %), 100 messages\n"
	if out.String() != want {
		t.Errorf("%q\nwant\n%q", out.String(), want)
	}
}

func TestTerminals(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if (console{out: f}).terminal() || (console{out: &bytes.Buffer{}}).terminal() {
		t.Error("a file is taken for a terminal")
	}
}
