package pipedrive_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"threadline/shared/crm/crmtest/contract"
)

// documented is what Pipedrive says of its API. Errors aren't in it.
var documented = contract.API{
	Vendor: "Pipedrive", Folder: "pipedrive", Files: []string{"openapi-v1.yml", "openapi-v2.yml"}, Route: route,
	Answers: func(status int) bool { return status < 300 },
}

// prefixes of the paths in each of the documents.
var prefixes = []string{"/v1", "/api/v2"}

// route knows no parameters but those that are documented.
func route(all []*openapi3.T, r *http.Request) (*routers.Route, map[string]string, error) {
	found, params := find(all, r.Method, r.URL.EscapedPath())
	if found == nil {
		return nil, nil, errors.New("no document has it")
	}
	for name := range r.URL.Query() {
		if found.Operation.Parameters.GetByInAndName("query", name) == nil {
			return nil, nil, fmt.Errorf("no parameter is called %s", name)
		}
	}
	return found, params, nil
}

func find(all []*openapi3.T, method, path string) (*routers.Route, map[string]string) {
	for i, doc := range all {
		if below, ok := strings.CutPrefix(path, prefixes[i]); ok {
			return contract.Find(doc, method, below)
		}
	}
	return nil, nil
}

// price is what a call costs by the documents, in tokens.
func price(all []*openapi3.T, method, path string) (int, error) {
	found, _ := find(all, method, path)
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

// TestSpecification fails where the contract must be tested and can't be, and proves that the comparison sees mistakes.
func TestSpecification(t *testing.T) {
	documented.Need(t)
	for name, call := range map[string]struct{ method, path, body string }{
		"no content":            {http.MethodPost, "/v1/notes", `{"person_id":1}`},
		"an id as text":         {http.MethodPost, "/v1/notes", `{"content":"x","person_id":"1"}`},
		"a number of API v1":    {http.MethodPost, "/api/v2/persons", `{"phones":"+12025550123"}`},
		"a path of no document": {http.MethodPut, "/api/v2/persons/1", `{}`},
		"an unknown parameter":  {http.MethodGet, "/v1/notes?person=1", ``},
	} {
		r := httptest.NewRequest(call.method, "http://pipedrive"+call.path, strings.NewReader(call.body))
		r.Header.Set("Content-Type", "application/json")
		if _, err := documented.Check(t, r); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
