package hubspot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// action is an address that HubSpot calls.
type action struct {
	status int
	answer string
	bodies []string
	header http.Header
}

func (a *action) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.bodies, a.header = append(a.bodies, string(body)), r.Header
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.answer)
}

func (a *action) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return server.URL + "/events"
}

func TestWorkflow(t *testing.T) {
	a := &action{}
	c := start(t, Options{ActionURL: a.serve(t), ClientSecret: "client-secret"})
	id := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A","phone":"+34600111222"},"associations":[]}`)["id"].(string)
	for _, row := range []struct {
		status int
		answer string
		state  string
		failed bool
	}{
		{200, ``, "SUCCESS", false},
		{200, `{"outputFields":{"hs_execution_state":"FAIL_CONTINUE"}}`, "FAIL_CONTINUE", false},
		{400, ``, "FAILED", true},
		{503, ``, "PENDING", false}, // HubSpot tries again later
		{429, ``, "PENDING", false},
	} {
		a.status, a.answer = row.status, row.answer
		callback, err := c.sim.Enrol(id, map[string]string{"text": "hi"})
		if state, _ := c.sim.Execution(callback); state != row.state || row.failed != (err != nil) {
			t.Errorf("%d %s: %s, %v, want %s", row.status, row.answer, state, err, row.state)
		}
	}
	if body := a.bodies[0]; !strings.Contains(body, `"phone":"+34600111222"`) || !strings.Contains(body, `"inputFields":{"text":"hi"}`) {
		t.Errorf("the action was told %s", body)
	}
	for _, name := range []string{"X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp", "X-HubSpot-Signature", "X-HubSpot-Signature-Version"} {
		if a.header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	if err := c.sim.Write("999", "hi"); err == nil {
		t.Error("a contact that doesn't exist was enrolled")
	}
}

func TestBlocked(t *testing.T) {
	a := &action{status: 200, answer: `{"outputFields":{"hs_execution_state":"BLOCK"}}`}
	c := start(t, Options{ActionURL: a.serve(t), ClientSecret: "client-secret"})
	id := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A"},"associations":[]}`)["id"].(string)
	callback, err := c.sim.Enrol(id, map[string]string{"text": "hi"})
	if err != nil {
		t.Fatal(err)
	}
	complete := "/automation/actions/callbacks/2026-09/" + callback + "/complete"
	c.want(400, "POST", complete, `{"outputFields":{"hs_execution_state":"SUCCESS"}}`)
	c.want(400, "POST", complete, `{"outputFields":{"hs_execution_state":"BLOCK"},"typedOutputs":{}}`)
	c.want(204, "POST", complete, `{"outputFields":{"hs_execution_state":"SUCCESS"},"typedOutputs":{}}`)
	c.want(404, "POST", complete, `{"outputFields":{"hs_execution_state":"SUCCESS"},"typedOutputs":{}}`)
	if state, _ := c.sim.Execution(callback); state != "SUCCESS" {
		t.Errorf("the execution is %s, want SUCCESS", state)
	}
}

// TestPendingIsKept proves that what HubSpot is still to try survives a restart.
func TestPendingIsKept(t *testing.T) {
	a := &action{status: 503}
	o := Options{ActionURL: a.serve(t), ClientSecret: "client-secret", StateDir: filepath.Join(t.TempDir(), "hubspot")}
	c := start(t, o)
	id := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A"},"associations":[]}`)["id"].(string)
	callback, err := c.sim.Enrol(id, map[string]string{"text": "hi"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	c = start(t, o)
	a.status = 200
	if err := c.sim.Redeliver(callback); err != nil {
		t.Fatal(err)
	}
	if state, _ := c.sim.Execution(callback); state != "SUCCESS" {
		t.Errorf("the execution is %s, want SUCCESS", state)
	}
}

func TestVersions(t *testing.T) {
	c := start(t, Options{})
	c.unique(contacts)
	for version, status := range map[string]int{"2026-03": 207, "2026-09": 200} { // only the first document has the 207
		path := "/crm/objects/" + version + "/contacts"
		c.want(201, "POST", path, `{"properties":{"email":"`+version+`@example.com"},"associations":[]}`)
		out := c.want(status, "POST", path+"/batch/upsert",
			`{"inputs":[{"idProperty":"key","id":"`+version+`","properties":{"email":"`+version+`@example.com"}}]}`)
		if n := len(out["errors"].([]any)); n != 1 {
			t.Errorf("%s: %d errors, want 1", version, n)
		}
	}
	c.want(404, "GET", "/crm/objects/2026-06/contacts", "")
}

func TestOptions(t *testing.T) {
	c := start(t, Options{})
	define := func(options string) string {
		return `{"name":"word","label":"Word","groupName":"contactinformation","type":"enumeration","fieldType":"select","options":[` + options + `]}`
	}
	c.want(400, "POST", properties+contacts, define(``))
	c.want(201, "POST", properties+contacts, define(`{"label":"Yes","value":"yes","hidden":false}`))
	c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A","word":"yes"},"associations":[]}`)
	c.want(400, "POST", objects+contacts, `{"properties":{"firstname":"A","word":"no"},"associations":[]}`)
	if calls := c.sim.Calls(); len(calls) != 4 || calls[0].Method != "POST" || calls[0].Path != properties+contacts {
		t.Errorf("calls %+v, want the four", calls)
	}
}
