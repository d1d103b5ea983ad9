package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/send"
	"threadline/shared/store"
)

const (
	theKey    = "key-of-the-tests"
	ourNumber = chat.NumberID("100")
	ana       = "34600111222"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// rig is the API over a table, queues and a bucket in memory. Whatever goes through it is compared with the document.
type rig struct {
	*testing.T
	api   *API
	store *store.Store
	db    *table
	queue *outbox // Outbound.fifo
	inbox *outbox // Inbound.fifo
	files *files
	meta  *meta
	now   time.Time
}

func newRig(t *testing.T) *rig {
	r := &rig{
		T: t, db: &table{API: store.NewMemory()}, queue: &outbox{}, inbox: &outbox{}, files: newFiles(), meta: &meta{}, now: noon,
	}
	clock := func() time.Time { return r.now }
	var ids atomic.Int64
	r.store = store.New(r.db, "t", 0)
	r.store.Now = clock
	r.store.NewID = func() string { return fmt.Sprintf("01CONTACT%03d", ids.Add(1)) }
	r.store.Pause = func(context.Context, int) error { return nil }
	r.api = &API{
		Store: r.store, Outbound: r.queue, Inbound: r.inbox, Files: r.files, Links: r.files, Graph: r.meta,
		Numbers: []string{string(ourNumber)}, Connectors: []string{"hubspot"}, Now: clock,
		Key: func(context.Context) (string, error) { return theKey, nil },
	}
	return r
}

// answer is a response that has been read.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// request makes a request with the key. headers come as pairs and replace what is there; an empty value removes.
func (r *rig) request(method, url, body string, headers ...string) *http.Request {
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req := httptest.NewRequestWithContext(r.Context(), method, url, content)
	req.Header.Set("Authorization", "Bearer "+theKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	return req
}

// call makes a request that the document allows.
func (r *rig) call(method, url, body string, headers ...string) answer {
	r.Helper()
	return r.serve(r.request(method, url, body, headers...), true)
}

// callBadly makes a request without asking the document.
func (r *rig) callBadly(method, url, body string, headers ...string) answer {
	r.Helper()
	return r.serve(r.request(method, url, body, headers...), false)
}

func (r *rig) serve(req *http.Request, allowed bool) answer {
	r.Helper()
	op := described(r.T, req)
	if err := op.allows(req); err != nil && allowed {
		r.Fatalf("%s %s: the document refuses the request: %v", req.Method, req.URL, err)
	}
	w := httptest.NewRecorder()
	r.api.Handler().ServeHTTP(w, req)
	a := answer{r.T, w.Code, w.Header(), w.Body.Bytes()}
	if err := op.explains(req, a); err != nil {
		r.Errorf("%s %s: the document doesn't know the answer: %v\n%d %s", req.Method, req.URL, err, a.status, a.body)
	}
	return a
}

func (r *rig) get(url string) answer { r.Helper(); return r.call("GET", url, "") }

func (r *rig) post(body string, headers ...string) answer {
	r.Helper()
	return r.call("POST", "/api/v1/messages", body, headers...)
}

// want fails the test unless the answer has this status, and reads its body into v.
func (a answer) want(status int, v any) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if v != nil {
		if err := json.Unmarshal(a.body, v); err != nil {
			a.t.Fatal(err)
		}
	}
	return a
}

// refused fails the test unless the answer is an error with this status and code whose message has this part.
func (a answer) refused(status int, code, part string) {
	a.t.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	a.want(status, &e)
	if e.Error.Code != code || e.Error.Message == "" || !strings.Contains(e.Error.Message, part) {
		a.t.Errorf("%s %q, want %s with %q", e.Error.Code, e.Error.Message, code, part)
	}
}

// sent reads the only answer that a message in the queue has.
func (a answer) sent() chat.MessageID {
	a.t.Helper()
	var out accepted
	a.want(http.StatusAccepted, &out)
	if out.Status != chat.Queued || !out.ID.Ours() {
		a.t.Errorf("accepted as %s %s", out.ID, out.Status)
	}
	return out.ID
}

// queued returns the messages in the queue.
func (r *rig) queued() []chat.Message {
	r.Helper()
	var out []chat.Message
	for _, e := range r.queue.entries {
		entry, err := send.Parse(e.Body)
		if err != nil {
			r.Fatal(err)
		}
		if entry.Message == nil {
			continue
		}
		if e.DedupID != string(entry.Message.ID) {
			r.Errorf("message %s is queued as %s", entry.Message.ID, e.DedupID)
		}
		out = append(out, *entry.Message)
	}
	return out
}

// last returns the newest message in the queue.
func (r *rig) last() chat.Message {
	r.Helper()
	all := r.queued()
	if len(all) == 0 {
		r.Fatal("nothing is queued")
	}
	return all[len(all)-1]
}

// receive stores a message of the customer's that Meta would have sent as raw.
func (r *rig) receive(id string, seen chat.Seen, change func(*store.Inbound)) chat.Message {
	r.Helper()
	seen.ID, seen.Source = id, chat.SourceMessage
	if seen.At.IsZero() {
		seen.At = r.now
	}
	in := store.Inbound{Number: ourNumber, Seen: seen, Message: chat.Message{
		ID: chat.MessageID(id), ProviderID: id, At: seen.At, Direction: chat.In, Kind: chat.KindText, RawType: "text",
		Origin: chat.FromCustomer, Text: "text of " + id, Status: chat.Delivered, Hash: "hash of " + id,
		Raw: fmt.Appendf(nil, `{"id":%q,"type":"text","text":{"body":"text of %s"}}`, id, id),
	}}
	if change != nil {
		change(&in)
	}
	got, err := r.store.Receive(r.Context(), in)
	if err != nil {
		r.Fatal(err)
	}
	return got.Message
}

// seeNumber makes a business number known, as its messages do.
func (r *rig) seeNumber(ns ...chat.NumberID) {
	r.Helper()
	for _, n := range ns {
		if _, err := r.store.SeeNumber(r.Context(), store.Number{ID: n, Seen: chat.Stamp{At: r.now, ID: string(n)}}); err != nil {
			r.Fatal(err)
		}
	}
}

// sameJSON tells whether two texts are the same JSON.
func sameJSON(t *testing.T, got, want []byte) bool {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(json.Compact(&a, canonical(got)), json.Compact(&b, canonical(want))); err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(a.Bytes(), b.Bytes())
}
