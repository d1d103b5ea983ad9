package pipedrive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// documents are Pipedrive's own descriptions of its API, by the prefix of the paths in them.
var documents = map[string]string{"/v1": "openapi-v1.yml", "/api/v2": "openapi-v2.yml"}

// maxValidated is the largest body that is compared with a document: larger ones must not be held in memory.
const maxValidated = 1 << 20

var specification = sync.OnceValues(func() (map[string]*openapi3.T, error) {
	dir, err := specifications()
	if dir == "" || err != nil {
		return nil, err
	}
	all := map[string]*openapi3.T{}
	for prefix, name := range documents {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", name, err)
		}
		all[prefix] = doc
	}
	return all, nil
})

// specifications returns the folder with Pipedrive's documents, or "" if there is none.
func specifications() (string, error) {
	root := os.Getenv("THREADLINE_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared")
	}
	dir := filepath.Join(root, "specs", "pipedrive")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if os.Getenv("CI") == "true" {
		return "", fmt.Errorf("%s is missing", dir)
	}
	return "", nil
}

// route finds what the documents say about a request. A path without parameters wins.
func route(all map[string]*openapi3.T, method, path string) (found *routers.Route, params map[string]string) {
	for prefix, doc := range all {
		below, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		for template, item := range doc.Paths.Map() {
			operation := item.GetOperation(method)
			got, ok := fits(template, below)
			if operation == nil || !ok || found != nil && len(got) > len(params) {
				continue
			}
			found, params = &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: operation}, got
		}
	}
	return found, params
}

func fits(template, path string) (map[string]string, bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, part := range want {
		if strings.HasPrefix(part, "{") {
			params[strings.Trim(part, "{}")] = got[i]
		} else if part != got[i] {
			return nil, false
		}
	}
	return params, true
}

// price is what a call costs by the documents, in tokens.
func price(all map[string]*openapi3.T, method, path string) (int, error) {
	found, _ := route(all, method, path)
	if found == nil {
		return 0, fmt.Errorf("no document has %s %s", method, path)
	}
	raw, err := json.Marshal(found.Operation.Extensions["x-token-cost"])
	if err != nil {
		return 0, err
	}
	var tokens int
	return tokens, json.Unmarshal(raw, &tokens)
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// validating compares every request of the connector, and every answer of the simulator, with Pipedrive's documents.
// Without the documents it does nothing: TestSpecification says so.
func validating(t *testing.T, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	all, err := specification()
	if err != nil {
		t.Fatal(err)
	}
	if all == nil {
		return next
	}
	return transport(func(r *http.Request) (*http.Response, error) {
		if r.ContentLength > maxValidated {
			return next.RoundTrip(r)
		}
		call, err := validRequest(all, r)
		if err != nil {
			t.Errorf("%s %s isn't what Pipedrive documents: %v", r.Method, r.URL.Path, err)
		}
		res, err := next.RoundTrip(r)
		if err == nil && call != nil && res.StatusCode < 300 { // errors aren't in the documents
			if err := validResponse(call, res); err != nil {
				t.Errorf("answer %d to %s %s isn't what Pipedrive documents: %v", res.StatusCode, r.Method, r.URL.Path, err)
			}
		}
		return res, err
	})
}

func validRequest(all map[string]*openapi3.T, r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	copied := r.Clone(r.Context())
	copied.URL = &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	copied.Body = io.NopCloser(bytes.NewReader(body))
	found, params := route(all, r.Method, r.URL.Path)
	if found == nil {
		return nil, fmt.Errorf("no document has it")
	}
	for name := range r.URL.Query() {
		if found.Operation.Parameters.GetByInAndName("query", name) == nil {
			return nil, fmt.Errorf("no parameter is called %s", name)
		}
	}
	call := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: found,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	return call, openapi3filter.ValidateRequest(r.Context(), call)
}

func validResponse(call *openapi3filter.RequestValidationInput, res *http.Response) error {
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: call, Status: res.StatusCode, Header: res.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	in.SetBodyBytes(body)
	return openapi3filter.ValidateResponse(call.Request.Context(), in)
}

// TestSpecification fails where the contract must be tested and can't be, and proves that the validation sees mistakes.
func TestSpecification(t *testing.T) {
	all, err := specification()
	if err != nil {
		t.Fatal(err)
	}
	if all == nil {
		t.Skip("Pipedrive's documents are not here: set THREADLINE_SHARED")
	}
	for name, call := range map[string]struct{ method, path, body string }{
		"no content":            {http.MethodPost, "/v1/notes", `{"person_id":1}`},
		"an id as text":         {http.MethodPost, "/v1/notes", `{"content":"x","person_id":"1"}`},
		"a number of API v1":    {http.MethodPost, "/api/v2/persons", `{"phones":"+12025550123"}`},
		"a path of no document": {http.MethodPut, "/api/v2/persons/1", `{}`},
		"an unknown parameter":  {http.MethodGet, "/v1/notes?person=1", ``},
	} {
		r, err := http.NewRequest(call.method, "http://pipedrive"+call.path, strings.NewReader(call.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if _, err := validRequest(all, r); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
