package espocrm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
	"threadline/infra/local/espocrm"
)

const key, password = "key", "secret"

type instance struct {
	t   *testing.T
	sim *espocrm.Simulator
	url string
	now time.Time
}

func open(t *testing.T, o espocrm.Options) *instance {
	t.Helper()
	i := &instance{t: t, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	o.APIKey, o.Password, o.Now = key, password, func() time.Time { return i.now }
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	s, err := espocrm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	i.sim, i.url = s, demotest.Serve(t, s)
	return i
}

// call answers the status, the reason and the body.
func (i *instance) call(method, path, body string, header ...string) (int, string, map[string]any) {
	i.t.Helper()
	req, err := http.NewRequest(method, i.url+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("Content-Type", "application/json")
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	var out map[string]any
	_ = json.Unmarshal(b, &out)
	return res.StatusCode, res.Header.Get("X-Status-Reason"), out
}

func (i *instance) create(path, body string) map[string]any {
	i.t.Helper()
	status, reason, out := i.call("POST", path, body)
	if status != http.StatusOK {
		i.t.Fatalf("POST %s: %d %s", path, status, reason)
	}
	return out
}

// TestRules proves that the simulator refuses what EspoCRM refuses.
func TestRules(t *testing.T) {
	i := open(t, espocrm.Options{SetUp: true})
	i.sim.Grant("Webhook")
	id, _ := i.create("Contact", `{"firstName":"Ana","lastName":"Silva","phoneNumber":"+34 600 111 222","unknown":1}`)["id"].(string)
	for name, row := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		reason             string
	}{
		"wrong key":                  {"GET", "Contact", "", []string{"X-Api-Key", "x"}, 401, ""},
		"national number":            {"POST", "Contact", `{"lastName":"x","phoneNumber":"600111222"}`, nil, 400, "Field validation failure; entityType: Contact, field: phoneNumber, type: valid."},
		"no last name":               {"POST", "Contact", `{"firstName":"x"}`, nil, 400, "Field validation failure; entityType: Contact, field: lastName, type: required."},
		"same name":                  {"POST", "Contact", `{"firstName":"Ana","lastName":"Silva"}`, nil, 409, "duplicate"},
		"same name, skipped":         {"POST", "Contact", `{"firstName":"Ana","lastName":"Silva"}`, []string{"X-Skip-Duplicate-Check", "true"}, 200, ""},
		"same number, another name":  {"POST", "Contact", `{"lastName":"B","phoneNumber":"+34600111222"}`, nil, 200, ""},
		"a page too large":           {"GET", "Contact?maxSize=201", "", nil, 403, "Max size should not exceed 200. Use offset and limit."},
		"a filter on nothing":        {"GET", "Contact?where[0][type]=equals&where[0][attribute]=cNothing&where[0][value]=1", "", nil, 400, "Not existing attribute 'cNothing' in where."},
		"a link without its c":       {"GET", "Contact/" + id + "/whatsappMessages", "", nil, 500, ""},
		"a link with its c":          {"GET", "Contact/" + id + "/cWhatsappMessages", "", nil, 200, ""},
		"a note on nothing":          {"POST", "Note", `{"type":"Post","parentType":"Contact","parentId":"0","post":"x"}`, nil, 403, "No access to parent."},
		"a webhook for notes":        {"POST", "Webhook", `{"event":"Note.create","url":"https://example.com"}`, nil, 403, "Entity type is not available for Webhooks."},
		"an entity by an API user":   {"POST", "EntityManager/action/createEntity", `{"name":"Other","type":"Base"}`, nil, 403, ""},
		"a message on nothing":       {"POST", "CWhatsappMessage", `{"contactId":"0"}`, nil, 403, "Can't relate with non-existing record. entity type: CWhatsappMessage, link: contact."},
		"a name with <":              {"POST", "CWhatsappMessage", `{"name":"<3"}`, nil, 400, "Field validation failure; entityType: CWhatsappMessage, field: name, type: pattern."},
		"a time that is none":        {"POST", "CWhatsappMessage", `{"dateSent":"2026-01-02T12:00:00Z"}`, nil, 400, "Field validation failure; entityType: CWhatsappMessage, field: dateSent, type: valid."},
		"a file for no field":        {"POST", "Attachment", `{"name":"a","type":"text/plain","role":"Attachment","parentType":"Note","field":"post","file":"data:text/plain;base64,QQ=="}`, nil, 403, "Field type 'text' is not allowed for Attachment."},
		"a file that is no data URL": {"POST", "Attachment", `{"name":"a","role":"Attachment","parentType":"Note","field":"attachments","file":"QQ=="}`, nil, 400, "Bad file data."},
		"a file that is cut off":     {"POST", "Attachment", `{"name":"a","role":"Attachment","parentType":"Note","field":"attachments","file":"data:text/plain;base64,QQ=`, nil, 400, "Bad file data."},
		"a file":                     {"POST", "Attachment", `{"file":"data:text/plain;base64,QQ==","name":"a\"b","role":"Attachment","parentType":"Note","field":"attachments"}`, nil, 200, ""},
		"a list of files":            {"GET", "Attachment", "", nil, 403, "No access."},
		"an entity that isn't there": {"GET", "CNothing", "", nil, 404, "Controller 'CNothing' does not exist."},
	} {
		if status, reason, _ := i.call(row.method, row.path, row.body, row.header...); status != row.status || reason != row.reason {
			t.Errorf("%s: %d %q, want %d %q", name, status, reason, row.status, row.reason)
		}
	}
}

// TestNotes proves that a note can't be dated, keyed or edited by another or after a week.
func TestNotes(t *testing.T) {
	i := open(t, espocrm.Options{})
	c, _ := i.create("Contact", `{"lastName":"Silva"}`)["id"].(string)
	n := i.create("Note", `{"id":"mine","type":"Post","parentType":"Contact","parentId":"`+c+`","post":"hello @admin","createdAt":"2020-01-01 00:00:00","data":{"x":1}}`)
	if n["id"] == "mine" || n["createdAt"] != "2026-11-02 09:00:00" || n["data"] != nil {
		t.Errorf("%v, want our id, time and data ignored", n)
	}
	if told := i.sim.Mentioned(); len(told) != 1 {
		t.Errorf("told %q, want the user whose name it has", told)
	}
	id, _ := n["id"].(string)
	for _, row := range []struct {
		wait   time.Duration
		status int
	}{{7 * 24 * time.Hour, 200}, {time.Second, 403}} {
		i.now = i.now.Add(row.wait)
		if status, _, _ := i.call("PUT", "Note/"+id, `{"post":"changed"}`); status != row.status {
			t.Errorf("after a week and %s: %d, want %d", row.wait, status, row.status)
		}
	}
	if status, _, page := i.call("GET", "Contact/"+c+"/stream?where[0][type]=contains&where[0][attribute]=post&where[0][value]=CHANGED", ""); status != 200 || page["total"] != 1.0 {
		t.Errorf("stream: %d %v", status, page)
	}
}

// TestNoteOfDeletedContact proves that a note goes out of sight with its contact, and is forbidden rather than missing.
func TestNoteOfDeletedContact(t *testing.T) {
	i := open(t, espocrm.Options{})
	c, _ := i.create("Contact", `{"lastName":"Silva"}`)["id"].(string)
	n, _ := i.create("Note", `{"type":"Post","parentType":"Contact","parentId":"`+c+`","post":"hello"}`)["id"].(string)
	for _, want := range []int{200, 403} {
		if status, _, _ := i.call("GET", "Note/"+n, ""); status != want {
			t.Errorf("%d, want %d", status, want)
		}
		i.call("DELETE", "Contact/"+c, "")
	}
	if status, _, _ := i.call("GET", "Note/"+n+"0", ""); status != 404 {
		t.Errorf("a note that never was: %d, want 404", status)
	}
}

// TestVersion10 proves what version 10 forbids that earlier ones don't: internal notes on contacts, and files that another
// record has.
func TestVersion10(t *testing.T) {
	for version, forbidden := range map[int]int{9: 200, 10: 403} {
		i := open(t, espocrm.Options{Version: version})
		c, _ := i.create("Contact", `{"lastName":"Silva"}`)["id"].(string)
		a, _ := i.create("Attachment", `{"file":"data:text/plain;base64,QQ==","name":"a","role":"Attachment","parentType":"Note","field":"attachments"}`)["id"].(string)
		note := `{"type":"Post","parentType":"Contact","parentId":"` + c + `","post":"hello"`
		i.create("Note", note+`,"attachmentsIds":["`+a+`"]}`)
		for _, more := range []string{`,"isInternal":true}`, `,"attachmentsIds":["` + a + `"]}`} {
			if status, _, _ := i.call("POST", "Note", note+more); status != forbidden {
				t.Errorf("version %d, %s: %d, want %d", version, more, status, forbidden)
			}
		}
	}
}

// TestAttachments proves that a file is for whoever made it or may read the record that it is on, and that a list tells of
// files only if it is asked to.
func TestAttachments(t *testing.T) {
	i := open(t, espocrm.Options{SetUp: true})
	c, _ := i.create("Contact", `{"lastName":"Silva"}`)["id"].(string)
	id, err := i.sim.AddMessage(c, "look", espocrm.Attachment{Name: "a.txt", MIME: "text/plain", Content: strings.NewReader("hello")})
	if err != nil {
		t.Fatal(err)
	}
	_, _, m := i.call("GET", "CWhatsappMessage/"+id, "")
	ids, _ := m["filesIds"].([]any)
	if len(ids) != 1 {
		t.Fatalf("%v, want one file", m)
	}
	theirs, _ := ids[0].(string)
	ours, _ := i.create("Attachment", `{"file":"data:text/plain;base64,QQ==","name":"b","role":"Attachment","parentType":"Note","field":"attachments"}`)["id"].(string)
	if _, _, a := i.call("GET", "Attachment/"+theirs, ""); a["name"] != "a.txt" || a["type"] != "text/plain" || a["size"] != 5.0 {
		t.Errorf("described as %v", a)
	}
	for _, status := range []int{200, 403} {
		for _, path := range []string{"Attachment/", "Attachment/file/"} {
			if got, _, _ := i.call("GET", path+theirs, ""); got != status {
				t.Errorf("%s of theirs: %d, want %d", path, got, status)
			}
			if got, _, _ := i.call("GET", path+ours, ""); got != 200 {
				t.Errorf("%s of ours: %d, want 200", path, got)
			}
			if got, _, _ := i.call("GET", path+"0", ""); got != 404 {
				t.Errorf("%s of nothing: %d, want 404", path, got)
			}
		}
		for query, want := range map[string]bool{"": false, "?select=filesIds": true, "?select=body": false} {
			_, _, page := i.call("GET", "CWhatsappMessage"+query, "")
			list, _ := page["list"].([]any)
			if len(list) != 1 {
				continue // once it is forbidden
			}
			m, _ := list[0].(map[string]any)
			if _, told := m["filesIds"]; told != want {
				t.Errorf("a list with %q tells of files: %v, want %v", query, told, want)
			}
		}
		i.sim.Forbid("CWhatsappMessage", "read")
	}
}

// TestNumbers proves that any number of a contact is found, by its form and by its digits.
func TestNumbers(t *testing.T) {
	i := open(t, espocrm.Options{})
	id, err := i.sim.AddContact("Old Data", "91 555 00 11")
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := i.call("PATCH", "Contact/"+id, `{"phoneNumber":"+5215512345678"}`); status != 200 {
		t.Fatalf("status %d", status)
	}
	for query, want := range map[string]float64{
		"equals&where[0][attribute]=phoneNumber&where[0][value]=%2B525512345678":     1, // as it is stored
		"equals&where[0][attribute]=phoneNumber&where[0][value]=%2B5215512345678":    0,
		"endsWith&where[0][attribute]=phoneNumberNumeric&where[0][value]=5550011":    1,
		"endsWith&where[0][attribute]=phoneNumberNumeric&where[0][value]=12345678":   1,
		"equals&where[0][attribute]=phoneNumberNumeric&where[0][value]=525512345678": 1,
	} {
		if _, _, page := i.call("GET", "Contact?where[0][type]="+query, ""); page["total"] != want {
			t.Errorf("%s: %v, want %v", query, page["total"], want)
		}
	}
}

// TestWebhookRetries proves when a webhook is tried again, given up, or dropped.
func TestWebhookRetries(t *testing.T) {
	for status, want := range map[int]int32{200: 1, 400: 1, 502: 1, 410: 1, 401: 4, 500: 4, 503: 4} {
		var calls atomic.Int32
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			body, _ := io.ReadAll(r.Body)
			if !bytes.HasPrefix(body, []byte("[{")) || r.Header.Get("X-Signature") == "" || r.Header.Get("Signature") == "" {
				t.Errorf("body %s, header %v", body, r.Header)
			}
			w.WriteHeader(status)
		}))
		i := open(t, espocrm.Options{SetUp: true, HookURL: hook.URL, HookSecret: "s"})
		c, _ := i.create("Contact", `{"lastName":"Silva"}`)["id"].(string)
		if _, err := i.sim.AddMessage(c, "hello"); err != nil {
			t.Fatal(err)
		}
		for range 6 {
			if err := i.sim.RunJob(context.Background()); err != nil {
				t.Fatal(err)
			}
			i.now = i.now.Add(11 * time.Minute)
		}
		hook.Close()
		if calls.Load() != want {
			t.Errorf("answered %d: %d calls, want %d", status, calls.Load(), want)
		}
	}
}

