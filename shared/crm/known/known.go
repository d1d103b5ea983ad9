// Package known is the list of the connectors, and of what each is configured by.
//
// It guarantees that whoever deploys reads all that is missing at once, each setting by its name, that only the connectors
// that are configured are made, and that one which can't be made keeps no other from being made.
package known

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/espocrm"
	"threadline/shared/crm/hubspot"
	"threadline/shared/crm/odoo"
	"threadline/shared/crm/pipedrive"
	"threadline/shared/crm/salesforce"
	"threadline/shared/crm/webhook"
)

// Settings are what isn't secret. An address is scheme and host, and a path where the CRM is below one.
type Settings struct {
	PublicURL string `env:"PUBLIC_URL"` // scheme and host under which CRMs call us

	HubSpotURL     string `env:"HUBSPOT_API_URL,optional"`
	HubSpotVersion string `env:"HUBSPOT_API_VERSION,optional"`
	HubSpotCalls   int    `env:"HUBSPOT_CALLS_PER_10S,optional"`

	OdooURL   string `env:"ODOO_URL,optional"`
	OdooDB    string `env:"ODOO_DB,optional"`
	OdooLogin string `env:"ODOO_LOGIN,optional"`
	OdooCalls int    `env:"ODOO_CALLS_PER_SECOND,optional"`

	EspoCRMURL string `env:"ESPOCRM_URL,optional"`

	PipedriveURL string `env:"PIPEDRIVE_API_URL,optional"`

	SalesforceURL      string `env:"SALESFORCE_URL,optional"`
	SalesforceClientID string `env:"SALESFORCE_CLIENT_ID,optional"`
	SalesforceUsername string `env:"SALESFORCE_USERNAME,optional"`
	SalesforceLoginURL string `env:"SALESFORCE_LOGIN_URL,optional"`

	WebhookURL     string `env:"WEBHOOK_CRM_URL,optional"`
	WebhookMaxFile int    `env:"WEBHOOK_CRM_MAX_FILE,optional"` // bytes
}

// The secret's keys, beside those that every installation has.
const (
	HubSpotToken           = "hubspot_token"
	HubSpotClientSecret    = "hubspot_client_secret"
	OdooAPIKey             = "odoo_api_key"
	EspoCRMAPIKey          = "espocrm_api_key"
	EspoCRMWebhookSecret   = "espocrm_webhook_secret"
	PipedriveToken         = "pipedrive_token"
	PipedrivePanelSecret   = "pipedrive_panel_secret"
	SalesforceClientSecret = "salesforce_client_secret"
	SalesforcePrivateKey   = "salesforce_private_key"
	WebhookSecret          = "webhook_crm_secret"

	// What the calls of CRMs bring along that sign nothing. Each has its own: Odoo keeps it where its administrators see it.
	OdooHookToken         = "odoo_hook_token"
	PipedriveHookPassword = "pipedrive_hook_password"
	SalesforceHookSecret  = "salesforce_hook_secret"
)

// Deps are what connectors are made with.
type Deps struct {
	// Secret returns the source of a secret; Maybe that of one which an installation may lack: then it gives an empty text.
	Secret, Maybe func(key string) func(context.Context) (string, error)
	// Client returns the way to a CRM. can is called when a call is made.
	Client func(name string, can func() crm.Capabilities) *http.Client
}

// kind is a connector that there is.
type kind struct {
	keys  []string                // of the secret; one of them is needed
	needs func(Settings) []string // the names of settings that are missing
	make  func(Settings, Deps, *http.Client) crm.Connector
}

