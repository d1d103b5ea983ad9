package stack

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestPageOfRealCRMs: /crm says where the records are of a CRM that isn't simulated, and shows no key of it.
func TestPageOfRealCRMs(t *testing.T) {
	for connectors, want := range map[string]string{
		"odoo": "<code>ODOO_URL</code> leads to <strong>company.odoo.com</strong>",
		"none": "No CRM is connected",
	} {
		s := &Stack{
			options:  Options{Environ: []string{"ODOO_URL=https://ana:key@company.odoo.com/web"}},
			template: template{"Parameters": map[string]any{"CrmConnector": nil, "OdooUrl": nil}},
			parameters: map[string]string{
				"CrmConnector": connectors, "OdooUrl": "https://ana:key@company.odoo.com/web",
			},
		}
		mux := http.NewServeMux()
		if err := s.simulate(mux); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/crm/", nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "ana") {
			t.Errorf("%s: %d, no %s in %s", connectors, w.Code, want, w.Body)
		}
	}
}
