package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
)

// phones is Meta, as far as the pipeline needs it.
type phones struct {
	mu        sync.Mutex
	delivered []*Delivery
	files     map[string]file
}

// transport is the way to the two APIs.
type transport struct{ s *Sim }

// RoundTrip makes one call. Like net/http's it says when the request was written.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	service, handler := "graph", http.Handler(http.HandlerFunc(t.s.graph))
	if r.URL.Host == "api.hubapi.com" {
		service, handler = "hubspot", t.s.crm
	}
	do := func() (*http.Response, error) {
		inv, _ := r.Context().Value(invocationKey{}).(*invocation)
		if service == "hubspot" && t.s.crmCalls.full(t.s.at(inv)) {
			written(r.Context())
			return refusal(service, http.StatusTooManyRequests), nil
		}
		return serve(handler, r)
	}
	fail := func(f Fault) (*http.Response, error) {
		if f == Lost || f == Broken || f == Throttled || f == Conflict {
			written(r.Context())
		}
		return httpError(service)(f)
	}
	resp, err := through(r.Context(), t.s, service, r.Method+" "+r.URL.Path, do, fail)
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return resp, err
}

func serve(h http.Handler, r *http.Request) (*http.Response, error) {
	written(r.Context())
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	return w.Result(), nil
}

func written(ctx context.Context) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
}

// refusal is how an API says that it is down or busy.
func refusal(service string, status int) *http.Response {
	body := map[string]any{"status": "error", "category": "INTERNAL_ERROR", "message": "internal error"}
	switch {
	case service == "graph" && status == http.StatusTooManyRequests:
		body = graphError(130429, "Rate limit hit")
	case service == "graph":
		body = graphError(131016, "Service unavailable")
	case status == http.StatusTooManyRequests:
		body = map[string]any{"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}
	}
	w := httptest.NewRecorder()
	answer(w, status, body)
	return w.Result()
}

func graphError(code int, message string) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": message, "type": "OAuthException"}}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
