package sim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

// Delivery is a message that a customer's phone received.
type Delivery struct {
	To       string // digits, or a business-scoped user id
	Type     string
	Text     string // of a text message
	Callback string // our id
	WAMID    string // Meta's id
	At       time.Time
	Stamps   map[string]time.Time // of the receipts that Meta issued
}

// phones is Meta, as far as the pipeline needs it.
type phones struct {
	mu        sync.Mutex
	delivered []*Delivery
	files     map[string]file
}

type file struct {
	mime string
	body []byte
}

// Delivered returns what reached phones, in order.
func (s *Sim) Delivered() []Delivery {
	s.phones.mu.Lock()
	defer s.phones.mu.Unlock()
	var list []Delivery
	for _, d := range s.phones.delivered {
		list = append(list, *d)
	}
	return list
}

// AddFile gives Meta a customer's file and returns its hash as webhooks write it.
func (s *Sim) AddFile(id, mime string, body []byte) (sha256base64 string) {
	s.phones.files[id] = file{mime, body}
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// fileHost is where Meta keeps files.
const fileHost = "lookaside.fbsbx.com"

// transport is the way to the two APIs.
type transport struct{ s *Sim }

// RoundTrip makes one call. Like net/http's it says when the request was written.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	service, handler := "graph", http.Handler(http.HandlerFunc(t.s.graph))
	if r.URL.Host == "api.hubapi.com" {
		service, handler = "hubspot", t.s.crm
	}
	do := func() (*http.Response, error) {
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

// graph is Meta's API: POST /v/{number}/messages, GET /v/{media}, GET a file.
func (s *Sim) graph(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	s.phones.mu.Lock()
	defer s.phones.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && len(parts) == 3 && parts[2] == "messages":
		s.take(w, r, parts[1])
	case r.Method == http.MethodGet && len(parts) == 2:
		f, ok := s.phones.files[parts[1]]
		if !ok {
			body := graphError(100, "Unsupported get request") // there is no such file, or the token may not see it
			body["error"].(map[string]any)["error_subcode"] = 33
			answer(w, http.StatusBadRequest, body)
			return
		}
		if r.URL.Host == fileHost {
			w.Header().Set("Content-Type", f.mime)
			w.Header().Set("Content-Length", fmt.Sprint(len(f.body)))
			_, _ = w.Write(f.body)
			return
		}
		sum := sha256.Sum256(f.body)
		answer(w, http.StatusOK, map[string]any{
			"messaging_product": "whatsapp", "id": parts[1], "mime_type": f.mime, "file_size": len(f.body),
			"sha256": hex.EncodeToString(sum[:]), "url": "https://" + fileHost + "/files/" + parts[1],
		})
	default:
		answer(w, http.StatusBadRequest, graphError(100, "Unsupported request"))
	}
}

// take accepts a message: it reaches the phone, and receipts follow.
func (s *Sim) take(w http.ResponseWriter, r *http.Request, number string) {
	var m struct {
		To, Recipient, Type string
		Status              string // "read": no message, but word that the customer's was read
		Text                struct{ Body string }
		Callback            string `json:"biz_opaque_callback_data"`
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.NewDecoder(bytes.NewReader(raw)).Decode(&m) != nil {
		answer(w, http.StatusBadRequest, graphError(100, "Invalid parameter"))
		return
	}
	if m.Status == "read" {
		answer(w, http.StatusOK, map[string]any{"success": true})
		return
	}
	to := strings.TrimPrefix(cmp.Or(m.Recipient, m.To), "+")
	copies := 1
	for _, d := range s.phones.delivered {
		if d.Callback == m.Callback {
			copies++
		}
	}
	d := &Delivery{
		To: to, Type: m.Type, Text: m.Text.Body, Callback: m.Callback, At: s.Now(), Stamps: map[string]time.Time{},
		WAMID: fmt.Sprintf("wamid.out.%s.%d", m.Callback, copies), // Meta's are random; these can be compared
	}
	s.phones.delivered = append(s.phones.delivered, d)
	for _, receipt := range s.o.Receipts {
		s.After(receipt.After, func() {
			d.Stamps[receipt.State] = s.Now().Truncate(time.Second)
			s.Deliver(to, whatsapptest.Status(number, to, d.WAMID, receipt.State, d.Callback, s.Now()))
		})
	}
	answer(w, http.StatusOK, map[string]any{
		"messaging_product": "whatsapp", "messages": []any{map[string]any{"id": d.WAMID, "message_status": "accepted"}},
		"contacts": []any{map[string]any{"input": m.To, "wa_id": to}},
	})
}
