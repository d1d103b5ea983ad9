package espocrm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"threadline/shared/crm/crmtest/contract"
)

// documented is what EspoCRM says of its API. It has the entities that everybody has, but no notes, no attachments and no
// custom entity.
var documented = contract.API{
	Vendor: "EspoCRM", Folder: "espocrm", Files: []string{"spec.json"},
	Route: route, Amend: withoutFilters, Authenticate: withKey,
	Answers: func(status int) bool { return status == http.StatusOK },
}

// withoutFilters drops two that nobody here uses: they are serialised in a way that OpenAPI doesn't know.
func withoutFilters(doc *openapi3.T) {
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			operation.Parameters = slices.DeleteFunc(operation.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Style == "deepObject" })
		}
	}
}

// route knows the calls for the records of a documented entity.
func route(all []*openapi3.T, r *http.Request) (*routers.Route, map[string]string, error) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v1")
	entity, record, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if all[0].Paths.Value("/"+entity) == nil || strings.HasSuffix(record, "/stream") {
		return nil, nil, nil
	}
	found, params := contract.Find(all[0], r.Method, path)
	if found == nil || strings.Contains(record, "/") {
		return nil, nil, errors.New("the document has no such call")
	}
	return found, params, nil
}

// withKey wants the key where the document has it.
func withKey(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.RequestValidationInput.Request.Header.Get(in.SecurityScheme.Name) == "" {
		return fmt.Errorf("no %s", in.SecurityScheme.Name)
	}
	return nil
}

// TestSpecification fails where the contract must be tested and can't be, and proves that the comparison sees mistakes.
func TestSpecification(t *testing.T) {
	documented.Need(t)
	for name, call := range map[string][2]string{
		"a name that is no text":   {"POST Contact", `{"lastName":1}`},
		"a name that is too long":  {"POST Contact", `{"lastName":"` + strings.Repeat("x", 101) + `"}`},
		"a call that isn't there":  {"PUT Contact/1", `{"lastName":"x"}`},
		"a number that is no text": {"PATCH Contact/1", `{"phoneNumber":34600111222}`},
	} {
		method, path, _ := strings.Cut(call[0], " ")
		r := httptest.NewRequest(method, "http://espocrm/api/v1/"+path, strings.NewReader(call[1]))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Api-Key", apiKey)
		if _, err := documented.Check(t, r); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
