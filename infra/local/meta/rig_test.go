package meta

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"sync"
	"testing"
	"time"
)

const (
	secret = "rig-secret"
	token  = "rig-token"
)

// rig is a Simulator with a business at both ends: the webhook that it posts to and the calls that it gets.
type rig struct {
	*Simulator
	t      *testing.T
	server *httptest.Server
	opts   Options

	mu       sync.Mutex
	handler  http.Handler
	now      time.Time
	status   int // what the webhook answers
	bodies   [][]byte
	statuses []map[string]any
	inbound  []map[string]any
	contacts []map[string]any
	changes  []wireChange
}

// wireChange is one change of a webhook, as it came.
type wireChange struct {
	Field string
	Value map[string]any
	Time  int64 // of its entry
}

// newRig starts one whose delays are a millisecond.
func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 10, 1, 9, 0, 0, 0, time.UTC), status: http.StatusOK}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/webhook" {
			r.webhook(w, q)
			return
		}
		r.mu.Lock()
		h := r.handler
		r.mu.Unlock()
		h.ServeHTTP(w, q)
	}))
	r.server.Config.ErrorLog = nil
	t.Cleanup(r.server.Close)
	r.opts = Options{AppSecret: secret, AccessToken: token, WebhookURL: r.server.URL + "/webhook", BaseURL: r.server.URL,
		StateDir: t.TempDir(), Now: r.clock,
		Delays: Delays{Sent: time.Millisecond, Delivered: time.Millisecond, Retry: 5 * time.Millisecond}}
	for _, f := range change {
		f(&r.opts)
	}
	r.start()
	t.Cleanup(func() { r.Close() })
	return r
}

// start begins on the state that is there.
func (r *rig) start() {
	r.t.Helper()
	s, err := New(r.opts)
	if err != nil {
		r.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/phone/", s.Phone())
	mux.Handle("/", s.Graph())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Simulator, r.handler = s, mux
}

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *rig) answerWith(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// webhook checks what every POST of Meta has and notes what is in it, if it is to be accepted.
func (r *rig) webhook(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); err != nil || q.Header.Get("X-Hub-Signature-256") != want {
		r.t.Errorf("signature %q, want %q (%v)", q.Header.Get("X-Hub-Signature-256"), want, err)
	}
	for _, b := range body {
		if b >= 0x80 {
			r.t.Errorf("body is not ASCII: %s", body)
			break
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, body)
	w.WriteHeader(r.status)
	if r.status != http.StatusOK {
		return
	}
	var raw struct {
		Entry []struct {
			Time    int64
			Changes []wireChange
		}
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		r.t.Errorf("decode webhook: %v", err)
	}
	for _, e := range raw.Entry {
		for _, c := range e.Changes {
			c.Time = e.Time
			r.changes = append(r.changes, c)
		}
	}
	var in struct {
		Entry []struct {
			Changes []struct {
				Value struct{ Messages, Statuses, Contacts []map[string]any }
			}
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		r.t.Errorf("decode webhook: %v", err)
	}
	for _, e := range in.Entry {
		for _, c := range e.Changes {
			r.inbound = append(r.inbound, c.Value.Messages...)
			r.statuses = append(r.statuses, c.Value.Statuses...)
			r.contacts = append(r.contacts, c.Value.Contacts...)
		}
	}
}

// received returns what the webhook has accepted so far.
func (r *rig) received() (inbound, statuses []map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(inbound, r.inbound...), append(statuses, r.statuses...)
}

// told returns the changes of a field, once there are n.
func (r *rig) told(field string, n int) []map[string]any {
	r.t.Helper()
	var values []map[string]any
	r.eventually(field, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		values = nil
		for _, c := range r.changes {
			if c.Field == field {
				values = append(values, c.Value)
			}
		}
		return len(values) >= n
	})
	return values
}

// last returns the newest message that the webhook got, once it is the one with this id.
func (r *rig) last(id string) map[string]any {
	r.t.Helper()
	var found map[string]any
	r.eventually("arrived", func() bool {
		inbound, _ := r.received()
		for _, m := range inbound {
			if m["id"] == id {
				found = m
			}
		}
		return found != nil
	})
	return found
}

// path follows keys and indexes into decoded JSON.
func path(v any, keys ...any) any {
	for _, key := range keys {
		switch k := key.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[k]
		case int:
			list, _ := v.([]any)
			if k >= len(list) {
				return nil
			}
			v = list[k]
		}
	}
	return v
}

// receipts returns the words of the receipts for a message, in the order of arrival.
func (r *rig) receipts(id string) []string {
	_, statuses := r.received()
	var words []string
	for _, s := range statuses {
		if s["id"] == id {
			words = append(words, s["status"].(string))
		}
	}
	return words
}

// eventually waits for something to become true.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(8 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not within 8 s: %s", what)
		}
	}
}

// call makes a Graph call with the right token and returns status and decoded answer.
func (r *rig) call(method, path, contentType string, body io.Reader) (int, map[string]any) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.server.URL+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		r.t.Fatalf("%s %s: %d, not JSON: %v", method, path, resp.StatusCode, err)
	}
	return resp.StatusCode, out
}

func (r *rig) get(path string) (int, map[string]any) {
	r.t.Helper()
	return r.call("GET", "/v26.0/"+path, "", nil)
}

// send posts to /messages what is given, completed with messaging_product.
func (r *rig) send(body object) (int, map[string]any) {
	r.t.Helper()
	if _, ok := body["messaging_product"]; !ok {
		body["messaging_product"] = "whatsapp"
	}
	raw, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.call("POST", "/v26.0/"+DefaultNumber+"/messages", "application/json", bytes.NewReader(raw))
}

// mustSend returns the id of a message that is accepted.
func (r *rig) mustSend(body object) string {
	r.t.Helper()
	status, out := r.send(body)
	if status != http.StatusOK {
		r.t.Fatalf("send: %d %v", status, out)
	}
	return out["messages"].([]any)[0].(map[string]any)["id"].(string)
}

// refused returns status and code of a refusal, having checked its shape.
func (r *rig) refused(status int, out map[string]any) (int, int) {
	r.t.Helper()
	e, ok := out["error"].(map[string]any)
	if !ok {
		return status, 0
	}
	for _, key := range []string{"message", "type", "code", "fbtrace_id"} {
		if e[key] == nil || e[key] == "" {
			r.t.Errorf("error without %s: %v", key, e)
		}
	}
	return status, int(e["code"].(float64))
}

func (r *rig) upload(name, mimeType string, content []byte) (int, map[string]any) {
	r.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	w.WriteField("messaging_product", "whatsapp")
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {mimeType},
		"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}})
	if err != nil {
		r.t.Fatal(err)
	}
	part.Write(content)
	w.Close()
	return r.call("POST", "/v26.0/"+DefaultNumber+"/media", w.FormDataContentType(), &form)
}

// hello is the first customer, having just written.
func (r *rig) hello() Customer {
	r.t.Helper()
	c := r.Customers()[0]
	if _, err := r.WriteText(c.ID, "Hello"); err != nil {
		r.t.Fatal(err)
	}
	return c
}

func text(c Customer, body string) object {
	if c.Phone == "" {
		return object{"recipient": c.BSUID, "text": object{"body": body}}
	}
	return object{"to": "+" + c.Phone, "text": object{"body": body}}
}

// jsonBody is v as the body of a request.
func jsonBody(v any) io.Reader {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return bytes.NewReader(raw)
}
