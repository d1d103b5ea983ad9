package odoo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
)

// client talks to a simulator over a real connection.
type client struct {
	t   *testing.T
	sim *Simulator
	url string
}

const testKey = "a key"

func start(t *testing.T, o Options) *client {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	o.Key = testKey
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, sim: s, url: demotest.Serve(t, s)}
}

func (c *client) post(path, bearer, body string) (int, any) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	var out any
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &out) // a page isn't JSON
	return res.StatusCode, out
}

// call calls a method through /json/2 and expects it to work.
func (c *client) call(method, body string) any {
	c.t.Helper()
	status, out := c.post("/json/2/"+method, testKey, body)
	if status != http.StatusOK {
		c.t.Fatalf("%s %s: %d %v", method, body, status, out)
	}
	return out
}

// load imports a row and returns its id, or the message of why not.
func (c *client) load(model, body string) (int64, string) {
	c.t.Helper()
	out, _ := c.call(model+"/load", body).(map[string]any)
	if ids, ok := out["ids"].([]any); ok {
		return int64(ids[0].(float64)), ""
	}
	first, _ := out["messages"].([]any)[0].(map[string]any)
	return 0, fmt.Sprint(first["field"], ": ", first["message"])
}

func (c *client) contact() int64 {
	c.t.Helper()
	id, why := c.load("res.partner", `{"fields":["id","name","phone"],"data":[["x.maria","María","+34 600 111 222"]]}`)
	if id == 0 {
		c.t.Fatal(why)
	}
	return id
}

