package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

const content = "what the customer wrote"

// shown is an error as the vocabulary has it.
type shown struct{ code, public string }

func (s shown) Error() string  { return s.public + ": " + content }
func (s shown) Code() string   { return s.code }
func (s shown) Public() string { return s.public }

type server struct {
	*httptest.Server
	log bytes.Buffer
}

func serve(t *testing.T, pattern string, h http.Handler) *server {
	t.Helper()
	s := &server{}
	mux := http.NewServeMux()
	mux.Handle(pattern, h)
	s.Server = httptest.NewServer(New(mux, Options{
		Log:   slog.New(slog.NewTextHandler(&s.log, nil)),
		NewID: func() string { return "r1" },
	}))
	t.Cleanup(s.Close)
	return s
}

type answer struct {
	status  int
	code    string
	message string
	header  http.Header
	body    string
}

func (s *server) do(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Error struct{ Code, Message string }
	}
	if resp.StatusCode >= 400 {
		if err := json.Unmarshal(text, &parsed); err != nil {
			t.Fatalf("status %d with %q", resp.StatusCode, text)
		}
	}
	return answer{resp.StatusCode, parsed.Error.Code, parsed.Error.Message, resp.Header, string(text)}
}

func (a answer) mustBe(t *testing.T, status int, code, message string) {
	t.Helper()
	if a.status != status || a.code != code || a.message != message {
		t.Errorf("got %d %s %q, want %d %s %q", a.status, a.code, a.message, status, code, message)
	}
	if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}

const ours = "something went wrong on our side; quote request r1"

// Ensure that a client learns the public part of an error and nothing else, and that nothing of the path is logged.
func TestErrors(t *testing.T) {
	for _, row := range []struct {
		err     error
		status  int
		code    string
		message string
	}{
		{shown{"invalid", "say it"}, 400, "invalid", "say it"},
		{shown{"notfound", "say it"}, 404, "notfound", "say it"},
		{shown{"conflict", "say it"}, 409, "conflict", "say it"},
		{shown{"unauthorized", "say it"}, 401, "unauthorized", "say it"},
		{shown{"throttled", "say it"}, 429, "throttled", "say it"},
		{shown{"unavailable", "say it"}, 503, "unavailable", "say it"},
		{shown{"internal", "hide it"}, 500, "internal", ours},
		{shown{"else", "hide it"}, 500, "internal", ours},
		{fmt.Errorf("get: %w", shown{"notfound", "say it"}), 404, "notfound", "say it"},
		{errors.New(content), 500, "internal", ours},
	} {
		s := serve(t, "GET /c/{id}", HandlerFunc(func(http.ResponseWriter, *http.Request) error { return row.err }))
		got := s.do(t, "GET", "/c/34600111222?phone=34600111222", "")
		got.mustBe(t, row.status, row.code, row.message)
		if strings.Contains(got.body, content) {
			t.Errorf("internals shown: %s", got.body)
		}
		log := s.log.String()
		if strings.Contains(log, "34600111222") || strings.Contains(log, content) {
			t.Errorf("personal data logged: %s", log)
		}
		if !strings.Contains(log, "request=r1") || !strings.Contains(log, `pattern="GET /c/{id}"`) {
			t.Errorf("the log can't be traced: %s", log)
		}
	}
}

func TestPanicIsContained(t *testing.T) {
	s := serve(t, "GET /", HandlerFunc(func(http.ResponseWriter, *http.Request) error { return fall() }))
	s.do(t, "GET", "/", "").mustBe(t, 500, "internal", ours)
	if log := s.log.String(); !strings.Contains(log, "httpapi.fall") || strings.Contains(log, content) {
		t.Errorf("want the place and not the value: %s", log)
	}
}

func fall() error { panic(content) }

func TestAbortGoesThrough(t *testing.T) {
	s := serve(t, "GET /", HandlerFunc(func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) }))
	if resp, err := http.Get(s.URL); err == nil {
		resp.Body.Close()
		t.Errorf("status %d, want a dropped connection", resp.StatusCode)
	}
}

// Ensure that an error after the answer began doesn't spoil it.
func TestErrorAfterAnswer(t *testing.T) {
	s := serve(t, "GET /", HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		return errors.Join(JSON(w, 202, map[string]string{"id": "m"}), errors.New("late"))
	}))
	if got := s.do(t, "GET", "/", ""); got.status != 202 || got.body != `{"id":"m"}`+"\n" {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("the error is not logged: %s", s.log.String())
	}
}

func TestMuxRefusals(t *testing.T) {
	s := serve(t, "POST /messages", HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil }))
	s.do(t, "GET", "/nowhere", "").mustBe(t, 404, "notfound", "there is no such path")
	got := s.do(t, "GET", "/messages", "")
	got.mustBe(t, 405, "invalid", "this method is not allowed here")
	if got.header.Get("Allow") != "POST" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
}

func TestHeaders(t *testing.T) {
	s := serve(t, "GET /page", HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		return nil
	}))
	for path, policy := range map[string]string{"/page": "default-src 'self'", "/no": "default-src 'none'; frame-ancestors 'none'"} {
		h := s.do(t, "GET", path, "").header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Strict-Transport-Security": "max-age=31536000", "X-Request-Id": "r1", "Content-Security-Policy": policy,
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, h.Get(name), want)
			}
		}
	}
}

