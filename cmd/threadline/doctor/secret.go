package doctor

import (
	"context"
	"slices"
	"time"

	"threadline/shared/crm/known"
	"threadline/shared/secret"
)

// wanted is a key of the secret, and where its value is to be found.
type wanted struct{ key, where string }

var wantedKeys = []wanted{
	{secret.AppSecret, "Meta app > App settings > Basic > App secret"},
	{secret.AccessToken, "business.facebook.com > Settings > System users > Generate token"},
	{secret.VerifyToken, "any word of your own; Meta's webhook page gets the same one"},
	{secret.APIKey, "any word of 12 characters or more; callers of the REST API get the same one"},
}

// wantedForHooks is what the calls of CRMs bring along that sign nothing.
var wantedForHooks = map[string]string{
	"odoo": known.OdooHookToken, "pipedrive": known.PipedriveHookPassword, "salesforce": known.SalesforceHookSecret,
}

const anyWord = "any 32 random characters; what calls Threadline in the CRM gets the same"

func (e *exam) checkSecret(ctx context.Context) {
	id := e.stack.Outputs["SecretArn"]
	kept := secret.New(secret.Manager(e.Secrets, id), time.Hour)
	if err := kept.Refresh(ctx); err != nil {
		e.fail("The secret can't be read: "+reason(err),
			"Allow yourself secretsmanager:GetSecretValue on "+id+".",
			"It must hold a JSON object of keys and tokens: "+e.secretPage())
		return
	}
	e.kept, e.keys = kept, map[string]string{}
	for _, w := range e.wantedKeys() {
		e.keys[w.key], _ = kept.Value(ctx, w.key) // empty if it isn't there
	}
	lacking := e.missingOf(wantedKeys)
	for _, name := range e.connectors() {
		lacking = append(lacking, e.missingKeys(name)...)
	}
	var missing []string
	for _, w := range lacking {
		if line := w.key + ": " + w.where; !slices.Contains(missing, line) {
			missing = append(missing, line)
		}
	}
	if len(missing) > 0 {
		do := append(missing, "Add what is missing to "+id+": "+e.secretPage())
		e.fail("The secret lacks "+plural(len(missing), "key", "keys"), do...)
	} else {
		e.ok("The secret has all its keys")
	}
	switch word := e.keys[secret.VerifyToken]; {
	case word == "":
	case e.ShowVerifyToken:
		e.ok("Verify token for Meta's webhook page: " + word)
	default:
		e.ok("The verify token is there; --show-verify-token prints it")
	}
}

// wantedKeys are all that may be looked for.
func (e *exam) wantedKeys() []wanted {
	all := slices.Clone(wantedKeys)
	for _, key := range wantedForHooks {
		all = append(all, wanted{key, anyWord})
	}
	for _, name := range e.connectors() {
		all = append(all, aboutCRM(name).keys...)
	}
	return all
}

// missingKeys are those without which a CRM can't be used: one of its own, and for some the word of their hooks.
func (e *exam) missingKeys(connector string) []wanted {
	own := aboutCRM(connector).keys
	missing := e.missingOf(own)
	if len(missing) < len(own) {
		missing = nil // one is enough
	}
	if key, ok := wantedForHooks[connector]; ok {
		missing = append(missing, e.missingOf([]wanted{{key, anyWord}})...)
	}
	return missing
}

func (e *exam) missingOf(keys []wanted) []wanted {
	var missing []wanted
	for _, w := range keys {
		if e.keys[w.key] == "" {
			missing = append(missing, w)
		}
	}
	return missing
}

func (e *exam) secretPage() string {
	return "https://" + e.Region + ".console.aws.amazon.com/secretsmanager/listsecrets?region=" + e.Region
}
