package doctor

import (
	"context"
	"strings"
	"time"

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

var wantedForHubSpot = wanted{secret.HubSpotToken, hubspotKeys}

func (e *exam) checkSecret(ctx context.Context) {
	id := e.stack.Outputs["SecretArn"]
	kept := secret.New(secret.Manager(e.Secrets, id), time.Hour)
	if err := kept.Refresh(ctx); err != nil {
		e.fail("The secret can't be read: "+reason(err),
			"Allow yourself secretsmanager:GetSecretValue on "+id+".",
			"It must hold a JSON object of keys and tokens: "+e.secretPage())
		return
	}
	e.keys = map[string]string{}
	var missing []string
	for _, w := range e.wantedKeys() {
		value, err := kept.Value(ctx, w.key)
		if err != nil {
			missing = append(missing, w.key+": "+w.where)
			continue
		}
		e.keys[w.key] = value
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

func (e *exam) wantedKeys() []wanted {
	if e.uses("hubspot") {
		return append(wantedKeys[:len(wantedKeys):len(wantedKeys)], wantedForHubSpot)
	}
	return wantedKeys
}

func (e *exam) secretPage() string {
	return "https://" + e.Region + ".console.aws.amazon.com/secretsmanager/listsecrets?region=" + e.Region
}

// uses tells whether a CRM connector is configured.
func (e *exam) uses(connector string) bool {
	for name := range strings.SplitSeq(e.stack.Parameters["CrmConnector"], ",") {
		if strings.TrimSpace(name) == connector {
			return true
		}
	}
	return false
}

func (e *exam) hasCRM() bool { return !e.uses("none") && e.stack.Parameters["CrmConnector"] != "" }
