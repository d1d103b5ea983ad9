package doctor

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"threadline/infra/local/espocrm"
	"threadline/infra/local/odoo"
	"threadline/infra/local/pipedrive"
	"threadline/infra/local/salesforce"
	"threadline/infra/local/webhookcrm"
	metadata "threadline/infra/salesforce"
	"threadline/shared/crm/known"
)

const hookToken = "what-the-hooks-bring-along"

// crms is a world with every CRM but HubSpot, all in good order.
type crms struct {
	*world
	odoo       *odoo.Simulator
	espocrm    *espocrm.Simulator
	pipedrive  *pipedrive.Simulator
	salesforce *salesforce.Simulator
	receiver   *webhookcrm.Simulator
}

// newCRMs connects them.
func newCRMs(t *testing.T) *crms {
	t.Helper()
	c := &crms{world: newWorld(t)}
	var errs [5]error
	c.odoo, errs[0] = odoo.New(odoo.Options{StateDir: t.TempDir(), Key: "an-odoo-key"})
	c.espocrm, errs[1] = espocrm.New(espocrm.Options{StateDir: t.TempDir(), APIKey: "an-espocrm-key", SetUp: true})
	c.pipedrive, errs[2] = pipedrive.New(pipedrive.Options{StateDir: t.TempDir(), Token: "a-pipedrive-token"})
	c.salesforce, errs[3] = salesforce.New(salesforce.Options{
		StateDir: t.TempDir(), ClientID: "client", ClientSecret: "a-client-secret", Metadata: metadata.Source, Assigned: "Threadline_Integration",
	})
	c.receiver, errs[4] = webhookcrm.New(webhookcrm.Options{StateDir: t.TempDir(), Secret: "a-receivers-secret"})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	for variable, sim := range map[string]interface {
		API() http.Handler
		Close() error
	}{
		"ODOO_URL": c.odoo, "ESPOCRM_URL": c.espocrm, "PIPEDRIVE_API_URL": c.pipedrive, "SALESFORCE_URL": c.salesforce, "WEBHOOK_CRM_URL": c.receiver,
	} {
		t.Cleanup(func() { _ = sim.Close() })
		c.environment[variable] = serve(t, sim.API().ServeHTTP)
	}
	for variable, value := range map[string]string{"ODOO_DB": "threadline", "ODOO_LOGIN": "threadline", "SALESFORCE_CLIENT_ID": "client"} {
		c.environment[variable] = value
	}
	for key, value := range map[string]string{
		known.OdooAPIKey: "an-odoo-key", known.EspoCRMAPIKey: "an-espocrm-key", known.PipedriveToken: "a-pipedrive-token",
		known.SalesforceClientSecret: "a-client-secret", known.WebhookSecret: "a-receivers-secret", known.OdooHookToken: hookToken, known.PipedriveHookPassword: hookToken, known.SalesforceHookSecret: hookToken,
	} {
		c.secret[key] = value
	}
	delete(c.secret, known.HubSpotToken)
	c.parameters["CrmConnector"] = "espocrm,odoo,pipedrive,salesforce,webhook"
	return c
}

