package handler

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// bodies are requests that are well-formed, whatever they name.
var bodies = map[string]string{
	"/api/v1/messages":                `{"to":"+34600111222","text":"hello"}`,
	"/api/v1/media":                   `{"name":"a.pdf","mime":"application/pdf","size":7}`,
	"/api/v1/contacts/{id}/merge":     `{"with":"01OTHER"}`,
	"/api/v1/conversations/{id}/read": `{"typing":true}`,
	"/api/v1/crm/reconciliation":      `{"hours":24}`,
	"/api/v1/crm/backfill":            `{"connector":"hubspot"}`,
}

// every returns a request for every operation that needs a key.
func every(r *rig) map[string]*http.Request {
	r.Helper()
	doc, err := document()
	if err != nil {
		r.Fatal(err)
	}
	all := map[string]*http.Request{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Security != nil {
				continue
			}
			url, body := strings.ReplaceAll(path, "{id}", "100.01X"), ""
			if path == "/api/v1/contacts" {
				url += "?phone=" + ana
			}
			if op.RequestBody != nil {
				body = bodies[path]
			}
			all[method+" "+path] = r.request(method, url, body)
		}
	}
	if len(all) < 14 {
		r.Fatalf("%d operations", len(all))
	}
	return all
}

// reading are those of every that ask the table: the others are only put into a queue.
func reading(r *rig) map[string]*http.Request {
	r.Helper()
	all := every(r)
	delete(all, "POST /api/v1/crm/reconciliation")
	delete(all, "POST /api/v1/crm/backfill")
	return all
}

func TestKeyIsRequired(t *testing.T) {
	r := newRig(t)
	for _, header := range []string{"", "Bearer", "Bearer wrong", "Basic " + theKey, theKey, "Bearer " + theKey + "x"} {
		for name, req := range every(r) {
			req.Header.Set("Authorization", header)
			a := r.serve(req, true)
			if a.status != http.StatusUnauthorized {
				t.Errorf("%s with %q: %d", name, header, a.status)
				continue
			}
			a.refused(http.StatusUnauthorized, "unauthorized", "Authorization: Bearer")
		}
	}
	if len(r.queue.entries) > 0 {
		t.Error("something was queued")
	}
}

func TestNoKeyLetsNobodyIn(t *testing.T) {
	r := newRig(t)
	r.api.Key = func(context.Context) (string, error) { return "", nil }
	for _, header := range []string{"", "Bearer", "Bearer "} {
		r.call("GET", "/api/v1/conversations", "", "Authorization", header).refused(http.StatusUnauthorized, "unauthorized", "")
	}
	r.api.Key = func(context.Context) (string, error) { return "", errors.New("no secret") }
	r.get("/api/v1/conversations").refused(http.StatusServiceUnavailable, "unavailable", "try again")
}

func TestTableOutOfReach(t *testing.T) {
	r := newRig(t)
	for name, req := range reading(r) {
		r.db.err = errors.New("connection refused by 34600111222")
		a := r.serve(req, true)
		a.refused(http.StatusServiceUnavailable, "unavailable", "try again")
		if strings.Contains(string(a.body), "refused by") || a.header.Get("Retry-After") != "1" {
			t.Errorf("%s: %s, Retry-After %q", name, a.body, a.header.Get("Retry-After"))
		}
	}
}

func TestFaultOfOurs(t *testing.T) {
	r := newRig(t)
	r.db.err = &smithy.GenericAPIError{Code: "ValidationException", Message: "about 34600111222"}
	for name, req := range reading(r) {
		a := r.serve(req, true)
		a.refused(http.StatusInternalServerError, "internal", a.header.Get("X-Request-Id"))
		if strings.Contains(string(a.body), ana) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

func TestRequestThatEnds(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, req := range reading(r) {
		r.serve(req.WithContext(ctx), true).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	}
}

func TestOtherPathsAndMethods(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, url string
		status      int
		allow       string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/api/v1", 404, ""},
		{"GET", "/api/v1/", 404, ""},
		{"GET", "/api/v2/messages", 404, ""},
		{"GET", "/api/v1/messages/", 404, ""},
		{"GET", "/api/v1/conversations/100.01X/notes", 404, ""},
		{"GET", "/api/v1/messages", 405, "POST"},
		{"PUT", "/api/v1/messages", 405, "POST"},
		{"DELETE", "/api/v1/messages/m_1", 405, "GET, HEAD"},
		{"POST", "/api/v1/messages/m_1", 405, "GET, HEAD"},
		{"POST", "/api/v1/contacts", 405, "GET, HEAD"},
		{"PATCH", "/api/v1/conversations/100.01X", 405, "GET, HEAD"},
		{"POST", "/api/v1/openapi.json", 405, "GET, HEAD"},
		{"GET", "/m/", 404, ""},
		{"GET", "/m/a/b", 404, ""},
		{"POST", "/m/token", 405, "GET, HEAD"},
		{"GET", "/api/v1/media", 405, "POST"},
		{"POST", "/api/v1/templates", 405, "GET, HEAD"},
		{"POST", "/api/v1/numbers", 405, "GET, HEAD"},
		{"GET", "/api/v1/contacts/01X/merge", 405, "POST"},
		{"GET", "/api/v1/contacts/01X/unmerge", 405, "POST"},
		{"GET", "/api/v1/conversations/100.01X/read", 405, "POST"},
		{"DELETE", "/api/v1/contacts/01X", 405, "GET, HEAD"},
		{"GET", "/api/v1/crm", 404, ""},
		{"PUT", "/api/v1/crm/reconciliation", 405, "GET, HEAD, POST"},
		{"DELETE", "/api/v1/crm/backfill", 405, "GET, HEAD, POST"},
	} {
		a := r.callBadly(c.method, c.url, "")
		if a.status != c.status || a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.url, a.status, a.header.Get("Allow"))
		}
		a.refused(c.status, map[int]string{404: "notfound", 405: "invalid"}[c.status], "")
	}
}

func TestBodyLimit(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat("x", 256<<10)
	for path, body := range map[string]string{
		"/api/v1/messages":                   `{"to":"+34600111222","text":"` + long + `"}`,
		"/api/v1/media":                      `{"name":"` + long + `"}`,
		"/api/v1/contacts/01X/merge":         `{"with":"` + long + `"}`,
		"/api/v1/conversations/100.01X/read": `{"typing":"` + long + `"}`,
		"/api/v1/crm/reconciliation":         `{"hours":"` + long + `"}`,
		"/api/v1/crm/backfill":               `{"connector":"` + long + `"}`,
	} {
		r.callBadly("POST", path, body).refused(http.StatusRequestEntityTooLarge, "invalid", strconv.Itoa(256<<10))
		req := r.request("POST", path, body)
		req.ContentLength = -1 // as it is when the client doesn't say
		r.serve(req, false).refused(http.StatusRequestEntityTooLarge, "invalid", "bytes")
	}
	if len(r.queue.entries)+len(r.inbox.entries) > 0 {
		t.Error("something was queued")
	}
}
