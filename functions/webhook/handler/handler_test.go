package handler

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"threadline/shared/blob"
	"threadline/shared/queue"
	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

const appSecret = "app-secret"

// world is what the handler reaches.
type world struct {
	secrets map[string]string
	fresh   map[string]string // what Refresh finds
	broken  error
	sent    []queue.Entry
	failing error
	bulk    line
	blobs   blob.Memory
	counted []string
}

func (w *world) Value(_ context.Context, key string) (string, error) {
	if w.broken != nil {
		return "", w.broken
	}
	if v := w.secrets[key]; v != "" {
		return v, nil
	}
	return "", errors.New("no value")
}

func (w *world) Refresh(context.Context) error {
	if w.fresh != nil {
		w.secrets = w.fresh
	}
	return nil
}

func (w *world) Send(_ context.Context, es ...queue.Entry) error {
	if w.failing != nil {
		return w.failing
	}
	w.sent = append(w.sent, es...)
	return nil
}

func (w *world) Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error {
	return w.blobs.Put(ctx, key, body, size, o)
}

func (w *world) Count(_ context.Context, name string, _ int, _ ...string) {
	w.counted = append(w.counted, name)
}

func newWorld() *world {
	return &world{secrets: map[string]string{"app_secret": appSecret, "verify_token": "verify"}}
}

func (w *world) handler() *Handler {
	return &Handler{Secrets: w, Inbound: w, Bulk: &w.bulk, Claims: w, Metrics: w}
}

func request(method, body, signature string) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{Body: body, Headers: map[string]string{"content-type": "application/json"}}
	e.RequestContext.HTTP.Method = method
	if signature != "" {
		e.Headers["x-hub-signature-256"] = signature
	}
	return e
}

func post(t *testing.T, w *world, body, signature string) int {
	t.Helper()
	r, err := w.handler().Handle(context.Background(), request("POST", body, signature))
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode
}

func TestVerification(t *testing.T) {
	for query, want := range map[string]struct {
		status int
		body   string
	}{
		"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify": {200, "1158201444"},
		"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=wrong":  {403, ""},
		"hub.mode=subscribe&hub.challenge=1158201444":                         {403, ""},
		"hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify":        {403, ""},
		"":     {403, ""},
		"%zz=": {400, ""},
	} {
		e := request("GET", "", "")
		e.RawQueryString = query
		r, _ := newWorld().handler().Handle(context.Background(), e)
		if r.StatusCode != want.status || want.body != "" && r.Body != want.body {
			t.Errorf("%s: %d %q, want %d %q", query, r.StatusCode, r.Body, want.status, want.body)
		}
	}
}

func TestOnlyWhatMetaSignedIsQueued(t *testing.T) {
	body := string(whatsapptest.Text("100", "34600111222", "wamid.1", "héllo / 😀", time.Unix(1700000000, 0)))
	good := whatsapptest.Sign(appSecret, []byte(body))
	for name, c := range map[string]struct {
		body, signature string
		status          int
	}{
		"signed":             {body, good, 200},
		"not signed":         {body, "", 401},
		"malformed":          {body, "sha256=zz", 401},
		"no prefix":          {body, strings.TrimPrefix(good, "sha256="), 401},
		"other secret":       {body, whatsapptest.Sign("other", []byte(body)), 401},
		"changed by a space": {body + " ", good, 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			if got := post(t, w, c.body, c.signature); got != c.status {
				t.Fatalf("status %d, want %d", got, c.status)
			}
			if queued := len(w.sent) == 1; queued != (c.status == 200) {
				t.Errorf("%d entries queued", len(w.sent))
			}
			if rejected := len(w.counted) == 1 && w.counted[0] == "SignatureRejected"; rejected != (c.status == 401) {
				t.Errorf("counted %v", w.counted)
			}
		})
	}
}

func TestPreviousAndRotatedSecret(t *testing.T) {
	body := string(whatsapptest.Text("100", "34600111222", "wamid.1", "hi", time.Unix(1700000000, 0)))
	old, renewed := whatsapptest.Sign("old", []byte(body)), whatsapptest.Sign("new", []byte(body))

	w := &world{secrets: map[string]string{"app_secret": "new", "app_secret_previous": "old"}}
	if got := post(t, w, body, old); got != 200 {
		t.Errorf("signed with the previous secret: %d", got)
	}
	w = &world{secrets: map[string]string{"app_secret": "old"}, fresh: map[string]string{"app_secret": "new"}}
	if got := post(t, w, body, renewed); got != 200 {
		t.Errorf("signed with a secret that was rotated since it was read: %d", got)
	}
}

func TestWithoutSecretNothingPasses(t *testing.T) {
	body := "{}"
	w := &world{secrets: map[string]string{}}
	if got := post(t, w, body, whatsapptest.Sign("", []byte(body))); got == 200 {
		t.Error("an empty secret signs nothing")
	}
	w = newWorld()
	w.broken = errors.New("down")
	if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 500 {
		t.Errorf("status %d: Meta must try again", got)
	}
}

func TestBase64BodyIsDecodedBeforeItIsHashed(t *testing.T) {
	body := whatsapptest.Text("100", "34600111222", "wamid.1", "ñ", time.Unix(1700000000, 0))
	e := request("POST", base64.StdEncoding.EncodeToString(body), whatsapptest.Sign(appSecret, body))
	e.IsBase64Encoded = true
	w := newWorld()
	if r, _ := w.handler().Handle(context.Background(), e); r.StatusCode != 200 || len(w.sent) != 1 {
		t.Errorf("%d, %d entries", r.StatusCode, len(w.sent))
	}
	e.Body = "not base64!"
	if r, _ := w.handler().Handle(context.Background(), e); r.StatusCode != 400 {
		t.Errorf("not base64: %d", r.StatusCode)
	}
}

