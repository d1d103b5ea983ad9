package stack

import (
	"net/http"

	"threadline/infra/local/demo"
	"threadline/infra/local/espocrm"
	"threadline/infra/local/hubspot"
	"threadline/infra/local/odoo"
	"threadline/infra/local/pipedrive"
	"threadline/infra/local/salesforce"
	"threadline/infra/local/webhookcrm"
	metadata "threadline/infra/salesforce"
)

// simulator is a simulated CRM.
type simulator interface {
	API() http.Handler
	Close() error
}

// crm is a CRM that can be simulated.
type crm struct {
	title   string // what people call it
	address string // the parameter with its address
	start   func(account) (simulator, demo.CRM, error)
}

// account is what a simulated CRM is started with.
type account struct {
	stateDir string
	events   string            // where the CRM calls us
	secrets  map[string]string // by their names in the stack's secret
	set      func(parameter, value string)
}

// both is a simulator that is its own page.
func both[T interface {
	simulator
	demo.CRM
}](sim T, err error) (simulator, demo.CRM, error) {
	if err != nil {
		return nil, nil, err
	}
	return sim, sim, nil
}

// The names of the account in a simulated Odoo.
const (
	odooDB    = "threadline"
	odooLogin = "whatsapp@company.example"
)

var crms = map[string]crm{
	"hubspot": {"HubSpot", "HubSpotApiUrl", func(a account) (simulator, demo.CRM, error) {
		sim, err := hubspot.New(hubspot.Options{
			Token: a.secrets["hubspot_token"], StateDir: a.stateDir, ActionURL: a.events, ClientSecret: a.secrets["hubspot_client_secret"],
		})
		if err != nil {
			return nil, nil, err
		}
		return sim, sim.Demo(), nil
	}},
	"odoo": {"Odoo", "OdooUrl", func(a account) (simulator, demo.CRM, error) {
		a.set("OdooDb", odooDB)
		a.set("OdooLogin", odooLogin)
		return both(odoo.New(odoo.Options{DB: odooDB, Login: odooLogin, Key: a.secrets["odoo_api_key"], Admin: true, StateDir: a.stateDir}))
	}},
	"espocrm": {"EspoCRM", "EspocrmUrl", func(a account) (simulator, demo.CRM, error) {
		return both(espocrm.New(espocrm.Options{
			APIKey: a.secrets["espocrm_api_key"], StateDir: a.stateDir, SetUp: true, HookURL: a.events, HookSecret: a.secrets["espocrm_webhook_secret"],
		}))
	}},
	"pipedrive": {"Pipedrive", "PipedriveApiUrl", func(a account) (simulator, demo.CRM, error) {
		return both(pipedrive.New(pipedrive.Options{Token: a.secrets["pipedrive_token"], StateDir: a.stateDir}))
	}},
	"salesforce": {"Salesforce", "SalesforceUrl", func(a account) (simulator, demo.CRM, error) {
		const client = "local-salesforce-client-id"
		a.set("SalesforceClientId", client)
		sim, err := salesforce.New(salesforce.Options{
			ClientID: client, ClientSecret: a.secrets["salesforce_client_secret"], StateDir: a.stateDir,
			Metadata: metadata.Source, Assigned: "Threadline_Integration",
		})
		if err == nil {
			sim.Callout(a.events, a.secrets["salesforce_hook_secret"])
		}
		return both(sim, err)
	}},
	"webhook": {"Your own CRM", "WebhookCrmUrl", func(a account) (simulator, demo.CRM, error) {
		return both(webhookcrm.New(webhookcrm.Options{Secret: a.secrets["webhook_crm_secret"], StateDir: a.stateDir, EventsURL: a.events}))
	}},
}