func TestEachCRM(t *testing.T) {
	c := newCRMs(t)
	out := text(c.findings(t))
	for _, name := range known.Names() {
		if want := aboutCRM(name).title + " lets us in"; name != "hubspot" && !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	if strings.Contains(out, "HubSpot") || strings.Contains(out, string(Fail)) || strings.Contains(out, string(Warn)+" ") {
		t.Errorf("something is wrong:\n%s", out)
	}
}

// TestAllThatACRMLacksIsSaidAtOnce: nobody mends one setting to be told of the next.
func TestAllThatACRMLacksIsSaidAtOnce(t *testing.T) {
	c := newCRMs(t)
	c.parameters["CrmConnector"] = "salesforce"
	delete(c.secret, known.SalesforceClientSecret)
	delete(c.secret, known.SalesforceHookSecret)
	delete(c.environment, "SALESFORCE_URL")
	delete(c.environment, "SALESFORCE_CLIENT_ID")
	out := text(c.findings(t))
	for _, want := range []string{"has no salesforce_client_secret", "has no salesforce_hook_secret", "SALESFORCE_URL: is needed", "SALESFORCE_CLIENT_ID: is needed"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	if strings.Contains(out, "has no salesforce_private_key") {
		t.Errorf("a second key is asked for:\n%s", out)
	}
}

// TestProblemsOfEachCRM breaks one thing at a time: it is said of the CRM that it is about, with the page to read, and no
// other one is blamed.
func TestProblemsOfEachCRM(t *testing.T) {
	set := func(variable, value string) func(*crms) {
		return func(c *crms) { c.environment[variable] = value }
	}
	keep := func(key, value string) func(*crms) { return func(c *crms) { c.secret[key] = value } }
	for _, p := range []struct {
		name, crm string
		spoil     func(*crms)
		level     Level
		found, do string
	}{
		{"no key", "odoo", keep(known.OdooAPIKey, ""), Fail, "Odoo can't be used: the secret has no odoo_api_key", "New API Key"},
		{"wrong key", "odoo", keep(known.OdooAPIKey, "one-that-ended"), Fail, "Odoo refuses the key", "into the secret as odoo_api_key"},
		{"key ended", "odoo", func(c *crms) { c.odoo.Revoke() }, Fail, "Odoo refuses the key", "New API Key"},
		{"right missing", "odoo", func(c *crms) { c.odoo.Forbid("res.partner", "create") }, Fail, "forbids what we need: res.partner", "Contact Creation. What waits"},
		{"no address", "odoo", set("ODOO_URL", ""), Fail, "ODOO_URL: is needed for the connector odoo", "sam deploy --guided"},
		{"not an address", "odoo", set("ODOO_URL", "http://crm.example.com"), Fail, "Odoo refuses us (ADDRESS_IS_NOT_HTTPS)", "OdooUrl has to begin with https"},
		{"nobody there", "odoo", set("ODOO_URL", "http://127.0.0.1:1"), Warn, "Odoo can't be reached", "OdooUrl"},
		{"wrong key", "espocrm", keep(known.EspoCRMAPIKey, "one-that-ended"), Fail, "EspoCRM refuses the key (401", "API Users"},
		{"right missing", "espocrm", func(c *crms) { c.espocrm.Forbid("Contact", "create") }, Fail, "forbids what we need: Contact: create", "Roles"},
		{"down", "espocrm", func(c *crms) { c.espocrm.Fail(1) }, Warn, "EspoCRM answers 500", "wait"},
		{"wrong key", "pipedrive", keep(known.PipedriveToken, "one-that-ended"), Fail, "Pipedrive refuses the key (401 INVALID_TOKEN)", "Personal preferences > API"},
		{"no word of the hooks", "pipedrive", keep(known.PipedriveHookPassword, ""), Fail, "Pipedrive can't be used: the secret has no pipedrive_hook_password", "32 random characters"},
		{"wrong secret", "salesforce", keep(known.SalesforceClientSecret, "one-that-ended"), Fail, "Salesforce refuses the key", "Or: the RSA key"},
		{"no secret", "salesforce", keep(known.SalesforceClientSecret, ""), Fail, "Salesforce can't be used: the secret has no salesforce_client_secret", "consumer secret"},
		{"right missing", "salesforce", func(c *crms) { c.salesforce.Forbid("WA_Message__c") }, Fail, "forbids what we need: WA_Message__c", "permission set"},
		{"another secret", "webhook", keep(known.WebhookSecret, "another-receivers-secret"), Fail, "The webhook's receiver refuses the key (401", "16 characters"},
		{"a short secret", "webhook", keep(known.WebhookSecret, "short"), Fail, "SECRET_TOO_SHORT", "16 characters"},
		{"anybody's", "webhook", func(c *crms) {
			c.environment["WEBHOOK_CRM_URL"] = serve(t, func(http.ResponseWriter, *http.Request) {})
		}, Fail, "SIGNATURE_NOT_CHECKED", "believe anybody"},
		{"something else", "webhook", func(c *crms) { c.environment["WEBHOOK_CRM_URL"] = serve(t, http.NotFound) }, Fail, "NO_RECEIVER_AT_THE_ADDRESS", "is WebhookCrmUrl right"},
	} {
		t.Run(p.crm+" "+p.name, func(t *testing.T) {
			c := newCRMs(t)
			p.spoil(c)
			all := c.findings(t)
			found := false
			for _, f := range all {
				if f.Check != "crm" {
					continue
				}
				do := strings.Join(f.Do, "\n")
				found = found || f.Level == p.level && strings.Contains(f.Found, p.found) && strings.Contains(do, p.do)
				if f.Level == Fail && !strings.Contains(do, "docs/crm/") {
					t.Errorf("%q names no page", f.Found)
				}
				if strings.Contains(f.Found, "lets us in") && strings.HasPrefix(f.Found, aboutCRM(p.crm).title) {
					t.Errorf("it says %q", f.Found)
				}
			}
			if !found {
				t.Errorf("no %s with %q and %q in:\n%s", p.level, p.found, p.do, text(all))
			}
			if n := strings.Count(text(all), "lets us in"); n < 4 && c.secret[known.PipedriveHookPassword] != "" {
				t.Errorf("only %d others are well:\n%s", n, text(all))
			}
			for _, secret := range c.secret {
				if secret != "" && secret != "short" && strings.Contains(text(all), secret) {
					t.Errorf("%q is printed", secret)
				}
			}
		})
	}
}

// TestPrivateKeyWillDo: Salesforce needs one of two keys.
func TestPrivateKeyWillDo(t *testing.T) {
	c := newCRMs(t)
	c.secret[known.SalesforceClientSecret], c.secret[known.SalesforcePrivateKey] = "", "no RSA key"
	out := text(c.findings(t))
	if !strings.Contains(out, "The secret has all its keys") || !strings.Contains(out, "PRIVATE_KEY_IS_NO_RSA_KEY") {
		t.Error(out)
	}
}

// TestAnOrgWithoutMetadata: what a person has to make in the CRM is named.
func TestAnOrgWithoutMetadata(t *testing.T) {
	c := newCRMs(t)
	bare, err := salesforce.New(salesforce.Options{StateDir: t.TempDir(), ClientID: "client", ClientSecret: "a-client-secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bare.Close() })
	c.environment["SALESFORCE_URL"] = serve(t, bare.API().ServeHTTP)
	if out := strings.Join(strings.Fields(text(c.findings(t))), " "); !strings.Contains(out, "WA_Id__c") || !strings.Contains(out, "docs/crm/salesforce.md") {
		t.Error(out)
	}
}

// TestOneHangsAlone: a CRM that never answers takes no time from another.
func TestOneHangsAlone(t *testing.T) {
	c := newCRMs(t)
	c.doctor.Limit = c.doctor.Limit / 5
	stop := make(chan struct{})
	c.environment["ESPOCRM_URL"] = serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	})
	defer close(stop)
	out := text(c.findings(t))
	if !strings.Contains(out, "no answer in time") || strings.Count(out, "lets us in") != 4 {
		t.Error(out)
	}
}

// TestEachCRMIsExplained: every connector has its words and its page.
func TestEachCRMIsExplained(t *testing.T) {
	e := &exam{}
	for _, name := range known.Names() {
		a := aboutCRM(name)
		unexplained := slices.ContainsFunc(a.keys, func(k wanted) bool { return k.where == "" })
		if a.title == name || a.address == "" || len(a.keys) == 0 || unexplained {
			t.Errorf("%s: %+v", name, a)
		}
		if _, err := os.Stat(filepath.Join("..", "..", "..", filepath.FromSlash(e.page(name)))); err != nil {
			t.Error(err)
		}
	}
	e.stack.Parameters = map[string]string{"RunbookUrl": "https://wiki.example.com/docs/runbook.md"}
	if got := e.page("odoo"); got != "https://wiki.example.com/docs/crm/odoo.md" {
		t.Errorf("the page is %s", got)
	}
}
