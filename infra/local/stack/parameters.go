package stack

import (
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
	"HubSpotToken":   "local-hubspot-token",
	"Architecture":   architecture(),
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
	for name := range t.section("Parameters") {
		if value, ok := set[letters(name)]; ok {
			out[name] = value
		} else if value, ok := defaults[name]; ok {
			out[name] = value
		}
	}
	return out
}

func letters(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}
