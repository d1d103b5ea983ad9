package odoo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/odoo"
)

// clock is the time of a test: it passes when the test says so.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const (
	testKey   = "0123456789abcdef0123456789abcdef01234567"
	hookToken = "a token of the test's"
)

// account is a simulated Odoo behind a real listener.
type account struct {
	*server
	sim     *sim.Simulator
	clock   *clock
	hookURL string
}

func newAccount(t *testing.T, o sim.Options) *account {
	t.Helper()
	a := &account{clock: newClock()}
	o.Key, o.StateDir, o.Now, o.DB, o.Login = testKey, t.TempDir(), a.clock.Now, "company", "threadline@company.example"
	s, err := sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.API())
	t.Cleanup(func() {
		web.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close simulator: %v", err)
		}
	})
	a.sim = s
	a.server = &server{t: t, url: web.URL, db: o.DB, login: o.Login, key: testKey, http: web.Client(), forbid: s.Forbid}
	a.begin()
	return a
}

func (a *account) config() odoo.Config {
	return odoo.Config{
		URL: a.url, DB: a.db, Login: a.login, APIKey: secret(a.key), Now: a.clock.Now,
		HookURL: a.hookURL, HookToken: secret(hookToken),
		HTTP: &http.Client{Transport: validating(a.t, a.http.Transport)},
	}
}

func (a *account) connect(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector {
	config := a.config()
	if wrap != nil {
		config.HTTP.Transport = wrap(config.HTTP.Transport)
	}
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
			config := odoo.Config{URL: s.url, DB: s.db, Login: s.login, APIKey: secret(key), HTTP: &http.Client{Transport: http.DefaultTransport}}
			if wrap != nil {
				config.HTTP.Transport = wrap(config.HTTP.Transport)
			}
			return odoo.New(config)
		}
		return crmtest.Fixture{
			Connect: connect, CRM: s, Live: true, Ready: true,
			Advance: func(d time.Duration) { time.Sleep(min(d, 3*time.Second)) },
		}
	})
}

func version(v int) string { return fmt.Sprintf("Odoo %d", v) }