func TestBodyLimit(t *testing.T) {
	fill := func(n int) []byte {
		return append(append([]byte(`{"object":"x","pad":"`), bytes.Repeat([]byte("a"), n-23)...), `"}`...)
	}
	for _, encoded := range []bool{false, true} {
		for size, want := range map[int]int{whatsapp.MaxBody: 200, whatsapp.MaxBody + 1: 413, 2 * whatsapp.MaxBody: 413} {
			body := fill(size)
			if len(body) != size {
				t.Fatal(len(body))
			}
			e := request("POST", string(body), whatsapptest.Sign(appSecret, body))
			if encoded {
				e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
			}
			w := newWorld()
			r, _ := w.handler().Handle(context.Background(), e)
			if r.StatusCode != want {
				t.Errorf("%d bytes, base64 %v: %d, want %d", size, encoded, r.StatusCode, want)
			}
			if want == 200 && (len(w.sent) != 1 || len(w.blobs.Keys()) != 1) {
				t.Errorf("%d entries, objects %v", len(w.sent), w.blobs.Keys())
			}
		}
	}
}

func TestOtherMethods(t *testing.T) {
	r, _ := newWorld().handler().Handle(context.Background(), request("PUT", "", ""))
	if r.StatusCode != http.StatusMethodNotAllowed || r.Headers["Allow"] == "" {
		t.Error(r)
	}
}

func TestSignedButNotJSONIsKept(t *testing.T) {
	body := "a=1&b=\xff"
	w := newWorld()
	if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 200 || len(w.sent) != 1 {
		t.Fatalf("%d, %d entries", got, len(w.sent))
	}
	var e struct {
		Kind string
		Body map[string]string
	}
	if err := json.Unmarshal(w.sent[0].Body, &e); err != nil {
		t.Fatal(err)
	}
	if kept, _ := base64.StdEncoding.DecodeString(e.Body["not_json"]); string(kept) != body || e.Kind != "event" {
		t.Errorf("kept %q", kept)
	}
}

func TestQueueFailureIsNot200(t *testing.T) {
	body := string(whatsapptest.Text("100", "34600111222", "wamid.1", "hi", time.Unix(1700000000, 0)))
	w := newWorld()
	w.failing = errors.New("throttled")
	if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 500 {
		t.Errorf("status %d: Meta would not try again", got)
	}
}

func TestEqualUpdatesAreEqualEntries(t *testing.T) {
	body := string(whatsapptest.Text("100", "34600111222", "wamid.1", "￿ \u202e é", time.Unix(1700000000, 0)))
	w := newWorld()
	for range 2 {
		post(t, w, body, whatsapptest.Sign(appSecret, []byte(body)))
	}
	if len(w.sent) != 2 || !bytes.Equal(w.sent[0].Body, w.sent[1].Body) || w.sent[0].DedupID != w.sent[1].DedupID || w.sent[0].Group != w.sent[1].Group {
		t.Errorf("%+v", w.sent)
	}
	for _, b := range w.sent[0].Body {
		if b >= 0x80 {
			t.Fatal("the body isn't ASCII")
		}
	}
	if strings.Contains(w.sent[0].Group, "34600111222") {
		t.Error("a phone number is readable in the group")
	}
}

func TestLongUpdateTravelsAsAPointer(t *testing.T) {
	body := string(whatsapptest.Text("100", "34600111222", "wamid.1", strings.Repeat("long ", 60_000), time.Unix(1700000000, 0)))
	w := newWorld()
	if got := post(t, w, body, whatsapptest.Sign(appSecret, []byte(body))); got != 200 {
		t.Fatal(got)
	}
	var e entry
	if err := json.Unmarshal(w.sent[0].Body, &e); err != nil || !strings.HasPrefix(e.Claim, "claim/") || e.Update != nil {
		t.Fatalf("%s, %v", w.sent[0].Body, err)
	}
	if keys := w.blobs.Keys(); len(keys) != 1 || keys[0] != e.Claim {
		t.Errorf("objects %v", keys)
	}
	if w.sent[0].Group == "" || len(w.sent[0].Body) > 200 {
		t.Errorf("entry %s in group %q", w.sent[0].Body, w.sent[0].Group)
	}
}

func TestNothingOfTheBodyIsLogged(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	body := string(whatsapptest.Text("100", "34600111222", "wamid.1", "a secret text", time.Unix(1700000000, 0)))
	w := newWorld()
	post(t, w, body, whatsapptest.Sign(appSecret, []byte(body)))
	w.failing = fmt.Errorf("send to 34600111222: a secret text: %w", errors.New("down"))
	post(t, w, body, whatsapptest.Sign(appSecret, []byte(body)))
	if log.Len() == 0 {
		t.Fatal("nothing was logged at all")
	}
	for _, hidden := range []string{"34600111222", appSecret} {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("the log holds %q: %s", hidden, log.String())
		}
	}
}

func BenchmarkHandle(b *testing.B) {
	for _, n := range []int{1, 10, 1000} {
		var messages []string
		for i := range n {
			messages = append(messages, fmt.Sprintf(`{"from":"346%08d","id":"wamid.%d","timestamp":"1700000000","type":"text","text":{"body":"hello"}}`, i, i))
		}
		body := `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"100"},"messages":[` + strings.Join(messages, ",") + `]}}]}]}`
		signature := whatsapptest.Sign(appSecret, []byte(body))
		b.Run(fmt.Sprintf("updates=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			w := newWorld()
			h := w.handler()
			for b.Loop() {
				w.sent = w.sent[:0]
				if r, _ := h.Handle(context.Background(), request("POST", body, signature)); r.StatusCode != 200 {
					b.Fatal(r)
				}
			}
		})
	}
}
