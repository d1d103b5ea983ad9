package stack

import (
	"cmp"
	"encoding/json"
	"runtime"
	"strings"
)

// defaults are the template parameters of a run that nobody configured.
var defaults = map[string]string{
	"AppSecret":      "local-app-secret",
	"VerifyToken":    "local-verify-token",
	"ApiKey":         "local-api-key",
	"AccessToken":    "local-access-token",
	"PhoneNumberIds": "",
	"AlarmEmail":     "nobody@localhost",
	"CrmConnector":   "hubspot",
	"CrmPollEvery":   "1 minute",
	"Architecture":   architecture(),
}

// credentials are the CRMs' keys of a run that nobody configured. The template has one parameter for all of them; here each
// is a variable of its own: HUBSPOT_TOKEN, ODOO_API_KEY and so on.
var credentials = map[string]string{
	"hubspot_token":            "local-hubspot-token",
	"hubspot_client_secret":    "local-hubspot-client-secret",
	"odoo_api_key":             "local-odoo-api-key",
	"espocrm_api_key":          "local-espocrm-api-key",
	"espocrm_webhook_secret":   "local-espocrm-webhook-secret",
	"pipedrive_token":          "local-pipedrive-token",
	"salesforce_client_secret": "local-salesforce-client-secret",
	"salesforce_private_key":   "",
	"webhook_crm_secret":       "local-webhook-crm-secret",
	"odoo_hook_token":          "local-odoo-hook-token",
	"pipedrive_hook_password":  "local-pipedrive-hook-password",
	"pipedrive_panel_secret":   "local-pipedrive-panel-secret",
	"salesforce_hook_secret":   "local-salesforce-hook-secret",
}

// otherNames are variables that are not spelt like their parameter.
var otherNames = map[string]string{"PHONE_NUMBER_ID": "PhoneNumberIds"}

// parameters are the template's parameters for this run: a variable of the environment whose letters
// are the parameter's (APP_SECRET for AppSecret) goes before the local default, that before the
// template's own. An empty variable counts as not set.
func (t template) parameters(environ []string) map[string]string {
	set := make(map[string]string)
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if other, ok := otherNames[name]; ok {
			name = other
		}
		if value != "" {
			set[letters(name)] = value
		}
	}
	out := make(map[string]string)
	if t.hasParameter("CrmToken") {
		out["CrmToken"] = tokens(set)
	}
	for name := range t.section("Parameters") {
		if value, ok := set[letters(name)]; ok {
			out[name] = value
		} else if value, ok := defaults[name]; ok {
			out[name] = value
		}
	}
	return out
}

// tokens are the CRMs' keys as the template takes them.
func tokens(set map[string]string) string {
	all := make(map[string]string)
	for key, value := range credentials {
		if all[key] = cmp.Or(set[letters(key)], value); all[key] == "" {
			delete(all, key)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // texts
	}
	return string(text)
}

// credentials reads them back.
func (t template) credentials(parameters map[string]string) map[string]string {
	all := make(map[string]string)
	_ = json.Unmarshal([]byte(parameters["CrmToken"]), &all) // written by tokens
	return all
}

func letters(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}
