package hubspot_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"threadline/shared/crm/crmtest/contract"
)

// documented is what HubSpot says of the APIs that the connector uses.
var documented = contract.API{
	Vendor: "HubSpot", Folder: "hubspot", Route: route,
	Files: []string{
		"contacts-2026-03.json", "communications-2026-03.json", "notes-2026-03.json", "automation-actions-2026-03.json",
		"contacts-2026-09.json", "communications-2026-09.json", "notes-2026-09.json", "automation-actions-2026-09.json",
		"files-2026-03.json", "properties-v3.json", // the upload is in no later document; properties have no dated one
	},
}

// route takes the first document that has the path. Of the account's information there is none.
func route(all []*openapi3.T, r *http.Request) (*routers.Route, map[string]string, error) {
	if strings.HasPrefix(r.URL.Path, "/account-info/") {
		return nil, nil, nil
	}
	for _, doc := range all {
		if found, params := contract.Find(doc, r.Method, r.URL.EscapedPath()); found != nil {
			return found, params, nil
		}
	}
	return nil, nil, errors.New("no document has it")
}

// TestSpecification fails where the contract must be tested and can't be, and proves that the comparison sees mistakes.
func TestSpecification(t *testing.T) {
	documented.Need(t)
	for name, body := range map[string]string{
		"no associations": `{"properties":{"hs_timestamp":"2026-01-02T12:00:00.000Z"}}`,
		"not a string":    `{"properties":{"hs_timestamp":1},"associations":[]}`,
	} {
		r := httptest.NewRequest(http.MethodPost, "http://hubspot/crm/objects/2026-03/communications", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if _, err := documented.Check(t, r); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
