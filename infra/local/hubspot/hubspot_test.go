package hubspot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/demo"
	"threadline/infra/local/demo/demotest"
)

// client talks to a simulator over a real connection.
type client struct {
	t     *testing.T
	sim   *Simulator
	url   string
	token string
}

func start(t *testing.T, o Options) *client {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	o.Token = "secret"
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, sim: s, url: demotest.Serve(t, s), token: "secret"}
}

func (c *client) do(method, path, body string) (int, map[string]any) {
	c.t.Helper()
	return c.send(method, path, "application/json", strings.NewReader(body))
}

func (c *client) send(method, path, mime string, body io.Reader) (int, map[string]any) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", mime)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, out
}

func (c *client) want(status int, method, path, body string) map[string]any {
	c.t.Helper()
	got, out := c.do(method, path, body)
	if got != status {
		c.t.Fatalf("%s %s: %d %v, want %d", method, path, got, out, status)
	}
	return out
}

const (
	objects    = "/crm/objects/2026-03/"
	properties = "/crm/v3/properties/"
)

// unique makes a unique property named key.
func (c *client) unique(kind string) {
	c.t.Helper()
	c.want(201, "POST", properties+kind+"/groups", `{"name":"mine","label":"Mine"}`)
	c.want(201, "POST", properties+kind, `{"name":"key","label":"Key","groupName":"mine","type":"string","fieldType":"text","hasUniqueValue":true}`)
}

func message(contact, key string) string {
	return fmt.Sprintf(`{"properties":{"hs_communication_channel_type":"WHATS_APP","hs_communication_logged_from":"CRM",
		"hs_timestamp":"2026-01-02T03:04:05Z","hs_communication_body":"hi","key":%q},
		"associations":[{"to":{"id":%q},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":81}]}]}`, key, contact)
}

func TestTokenAndScopes(t *testing.T) {
	c := start(t, Options{Scopes: []string{"crm.objects.contacts.read"}})
	c.want(200, "GET", objects+"contacts", "")
	out := c.want(403, "POST", objects+"contacts", `{"properties":{},"associations":[]}`)
	if text := fmt.Sprint(out); out["category"] != "MISSING_SCOPES" || !strings.Contains(text, "crm.objects.contacts.write") {
		t.Errorf("%s doesn't name the scope", text)
	}
	c.token = "wrong"
	c.want(401, "GET", objects+"contacts", "")
}

func TestRules(t *testing.T) {
	c := start(t, Options{})
	c.unique(communications)
	id := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A","phone":"+34600111222"},"associations":[]}`)["id"].(string)
	c.want(201, "POST", objects+communications, message(id, "k1"))
	for name, body := range map[string]string{
		"unknown property":   strings.Replace(message(id, "k2"), "hs_communication_body", "hs_communication_text", 1),
		"taken value":        message(id, "k1"),
		"unknown contact":    message("999", "k2"),
		"wrong type id":      strings.Replace(message(id, "k2"), "81", "82", 1),
		"bad channel":        strings.Replace(message(id, "k2"), "WHATS_APP", "PIGEON", 1),
		"no time":            strings.Replace(message(id, "k2"), "2026-01-02T03:04:05Z", "", 1),
		"bad time":           strings.Replace(message(id, "k2"), "2026-01-02T03:04:05Z", "yesterday", 1),
		"too long":           strings.Replace(message(id, "k2"), `"hi"`, `"`+strings.Repeat("x", 65537)+`"`, 1),
		"no associations":    message(id, "k2")[:strings.Index(message(id, "k2"), `"associations"`)] + `"objectWriteTraceId":"1"}`,
		"file that is not":   strings.Replace(message(id, "k2"), `"key"`, `"hs_attachment_ids":"7","key"`, 1),
		"unknown field":      strings.Replace(message(id, "k2"), `"associations"`, `"assoc":1,"associations"`, 1),
		"read-only property": strings.Replace(message(id, "k2"), `"key"`, `"hs_createdate":"1","key"`, 1),
	} {
		if status, out := c.do("POST", objects+communications, body); status != 400 || out["category"] != "VALIDATION_ERROR" {
			t.Errorf("%s: %d %v, want 400", name, status, out)
		}
	}
	if n := len(c.sim.Timeline(id)); n != 1 {
		t.Errorf("%d entries, want the one that was right", n)
	}
	c.want(400, "POST", objects+contacts, `{"properties":{"phone":"+34600111222"},"associations":[]}`)
	c.want(400, "POST", objects+"contacts/search", `{"filterGroups":[],"properties":[],"sorts":[],"limit":1,"after":"0"}`+strings.Repeat(" ", maxSearch))
	c.want(404, "GET", objects+communications+"/k2?idProperty=key", "")
	c.want(400, "GET", objects+communications+"/k1?idProperty=hs_timestamp", "")
	c.want(409, "POST", properties+communications+"/groups", `{"name":"mine","label":"Mine"}`)
}

