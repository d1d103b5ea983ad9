package espocrm_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/espocrm"
)

// TestConformance runs on an instance in which an administrator has made the custom entity.
func TestConformance(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return newSimulated(t, sim.Options{SetUp: true}).fixture(false) })
}

// TestConformanceWithNotes runs on an instance as it comes.
func TestConformanceWithNotes(t *testing.T) {
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture { return newSimulated(t, sim.Options{Version: 8}).fixture(true) })
}

// TestRealServer runs on the server that the environment names, with an API user whose role may also delete contacts.
func TestRealServer(t *testing.T) {
	address, key := os.Getenv("ESPOCRM_URL"), os.Getenv("ESPOCRM_API_KEY")
	if address == "" || key == "" {
		t.Skip("no server to test against: set ESPOCRM_URL and ESPOCRM_API_KEY")
	}
	connect := func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
		transport := http.DefaultTransport
		if wrap != nil {
			transport = wrap(transport)
		}
		return espocrm.New(espocrm.Config{
			URL: address, APIKey: func(context.Context) (string, error) { return key, nil }, HTTP: &http.Client{Transport: transport},
		})
	}
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		look := &inspector{t: t, url: address, key: key, http: http.DefaultClient, since: time.Now().UTC()}
		return crmtest.Fixture{
			Connect: connect, CRM: look, Live: true, Ready: true, TimeInText: true,
			Advance: func(d time.Duration) { time.Sleep(min(d, 2*time.Second)) },
		}
	})
}
