package handler

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

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