func TestUpsert(t *testing.T) {
	c := start(t, Options{})
	c.unique(contacts)
	row := func(key, email string) string {
		return fmt.Sprintf(`{"idProperty":"key","id":%q,"properties":{"key":%q,"email":%q}}`, key, key, email)
	}
	out := c.want(200, "POST", objects+"contacts/batch/upsert", `{"inputs":[`+row("k1", "a@example.com")+`]}`)
	first := out["results"].([]any)[0].(map[string]any)
	if first["new"] != true {
		t.Errorf("new is %v at first", first["new"])
	}
	out = c.want(207, "POST", objects+"contacts/batch/upsert", `{"inputs":[`+row("k1", "a@example.com")+","+row("k2", "a@example.com")+`]}`)
	if again := out["results"].([]any)[0].(map[string]any); again["new"] != false || again["id"] != first["id"] {
		t.Errorf("the second time: %v", again)
	}
	if n := len(out["errors"].([]any)); n != 1 || len(c.sim.Contacts()) != 1 {
		t.Errorf("%d errors and %d contacts, want 1 and 1", n, len(c.sim.Contacts()))
	}
}

func TestSearchLags(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := start(t, Options{Now: func() time.Time { return now }, SearchLag: 10 * time.Second})
	id := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A","phone":"+34 600 111 222"},"associations":[]}`)["id"].(string)
	find := func(value string) int {
		out := c.want(200, "POST", objects+"contacts/search", `{"filterGroups":[{"filters":[{"propertyName":
			"hs_searchable_calculated_phone_number","operator":"EQ","value":"`+value+`"}]}],"properties":[],"sorts":[],"limit":10,"after":"0"}`)
		return int(out["total"].(float64))
	}
	if find("600111222") != 0 {
		t.Error("found at once")
	}
	now = now.Add(time.Minute)
	if find("600111222") != 1 {
		t.Error("not found after a minute")
	}
	c.want(200, "PATCH", objects+contacts+"/"+id, `{"properties":{"phone":"+34600999888"}}`)
	if find("600111222") != 1 || find("600999888") != 0 {
		t.Error("the change shows at once")
	}
	now = now.Add(time.Minute)
	if find("600111222") != 0 || find("600999888") != 1 {
		t.Error("the change doesn't show after a minute")
	}
	c.want(204, "DELETE", objects+contacts+"/"+id, "")
	c.want(404, "GET", objects+contacts+"/"+id, "")
}

func TestMerge(t *testing.T) {
	c := start(t, Options{})
	c.unique(communications)
	var ids []string
	for _, name := range []string{"A", "B"} {
		ids = append(ids, c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"`+name+`"},"associations":[]}`)["id"].(string))
	}
	c.want(201, "POST", objects+communications, message(ids[1], "k1"))
	c.want(200, "POST", objects+"contacts/merge", fmt.Sprintf(`{"primaryObjectId":%q,"objectIdToMerge":%q}`, ids[0], ids[1]))
	all := c.sim.Contacts()
	if len(all) != 1 || all[0].ID == ids[0] || all[0].ID == ids[1] || all[0].Name() != "A" {
		t.Fatalf("%+v, want a third contact with the first one's name", all)
	}
	for _, id := range ids {
		if got := c.want(200, "GET", objects+contacts+"/"+id, "")["id"]; got != all[0].ID {
			t.Errorf("%s answers as %v, want %s", id, got, all[0].ID)
		}
	}
	if n := len(c.sim.Timeline(all[0].ID)); n != 1 {
		t.Errorf("%d entries on the survivor, want 1", n)
	}
}

// upload posts a file and returns its id.
func (c *client) upload(name, mimeType, content, options string) string {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range map[string]string{"fileName": name, "folderPath": "/x", "options": options} {
		if err := w.WriteField(k, v); err != nil {
			c.t.Fatal(err)
		}
	}
	part, err := w.CreatePart(map[string][]string{
		"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}, "Content-Type": {mimeType},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		c.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
	status, out := c.send("POST", "/files/2026-03/files", w.FormDataContentType(), &b)
	if status != 201 {
		c.t.Fatalf("upload: %d %v", status, out)
	}
	return out["id"].(string)
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestFiles(t *testing.T) {
	now := time.Now()
	c := start(t, Options{Now: func() time.Time { return now }})
	first := c.upload("a.txt", "text/plain", "one", `{"access":"PRIVATE","overwrite":true}`)
	second := c.upload("a.txt", "text/plain", "two", `{"access":"PRIVATE","overwrite":true}`)
	if second == first {
		t.Error("overwritten under the same id")
	}
	c.want(404, "GET", "/files/2026-03/files/"+first, "")
	if other := c.upload("a.txt", "text/plain", "three", `{"access":"PRIVATE"}`); other == second {
		t.Error("overwritten without being told to")
	}
	signed := c.want(200, "GET", "/files/2026-03/files/"+second+"/signed-url?expirationSeconds=60", "")["url"].(string)
	if status, body := get(t, signed); status != 200 || body != "two" {
		t.Errorf("signed URL: %d %q, want the bytes", status, body)
	}
	if status, _ := get(t, signed+"0"); status != 403 {
		t.Errorf("forged signature: %d, want 403", status)
	}
	now = now.Add(2 * time.Minute)
	if status, _ := get(t, signed); status != 403 {
		t.Errorf("expired: %d, want 403", status)
	}
}

// TestRestart proves that what was answered is there again, and readable by its owner only.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hubspot")
	c := start(t, Options{StateDir: dir})
	c.unique(communications)
	id := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"A"},"associations":[]}`)["id"].(string)
	f := c.upload("a.txt", "text/plain", "bytes", `{"access":"PRIVATE"}`)
	c.want(201, "POST", objects+communications, strings.Replace(message(id, "k1"), `"key"`, `"hs_attachment_ids":"`+f+`","key"`, 1))
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	// A crash cuts the last line short.
	journal := filepath.Join(dir, "journal.jsonl")
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal, append(whole, `{"object":{"ki`...), 0o600); err != nil {
		t.Fatal(err)
	}

	c = start(t, Options{StateDir: dir})
	entries := c.sim.Timeline(id)
	if len(entries) != 1 || len(entries[0].Files) != 1 || entries[0].Files[0].Size != 5 {
		t.Fatalf("timeline %+v, want the entry with its file", entries)
	}
	if status, _ := c.do("POST", objects+communications, message(id, "k1")); status != 400 {
		t.Errorf("the unique value was forgotten: %d", status)
	}
	if next := c.want(201, "POST", objects+contacts, `{"properties":{"firstname":"B"},"associations":[]}`)["id"].(string); next <= entries[0].ID {
		t.Errorf("id %s was given twice", next)
	}
	demotest.Private(t, dir)
}

