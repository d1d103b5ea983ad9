package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
	"threadline/infra/local/webhookcrm"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/webhook"
)

const secret = "a-secret-of-the-tests"

// company is a simulated receiver behind a real listener.
type company struct {
	t     *testing.T
	sim   *webhookcrm.Simulator
	url   string
	clock *crmtest.Clock
	http  http.RoundTripper
}

func newCompany(t *testing.T, o webhookcrm.Options) *company {
	t.Helper()
	c := &company{t: t, clock: crmtest.NewClock()}
	o.Secret, o.StateDir, o.Now = secret, t.TempDir(), c.clock.Now
	sim, err := webhookcrm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := crmtest.Serve(t, sim)
	c.sim, c.url = sim, server.URL+"/threadline?from=tests"
	c.http = validating(t, server.Client().Transport)
	return c
}

func (c *company) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	return webhook.New(webhook.Config{URL: c.url, Secret: crmtest.Secret(secret), HTTP: crmtest.Through(wrap, c.http), Now: c.clock.Now})
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		c := newCompany(t, webhookcrm.Options{})
		return crmtest.Fixture{Connect: c.connect, CRM: c, Advance: c.clock.Advance, Ready: true}
	})
}

// company is crmtest.Inspector.

func (c *company) Contacts() []crmtest.Contact {
	var list []crmtest.Contact
	for _, one := range c.sim.Contacts() {
		list = append(list, crmtest.Contact{ID: one.ID, Key: c.sim.Key(one.ID), Name: one.Name, Phone: one.Phone})
	}
	return list
}

func (c *company) Entries(contact string) []crmtest.Entry {
	return demotest.Entries(c.t, c.sim, contact)
}

func (c *company) AddContact(name, phone string) (string, bool) {
	c.t.Helper()
	id, err := c.sim.AddContact(name, phone)
	if err != nil {
		c.t.Fatal(err)
	}
	return id, true
}

func (c *company) DeleteContact(id string) {
	c.t.Helper()
	if err := c.sim.DeleteContact(id); err != nil {
		c.t.Fatal(err)
	}
}

func (c *company) Forbid() string { return c.sim.Forbid() }

func (c *company) Limit(d time.Duration) bool {
	c.sim.Limit(c.clock.Now().Add(d))
	return true
}
