package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// secretClient is what the handler needs of Secrets Manager.
type secretClient interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
}

type handler struct {
	client   secretClient
	secret   string        // ARN
	generate func() string // at least 128 random bits as text
}

// values are the keys and tokens by name.
type values map[string]string

// handle merges the deployment's values into the secret. Deleting keeps it: the stack retains the secret too. A repeated
// event changes nothing, so CloudFormation may retry.
func (h handler) handle(ctx context.Context, event cfn.Event) (id string, data map[string]any, err error) {
	id = h.secret // never changes, so an update is never a replacement
	if event.RequestType == cfn.RequestDelete {
		return id, nil, nil
	}
	stored, err := h.read(ctx)
	if err != nil {
		return id, nil, err
	}
	wanted := given(event.ResourceProperties)
	if event.RequestType == cfn.RequestUpdate {
		wanted = changed(event.OldResourceProperties, event.ResourceProperties)
	}
	next := merge(stored, wanted, h.generate)
	if maps.Equal(next, stored) {
		return id, nil, nil
	}
	if err := h.write(ctx, next); err != nil {
		return id, nil, err
	}
	slog.InfoContext(ctx, "stored the secret", "keys", len(next))
	return id, nil, nil
}

// merge returns stored with the wanted values in place of those of the same name. The verify token, the API key and what
// CRMs bring along are generated where there is neither. An app secret that gives way to another one stays valid as the previous one, because
// Meta's page and this stack can't be changed at the same moment.
func merge(stored, wanted values, generate func() string) values {
	next := values{"app_secret": "", "app_secret_previous": "", "access_token": ""}
	maps.Copy(next, stored)
	maps.Copy(next, wanted)
	if old := stored["app_secret"]; old != "" && old != next["app_secret"] {
		next["app_secret_previous"] = old
	}
	for _, key := range generated {
		if next[key] == "" {
			next[key] = generate()
		}
	}
	return next
}

// generated are the keys whose values nobody has to choose.
var generated = []string{"verify_token", "api_key", "odoo_hook_token", "pipedrive_hook_password", "salesforce_hook_secret"}

// given reads the resource's Values. Empty, or a dash (`sam deploy --guided` takes no empty answer for a hidden
// parameter), means that the deployment says nothing about that key.
func given(properties map[string]any) values {
	all, _ := properties["Values"].(map[string]any)
	v := values{}
	for key, value := range all {
		if text, ok := value.(string); ok && text != "" && text != "-" {
			v[key] = text
		}
	}
	if token, ok := v[crmToken]; ok {
		delete(v, crmToken)
		connector, _ := properties["Connector"].(string)
		maps.Copy(v, credentials(token, connector))
	}
	return v
}

// crmToken is the value that stands for the credentials of the CRMs: one question of the deployment instead of one for
// each kind of CRM.
const crmToken = "crm_token"

// tokenKeys are the keys under which connectors look for the one credential that each of them needs.
var tokenKeys = map[string]string{
	"hubspot": "hubspot_token", "odoo": "odoo_api_key", "espocrm": "espocrm_api_key", "pipedrive": "pipedrive_token",
	"salesforce": "salesforce_client_secret", "webhook": "webhook_crm_secret",
}

// credentials are those of the first connector, or of several as a JSON object.
func credentials(token, connectors string) values {
	v := values{}
	if json.Unmarshal([]byte(token), &v) == nil {
		return v
	}
	first, _, _ := strings.Cut(connectors, ",")
	if key, ok := tokenKeys[strings.TrimSpace(first)]; ok {
		return values{key: token}
	}
	return nil
}

// changed returns what differs from the last deployment. The rest may have been replaced in the secret by hand since
// then, and the hand wins. The CRM's key of the last deployment isn't the key of another CRM.
func changed(old, properties map[string]any) values {
	before, now := given(old), given(properties)
	maps.DeleteFunc(now, func(key, value string) bool { return before[key] == value })
	last, _ := old["Values"].(map[string]any)
	next, _ := properties["Values"].(map[string]any)
	if last[crmToken] == next[crmToken] {
		token, _ := next[crmToken].(string)
		connector, _ := properties["Connector"].(string)
		for key := range credentials(token, connector) {
			delete(now, key)
		}
	}
	return now
}

// read returns the stored values; none when CloudFormation has just created the secret empty.
func (h handler) read(ctx context.Context) (values, error) {
	out, err := h.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &h.secret})
	var none *types.ResourceNotFoundException
	switch {
	case errors.As(err, &none):
		return values{}, nil
	case err != nil:
		return nil, fmt.Errorf("read secret: %w", err)
	case out.SecretString == nil || *out.SecretString == "":
		return values{}, nil
	}
	stored := values{}
	if json.Unmarshal([]byte(*out.SecretString), &stored) != nil {
		return nil, errors.New("read secret: it isn't a JSON object of texts; repair it by hand") // the cause may quote it
	}
	return stored, nil
}

func (h handler) write(ctx context.Context, v values) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	text := string(body)
	_, err = h.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &h.secret, SecretString: &text})
	if err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	return nil
}