func TestFaults(t *testing.T) {
	now := time.Now()
	c := start(t, Options{Now: func() time.Time { return now }})
	c.sim.Fail(now.Add(time.Second))
	c.want(500, "GET", objects+contacts, "")
	now = now.Add(time.Second)
	c.sim.Limit(Daily, now.Add(time.Second))
	if out := c.want(429, "GET", objects+contacts, ""); out["policyName"] != Daily {
		t.Errorf("policy %v", out["policyName"])
	}
	now = now.Add(time.Second)
	c.sim.Drop(1)
	r, err := http.NewRequest("POST", c.url+objects+contacts, strings.NewReader(`{"properties":{"firstname":"B"},"associations":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret")
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Error("answered although the connection was to be cut")
	}
	if n := len(c.sim.Contacts()); n != 1 {
		t.Errorf("%d contacts, want 1: it was done", n)
	}
}

// Ensure that the demo page shows what was written through the API, and that somebody writes only where there is a workflow.
func TestDemo(t *testing.T) {
	c := start(t, Options{})
	crm := c.sim.Demo()
	before := crm.Revision()
	id, err := c.sim.AddContact(map[string]string{"firstname": "María", "mobilephone": "+34600111222"})
	if err != nil {
		t.Fatal(err)
	}
	photo := c.upload("a.jpg", "image/jpeg", "bytes", `{"access":"PRIVATE"}`)
	c.want(201, "POST", "/crm/objects/2026-03/notes", `{"properties":{"hs_timestamp":"2026-11-02T08:00:00Z","hs_note_body":"<p>hello</p>",
		"hs_attachment_ids":"`+photo+`"},"associations":[{"to":{"id":"`+id+`"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":202}]}]}`)

	if got := crm.Contacts(); len(got) != 1 || got[0].Name != "María" || got[0].Phone != "+34600111222" || got[0].Entries != 1 {
		t.Errorf("contacts %+v", got)
	}
	timeline := crm.Timeline(id)
	if len(timeline) != 1 || timeline[0].HTML != "<p>hello</p>" || len(timeline[0].Files) != 1 || !timeline[0].Files[0].Private {
		t.Errorf("timeline %+v", timeline)
	}
	content, f, err := crm.Open(photo)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil || string(b) != "bytes" || f.Name != "a.jpg" || f.MIME != "image/jpeg" {
		t.Errorf("%q of %+v, %v", b, f, err)
	}
	details := crm.(demo.Detailed)
	if p := details.Properties(id); len(p) == 0 || p[0] != (demo.Property{Label: "First name", Value: "María"}) || details.Key(id) != "" {
		t.Errorf("properties %+v, key %q", p, details.Key(id))
	}
	if crm.Revision() == before {
		t.Error("nothing says that the account changed")
	}
	_, writes := crm.(demo.Writer)
	_, writesWithAction := start(t, Options{ActionURL: "http://127.0.0.1:1/", ClientSecret: "x"}).sim.Demo().(demo.Writer)
	if writes || !writesWithAction {
		t.Errorf("somebody writes without the workflow: %v, with it: %v", writes, writesWithAction)
	}
}
