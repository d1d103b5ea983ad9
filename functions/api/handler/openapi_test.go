package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// document is openapi.json in a stricter reading: an answer may not hold a field that isn't described.
var document = sync.OnceValues(func() (*openapi3.T, error) {
	var tree any
	if err := json.Unmarshal(openAPI, &tree); err != nil {
		return nil, err
	}
	closeObjects(tree)
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(text)
})

// closeObjects forbids undescribed fields in every object that has described ones.
func closeObjects(node any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			closeObjects(v)
		}
	case map[string]any:
		_, has := n["properties"].(map[string]any)
		if _, decided := n["additionalProperties"]; has && !decided && n["type"] == "object" {
			n["additionalProperties"] = false
		}
		for _, v := range n {
			closeObjects(v)
		}
	}
}

// operation is what the document says about a request; nil if it says nothing.
type operation struct {
	route  *routers.Route
	params map[string]string
}

// described finds a request's operation. (net/http's mux finds the path, because the routers of kin-openapi don't
// keep encoded slashes.)
func described(t *testing.T, r *http.Request) *operation {
	t.Helper()
	doc, err := document()
	if err != nil {
		t.Fatal(err)
	}
	var found *operation
	mux := http.NewServeMux()
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			mux.HandleFunc(method+" "+path, func(_ http.ResponseWriter, r *http.Request) {
				found = &operation{&routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}, map[string]string{}}
				for _, p := range op.Parameters {
					if p.Value.In == openapi3.ParameterInPath {
						found.params[p.Value.Name] = r.PathValue(p.Value.Name)
					}
				}
			})
		}
	}
	mux.ServeHTTP(httptest.NewRecorder(), r.Clone(t.Context()))
	return found
}

func (op *operation) input(r *http.Request) *openapi3filter.RequestValidationInput {
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: op.params, Route: op.route,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
}

// allows tells whether the document allows the request, whose body stays to be read.
func (op *operation) allows(r *http.Request) error {
	if op == nil {
		return fmt.Errorf("no such operation")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	copied := r.Clone(r.Context())
	copied.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
	return openapi3filter.ValidateRequest(r.Context(), op.input(copied))
}

// seen are the answers that came, as "METHOD path status".
var seen = struct {
	sync.Mutex
	answers map[string]bool
}{answers: map[string]bool{}}

// explains tells whether the document describes the answer. What it has no operation for must be an error of ours.
func (op *operation) explains(r *http.Request, a answer) error {
	if op == nil {
		doc, err := document()
		if err != nil {
			return err
		}
		var v any
		if err := json.Unmarshal(a.body, &v); err != nil {
			return err
		}
		return doc.Components.Schemas["Error"].Value.VisitJSON(v, openapi3.EnableJSONSchema2020())
	}
	seen.Lock()
	defer seen.Unlock()
	seen.answers[fmt.Sprintf("%s %s %d", op.route.Method, op.route.Path, a.status)] = true
	in := op.input(r)
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header, Options: in.Options,
		Body: io.NopCloser(bytes.NewReader(a.body)),
	})
}

// TestMain also fails if the document describes an answer that no test has seen, or if a log line says too much.
func TestMain(m *testing.M) {
	var logged bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	code := m.Run()
	for _, private := range []string{ana, theKey, "text of", "hello", "ES.1"} {
		if strings.Contains(logged.String(), private) {
			fmt.Printf("the log says %q\n", private)
			code = 1
		}
	}
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" {
		for _, missing := range unseen() {
			fmt.Println("no test has seen", missing)
			code = 1
		}
	}
	os.Exit(code)
}

func unseen() []string {
	doc, err := document()
	if err != nil {
		return []string{err.Error()}
	}
	missing := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if name := method + " " + path + " " + status; !seen.answers[name] {
					missing[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

func TestDocumentIsValid(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Error("version", doc.OpenAPI)
	}
}

// The validator must be one that knows OpenAPI 3.1's keywords, or the other tests prove little.
func TestDocumentIsReadAs31(t *testing.T) {
	r := newRig(t)
	for body, want := range map[string]bool{
		`{"to":"+34600111222","media":{"type":"image","id":"1","caption":"c"}}`:        true,
		`{"to":"+34600111222","media":{"type":"sticker","id":"1","caption":"c"}}`:      false, // if, then
		`{"to":"+34600111222","media":{"type":"image","id":"1","voice":true}}`:         false, // const
		`{"to":"+34600111222","media":{"type":"image","id":"1","link":"https://a/b"}}`: false, // oneOf
	} {
		req := r.request("POST", "/api/v1/messages", body)
		if err := described(t, req).allows(req); (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestDocumentIsServed(t *testing.T) {
	r := newRig(t)
	a := r.call("GET", "/api/v1/openapi.json", "", "Authorization", "").want(http.StatusOK, nil)
	if !bytes.Equal(a.body, openAPI) || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d bytes of %s", len(a.body), a.header.Get("Content-Type"))
	}
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
			if method == "POST" {
				body = `{"to":"+34600111222","text":"hello"}`
			}
			all[method+" "+path] = r.request(method, url, body)
		}
	}
	if len(all) < 7 {
		r.Fatalf("%d operations", len(all))
	}
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
	for name, req := range every(r) {
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
	for name, req := range every(r) {
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
	for _, req := range every(r) {
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
	body := `{"to":"+34600111222","text":"` + strings.Repeat("x", 256<<10) + `"}`
	r.callBadly("POST", "/api/v1/messages", body).refused(http.StatusRequestEntityTooLarge, "invalid", strconv.Itoa(256<<10))
	req := r.request("POST", "/api/v1/messages", body)
	req.ContentLength = -1 // as it is when the client doesn't say
	r.serve(req, false).refused(http.StatusRequestEntityTooLarge, "invalid", "bytes")
	if len(r.queue.entries) > 0 {
		t.Error("something was queued")
	}
}
