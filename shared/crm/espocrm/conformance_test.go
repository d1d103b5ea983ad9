package espocrm_test

import (
	"net/http"
	"os"
	"strconv"
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

// TestConformanceWithNotes runs on instances as they come.
func TestConformanceWithNotes(t *testing.T) {
	for _, version := range []int{8, 10} {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
				return newSimulated(t, sim.Options{Version: version}).fixture(true)
			})
		})
	}
}

// TestRealServer runs on the server that the environment names, with an API user of its own whose role may also delete
// contacts. It takes minutes: every fault has its turn at every call.
func TestRealServer(t *testing.T) {
	address, key := os.Getenv("ESPOCRM_URL"), os.Getenv("ESPOCRM_API_KEY")
	if address == "" || key == "" {
		t.Skip("no server to test against: set ESPOCRM_URL and ESPOCRM_API_KEY")
	}
	connect := func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
		return espocrm.New(espocrm.Config{URL: address, APIKey: crmtest.Secret(key), HTTP: crmtest.Through(wrap, http.DefaultTransport)})
	}
	look := live(t, address, key)
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		return crmtest.Fixture{
			Connect: connect, CRM: look.emptied(t), Live: true, Ready: true, TimeInText: true,
			Advance: func(d time.Duration) { time.Sleep(min(d, 2*time.Second)) },
		}
	})
}
