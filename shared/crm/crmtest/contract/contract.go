// Package contract compares what a connector asks, and what a simulator answers, with the vendor's own OpenAPI documents.
//
// The documents are not part of this repository: THREADLINE_SHARED, or the folder shared beside the repository, says where
// they are. Where they are missing nothing is compared; with CI=true that is a failure.
package contract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"threadline/shared/crm/crmtest"
)

// maxCompared is the largest body that is compared with a document: larger ones must not be held in memory.
const maxCompared = 1 << 20

// API is what a vendor documents.
type API struct {
	Vendor string // its name
	Folder string // of its documents, among all vendors'
	Files  []string

	// Route finds what the documents say about a request. Without a route the request isn't compared; an error says that it
	// should be documented and isn't.
	Route func(documents []*openapi3.T, r *http.Request) (*routers.Route, map[string]string, error)

	// Amend makes up for what kin-openapi doesn't know; it may be nil.
	Amend func(*openapi3.T)
	// Authenticate checks what a security scheme wants; it may be nil.
	Authenticate openapi3filter.AuthenticationFunc
	// Answers tells which answers are documented, by their status: all of them if it is nil.
	Answers func(status int) bool

	once      sync.Once
	documents []*openapi3.T
	err       error
}

// Folder returns the folder with a vendor's documents; "" if it isn't here.
func Folder(vendor string) (string, error) {
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
	dir := filepath.Join(root, "specs", vendor)
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

// Documents returns the documents in the order of Files; nil if they aren't here.
func (a *API) Documents(t *testing.T) []*openapi3.T {
	t.Helper()
	a.once.Do(a.load)
	if a.err != nil {
		t.Fatal(a.err)
	}
	return a.documents
}

func (a *API) load() {
	dir, err := Folder(a.Folder)
	if dir == "" || err != nil {
		a.err = err
		return
	}
	for _, name := range a.Files {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name))
		if err != nil {
			a.err = fmt.Errorf("load %s: %w", name, err)
			return
		}
		if a.Amend != nil {
			a.Amend(doc)
		}
		a.documents = append(a.documents, doc)
	}
}

// Need returns the documents, and skips the test that can't do without.
func (a *API) Need(t *testing.T) []*openapi3.T {
	t.Helper()
	all := a.Documents(t)
	if all == nil {
		t.Skipf("the documents of %s are not here: set THREADLINE_SHARED", a.Vendor)
	}
	return all
}

// Transport compares every request, and every answer to one that is documented.
func (a *API) Transport(t *testing.T, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	if a.Documents(t) == nil {
		return next
	}
	return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
		if r.ContentLength > maxCompared {
			return next.RoundTrip(r)
		}
		call, err := a.Check(t, r)
		if err != nil {
			t.Errorf("%s %s isn't what %s documents: %v", r.Method, r.URL.Path, a.Vendor, err)
		}
		res, err := next.RoundTrip(r)
		if err == nil && call != nil && (a.Answers == nil || a.Answers(res.StatusCode)) {
			if err := checkAnswer(call, res); err != nil {
				t.Errorf("answer %d to %s %s isn't what %s documents: %v", res.StatusCode, r.Method, r.URL.Path, a.Vendor, err)
			}
		}
		return res, err
	})
}

// Check compares a request, which can be made afterwards.
func (a *API) Check(t *testing.T, r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	t.Helper()
	route, params, err := a.Route(a.Documents(t), r)
	if route == nil || err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	copied := r.Clone(r.Context())
	copied.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	copied.Body = io.NopCloser(bytes.NewReader(body))
	authenticate := a.Authenticate
	if authenticate == nil {
		authenticate = openapi3filter.NoopAuthenticationFunc
	}
	call := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: authenticate},
	}
	return call, openapi3filter.ValidateRequest(r.Context(), call)
}

func checkAnswer(call *openapi3filter.RequestValidationInput, res *http.Response) error {
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