func TestRefusals(t *testing.T) {
	c := start(t, Options{})
	for name, r := range map[string]struct {
		path, testKey, body string
		status              int
		exception           string
	}{
		"no key":           {"res.partner/search", "", `{"domain":[]}`, 401, "werkzeug.exceptions.Unauthorized"},
		"wrong key":        {"res.partner/search", "wrong", `{"domain":[]}`, 401, "werkzeug.exceptions.Unauthorized"},
		"no model":         {"res.human/search", testKey, `{"domain":[]}`, 404, "werkzeug.exceptions.NotFound"},
		"no method":        {"res.partner/find", testKey, `{}`, 404, "werkzeug.exceptions.NotFound"},
		"no argument":      {"res.partner/load", testKey, `{"fields":[]}`, 422, "werkzeug.exceptions.UnprocessableEntity"},
		"unknown argument": {"res.partner/read", testKey, `{"ids":[1],"columns":[]}`, 422, "werkzeug.exceptions.UnprocessableEntity"},
		"ids":              {"res.partner/load", testKey, `{"ids":[1],"fields":[],"data":[]}`, 422, "werkzeug.exceptions.UnprocessableEntity"},
		"not JSON":         {"res.partner/read", testKey, `<xml>`, 400, "werkzeug.exceptions.BadRequest"},
		"no field":         {"res.partner/search", testKey, `{"domain":[["shoe","=",1]]}`, 500, "builtins.ValueError"},
		"no such value":    {"mail.message/create", testKey, `{"vals_list":[{"message_type":"remark"}]}`, 500, "builtins.ValueError"},
		"no name":          {"res.partner/create", testKey, `{"vals_list":[{"phone":"1"}]}`, 422, "odoo.exceptions.ValidationError"},
		"not for you":      {"ir.model.data/search_read", testKey, `{"domain":[]}`, 403, "odoo.exceptions.AccessError"},
		"not for you, too": {"base.automation/create", testKey, `{"vals_list":[{"name":"x"}]}`, 403, "odoo.exceptions.AccessError"},
		"gone":             {"res.partner/write", testKey, `{"ids":[4711],"vals":{"name":"x"}}`, 404, "odoo.exceptions.MissingError"},
		"no external id":   {"ir.model.data/check_object_reference", testKey, `{"module":"x","xml_id":"y"}`, 500, "builtins.ValueError"},
		"unknown keyword":  {"res.partner/message_post", testKey, `{"ids":[12],"colour":"red"}`, 500, "builtins.ValueError"},
	} {
		status, out := c.post("/json/2/"+r.path, r.testKey, r.body)
		told, _ := out.(map[string]any)
		if status != r.status || told["name"] != r.exception {
			t.Errorf("%s: %d %v, want %d %s", name, status, told["name"], r.status, r.exception)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, v := range []int{17, 18} {
		c := start(t, Options{Version: v})
		if status, _ := c.post("/json/2/res.partner/search", testKey, `{"domain":[]}`); status != http.StatusNotFound {
			t.Errorf("%d answers /json/2 with %d", v, status)
		}
		_, out := c.post("/jsonrpc", "", `{"params":{"service":"common","method":"authenticate","args":["threadline","threadline","`+testKey+`",{}]}}`)
		if told := out.(map[string]any); told["result"] != float64(integrationUser) {
			t.Errorf("%d: logged in as %v", v, told)
		}
		for body, want := range map[string]string{
			`{"params":{"service":"object","method":"execute_kw","args":["threadline",2,"wrong","res.partner","search",[[]],{}]}}`:                          "odoo.exceptions.AccessDenied",
			`{"params":{"service":"object","method":"execute_kw","args":["threadline",2,"` + testKey + `","ir.model.data","search",[[]],{}]}}`:              "odoo.exceptions.AccessError",
			`{"params":{"service":"object","method":"execute_kw","args":["threadline",2,"` + testKey + `","res.partner","search",[[["mobile","=","1"]]]]}}`: "",
		} {
			status, out := c.post("/jsonrpc", "", body)
			told := out.(map[string]any)
			failed, _ := told["error"].(map[string]any)
			data, _ := failed["data"].(map[string]any)
			if name, _ := data["name"].(string); status != http.StatusOK || name != want {
				t.Errorf("%d: %s answers %d %v, want 200 and %q", v, body, status, told, want)
			}
		}
	}
	if status, _ := start(t, Options{}).post("/json/2/res.partner/search", testKey, `{"domain":[["mobile","=","1"]]}`); status != http.StatusInternalServerError {
		t.Error("19 still has a mobile")
	}
}

func TestLoad(t *testing.T) {
	c := start(t, Options{UserTZ: "Europe/Madrid"})
	id := c.contact()
	if again := c.contact(); again != id {
		t.Errorf("the same external id is %d and %d", id, again)
	}
	for body, want := range map[string]string{
		`{"fields":["id","name"],"data":[["x.juan","Juan"],["x.nobody",""]]}`:       "Contacts require a name",
		`{"fields":["id","name","country_id/id"],"data":[["x.juan","Juan","x.y"]]}`: "country_id: No matching record found for external id 'x.y'",
		`{"fields":["id","name"],"data":[["x.a b","Juan"]]}`:                        "External IDs cannot contain spaces",
	} {
		if got, why := c.load("res.partner", body); got != 0 || !strings.Contains(why, want) {
			t.Errorf("%s: %d %q, want %q", body, got, why, want)
		}
	}
	if got := c.call("res.partner/search_count", `{"domain":[["name","=","Juan"]]}`); got != 0.0 {
		t.Errorf("%v contacts of an import that failed", got)
	}
	message := func(name, body, context string) (int64, string) {
		return c.load("mail.message", fmt.Sprintf(`{"fields":["id","model","res_id","body","date","subtype_id/id"],
			"data":[[%q,"res.partner","%d",%q,"2026-07-02 12:00:00","mail.mt_note"]],"context":{%s}}`, name, id, body, context))
	}
	local, _ := message("x.m1", "<p onclick='x()'>hi<script>alert(1)</script></p>", "")
	utc, _ := message("x.m2", "hi", `"tz":"UTC"`)
	got := c.call("mail.message/read", fmt.Sprintf(`{"ids":[%d,%d],"fields":["date","body"]}`, local, utc)).([]any)
	if first := got[0].(map[string]any); first["date"] != "2026-07-02 10:00:00" || first["body"] != "<p>hi</p>" {
		t.Errorf("in the user's time zone and sanitised: %v", first)
	}
	if second := got[1].(map[string]any); second["date"] != "2026-07-02 12:00:00" {
		t.Errorf("in UTC: %v", second)
	}
	if _, why := message("x.m1", "again", ""); !strings.Contains(why, "not allowed to modify") {
		t.Errorf("an ordinary user moves a message: %q", why)
	}
	c.call("res.partner/unlink", fmt.Sprintf(`{"ids":[%d]}`, id))
	if _, why := message("x.m3", "hi", ""); !strings.Contains(why, "does not exist or has been deleted") {
		t.Errorf("a message on a deleted contact: %q", why)
	}
}

func TestKeptOnce(t *testing.T) {
	c := start(t, Options{})
	const context = `,"context":{"mode":"update","noupdate":true}`
	for _, name := range []string{"María", "Somebody else"} {
		c.load("res.partner", `{"fields":["id","name"],"data":[["x.m",`+fmt.Sprintf("%q", name)+`]]`+context+`}`)
	}
	if got := c.call("res.partner/search_count", `{"domain":[["name","=","María"]]}`); got != 1.0 {
		t.Errorf("%v contacts called María, want the one as it was made", got)
	}
}

func TestNumbers(t *testing.T) {
	c := start(t, Options{})
	for domain, want := range map[string]float64{
		`["phone","=","+34600111222"]`:            0, // as it was typed, and not otherwise
		`["phone_sanitized","=","+34600111222"]`:  1,
		`["phone","=like","%6%0%0%1%1%1%2%2%2%"]`: 1,
	} {
		c.contact()
		if got := c.call("res.partner/search_count", `{"domain":[`+domain+`]}`); got != want {
			t.Errorf("%s: %v found, want %v", domain, got, want)
		}
	}
	for typed, want := range map[string]string{"699 11 22 33": "", "+5215512345678": "+525512345678", "+34 (600) 111-222": "+34600111222"} {
		if got := e164(typed, ""); got != want {
			t.Errorf("%s is %q, want %q", typed, got, want)
		}
	}
	if got := e164("699 11 22 33", "ES"); got != "+34699112233" {
		t.Errorf("in Spain it is %q", got)
	}
}

// TestHooks proves that a user's message to the outside calls the hook once, without its text, and waits for a second at
// most; and that notes and imports call none.
func TestHooks(t *testing.T) {
	var told atomic.Int64
	var payload atomic.Value
	slow := make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		payload.Store(string(raw))
		if told.Add(1) > 1 {
			<-slow
		}
	}))
	defer hook.Close()
	defer close(slow)
	c := start(t, Options{Admin: true})
	id := c.contact()
	c.load("base.automation", `{"fields":["id","name","model_id/id","trigger"],"data":[["x.rule","rule","base.model_res_partner","on_message_sent"]]}`)
	c.load("ir.actions.server", fmt.Sprintf(`{"fields":["id","name","model_id/id","state","webhook_url","usage","base_automation_id/id"],
		"data":[["x.action","tell","base.model_res_partner","webhook",%q,"base_automation","x.rule"]]}`, hook.URL))
	c.call("res.partner/message_post", fmt.Sprintf(`{"ids":[%d],"body":"a note"}`, id))
	if told.Load() != 0 {
		t.Error("a note called the hook")
	}
	begun := time.Now()
	for range 2 { // the second one isn't answered
		if err := c.sim.Write(fmt.Sprint(id), "secret words"); err != nil {
			t.Fatal(err)
		}
	}
	if n := told.Load(); n != 2 || time.Since(begun) > 10*time.Second {
		t.Errorf("%d calls in %s, want 2 in little more than a second", n, time.Since(begun))
	}
	if got := payload.Load().(string); strings.Contains(got, "secret") || !strings.Contains(got, fmt.Sprintf(`"_id":%d`, id)) {
		t.Errorf("the hook is told %s", got)
	}
}

func TestStateIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "odoo")
	c := start(t, Options{StateDir: dir})
	id := c.contact()
	long := strings.Repeat("QUJD", 100_000) // goes to a file while it arrives
	file, why := c.load("ir.attachment", `{"fields":["id","datas","name","res_model","res_id"],"data":[["x.f","`+long+`","a.txt","res.partner","`+fmt.Sprint(id)+`"]]}`)
	if file == 0 {
		t.Fatal(why)
	}
	c.call("res.partner/message_post", fmt.Sprintf(`{"ids":[%d],"body":"<kept>","attachment_ids":[%d]}`, id, file))
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	c = start(t, Options{StateDir: dir})
	list := c.sim.Timeline(fmt.Sprint(id))
	if len(list) != 1 || list[0].HTML != "<p>&lt;kept&gt;</p>" || len(list[0].Files) != 1 {
		t.Fatalf("after a restart: %+v", list)
	}
	content, told, err := c.sim.Open(list[0].Files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	raw, err := io.ReadAll(content)
	if err != nil || string(raw) != strings.Repeat("ABC", 100_000) || told.Size != int64(len(raw)) || !told.Private {
		t.Errorf("%d bytes, %+v, %v", len(raw), told, err)
	}
	if again := c.contact(); again != id {
		t.Errorf("the external id names %d now, want %d", again, id)
	}
	demotest.Private(t, dir)
}