// TestStateIsKept proves that an instance is what it was after a restart, and nobody else's to read.
func TestStateIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "espocrm")
	first := open(t, espocrm.Options{StateDir: dir, SetUp: true})
	c, _ := first.create("Contact", `{"lastName":"Silva","phoneNumber":"+34600111222"}`)["id"].(string)
	a, _ := first.create("Attachment", `{"name":"a.txt","type":"text/plain","role":"Attachment","parentType":"CWhatsappMessage","field":"files","file":"data:text/plain;base64,aGVsbG8="}`)["id"].(string)
	first.create("CWhatsappMessage", `{"body":"look","contactId":"`+c+`","filesIds":["`+a+`"],"dateSent":"2026-01-02 12:00:00"}`)
	if err := first.sim.Close(); err != nil {
		t.Fatal(err)
	}
	demotest.Private(t, dir)
	second := open(t, espocrm.Options{StateDir: dir, SetUp: true})
	entries := second.sim.Timeline(c)
	if len(entries) != 1 || len(entries[0].Files) != 1 || !entries[0].At.Equal(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v", entries)
	}
	in, f, err := second.sim.Open(entries[0].Files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if b, err := io.ReadAll(in); err != nil || string(b) != "hello" || f.Size != 5 || !f.Private {
		t.Errorf("%q %+v %v", b, f, err)
	}
	if got := second.sim.Contacts(); len(got) != 1 || got[0].Phone != "+34600111222" || got[0].Entries != 1 {
		t.Errorf("%+v", got)
	}
	if next := second.create("Contact", `{"lastName":"Other"}`)["id"]; next == c || next == a {
		t.Error("an id was given twice")
	}
}

// TestMarkdown proves what a page shows of a post.
func TestMarkdown(t *testing.T) {
	for post, want := range map[string]string{
		"**bold** and *soft*":           "<p><strong>bold</strong> and <em>soft</em></p>",
		`\*not\* bold`:                  "<p>*not* bold</p>",
		"one  \ntwo\n\nthree":           "<p>one<br>two</p><p>three</p>",
		"a < b":                         "<p>a &lt; b</p>",
		`a \< b`:                        `<p>a \</p>`, // the page's own backslash makes HTML of it
		"a &lt; b &#64;":                "<p>a &lt; b @</p>",
		"text\n\n[threadline]: # (key)": "<p>text</p>",
	} {
		if got := espocrm.Markdown(post); got != want {
			t.Errorf("%q is shown as %q, want %q", post, got, want)
		}
	}
}
