package espocrm_test

import (
	"net/http"
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/espocrm"
)

const (
	apiKey   = "test-api-key"
	password = "test-password"
	secret   = "test-webhook-secret"
)

// simulated is a simulated EspoCRM behind a real listener, looked at through its own API.
type simulated struct {
	*inspector
	sim   *sim.Simulator
	url   string
	clock *crmtest.Clock
	http  http.RoundTripper
}

func newSimulated(t *testing.T, o sim.Options) *simulated {
	t.Helper()
	c := crmtest.NewClock()
	o.APIKey, o.Password, o.HookSecret, o.StateDir, o.Now = apiKey, password, secret, t.TempDir(), c.Now
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := crmtest.Serve(t, s)
	look := &inspector{t: t, url: server.URL, key: apiKey, http: server.Client(), since: c.Now()}
	return &simulated{inspector: look, sim: s, url: server.URL, clock: c, http: documented.Transport(t, server.Client().Transport)}
}

func (s *simulated) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	return s.connector(wrap)
}

func (s *simulated) connector(wrap func(http.RoundTripper) http.RoundTripper) *espocrm.Connector {
	return espocrm.New(espocrm.Config{
		URL:           s.url + "/",
		APIKey:        crmtest.Secret(apiKey),
		WebhookSecret: crmtest.Secret(secret),
		HTTP:          crmtest.Through(wrap, s.http),
		Now:           s.clock.Now,
	})
}

func (s *simulated) fixture(inText bool) crmtest.Fixture {
	return crmtest.Fixture{Connect: s.connect, CRM: s, Advance: s.clock.Advance, Ready: true, TimeInText: inText}
}

// AddContact types a contact in, with a number as imports left it.
func (s *simulated) AddContact(name, phone string) (string, bool) {
	id, err := s.sim.AddContact(name, phone)
	if err != nil {
		s.t.Fatal(err)
	}
	return id, true
}

func (s *simulated) Forbid() string {
	s.sim.Forbid("Contact", "create")
	return "Contact: create"
}

func (s *simulated) Limit(d time.Duration) bool {
	s.sim.Limit(s.clock.Now().Add(d))
	return true
}
