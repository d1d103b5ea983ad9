package doctor

import (
	"cmp"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/known"
)

// about is what an operator is told of a CRM.
type about struct {
	title   string
	address string   // the parameter that holds it
	keys    []wanted // one of them is needed; filled by aboutCRM
	rights  string   // where rights are given
	lacks   string   // what to do where something that is made by hand is missing
}

const hubspotKeys = "HubSpot > Development > Keys > Service keys"

// whereKeys says where the key of a CRM is to be found.
var whereKeys = map[string]string{
	known.HubSpotToken:           hubspotKeys,
	known.OdooAPIKey:             "Odoo, as the user of OdooLogin > My Profile (19: My Preferences) > Account Security > New API Key",
	known.EspoCRMAPIKey:          "EspoCRM > Administration > API Users > the user's page",
	known.PipedriveToken:         "Pipedrive > Company settings > Personal preferences > API",
	known.SalesforceClientSecret: "Salesforce > Setup > External Client App Manager > the app > consumer secret",
	known.SalesforcePrivateKey:   "the RSA key whose certificate is in the external client app",
	known.WebhookSecret:          "any word of 16 characters or more; the receiver gets the same one",
}

var abouts = map[string]about{
	"hubspot": {
		title: "HubSpot", address: "HubSpotApiUrl",
		rights: hubspotKeys + ": edit the key's scopes.",
	},
	"odoo": {
		title: "Odoo", address: "OdooUrl",
		rights: "Odoo > Settings > Users & Companies > Users: give the user Contact Creation.",
	},
	"espocrm": {
		title: "EspoCRM", address: "EspocrmUrl",
		rights: "EspoCRM > Administration > Roles: the role of the API user.",
	},
	"pipedrive": {
		title: "Pipedrive", address: "PipedriveApiUrl",
		rights: "Pipedrive > Company settings > Users and permissions: the permission set of the token's user.",
	},
	"salesforce": {
		title: "Salesforce", address: "SalesforceUrl",
		rights: "Salesforce > Setup: assign the permission set Threadline integration to the user as whom Threadline works.",
		lacks:  "Deploy the metadata in infra/salesforce, or make the field WA_Id__c on contacts, and assign the permission set Threadline integration.",
	},
	"webhook": {
		title: "The webhook's receiver", address: "WebhookCrmUrl",
	},
}

// aboutCRM is what there is to say of a connector, also of one that doesn't exist.
func aboutCRM(name string) about {
	a := abouts[name]
	for _, key := range known.Keys(name) {
		a.keys = append(a.keys, wanted{key, whereKeys[key]})
	}
	a.title = cmp.Or(a.title, name)
	a.lacks = cmp.Or(a.lacks, "It is made with the first message, if the key's user may. The log of crmsync says what fails.")
	return a
}

// newKey says where to make another key.
func (a about) newKey() string {
	var where []string
	for _, k := range a.keys {
		where = append(where, k.where+". Put it into the secret as "+k.key+".")
	}
	return strings.Join(where, " Or: ")
}

// badKey are codes of CRMs that speak of the key, whatever the status.
var badKey = map[string]bool{
	"AccessDenied": true, "WRONG_LOGIN_OR_KEY": true, // Odoo
	"INVALID_TOKEN":  true,                                                                               // Pipedrive
	"invalid_client": true, "invalid_client_id": true, "invalid_grant": true, "INVALID_SESSION_ID": true, // Salesforce
	"PRIVATE_KEY_IS_NO_RSA_KEY": true, "PRIVATE_KEY_CANT_SIGN": true,
	"SECRET_TOO_SHORT": true, "ONE_OR_TWO_SECRETS_NEEDED": true, // the webhook's
}

// advice says what to do about a refusal that is neither the key's fault nor a right's.
func advice(e *crm.Error, a about) string {
	switch e.Reason {
	case "NO_ADDRESS":
		return "Is " + a.address + " an address? " + redeploy
	case "ADDRESS_IS_NOT_HTTPS":
		return a.address + " has to begin with https. " + redeploy
	case "NOT_ESPOCRM", "NO_RECEIVER_AT_THE_ADDRESS":
		return "Something else answers there: is " + a.address + " right? " + redeploy
	case "INSTANCE_OF_ANOTHER_ORG":
		return "The app is another org's: is " + a.address + " right? " + redeploy
	case "NO_DATABASE_OR_LOGIN":
		return "This version needs OdooDb and OdooLogin. " + redeploy
	case "NotFound":
		return "There is no such database, or a module is missing: are OdooUrl and OdooDb right? " + redeploy
	case "USER_IS_NOT_ACTIVE":
		return "The token's user was deactivated: make a token as another one."
	case "SIGNATURE_NOT_CHECKED":
		return "The receiver takes calls with a wrong signature: it would believe anybody. Have it compare."
	case "ANSWER_NOT_AS_AGREED":
		return "What answers there isn't a receiver as it was agreed on; a proxy's page, perhaps."
	}
	return "The code is the CRM's own. " + goesOn
}
