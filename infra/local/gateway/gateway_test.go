package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"threadline/infra/local/lambda"
)

// function answers with a fixed answer and keeps the event.
type function struct {
	event  events.APIGatewayV2HTTPRequest
	raw    string
	answer string
	err    error
}

func (f *function) Invoke(_ context.Context, _ string, payload []byte) ([]byte, error) {
	f.raw = string(payload)
	if err := json.Unmarshal(payload, &f.event); err != nil {
		return nil, err
	}
	return []byte(f.answer), f.err
}

func send(t *testing.T, f *function, method, target string, body io.Reader, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	g := New([]Route{{Key: "ANY /api/{proxy+}", Function: "api"}}, f, slog.New(slog.DiscardHandler))
	r := httptest.NewRequest(method, target, body)
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestEventIsFormatTwo(t *testing.T) {
	f := &function{answer: `{"statusCode":204}`}
	send(t, f, "POST", "http://host/api/v1/a%20b?x=1&x=2&y=%2B", strings.NewReader(`{"a":1}`), http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Cookie": {"a=1; b=2"}, "X-Two": {"1", "2"},
	})
	e := f.event
	checks := map[string][2]string{
		"version":          {e.Version, "2.0"},
		"routeKey":         {e.RouteKey, "ANY /api/{proxy+}"},
		"rawPath":          {e.RawPath, "/api/v1/a%20b"},
		"rawQueryString":   {e.RawQueryString, "x=1&x=2&y=%2B"},
		"query x":          {e.QueryStringParameters["x"], "1,2"},
		"query y":          {e.QueryStringParameters["y"], "+"},
		"path parameter":   {e.PathParameters["proxy"], "v1/a b"},
		"repeated header":  {e.Headers["x-two"], "1,2"},
		"cookie header":    {e.Headers["cookie"], ""},
		"cookies":          {strings.Join(e.Cookies, "|"), "a=1|b=2"},
		"body":             {e.Body, `{"a":1}`},
		"encoded":          {fmt.Sprint(e.IsBase64Encoded), "false"},
		"method":           {e.RequestContext.HTTP.Method, "POST"},
		"source":           {e.RequestContext.HTTP.SourceIP, "192.0.2.1"},
		"stage":            {e.RequestContext.Stage, "$default"},
		"host":             {e.Headers["host"], "host"},
		"content length":   {e.Headers["content-length"], "7"},
		"event has no nil": {fmt.Sprint(strings.Contains(f.raw, `"body":null`)), "false"},
	}
	for what, pair := range checks {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
}

// Ensure that a link's token is one segment, and that what is near it isn't a link.
func TestLinks(t *testing.T) {
	f := &function{answer: `{"statusCode":302,"headers":{"location":"https://files"}}`}
	g := New([]Route{{Key: "ANY /api/{proxy+}", Function: "api"}, {Key: "ANY /m/{token}", Function: "api"}}, f, slog.New(slog.DiscardHandler))
	for path, want := range map[string]int{"/m/a.b-c_d": 302, "/m": 404, "/m/a/b": 404, "/mm/a": 404, "/M/a": 404} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
		if want == 302 && (f.event.PathParameters["token"] != "a.b-c_d" || w.Header().Get("Location") != "https://files") {
			t.Errorf("%s: token %q, to %q", path, f.event.PathParameters["token"], w.Header().Get("Location"))
		}
	}
}

func TestBodyEncoding(t *testing.T) {
	cases := []struct {
		contentType string
		body        string
		encoded     bool
	}{
		{"application/json", "{}", false},
		{"text/plain; charset=utf-8", "é", false},
		{"application/problem+json", "{}", false},
		{"application/json", "\xff", true}, // cannot stand in the event
		{"application/x-www-form-urlencoded", "a=1", true},
		{"image/png", "\x89PNG", true},
		{"", "{}", true},
	}
	for _, c := range cases {
		f := &function{answer: `{"statusCode":200}`}
		send(t, f, "POST", "/api/x", strings.NewReader(c.body), http.Header{"Content-Type": {c.contentType}})
		got := f.event.Body
		if f.event.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(got)
			if err != nil {
				t.Fatal(err)
			}
			got = string(decoded)
		}
		if f.event.IsBase64Encoded != c.encoded || got != c.body {
			t.Errorf("%q %q: encoded %v, body %q", c.contentType, c.body, f.event.IsBase64Encoded, got)
		}
	}
}

func TestAnswers(t *testing.T) {
	cases := []struct {
		name   string
		answer string
		err    error
		status int
		body   string
	}{
		{"text", `{"statusCode":201,"body":"hi","headers":{"X-A":"1"},"cookies":["a=1"]}`, nil, 201, "hi"},
		{"base64", `{"statusCode":200,"body":"//79","isBase64Encoded":true}`, nil, 200, "\xff\xfe\xfd"},
		{"plain value", `{"hello":"you"}`, nil, 200, `{"hello":"you"}`},
		{"broken base64", `{"statusCode":200,"body":"!","isBase64Encoded":true}`, nil, 500, "{\"message\":\"Internal Server Error\"}\n"},
		{"not JSON", `oops`, nil, 500, "{\"message\":\"Internal Server Error\"}\n"},
		{"handler's error", ``, &lambda.FunctionError{}, 500, "{\"message\":\"Internal Server Error\"}\n"},
		{"too slow for a gateway", ``, context.DeadlineExceeded, 503, "{\"message\":\"Service Unavailable\"}\n"},
		{"over 6 MB", ``, lambda.ErrTooLarge, 413, "{\"message\":\"Request Too Long\"}\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := send(t, &function{answer: c.answer, err: c.err}, "GET", "/api/x", nil, nil)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, c.status, c.body)
			}
			if c.name == "text" && (w.Header().Get("X-A") != "1" || w.Header().Get("Set-Cookie") != "a=1") {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	f := &function{answer: `{"statusCode":200}`}
	if w := send(t, f, "POST", "/api/x", bytes.NewReader(make([]byte, MaxBody)), nil); w.Code != 200 {
		t.Errorf("at the limit: %d", w.Code)
	}
	f = &function{answer: `{"statusCode":200}`}
	if w := send(t, f, "POST", "/api/x", bytes.NewReader(make([]byte, MaxBody+1)), nil); w.Code != 413 || f.raw != "" {
		t.Errorf("over the limit: %d, want 413 without an invocation", w.Code)
	}
}

func TestRouteChoice(t *testing.T) {
	routes := []Route{
		{"$default", "default"},
		{"ANY /api/{proxy+}", "greedy"},
		{"GET /api/v1/items/{id}", "item"},
		{"GET /api/v1/items/mine", "mine"},
		{"ANY /api/v1/items/mine", "any mine"},
		{"GET /", "root"},
	}
	cases := map[string]string{
		"GET /":                     "root",
		"POST /":                    "default",
		"GET /api":                  "default",
		"GET /api/x":                "greedy",
		"GET /api/v1/items/7":       "item",
		"DELETE /api/v1/items/7":    "greedy",
		"GET /api/v1/items/mine":    "mine",
		"DELETE /api/v1/items/mine": "any mine",
		"GET /api/v1/items/7/more":  "greedy",
		"GET /elsewhere":            "default",
	}
	for request, want := range cases {
		method, path, _ := strings.Cut(request, " ")
		if got, _, ok := match(routes, method, path); !ok || got.Function != want {
			t.Errorf("%s: %q, want %q", request, got.Function, want)
		}
	}
	if _, _, ok := match(routes[1:2], "GET", "/elsewhere"); ok {
		t.Error("a path without a route is matched")
	}
}
