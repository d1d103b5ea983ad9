package pipedrive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
	"threadline/shared/crm/crmtest"
)

// client talks to a simulator over a real connection. Its clock passes a second before each call, unless it is stopped.
type client struct {
	t       *testing.T
	sim     *Simulator
	url     string
	clock   *crmtest.Clock
	stopped bool
	mu      sync.Mutex
	slept   []time.Duration
}

func start(t *testing.T, o Options) *client {
	t.Helper()
	c := &client{t: t, clock: crmtest.NewClock()}
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	o.Token, o.Now = "secret", c.clock.Now
	o.Sleep = func(_ context.Context, d time.Duration) error {
		c.mu.Lock()
		c.slept = append(c.slept, d)
		c.mu.Unlock()
		return nil
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.sim, c.url = s, demotest.Serve(t, s)
	return c
}

func (c *client) send(method, path, kind string, body io.Reader) (*http.Response, map[string]any) {
	c.t.Helper()
	if !c.stopped {
		c.clock.Advance(time.Second)
	}
	r, err := http.NewRequest(method, c.url+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("x-api-token", "secret")
	r.Header.Set("Content-Type", kind)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res, out
}

func (c *client) want(status int, method, path, body string) map[string]any {
	c.t.Helper()
	res, out := c.send(method, path, "application/json", strings.NewReader(body))
	if res.StatusCode != status || out["success"] != (status < 300) {
		c.t.Fatalf("%s %s %s: %d %v, want %d", method, path, body, res.StatusCode, out, status)
	}
	return out
}

func data(out map[string]any) map[string]any { d, _ := out["data"].(map[string]any); return d }

func (c *client) person(name, phone string) string {
	c.t.Helper()
	out := c.want(200, "POST", "/api/v2/persons", fmt.Sprintf(`{"name":%q,"phones":[{"value":%q}]}`, name, phone))
	return fmt.Sprint(data(out)["id"])
}

func TestRefusals(t *testing.T) {
	c := start(t, Options{})
	id := c.person("Ana", "600111222")
	for _, call := range []struct {
		status             int
		method, path, body string
	}{
		{400, "POST", "/api/v2/persons", `{}`},
		{400, "POST", "/api/v2/persons", `{"name":" "}`},
		{400, "POST", "/api/v2/persons", `{"name":"x","phone":[{"value":"1"}]}`}, // a name of API v1
		{400, "POST", "/api/v2/persons", `{"name":"x","owner_id":"1"}`},
		{400, "POST", "/api/v2/persons", `{"name":"x","custom_fields":{"unknown":"1"}}`},
		{404, "PATCH", "/api/v2/persons/999", `{"name":"x"}`},
		{400, "GET", "/api/v2/persons/search?term=6", ``},
		{400, "GET", "/api/v2/persons/search?term=600&fields=telephone", ``},
		{400, "GET", "/api/v2/itemSearch/field?term=600&entity_type=person&field=unknown", ``},
		{400, "GET", "/api/v2/persons?limit=501", ``},
		{400, "POST", "/api/v2/personFields", `{"field_name":"x","field_type":"url"}`},
		{400, "POST", "/v1/notes", `{"person_id":` + id + `}`},
		{400, "POST", "/v1/notes", `{"content":"x"}`},
		{400, "POST", "/v1/notes", `{"content":"x","person_id":"` + id + `"}`},
		{400, "POST", "/v1/notes", `{"content":"x","person_id":` + id + `,"add_time":"2026-01-02T03:04:05Z"}`},
		{400, "POST", "/v1/notes", `{"content":"` + strings.Repeat("x", maxNote+1) + `","person_id":` + id + `}`},
		{404, "PUT", "/v1/notes/999", `{"content":"x"}`},
		{400, "GET", "/v1/notes?start_date=yesterday", ``},
		{400, "GET", "/v1/notes?updated_since=2026-01-02+03:04:05", ``},
		{400, "GET", "/v1/notes?sort=update_time+DOWN", ``},
		{400, "GET", "/v1/persons/" + id + "/files?limit=101", ``},
		{400, "POST", "/v1/webhooks", `{"subscription_url":"nowhere","event_action":"*","event_object":"note","name":"x"}`},
		{400, "POST", "/v1/webhooks", `{"subscription_url":"https://example.com","event_action":"added","event_object":"note","name":"x"}`},
		{400, "POST", "/v1/webhooks", `{"subscription_url":"https://api.pipedrive.com/x","event_action":"*","event_object":"note","name":"x"}`},
		{404, "GET", "/v1/deals", ``},
	} {
		c.want(call.status, call.method, call.path, call.body)
	}
}

func TestSearchLags(t *testing.T) {
	c := start(t, Options{SearchLag: 30 * time.Second})
	hits := func(term string) int {
		out := c.want(200, "GET", "/api/v2/persons/search?fields=phone&term="+term, "")
		return len(data(out)["items"].([]any))
	}
	id := c.person("Ana", "600 111 222")
	if hits("111") != 0 {
		t.Error("found at once")
	}
	c.clock.Advance(time.Minute)
	if hits("111") != 1 || hits("600111222") != 0 {
		t.Error("what is stored is compared as text")
	}
	c.want(200, "PATCH", "/api/v2/persons/"+id, `{"phones":[{"value":"955"}]}`)
	if hits("111") != 1 || hits("955") != 0 {
		t.Error("the change is seen at once")
	}
	c.want(200, "DELETE", "/api/v2/persons/"+id, "")
	c.clock.Advance(time.Minute)
	if hits("955") != 0 {
		t.Error("a deleted person is found")
	}
	if out := data(c.want(200, "GET", "/api/v2/persons/"+id, "")); out["is_deleted"] != true {
		t.Errorf("a deleted person is %v", out)
	}
	c.clock.Advance(kept)
	c.want(404, "GET", "/api/v2/persons/"+id, "")
}

func TestLimits(t *testing.T) {
	c := start(t, Options{Budget: 250})
	c.stopped = true
	for n := range 11 {
		res, _ := c.send("GET", "/api/v2/persons/search?term=ana", "", nil)
		if limited := res.StatusCode == 429; limited != (n == 10) {
			t.Fatalf("search %d: %d", n, res.StatusCode)
		}
	}
	for n := range 11 {
		res, _ := c.send("GET", "/v1/users/me", "", nil)
		if limited := res.StatusCode == 429; limited != (n == 10) || res.Header.Get("x-ratelimit-limit") != "20" {
			t.Fatalf("call %d: %d %v", n, res.StatusCode, res.Header)
		}
	}
	c.clock.Advance(window)
	c.want(200, "GET", "/v1/users/me", "")
	c.clock.Advance(window)
	res, _ := c.send("GET", "/v1/notes", "", nil) // 222 tokens are spent, 20 more are there
	left := res.Header.Get("x-daily-ratelimit-token-remaining")
	again, _ := c.send("GET", "/v1/notes", "", nil)
	if res.StatusCode != 200 || left != "8" || again.StatusCode != 429 || again.Header.Get("x-daily-ratelimit-token-remaining") != "0" {
		t.Errorf("%d with %s left, then %d", res.StatusCode, left, again.StatusCode)
	}
	c.clock.Advance(24 * time.Hour)
	c.want(200, "GET", "/v1/notes", "")
}

func TestSanitised(t *testing.T) {
	for html, want := range map[string]string{
		`<p class="x">a <b>b</b></p>`:                        `<p>a <b>b</b></p>`,
		`a<!-- hidden -->b`:                                  `ab`,
		`<span style="display:none">tl</span>x`:              `tlx`,
		`<script>alert(1)</script>x<img src=x onerror=y>`:    `x`,
		`1 &lt; 2<br/>&amp;`:                                 `1 &lt; 2<br>&amp;`,
		`<a href="javascript:x" data-key="tl1">link</a> end`: `link end`,
	} {
		if got := sanitise(html); got != want {
			t.Errorf("%s: %s, want %s", html, got, want)
		}
	}
}

func TestStateIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pipedrive")
	c := start(t, Options{StateDir: dir})
	id := c.person("Ana", "600111222")
	note := fmt.Sprint(data(c.want(200, "POST", "/v1/notes", `{"content":"<p>hello</p>","person_id":`+id+`,"add_time":"2026-01-02 03:04:05"}`))["id"])
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("person_id", id)
	part, err := w.CreateFormFile("file", "photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write([]byte("bytes"))
	_ = w.Close()
	if res, out := c.send("POST", "/v1/files", w.FormDataContentType(), &body); res.StatusCode != 200 {
		t.Fatalf("upload: %v", out)
	}
	before := c.sim.Timeline(id)
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, Options{StateDir: dir})
	if got := again.sim.Timeline(id); fmt.Sprint(got) != fmt.Sprint(before) || len(got) != 2 || got[0].ID != note {
		t.Errorf("after a restart: %+v, want %+v", got, before)
	}
	content, f, err := again.sim.Open(before[1].Files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	if b, err := io.ReadAll(content); string(b) != "bytes" || f.Name != "photo.jpg" || err != nil {
		t.Errorf("file %+v: %q, %v", f, b, err)
	}
	demotest.Private(t, dir)
}
