package odoo_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/odoo"
)

const (
	testKey   = "0123456789abcdef0123456789abcdef01234567"
	hookToken = "a token of the test's"
)

// account is a simulated Odoo behind a real listener.
type account struct {
	*server
	sim     *sim.Simulator
	clock   *crmtest.Clock
	hookURL string
}

func newAccount(t *testing.T, o sim.Options) *account {
	t.Helper()
	a := &account{clock: crmtest.NewClock()}
	o.Key, o.StateDir, o.Now, o.DB, o.Login = testKey, t.TempDir(), a.clock.Now, "company", "threadline@company.example"
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := crmtest.Serve(t, s)
	a.sim = s
	a.server = &server{t: t, url: web.URL, db: o.DB, login: o.Login, key: testKey, http: web.Client(), forbid: s.Forbid}
	a.begin()
	return a
}

func (a *account) config() odoo.Config {
	return odoo.Config{
		URL: a.url, DB: a.db, Login: a.login, APIKey: crmtest.Secret(a.key), Now: a.clock.Now,
		HookURL: a.hookURL, HookToken: crmtest.Secret(hookToken),
		HTTP: &http.Client{Transport: validating(a.t, a.http.Transport)},
	}
}

func (a *account) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	config := a.config()
	config.HTTP = crmtest.Through(wrap, config.HTTP.Transport)
	return odoo.New(config)
}

func (a *account) connector() *odoo.Connector { return odoo.New(a.config()) }

var variants = map[string]sim.Options{
	"17":                                     {Version: 17, UserTZ: "Europe/Madrid"},
	"17 without phone_validation":            {Version: 17, NoPhoneValidation: true},
	"18":                                     {Version: 18},
	"19":                                     {Version: 19, UserTZ: "America/Mexico_City"},
	"19 without phone_validation":            {Version: 19, NoPhoneValidation: true},
	"19 as an administrator, who gets hooks": {Version: 19, Admin: true},
}

func TestConformance(t *testing.T) {
	for name, o := range variants {
		t.Run(name, func(t *testing.T) {
			crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
				a := newAccount(t, o)
				if o.Admin {
					a.hookURL = "https://threadline.example/crm/odoo/events"
				}
				return crmtest.Fixture{Connect: a.connect, CRM: a, Advance: a.clock.Advance, Ready: true}
			})
		})
	}
}

// TestRealServer runs the suite against an Odoo that somebody set up for it.
func TestRealServer(t *testing.T) {
	address, key := os.Getenv("ODOO_URL"), os.Getenv("ODOO_API_KEY")
	if address == "" || key == "" {
		t.Skip("set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_API_KEY to run the suite against a real Odoo")
	}
	crmtest.Run(t, func(t *testing.T) crmtest.Fixture {
		s := &server{t: t, url: address, db: os.Getenv("ODOO_DB"), login: os.Getenv("ODOO_LOGIN"), key: key, http: http.DefaultClient}
		s.begin()
		t.Log(s)
		connect := func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
			return odoo.New(odoo.Config{
				URL: s.url, DB: s.db, Login: s.login, APIKey: crmtest.Secret(key), HTTP: crmtest.Through(wrap, http.DefaultTransport),
			})
		}
		return crmtest.Fixture{
			Connect: connect, CRM: s, Live: true, Ready: true,
			Advance: func(d time.Duration) { time.Sleep(min(d, 3*time.Second)) },
		}
	})
}

func version(v int) string { return fmt.Sprintf("Odoo %d", v) }
