package stack_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"threadline/infra/local/stack"
)

// refusal starts the real template with settings that must keep it from starting, and returns the lines of the error
// below its first.
func refusal(t *testing.T, port string, environ ...string) []string {
	t.Helper()
	o := options(t, filepath.Join(t.TempDir(), "state"))
	o.Template, o.Environ, o.Port = "", environ, port
	o.Progress = func(line string) { t.Errorf("it went on: %s", line) }
	s, err := stack.Start(t.Context(), o)
	if err == nil {
		s.Stop()
		t.Fatal("it started")
	}
	if _, err := os.Stat(o.StateDir); !os.IsNotExist(err) {
		t.Errorf("something was begun in the state directory: %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if !strings.Contains(lines[0], "docs/run-locally.md") {
		t.Errorf("%q doesn't say where the settings are explained", lines[0])
	}
	return lines[1:]
}

// TestAllThatIsWrongIsSaidAtOnce: each by its variable, before anything is started, and no value is repeated.
func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	const leak = "do-not-print"
	got := refusal(t, "80800",
		"CRM_CONNECTOR=odoo,salesforce,hubspto", "ODOO_URL=https://odoo.example.com", "SALESFORCE_URL="+leak,
		"AMBIGUOUS_SEND="+leak, "AMBIGUOUS_SEND_AFTER="+leak, "PHONE_NUMBER_ID="+leak, "ODOO_CALLS_PER_SECOND=-1", "THROTTLE_RATE=2.5",
		"LOG_LEVEL=WARN", "ESPOCRM_URL=https://not.chosen.example.com", "CRM_BUNDLE=")
	want := []string{
		"AMBIGUOUS_SEND: must be retry or hold",
		"AMBIGUOUS_SEND_AFTER: must be a duration such as",
		"CRM_CONNECTOR: must be none, or one or several of hubspot, odoo,",
		"LOG_LEVEL: must be DEBUG or INFO",
		"ODOO_API_KEY: is needed with ODOO_URL",
		"ODOO_CALLS_PER_SECOND: must be a whole number, 0 or more",
		"ODOO_LOGIN: is needed for the connector odoo (docs/crm/odoo.md)",
		"PHONE_NUMBER_ID: must be digits",
		"PORT: must be a number from 0 to 65535",
		"SALESFORCE_CLIENT_ID: is needed for the connector salesforce",
		"SALESFORCE_URL: must be your My Domain",
		"THROTTLE_RATE: must be a whole number",
	}
	for i, line := range got {
		if i >= len(want) || !strings.HasPrefix(line, "  "+want[i]) {
			t.Errorf("line %d is %q", i+1, line)
		}
		if strings.Contains(line, leak) {
			t.Errorf("%q repeats a value", line)
		}
	}
	if len(got) < len(want) {
		t.Errorf("%d lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

// TestAnAddressElsewhere needs https and keys of its own; one on this machine does with the local ones.
func TestAnAddressElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ wrong, environ string }{
		{"HUBSPOT_TOKEN: is needed with HUBSPOT_API_URL", "HUBSPOT_API_URL=https://api.hubapi.com"},
		{"ESPOCRM_URL: must begin with https", "CRM_CONNECTOR=espocrm ESPOCRM_URL=http://crm.example.com ESPOCRM_API_KEY=k"},
		{"SALESFORCE_CLIENT_SECRET or SALESFORCE_PRIVATE_KEY: is needed with SALESFORCE_URL", "CRM_CONNECTOR=salesforce SALESFORCE_URL=https://o.my.salesforce.com SALESFORCE_CLIENT_ID=c"},
		{"WEBHOOK_CRM_SECRET: is needed with WEBHOOK_CRM_URL", "CRM_CONNECTOR=webhook WEBHOOK_CRM_URL=https://crm.example.com/receiver"},
		{"ACCESS_TOKEN: is needed with GRAPH_API_URL", "GRAPH_API_URL=https://graph.facebook.com"},
		{"ODOO_LOGIN: is needed", "CRM_CONNECTOR=odoo ODOO_URL=http://127.0.0.1:8069"},
	} {
		got := refusal(t, "", strings.Fields(c.environ)...)
		if len(got) != 1 || !strings.HasPrefix(got[0], "  "+c.wrong) {
			t.Errorf("%s: %q, want %q alone", c.environ, got, c.wrong)
		}
	}
}

// taken returns a port that somebody listens on.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// TestRightSettingsAreTaken: the same with nothing missing gets as far as the port, which is taken.
func TestRightSettingsAreTaken(t *testing.T) {
	t.Parallel()
	port := taken(t)
	for _, environ := range []string{
		"",
		"CRM_CONNECTOR=none",
		"CRM_CONNECTOR=hubspot,odoo,espocrm,pipedrive,salesforce,webhook CRM_BUNDLE=5m LOG_RETENTION_DAYS=30 THROTTLE_RATE=10",
		"HUBSPOT_API_URL=http://127.0.0.1:1 GRAPH_API_URL=http://localhost:1",
		"CRM_CONNECTOR=odoo ODOO_URL=https://odoo.example.com ODOO_LOGIN=l ODOO_API_KEY=k",
		"CRM_CONNECTOR=salesforce SALESFORCE_URL=https://o.my.salesforce.com SALESFORCE_CLIENT_ID=c SALESFORCE_PRIVATE_KEY=k",
		"GRAPH_API_URL=https://graph.facebook.com ACCESS_TOKEN=t AMBIGUOUS_SEND=hold AMBIGUOUS_SEND_AFTER=1m30s",
	} {
		o := options(t, t.TempDir())
		o.Template, o.Environ, o.Port = "", strings.Fields(environ), port
		refused(t, o, "port "+port+" is in use")
	}
}

// TestIdleAddressIsHinted: an address of a CRM that nobody chose is no error.
func TestIdleAddressIsHinted(t *testing.T) {
	t.Parallel()
	var said []string
	o := options(t, t.TempDir())
	o.Template, o.Environ, o.Port = "", []string{"ODOO_URL=https://odoo.example.com"}, taken(t)
	o.Progress = func(line string) { said = append(said, line) }
	refused(t, o, "is in use")
	if want := "ODOO_URL has no effect: CRM_CONNECTOR doesn't name odoo"; len(said) != 1 || said[0] != want {
		t.Errorf("said %q, want %q", said, want)
	}
}
