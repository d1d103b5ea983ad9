package hubspot_test

import (
	"bytes"
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

// documents are HubSpot's own descriptions of the APIs that the connector uses.
var documents = []string{
	"contacts-2026-03", "communications-2026-03", "notes-2026-03", "automation-actions-2026-03",
	"contacts-2026-09", "communications-2026-09", "notes-2026-09", "automation-actions-2026-09",
	"files-2026-03", "properties-v3", // the upload is in no later document; properties have no dated one
}

// maxValidated is the largest body that is compared with a document: larger ones must not be held in memory.
const maxValidated = 1 << 20

var specification = sync.OnceValues(func() ([]*openapi3.T, error) {
	dir, err := specifications()
	if dir == "" || err != nil {
		return nil, err
	}
	var all []*openapi3.T
	for _, name := range documents {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name+".json"))
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", name, err)
		}
		all = append(all, doc)
	}
	return all, nil
})

// route finds what a document says about a request. A path without parameters wins. (The routers of kin-openapi refuse
// HubSpot's documents: two of their paths differ in the name of a parameter only.)
func route(doc *openapi3.T, r *http.Request) (found *routers.Route, params map[string]string) {
	for path, item := range doc.Paths.Map() {
		operation := item.GetOperation(r.Method)
		got, ok := fits(path, r.URL.EscapedPath())
		if operation == nil || !ok || found != nil && len(got) > len(params) {
			continue
		}
		found, params = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: operation}, got
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
		value, err := url.PathUnescape(got[i])
		if err != nil {
			return nil, false
		}
		if strings.HasPrefix(part, "{") {
			params[strings.Trim(part, "{}")] = value
		} else if part != value {
			return nil, false
		}
	}
	return params, true
}

// specifications returns the folder with HubSpot's documents, or "" if there is none.
func specifications() (string, error) {
	root := os.Getenv("THREADLINE_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
		}
		for !exists(filepath.Join(dir, "go.mod")) {
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(filepath.Dir(dir), "shared")
	}
	dir := filepath.Join(root, "specs", "hubspot")
	if exists(dir) {
		return dir, nil
	}
	if os.Getenv("CI") == "true" {
		return "", fmt.Errorf("%s is missing", dir)
	}
	return "", nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// validating compares every request of the connector, and every answer of the simulator, with HubSpot's documents.
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
		if r.ContentLength > maxValidated || strings.HasPrefix(r.URL.Path, "/account-info/") { // of which there is no document
			return next.RoundTrip(r)
		}
		call, err := validRequest(all, r)
		if err != nil {
			t.Errorf("%s %s isn't what HubSpot documents: %v", r.Method, r.URL.Path, err)
		}
		res, err := next.RoundTrip(r)
		if err == nil && call != nil {
			if err := validResponse(call, res); err != nil {
				t.Errorf("answer %d to %s %s isn't what HubSpot documents: %v", res.StatusCode, r.Method, r.URL.Path, err)
			}
		}
		return res, err
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func validRequest(all []*openapi3.T, r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	copied := r.Clone(r.Context())
	copied.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	copied.Body = io.NopCloser(bytes.NewReader(body))
	for _, doc := range all {
		route, params := route(doc, copied)
		if route == nil {
			continue
		}
		call := &openapi3filter.RequestValidationInput{
			Request: copied, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}
		return call, openapi3filter.ValidateRequest(r.Context(), call)
	}
	return nil, fmt.Errorf("no document has it")
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
		t.Skip("HubSpot's documents are not here: set THREADLINE_SHARED")
	}
	for name, body := range map[string]string{
		"no associations": `{"properties":{"hs_timestamp":"2026-01-02T12:00:00.000Z"}}`,
		"not a string":    `{"properties":{"hs_timestamp":1},"associations":[]}`,
	} {
		r, err := http.NewRequest(http.MethodPost, "http://hubspot/crm/objects/2026-03/communications", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if _, err := validRequest(all, r); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