type request1 struct {
	To       string    `json:"to"`
	Limit    int       `json:"limit"`
	Tags     []string  `json:"tags"`
	At       time.Time `json:"at"`
	Template *struct {
		Name string `json:"name"`
		Hold bool   `json:"hold"`
	} `json:"template"`
}

func echo(w http.ResponseWriter, r *http.Request) error {
	var in request1
	if err := Decode(r, &in); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return JSON(w, 200, in)
}

func TestDecode(t *testing.T) {
	s := serve(t, "POST /", HandlerFunc(echo))
	for _, row := range []struct{ body, message string }{
		{``, "the body is empty; a JSON object is expected"},
		{`{"to":`, "the body ends within its JSON"},
		{`{to:1}`, "the body is not JSON: mistake at byte 2"},
		{`[]`, "the body must be an object"},
		{`{"to":5}`, `field "to" must be a string`},
		{`{"limit":"5"}`, `field "limit" must be a number`},
		{`{"limit":1.5}`, `field "limit" must be a number`},
		{`{"tags":{}}`, `field "tags" must be a list`},
		{`{"template":[]}`, `field "template" must be an object`},
		{`{"template":{"hold":1}}`, `field "template.hold" must be true or false`},
		{`{"at":"yesterday"}`, "the body holds a value that can't be read"},
		{`{"too":"x"}`, `unknown field "too"`},
		{`{"template":{"nam":"x"}}`, `unknown field "nam"`},
		{`{"to":"x"} {}`, "the body must be one JSON object and nothing behind it"},
		{`{"to":"x"}]`, "the body must be one JSON object and nothing behind it"},
	} {
		s.do(t, "POST", "/", row.body).mustBe(t, 400, "invalid", row.message)
	}
	got := s.do(t, "POST", "/", ` {"to":"x","limit":2} `+"\n", "Content-Type", "text/plain")
	var out request1
	if err := json.Unmarshal([]byte(got.body), &out); err != nil || !reflect.DeepEqual(out, request1{To: "x", Limit: 2}) {
		t.Errorf("got %+v, %v", out, err)
	}
}

// Ensure the limit for a declared length and for a chunked body, at the very byte.
func TestBodyLimit(t *testing.T) {
	s := serve(t, "POST /", HandlerFunc(echo))
	body := func(size int) string { return `{"to":"` + strings.Repeat("x", size-len(`{"to":""}`)) + `"}` }
	if got := s.do(t, "POST", "/", body(MaxBody)); got.status != 200 {
		t.Errorf("%d bytes: status %d", MaxBody, got.status)
	}
	const message = "the body is larger than 262144 bytes"
	s.do(t, "POST", "/", body(MaxBody+1)).mustBe(t, 413, "invalid", message)
	req, err := http.NewRequest("POST", s.URL, struct{ io.Reader }{strings.NewReader(body(MaxBody + 1))})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Errorf("chunked: status %d", resp.StatusCode)
	}
}

func TestJSONThatCannotBeEncoded(t *testing.T) {
	s := serve(t, "GET /", HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
		return JSON(w, 200, map[string]any{"f": func() {}})
	}))
	s.do(t, "GET", "/", "").mustBe(t, 500, "internal", ours)
}

func TestRequireKey(t *testing.T) {
	key, keyErr := "sesame", error(nil)
	next := HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error { return JSON(w, 200, "in") })
	s := serve(t, "GET /", RequireKey(func(context.Context) (string, error) { return key, keyErr }, next))
	const message = "send the API key as Authorization: Bearer KEY"
	for _, header := range []string{"", "sesame", "Bearer", "Bearer ", "Bearer wrong", "Bearer sesame2", "Basic sesame", "Bearersesame"} {
		got := s.do(t, "GET", "/", "", "Authorization", header)
		got.mustBe(t, 401, "unauthorized", message)
		if got.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: no challenge", header)
		}
	}
	for _, header := range []string{"Bearer sesame", "bearer sesame"} {
		if got := s.do(t, "GET", "/", "", "Authorization", header); got.status != 200 {
			t.Errorf("%q: status %d", header, got.status)
		}
	}
	key = ""
	s.do(t, "GET", "/", "", "Authorization", "Bearer ").mustBe(t, 401, "unauthorized", message)
	keyErr = errors.New(content)
	s.do(t, "GET", "/", "", "Authorization", "Bearer sesame").mustBe(t, 503, "unavailable", "the API key can't be checked now; try again")
}

func TestWrapNamesEveryRequest(t *testing.T) {
	h := New(http.NewServeMux(), Options{})
	ids := map[string]bool{}
	for range 2 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		ids[w.Header().Get("X-Request-Id")] = true
	}
	if len(ids) != 2 || ids[""] {
		t.Errorf("request ids %v", ids)
	}
}

// Ensure that a HandlerFunc works without New, in the same shape.
func TestHandlerFuncAlone(t *testing.T) {
	w := httptest.NewRecorder()
	HandlerFunc(func(http.ResponseWriter, *http.Request) error { return shown{"conflict", "say it"} }).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 409 || w.Body.String() != `{"error":{"code":"conflict","message":"say it"}}`+"\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
