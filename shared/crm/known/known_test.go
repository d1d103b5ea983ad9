package known

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"threadline/shared/crm"
)

var whole = Settings{
	PublicURL: "https://threadline.example/", OdooURL: "https://odoo.example", OdooLogin: "l", EspoCRMURL: "https://espo.example",
	SalesforceURL: "https://o.my.salesforce.com", SalesforceClientID: "c", WebhookURL: "https://crm.example/hook",
}

func deps() Deps {
	none := func(string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return "", nil }
	}
	return Deps{Secret: none, Maybe: none, Client: func(_ string, can func() crm.Capabilities) *http.Client {
		return &http.Client{Transport: asking{can}}
	}}
}

// asking is a way to a CRM that asks what it can do.
type asking struct{ can func() crm.Capabilities }

func (a asking) RoundTrip(*http.Request) (*http.Response, error) {
	a.can()
	return nil, http.ErrServerClosed
}

// TestEachIsMade: under its own name, with a way out that knows its capabilities.
func TestEachIsMade(t *testing.T) {
	made, err := Connectors(Names(), whole, deps())
	if err != nil || len(made) != 6 {
		t.Fatalf("%v, %v", made, err)
	}
	for name, c := range made {
		if c.Name() != name {
			t.Errorf("%s calls itself %s", name, c.Name())
		}
		_ = c.Check(t.Context()) // nobody answers; that it returns is what matters
	}
	if receivers := Which[crm.Receiver](made); len(receivers) != 6 {
		t.Errorf("%d are called by their CRMs, want 6", len(receivers))
	}
	if panels := Which[crm.Paneler](made); len(panels) != 1 || panels["pipedrive"] == nil {
		t.Errorf("%v show the panel, want Pipedrive", panels)
	}
	if got := whole.events("odoo"); got != "https://threadline.example/crm/odoo/events" {
		t.Errorf("Odoo calls %s", got)
	}
}

// TestAllThatIsMissingIsSaid: at once and by name, and the rest is made.
func TestAllThatIsMissingIsSaid(t *testing.T) {
	lacking := Settings{PublicURL: whole.PublicURL, WebhookURL: whole.WebhookURL, OdooURL: whole.OdooURL}
	made, err := Connectors([]string{"webhook", "odoo", "salesforce", "espocrm", "hubspto"}, lacking, deps())
	if err == nil || len(made) != 1 || made["webhook"] == nil {
		t.Fatalf("%v, %v", made, err)
	}
	for _, want := range []string{"ODOO_LOGIN", "SALESFORCE_URL", "SALESFORCE_CLIENT_ID", "ESPOCRM_URL", `"hubspto"`, "docs/crm/odoo.md"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s isn't named in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "ODOO_URL") {
		t.Errorf("ODOO_URL is named, and it is there: %q", err)
	}
}

func TestNames(t *testing.T) {
	if got := Names(); !slices.IsSorted(got) || len(got) != 6 {
		t.Errorf("%q", got)
	}
}
