package handler

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"threadline/shared/chat"
)

// event is what API Gateway's HTTP API invokes the function with.
func event(method, rawPath, query, body string, headers map[string]string) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "ANY /api/{proxy+}", RawPath: rawPath, RawQueryString: query,
		Headers: map[string]string{
			"authorization": "Bearer " + theKey, "content-type": "application/json", "host": "x.execute-api.eu-west-1.amazonaws.com",
			"x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
		},
		Body: base64.StdEncoding.EncodeToString([]byte(body)), IsBase64Encoded: body != "",
	}
	for k, v := range headers {
		e.Headers[k] = v
	}
	e.RequestContext.Stage, e.RequestContext.DomainName = "$default", "x.execute-api.eu-west-1.amazonaws.com"
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path, e.RequestContext.HTTP.SourceIP = method, rawPath, "192.0.2.1"
	return e
}

// invoke runs the function and reads its answer into v.
func (r *rig) invoke(e events.APIGatewayV2HTTPRequest, status int, v any) events.APIGatewayV2HTTPResponse {
	r.Helper()
	out, err := r.api.Lambda()(r.Context(), e)
	if err != nil {
		r.Fatal(err)
	}
	if out.StatusCode != status || out.IsBase64Encoded || out.Headers["Content-Type"] != "application/json; charset=utf-8" {
		r.Fatalf("%s %s: %d %v %s", e.RequestContext.HTTP.Method, e.RawPath, out.StatusCode, out.Headers, out.Body)
	}
	if err := json.Unmarshal([]byte(out.Body), v); err != nil {
		r.Fatal(err)
	}
	return out
}

func TestGateway(t *testing.T) {
	r := newRig(t)
	r.seeNumber(ourNumber)
	const wamid = "wamid.A/B+C//D=="
	r.receive(wamid, chat.Seen{Phone: ana}, nil)

	for _, path := range []string{
		"/api/v1/messages/wamid.A%2FB%2BC%2F%2FD%3D%3D", // as it was sent
		"/api/v1/messages/wamid.A/B+C//D==",             // as an HTTP API passes it on
	} {
		var m messageView
		if r.invoke(event("GET", path, "", "", nil), http.StatusOK, &m); m.ProviderID != wamid {
			t.Errorf("%s: %s", path, m.ProviderID)
		}
	}

	var found struct{ Contacts []contactView }
	if r.invoke(event("GET", "/api/v1/contacts", "phone=%2B34600111222", "", nil), http.StatusOK, &found); len(found.Contacts) != 1 {
		t.Errorf("%+v", found)
	}

	var first, second accepted
	key := map[string]string{"idempotency-key": "order 7,1"}
	a := r.invoke(event("POST", "/api/v1/messages", "", text, key), http.StatusAccepted, &first)
	b := r.invoke(event("POST", "/api/v1/messages", "", text, key), http.StatusAccepted, &second)
	if a.Body != b.Body || len(r.queue.entries) != 1 || r.last().Text != "hello" {
		t.Errorf("%s and %s, %d entries", a.Body, b.Body, len(r.queue.entries))
	}
	key["idempotency-key"] = "order 7,2"
	if r.invoke(event("POST", "/api/v1/messages", "", text, key), http.StatusAccepted, &second); first.ID == second.ID {
		t.Error("two keys, one message")
	}

	var refused struct{ Error struct{ Code string } }
	r.invoke(event("GET", "/api/v1/contacts", "", "", map[string]string{"authorization": "Bearer no"}), http.StatusUnauthorized, &refused)
	out := r.invoke(event("GET", "/api/v1/messages/m_NOTHING", "", "", nil), http.StatusNotFound, &refused)
	if out.Headers["Retry-After"] != "1" {
		t.Errorf("%v", out.Headers)
	}
}

// Decoded paths can hold anything. They must neither fail the function nor be logged.
func TestGatewayPaths(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{
		"", "/", "/api/v1/messages/100%", "/api/v1/messages/a?b#c", "/api/v1/messages/a\nb", "/api/v1/messages/a b", "/api/v1/contacts%/x", "//", "/api/v1/messages/\xff",
	} {
		var e struct{ Error struct{ Code string } }
		r.invoke(event("GET", path, "phone=%2B34600111222", "", nil), http.StatusNotFound, &e)
	}
}

// A request is answered before Lambda would end it.
func TestGatewayDeadline(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithTimeout(t.Context(), margin)
	defer cancel()
	out, err := r.api.Lambda()(ctx, event("POST", "/api/v1/messages", "", text, nil))
	if err != nil || out.StatusCode != http.StatusServiceUnavailable || !strings.Contains(out.Body, "unavailable") {
		t.Errorf("%d %s, %v", out.StatusCode, out.Body, err)
	}
	if ctx.Err() != nil {
		t.Error("answered too late")
	}
}
