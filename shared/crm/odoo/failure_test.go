package odoo_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/odoo"
)

func asError(t *testing.T, err error) *crm.Error {
	t.Helper()
	e, ok := errors.AsType[*crm.Error](err)
	if !ok {
		t.Fatalf("%v isn't classified", err)
	}
	for _, private := range []string{"600111222", "García", "secret words", "127.0.0.1", testKey, "Traceback"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("%q holds %q", err, private)
		}
	}
	return e
}

// TestFailures proves how each of Odoo's failures is classified, whichever API tells it.
func TestFailures(t *testing.T) {
	for _, v := range []int{17, 19} {
		for name, c := range map[string]struct {
			trouble func(*account)
			class   crm.Class
			unknown bool
			scope   string
		}{
			"lost a race":       {trouble: func(a *account) { a.sim.Contend(1) }, class: crm.Transient},
			"database away":     {trouble: func(a *account) { a.sim.Fail(a.clock.Now().Add(time.Minute)) }, class: crm.Transient, unknown: true},
			"cut":               {trouble: func(a *account) { a.sim.Drop(1) }, class: crm.Transient, unknown: true},
			"key ended":         {trouble: func(a *account) { a.sim.Revoke() }, class: crm.Stopped},
			"no right to write": {trouble: func(a *account) { a.sim.Forbid("mail.message", "create") }, class: crm.Stopped, scope: "mail.message"},
			"no right to the contact": {
				trouble: func(a *account) { a.sim.Forbid("res.partner", "write") }, class: crm.Stopped, scope: "res.partner",
			},
		} {
			a := newAccount(t, sim.Options{Version: v})
			connector := a.connector()
			on := must[crm.ContactRef](t)(connector.CreateContact(t.Context(), maria()))
			c.trouble(a)
			_, err := connector.PutMessage(t.Context(), on, received("m1", "secret words"), nil)
			e := asError(t, err)
			if e.Class != c.class || e.Unknown != c.unknown {
				t.Errorf("%s, %s: %v: class %d, unknown %v", version(v), name, err, e.Class, e.Unknown)
			}
			if c.scope != "" && (len(e.Scopes) != 1 || e.Scopes[0] != c.scope) {
				t.Errorf("%s, %s: scopes %q, want %s", version(v), name, e.Scopes, c.scope)
			}
		}
	}
}

// TestDemand proves that a rule of the company's isn't the end of a customer's entries: they wait until it is changed.
func TestDemand(t *testing.T) {
	for _, v := range []int{17, 19} {
		for _, model := range []string{"res.partner", "mail.message"} {
			a, c, on := acquainted(t, sim.Options{Version: v})
			put := func() error {
				other := maria()
				other.Key += "2"
				_, err := c.CreateContact(t.Context(), other)
				_, err2 := c.PutMessage(t.Context(), on, received("m1", "secret words"), nil)
				return errors.Join(err, err2)
			}
			a.sim.Demand(model, "x_branch")
			if e := asError(t, put()); e.Class != crm.Transient || e.Unknown || e.Reason != "LOAD_REFUSED_x_branch" {
				t.Errorf("%s, %s: %v", version(v), model, e)
			}
			a.sim.Demand(model, "")
			must[int](t)(0, put())
		}
	}
}

// TestNewKey proves that a key which was replaced is used at once.
func TestNewKey(t *testing.T) {
	for _, v := range []int{17, 19} {
		a := newAccount(t, sim.Options{Version: v})
		key := "an old key"
		config := a.config()
		config.APIKey = func(context.Context) (string, error) { return key, nil } // which changes
		c := odoo.New(config)
		if e := asError(t, c.Check(t.Context())); e.Class != crm.Stopped {
			t.Errorf("%s: a wrong key: %v", version(v), e)
		}
		key = testKey
		if err := c.Check(t.Context()); err != nil {
			t.Errorf("%s: the right key: %v", version(v), err)
		}
		key = "an old key"
		if err := c.Check(t.Context()); err == nil {
			t.Errorf("%s: a wrong key after the right one isn't noticed", version(v))
		}
	}
}

// TestExceptions proves what an exception's class means, and that a 500 isn't always worth waiting for.
func TestExceptions(t *testing.T) {
	for class, want := range map[string]struct {
		status  int
		class   crm.Class
		unknown bool
	}{
		"builtins.ValueError":                  {500, crm.Refused, false},
		"builtins.KeyError":                    {500, crm.Refused, false},
		"odoo.exceptions.ValidationError":      {422, crm.Refused, false},
		"odoo.exceptions.UserError":            {422, crm.Refused, false},
		"odoo.exceptions.AccessError":          {403, crm.Stopped, false},
		"werkzeug.exceptions.Unauthorized":     {401, crm.Stopped, false},
		"werkzeug.exceptions.NotFound":         {404, crm.Stopped, false},
		"psycopg2.errors.SerializationFailure": {500, crm.Transient, false},
		"psycopg2.OperationalError":            {500, crm.Transient, true},
		"company_module.exceptions.Strange":    {500, crm.Transient, true},
		"werkzeug.exceptions.Conflict":         {409, crm.Transient, false},
	} {
		for _, rpc := range []bool{false, true} {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				data := map[string]any{"name": class, "message": "secret words", "debug": "Traceback: secret words"}
				switch {
				case r.Method == http.MethodGet && rpc:
					w.WriteHeader(http.StatusNotFound)
				case r.Method == http.MethodGet:
					_ = json.NewEncoder(w).Encode(map[string]any{"version": "19.0"})
				case rpc:
					_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "error": map[string]any{"code": 200, "data": data}})
				default:
					w.WriteHeader(want.status)
					_ = json.NewEncoder(w).Encode(data)
				}
			}))
			c := odoo.New(odoo.Config{URL: web.URL, DB: "company", Login: "threadline", APIKey: crmtest.Secret(testKey), HTTP: web.Client()})
			e := asError(t, c.Check(t.Context()))
			// In JSON-RPC there is no status to go by.
			if strange := rpc && want.status == 409; !strange && (e.Class != want.class || e.Unknown != want.unknown) {
				t.Errorf("%s, JSON-RPC %v: class %d, unknown %v", class, rpc, e.Class, e.Unknown)
			}
			web.Close()
		}
	}
}

// TestNoLogin proves that what is missing in the configuration is said, and nothing is asked.
func TestNoLogin(t *testing.T) {
	a := newAccount(t, sim.Options{Version: 17})
	config := a.config()
	config.DB = ""
	if e := asError(t, odoo.New(config).Check(t.Context())); e.Class != crm.Stopped || e.Reason != "NO_DATABASE_OR_LOGIN" {
		t.Errorf("without a database: %v", e)
	}
	a = newAccount(t, sim.Options{Version: 19})
	config = a.config()
	config.DB, config.Login = "", ""
	if err := odoo.New(config).Check(t.Context()); err != nil {
		t.Errorf("19 needs neither: %v", err)
	}
}

// TestMaxFile proves that a file of the largest size fits into the largest request.
func TestMaxFile(t *testing.T) {
	const overhead = 4 << 10
	if encoded := int64(odoo.MaxFile)/3*4 + overhead; encoded > 128<<20 {
		t.Errorf("a file of MaxFile makes a request of %d bytes", encoded)
	}
}
