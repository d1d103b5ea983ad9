package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"threadline/infra/local/demo"
	"threadline/infra/local/demo/demotest"
	source "threadline/infra/salesforce"
)

var (
	_ demo.CRM    = (*Simulator)(nil)
	_ demo.Writer = (*Simulator)(nil)
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
	o.ClientID, o.ClientSecret, o.Metadata, o.Assigned = "app", "secret", source.Source, "Threadline_Integration"
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, sim: s, url: demotest.Serve(t, s)}
	c.login()
	return c
}

func (c *client) login() {
	c.t.Helper()
	res, err := http.PostForm(c.url+"/services/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"secret"},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out struct {
		Token    string `json:"access_token"`
		Instance string `json:"instance_url"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Instance != c.url {
		c.t.Fatalf("instance %q: %v", out.Instance, err)
	}
	c.token = out.Token
}

func (c *client) send(method, path, kind string, body io.Reader) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+"/services/data/v62.0/"+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// want makes a call and looks for a status and a part of the answer.
func (c *client) want(status int, part, method, path, body string) string {
	c.t.Helper()
	got, answer := c.send(method, path, "application/json", strings.NewReader(body))
	if got != status || !strings.Contains(answer, part) {
		c.t.Errorf("%s %s: %d %s, want %d with %s", method, path, got, answer, status, part)
	}
	return answer
}

func (c *client) id(answer string) string {
	c.t.Helper()
	var out struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(answer), &out); err != nil || len(out.ID) != 18 {
		c.t.Fatalf("no id in %s", answer)
	}
	return out.ID
}

func (c *client) rows(soql string) []map[string]any {
	c.t.Helper()
	var out struct{ Records []map[string]any }
	answer := c.want(200, "records", "GET", "query?q="+url.QueryEscape(soql), "")
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		c.t.Fatal(err)
	}
	return out.Records
}

func TestSessions(t *testing.T) {
	c := start(t, Options{Daily: 2})
	c.want(200, "", "GET", "sobjects/Contact/describe", "")
	c.sim.EndSessions()
	c.want(401, "INVALID_SESSION_ID", "GET", "sobjects/Contact/describe", "")
	c.login()
	c.want(403, "REQUEST_LIMIT_EXCEEDED", "GET", "sobjects/Contact/describe", "")
}

func TestRecords(t *testing.T) {
	c := start(t, Options{})
	c.want(400, "REQUIRED_FIELD_MISSING", "POST", "sobjects/Contact", `{"FirstName":"Ana"}`)
	c.want(400, "INVALID_FIELD", "POST", "sobjects/Contact", `{"LastName":"Silva","Nickname":"A"}`)
	c.want(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "POST", "sobjects/Contact", `{"LastName":"Silva","Name":"A"}`)
	c.want(400, "STRING_TOO_LONG", "POST", "sobjects/Contact", `{"LastName":"`+strings.Repeat("x", 81)+`"}`)
	c.want(404, "NOT_FOUND", "POST", "sobjects/Nothing__c", `{}`)
	id := c.id(c.want(201, `"success":true`, "POST", "sobjects/Contact", `{"LastName":"Silva"}`))
	c.want(204, "", "PATCH", "sobjects/Contact/"+id[:15], `{"FirstName":"Ana"}`)
	c.want(200, `"FirstName":"Ana"`, "GET", "sobjects/Contact/"+id+"?fields=FirstName", "")
	c.want(404, "NOT_FOUND", "GET", "sobjects/Contact/003Dm0000000009", "")
	if err := c.sim.Delete(id); err != nil {
		t.Fatal(err)
	}
	c.want(404, "ENTITY_IS_DELETED", "GET", "sobjects/Contact/"+id, "")
	c.want(400, "ENTITY_IS_DELETED", "POST", "sobjects/Task", `{"WhoId":"`+id+`"}`)
	c.want(400, "INVALID_CROSS_REFERENCE_KEY", "POST", "sobjects/Task", `{"WhoId":"003Dm0000000009AAA"}`)
	c.want(400, "MALFORMED_ID", "POST", "sobjects/Task", `{"WhoId":"nobody"}`)
}

func TestUpsert(t *testing.T) {
	c := start(t, Options{})
	id := c.id(c.want(201, `"created":true`, "PATCH", "sobjects/Contact/WA_Id__c/a%2Fb%27", `{"LastName":"Silva"}`))
	if again := c.id(c.want(200, `"created":false`, "PATCH", "sobjects/Contact/WA_Id__c/a%2Fb%27", `{"FirstName":"Ana"}`)); again != id {
		t.Errorf("%s and %s for one key", id, again)
	}
	c.want(400, "DUPLICATE_VALUE", "POST", "sobjects/Contact", `{"LastName":"Silva","WA_Id__c":"a/b'"}`)
	c.want(404, "NOT_FOUND", "PATCH", "sobjects/Contact/LastName/Silva", `{}`)
	c.want(400, "INVALID_FIELD", "PATCH", "sobjects/Contact/WA_Id__c/x", `{"LastName":"Silva","WA_Id__c":"x"}`)
	c.want(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "PATCH", "sobjects/WA_Outbound__c/"+c.outbound(id), `{"Status__c":"Lost"}`)
	c.want(403, "INSUFFICIENT_ACCESS", "POST", "sobjects/WA_Outbound__c", `{"Contact__c":"`+id+`"}`)
}

func (c *client) outbound(contact string) string {
	c.t.Helper()
	id, err := c.sim.Add("WA_Outbound__c", map[string]string{"Contact__c": contact})
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func TestFiles(t *testing.T) {
	c := start(t, Options{})
	contact, err := c.sim.Add("Contact", map[string]string{"LastName": "Silva"})
	if err != nil {
		t.Fatal(err)
	}
	upload := func(status int, part, fields, name string) string {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		first, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="entity_content"`}, "Content-Type": {"application/json"}})
		_, _ = io.WriteString(first, fields)
		second, _ := w.CreateFormFile(name, "photo.jpg")
		_, _ = io.WriteString(second, "bytes")
		_ = w.Close()
		got, answer := c.send("POST", "sobjects/ContentVersion", w.FormDataContentType(), &b)
		if got != status || !strings.Contains(answer, part) {
			t.Errorf("%d %s, want %d with %s", got, answer, status, part)
		}
		return answer
	}
	upload(400, "INVALID_MULTIPART_REQUEST", `{"PathOnClient":"photo.jpg"}`, "file")
	upload(400, "REQUIRED_FIELD_MISSING", `{"Title":"photo"}`, "VersionData")
	upload(400, "INVALID_CROSS_REFERENCE_KEY", `{"PathOnClient":"photo.jpg","FirstPublishLocationId":"003Dm0000000009AAA"}`, "VersionData")
	if left, _ := os.ReadDir(filepath.Join(c.sim.options.StateDir, "files")); len(left) != 0 {
		t.Errorf("%d files of refused calls are left", len(left))
	}
	version := c.id(upload(201, "id", `{"PathOnClient":"photo.jpg","FirstPublishLocationId":"`+contact+`"}`, "VersionData"))
	c.want(200, "bytes", "GET", "sobjects/ContentVersion/"+version+"/VersionData", "")
	c.want(200, `"DUPLICATE_VALUE"`, "POST", "composite", fmt.Sprintf(`{"compositeRequest":[
		{"method":"GET","url":"/services/data/v62.0/sobjects/ContentVersion/%s?fields=ContentDocumentId","referenceId":"v"},
		{"method":"POST","url":"/services/data/v62.0/sobjects/ContentDocumentLink","referenceId":"l",
		 "body":{"ContentDocumentId":"@{v.ContentDocumentId}","LinkedEntityId":"%s","ShareType":"V"}}]}`, version, contact))
	c.want(200, "PROCESSING_HALTED", "POST", "composite", `{"compositeRequest":[
		{"method":"POST","url":"/services/data/v62.0/sobjects/Task","referenceId":"t","body":{"Subject":"@{x.id}"}}]}`)
}

// TestRestart proves that everything that was answered is there after a restart, for nobody else to read.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "salesforce")
	c := start(t, Options{StateDir: dir})
	id := c.id(c.want(201, "", "PATCH", "sobjects/Contact/WA_Id__c/k", `{"LastName":"Silva"}`))
	message := c.id(c.want(201, "", "PATCH", "sobjects/WA_Message__c/WAMID__c/m", `{"Contact__c":"`+id+`","Body__c":"hello","SentAt__c":"2026-01-02T03:04:05Z"}`))
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "journal.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"id":"cut`) // by a crash
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	c = start(t, Options{StateDir: dir})
	if got := c.sim.Timeline(id); len(got) != 1 || got[0].ID != message || !strings.Contains(got[0].HTML, "hello") {
		t.Errorf("%+v", got)
	}
	if got := c.sim.Contacts(); len(got) != 1 || got[0].Entries != 1 {
		t.Errorf("%+v", got)
	}
	if next := c.id(c.want(201, "", "POST", "sobjects/Contact", `{"LastName":"Silva"}`)); next == id || next == message {
		t.Error("an id was given twice")
	}
	demotest.Private(t, dir)
}
