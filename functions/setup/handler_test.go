package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// memory is a secret that CloudFormation has just created: without any version.
type memory struct {
	text   *string
	writes int
}

func (m *memory) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	if m.text == nil {
		return nil, &types.ResourceNotFoundException{}
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: m.text}, nil
}

func (m *memory) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	m.text = in.SecretString
	m.writes++
	return &secretsmanager.PutSecretValueOutput{}, nil
}

func (m *memory) stored(t *testing.T) values {
	t.Helper()
	v := values{}
	if m.text == nil {
		return v
	}
	if err := json.Unmarshal([]byte(*m.text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// stack plays CloudFormation: it remembers the values of the last deployment.
type stack struct {
	t      *testing.T
	h      handler
	before values
}

func newStack(t *testing.T, m *memory) *stack {
	n := 0
	generate := func() string { n++; return fmt.Sprint("generated-", n) }
	return &stack{t: t, h: handler{client: m, secret: "arn", generate: generate}}
}

func (s *stack) deploy(now values) {
	s.t.Helper()
	event := cfn.Event{RequestType: cfn.RequestCreate, ResourceProperties: properties(now)}
	if s.before != nil {
		event.RequestType = cfn.RequestUpdate
		event.OldResourceProperties = properties(s.before)
	}
	if _, _, err := s.h.handle(s.t.Context(), event); err != nil {
		s.t.Fatal(err)
	}
	s.before = now
}

func properties(v values) map[string]any {
	all := map[string]any{}
	for key, value := range v {
		all[key] = value
	}
	return map[string]any{"Values": all}
}

func TestFirstDeploymentGeneratesWhatIsNotGiven(t *testing.T) {
	m := &memory{}
	newStack(t, m).deploy(values{"app_secret": "s1", "access_token": "t1", "verify_token": "", "api_key": "-", "crm_token": "-"})
	want := values{"app_secret": "s1", "app_secret_previous": "", "access_token": "t1",
		"verify_token": "generated-1", "api_key": "generated-2",
		"odoo_hook_token": "generated-3", "pipedrive_hook_password": "generated-4", "salesforce_hook_secret": "generated-5"}
	if got := m.stored(t); !maps.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
}

func TestLaterDeploymentOverwritesNothing(t *testing.T) {
	m := &memory{}
	s := newStack(t, m)
	s.deploy(values{"app_secret": "s1", "access_token": "t1"})
	edited := m.stored(t)
	edited["access_token"] = "replaced in the console"
	text, _ := json.Marshal(edited)
	m.text, m.writes = new(string), 0
	*m.text = string(text)

	s.deploy(values{"app_secret": "s1", "access_token": "t1"})                       // the same parameters
	s.deploy(values{"app_secret": "-", "access_token": "-", "verify_token": "-"})    // guided again, dashes all along
	s.deploy(values{"app_secret": "", "access_token": "", "odoo_api_key_later": ""}) // a later version asks for more
	if m.writes != 0 {
		t.Errorf("wrote the secret %d times, want 0", m.writes)
	}

	s.deploy(values{"app_secret": "", "access_token": "", "hubspot_token": "h1"})
	edited["hubspot_token"] = "h1"
	if got := m.stored(t); !maps.Equal(got, edited) {
		t.Errorf("stored %v, want %v: one key changed, the others as they were", got, edited)
	}
}

// TestTheCRMsKey: one question stands for the credentials of whatever CRMs there are.
func TestTheCRMsKey(t *testing.T) {
	for _, c := range []struct{ token, connector, want string }{
		{"k", "odoo", "map[odoo_api_key:k]"},
		{"k", "salesforce,odoo", "map[salesforce_client_secret:k]"},
		{"k", "none", "map[]"},
		{`{"odoo_api_key":"a","hubspot_token":"b"}`, "odoo,hubspot", "map[hubspot_token:b odoo_api_key:a]"},
		{"-", "odoo", "map[]"},
		{"", "odoo", "map[]"},
	} {
		got := given(map[string]any{"Connector": c.connector, "Values": map[string]any{"crm_token": c.token}})
		if fmt.Sprint(got) != c.want {
			t.Errorf("%q for %s: %v", c.token, c.connector, got)
		}
	}
}

// TestTheKeyOfOneCRMIsNotAnothers: SAM repeats the values of the last deployment when only the CRM is changed.
func TestTheKeyOfOneCRMIsNotAnothers(t *testing.T) {
	m := &memory{}
	s := newStack(t, m)
	deploy := func(connector, token string, old map[string]any) map[string]any {
		t.Helper()
		p := map[string]any{"Connector": connector, "Values": map[string]any{"crm_token": token}}
		event := cfn.Event{RequestType: cfn.RequestCreate, ResourceProperties: p, OldResourceProperties: old}
		if old != nil {
			event.RequestType = cfn.RequestUpdate
		}
		if _, _, err := s.h.handle(t.Context(), event); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := deploy("hubspot", "h", nil)
	second := deploy("odoo", "h", first)
	if got := m.stored(t); got["hubspot_token"] != "h" || got["odoo_api_key"] != "" {
		t.Errorf("stored %v", got)
	}
	deploy("odoo", "o", second)
	if got := m.stored(t); got["hubspot_token"] != "h" || got["odoo_api_key"] != "o" {
		t.Errorf("stored %v", got)
	}
}

func TestChangedAppSecretKeepsThePreviousOne(t *testing.T) {
	m := &memory{}
	s := newStack(t, m)
	s.deploy(values{"app_secret": "s1"})
	key := m.stored(t)["api_key"]
	s.deploy(values{"app_secret": "s2"})
	got := m.stored(t)
	if got["app_secret"] != "s2" || got["app_secret_previous"] != "s1" {
		t.Errorf("app secrets %q, %q, want s2, s1", got["app_secret"], got["app_secret_previous"])
	}
	if got["api_key"] != key {
		t.Error("a new app secret changed the API key")
	}
}

func TestRepeatedEventChangesNothing(t *testing.T) {
	m := &memory{}
	s := newStack(t, m)
	s.deploy(values{"app_secret": "s1"})
	s.before = nil // the same creation again: the answer to the first was lost
	s.deploy(values{"app_secret": "s1"})
	if m.writes != 1 {
		t.Errorf("wrote %d times, want 1", m.writes)
	}
}

func TestRollbackPutsTheOldValueBack(t *testing.T) {
	m := &memory{}
	s := newStack(t, m)
	first, second := values{"access_token": "t1"}, values{"access_token": "t2"}
	s.deploy(first)
	s.deploy(second)
	s.deploy(first)
	if got := m.stored(t)["access_token"]; got != "t1" {
		t.Errorf("access token %q, want t1", got)
	}
}

func TestDeletionKeepsTheSecret(t *testing.T) {
	m := &memory{}
	s := newStack(t, m)
	s.deploy(values{"app_secret": "s1"})
	before := *m.text
	if _, _, err := s.h.handle(t.Context(), cfn.Event{RequestType: cfn.RequestDelete}); err != nil {
		t.Fatal(err)
	}
	if *m.text != before {
		t.Error("deleting the resource changed the secret")
	}
}

func TestDamagedSecretIsReportedWithoutQuotingIt(t *testing.T) {
	text := `token-that-must-not-show`
	s := newStack(t, &memory{text: &text})
	_, _, err := s.h.handle(t.Context(), cfn.Event{RequestType: cfn.RequestUpdate})
	if err == nil {
		t.Fatal("no error")
	}
	if got := err.Error(); got != "read secret: it isn't a JSON object of texts; repair it by hand" {
		t.Errorf("error %q", got)
	}
}
