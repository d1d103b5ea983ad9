package pipedrive_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/pipedrive"
)

func (a *account) addHook(url string) {
	a.t.Helper()
	if err := a.sim.AddHook(url); err != nil {
		a.t.Fatal(err)
	}
}

// TestWebhook proves that there is one webhook, whoever provisions how often, and that it brings today's password.
func TestWebhook(t *testing.T) {
	a := newAccount(t)
	for range 3 {
		a.provisioned()
	}
	if hooks := a.sim.Hooks(); len(hooks) != 1 || hooks[0].Password != password || hooks[0].User != "threadline" {
		t.Fatalf("webhooks %+v, want one", hooks)
	}
	a.addHook(a.hooks.url) // a second one, without a password
	a.addHook("https://somebody.example.com/hook")
	rotated := a.connectorWith(func(c *pipedrive.Config) { c.HookPassword = crmtest.Secret("another") })
	for range 2 {
		if err := rotated.Provision(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var ours int
	for _, h := range a.sim.Hooks() {
		if h.URL == a.hooks.url {
			ours++
			if h.Password != "another" {
				t.Errorf("password %q, want the new one", h.Password)
			}
		}
	}
	if ours != 1 || len(a.sim.Hooks()) != 2 {
		t.Errorf("%d webhooks of ours of %d, want 1 of 2", ours, len(a.sim.Hooks()))
	}
}

// TestWithoutWebhook proves that an address is optional, and a password isn't.
func TestWithoutWebhook(t *testing.T) {
	a := newAccount(t)
	if err := a.connectorWith(func(c *pipedrive.Config) { c.HookURL = "" }).Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(a.sim.Hooks()); n != 0 {
		t.Errorf("%d webhooks, want none", n)
	}
	for name, source := range map[string]func(context.Context) (string, error){"none": nil, "empty": crmtest.Secret("")} {
		c := a.connectorWith(func(c *pipedrive.Config) { c.HookPassword = source })
		if e, ok := errors.AsType[*crm.Error](c.Provision(t.Context())); !ok || e.Class != crm.Stopped {
			t.Errorf("%s: %v, want Stopped", name, e)
		}
		call := crm.Call{Method: http.MethodPost, Header: http.Header{"Authorization": {"Basic dGhyZWFkbGluZTo="}}, Body: []byte("{}")}
		if _, err := c.ParseInbound(t.Context(), call); !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s: %v, want ErrForged", name, err)
		}
	}
}

// TestTooManyWebhooks proves that Pipedrive's limit of 40 is a matter for a person.
func TestTooManyWebhooks(t *testing.T) {
	a := newAccount(t)
	for range 40 {
		a.addHook("https://somebody.example.com/hook")
	}
	e, ok := errors.AsType[*crm.Error](a.connector(nil).Provision(t.Context()))
	if !ok || e.Class != crm.Stopped || e.Reason != "TOO_MANY_WEBHOOKS" {
		t.Errorf("%v", e)
	}
}
