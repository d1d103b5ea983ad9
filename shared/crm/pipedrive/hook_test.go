package pipedrive_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

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

// TestRefusedWebhook proves that a webhook which Pipedrive won't make stops nothing: for Pipedrive's limit of 40, for an address
// that it doesn't take, for a right. Answers are found by asking then.
func TestRefusedWebhook(t *testing.T) {
	for name, change := range map[string]func(*account, *pipedrive.Config){
		"40 others": func(a *account, _ *pipedrive.Config) {
			for range 40 {
				a.addHook("https://somebody.example.com/hook")
			}
		},
		"an address": func(_ *account, c *pipedrive.Config) { c.HookURL = "nowhere" },
		"a right": func(a *account, _ *pipedrive.Config) {
			a.sim.Grant("base", "contacts:read", "contacts:full", "search:read", "contact-fields:full")
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			c := a.connectorWith(func(c *pipedrive.Config) { change(a, c) })
			if err := c.Provision(t.Context()); err != nil {
				t.Fatal(err)
			}
			on := a.contact(c)
			_, cursor, err := c.FetchOutbound(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			a.write(on, "hello")
			if got, _, err := c.FetchOutbound(t.Context(), cursor); err != nil || len(got) != 1 {
				t.Errorf("asked for %+v, %v", got, err)
			}
		})
	}
	// What passes is tried again.
	a := newAccount(t)
	c := a.connector(func(next http.RoundTripper) http.RoundTripper {
		return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/webhooks") {
				a.sim.Limit(a.clock.Now().Add(time.Hour))
			}
			return next.RoundTrip(r)
		})
	})
	if e, ok := errors.AsType[*crm.Error](c.Provision(t.Context())); !ok || e.Class != crm.Limited {
		t.Errorf("%v, want Limited", e)
	}
}