var kinds = map[string]kind{
	"hubspot": {[]string{HubSpotToken}, nothing, func(s Settings, d Deps, web *http.Client) crm.Connector {
		return hubspot.New(hubspot.Config{
			BaseURL: s.HubSpotURL, Version: s.HubSpotVersion, Token: d.Secret(HubSpotToken), ClientSecret: d.Maybe(HubSpotClientSecret),
			PublicURL: s.events("hubspot"), Calls: s.HubSpotCalls, HTTP: web,
		})
	}},
	"odoo": {[]string{OdooAPIKey}, func(s Settings) []string { return missing("ODOO_URL", s.OdooURL, "ODOO_LOGIN", s.OdooLogin) },
		func(s Settings, d Deps, web *http.Client) crm.Connector {
			return odoo.New(odoo.Config{
				URL: s.OdooURL, DB: s.OdooDB, Login: s.OdooLogin, APIKey: d.Secret(OdooAPIKey), CallsPerSecond: s.OdooCalls,
				HookURL: s.events("odoo"), HookToken: d.Secret(OdooHookToken), HTTP: web,
			})
		}},
	"espocrm": {[]string{EspoCRMAPIKey}, func(s Settings) []string { return missing("ESPOCRM_URL", s.EspoCRMURL) },
		func(s Settings, d Deps, web *http.Client) crm.Connector {
			return espocrm.New(espocrm.Config{URL: s.EspoCRMURL, APIKey: d.Secret(EspoCRMAPIKey), WebhookSecret: d.Maybe(EspoCRMWebhookSecret), HTTP: web})
		}},
	"pipedrive": {[]string{PipedriveToken}, nothing, func(s Settings, d Deps, web *http.Client) crm.Connector {
		return pipedrive.New(pipedrive.Config{
			URL: s.PipedriveURL, Token: d.Secret(PipedriveToken), HookURL: s.events("pipedrive"), HookPassword: d.Secret(PipedriveHookPassword),
			PanelSecret: d.Maybe(PipedrivePanelSecret), HTTP: web,
		})
	}},
	"salesforce": {[]string{SalesforceClientSecret, SalesforcePrivateKey}, func(s Settings) []string {
		return missing("SALESFORCE_URL", s.SalesforceURL, "SALESFORCE_CLIENT_ID", s.SalesforceClientID)
	}, func(s Settings, d Deps, web *http.Client) crm.Connector {
		return salesforce.New(salesforce.Config{
			URL: s.SalesforceURL, ClientID: s.SalesforceClientID, ClientSecret: d.Maybe(SalesforceClientSecret), PrivateKey: d.Maybe(SalesforcePrivateKey),
			Username: s.SalesforceUsername, LoginURL: s.SalesforceLoginURL, HookSecret: d.Secret(SalesforceHookSecret), HTTP: web,
		})
	}},
	"webhook": {[]string{WebhookSecret}, func(s Settings) []string { return missing("WEBHOOK_CRM_URL", s.WebhookURL) },
		func(s Settings, d Deps, web *http.Client) crm.Connector {
			return webhook.New(webhook.Config{URL: s.WebhookURL, MaxFile: int64(s.WebhookMaxFile), Secret: d.Secret(WebhookSecret), HTTP: web})
		}},
}

// Names lists the connectors that there are, in alphabetical order.
func Names() []string {
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Keys are the secret's keys that open a CRM's door. One of them is needed.
func Keys(name string) []string { return kinds[name].keys }

// Check says all that is wrong with the settings of the connectors of these names, a line for each problem.
func Check(names []string, s Settings) error {
	var problems []error
	for _, name := range names {
		problems = append(problems, check(name, s))
	}
	return errors.Join(problems...)
}

func check(name string, s Settings) error {
	k, ok := kinds[name]
	if !ok {
		return fmt.Errorf("CRM_CONNECTOR: there is no connector %q: use %s, or none", name, strings.Join(Names(), ", "))
	}
	var problems []error
	for _, setting := range k.needs(s) {
		problems = append(problems, fmt.Errorf("%s: is needed for the connector %s (docs/crm/%s.md)", setting, name, name))
	}
	return errors.Join(problems...)
}

// Connectors makes those of these names that are configured, and says all that is wrong with the configuration of the rest.
func Connectors(names []string, s Settings, d Deps) (map[string]crm.Connector, error) {
	made := map[string]crm.Connector{}
	for _, name := range names {
		if check(name, s) != nil {
			continue
		}
		var c crm.Connector
		c = kinds[name].make(s, d, d.Client(name, func() crm.Capabilities { return c.Capabilities() }))
		made[name] = c
	}
	return made, Check(names, s)
}

// Which are the connectors that can do more, such as crm.Receiver: the CRMs that call us.
func Which[Does any](connectors map[string]crm.Connector) map[string]Does {
	out := map[string]Does{}
	for name, c := range connectors {
		if d, ok := c.(Does); ok {
			out[name] = d
		}
	}
	return out
}

func (s Settings) events(name string) string {
	return strings.TrimRight(s.PublicURL, "/") + "/crm/" + name + "/events"
}

func nothing(Settings) []string { return nil }

// missing returns the names whose values, which follow them, are empty.
func missing(pairs ...string) []string {
	var names []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			names = append(names, pairs[i])
		}
	}
	return names
}
