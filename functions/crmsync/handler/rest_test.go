package handler

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"threadline/shared/chat"
)

// TestREST proves which answers are final, and what a request carries.
func TestREST(t *testing.T) {
	status, body := http.StatusAccepted, ""
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	api := &REST{URL: server.URL, Key: func(context.Context) (string, error) { return "the key", nil }}
	ask := func() (string, error) {
		return api.Send(t.Context(), Outgoing{Key: "crm/fake/1", To: "+34600111222", Text: "x", Origin: chat.FromCRM})
	}
	if problem, err := ask(); problem != "" || err != nil {
		t.Errorf("accepted: %q, %v", problem, err)
	}
	if got.Header.Get("Authorization") != "Bearer the key" || got.Header.Get("Idempotency-Key") != "crm/fake/1" || got.URL.Path != "/api/v1/messages" {
		t.Errorf("asked %s with %v", got.URL, got.Header)
	}
	body = `{"error":{"code":"invalid","message":"text: too long"}}`
	for _, status = range []int{400, 404, 409} {
		if problem, err := ask(); problem != "Not sent: text: too long" || err != nil {
			t.Errorf("%d: %q, %v", status, problem, err)
		}
	}
	for _, status = range []int{401, 403, 429, 500, 502, 503} {
		if problem, err := ask(); problem != "" || chat.CodeOf(err) != chat.Unavailable {
			t.Errorf("%d: %q, %v", status, problem, err)
		}
	}
	status, body = 404, "<html>"
	if problem, err := ask(); problem != "" || chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("a gateway's 404: %q, %v", problem, err)
	}
	server.Close()
	if _, err := ask(); chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("nobody listens: %v", err)
	}
}
