package stack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parameter is what the template says of one of its parameters.
type parameter struct {
	Type          string   `yaml:"Type"`
	Pattern       string   `yaml:"AllowedPattern"`
	Values        []string `yaml:"AllowedValues"`
	Least         *int     `yaml:"MinValue"`
	WhatIsAllowed string   `yaml:"ConstraintDescription"`
}

// takes tells whether CloudFormation would take a value.
func (p parameter) takes(value string) bool {
	if len(p.Values) > 0 && !slices.Contains(p.Values, value) {
		return false
	}
	if p.Type == "Number" {
		n, err := strconv.Atoi(value) // the functions read whole numbers only
		return err == nil && (p.Least == nil || n >= *p.Least)
	}
	whole, err := regexp.Compile("^(?:" + p.Pattern + ")$")
	return p.Pattern == "" || err != nil || whole.MatchString(value) // what only Java understands the deployment judges
}

// declared reads the parameters of a template as it is written: they are known before anything is installed or started.
func declared(path string) (map[string]parameter, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var t struct {
		Parameters map[string]parameter `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("read the parameters of %s: %w", filepath.Base(path), err)
	}
	return t.Parameters, nil
}

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

// variable is one of the environment.
type variable struct{ name, value string }

// variables are those of the environment by their letters, which are a parameter's (APP_SECRET is for AppSecret) or a
// credential's. An empty variable counts as not set.
func variables(environ []string) map[string]variable {
	set := make(map[string]variable)
	for _, text := range environ {
		name, value, _ := strings.Cut(text, "=")
		of := name
		if other, ok := otherNames[name]; ok {
			of = other
		}
		if value != "" {
			set[letters(of)] = variable{name, value}
		}
	}
	return set
}

// parameters are the template's parameters for this run: what is set goes before the local default, that before the
// template's own.
func parameters(declared map[string]parameter, set map[string]variable) map[string]string {
	out := make(map[string]string)
	if _, ok := declared["CrmToken"]; ok {
		out["CrmToken"] = tokens(set)
	}
	for name := range declared {
		if v, ok := set[letters(name)]; ok {
			out[name] = v.value
		} else if value, ok := defaults[name]; ok {
			out[name] = value
		}
	}
	return out
}

// tokens are the CRMs' keys as the template takes them.
func tokens(set map[string]variable) string {
	all := make(map[string]string)
	for key, value := range credentials {
		if all[key] = cmp.Or(set[letters(key)].value, value); all[key] == "" {
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
