package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/meta"
	"threadline/infra/local/record"
	"threadline/infra/local/stack"
	"threadline/shared/whatsapp/whatsapptest"
)

// The stack's keys. None of them is a word that a log could hold for another reason.
const (
	appSecret    = "e2e-app-secret-1f0c"
	verifyToken  = "e2e-verify-token-2a9b"
	apiKey       = "e2e-api-key-3c7d"
	accessToken  = "e2e-access-token-4e5f"
	hubSpotToken = "e2e-hubspot-token-5b8a"
)

// number is the company's phone_number_id, and second that of its other number.
const (
	number = meta.DefaultNumber
	second = "15550100002"
)

// patience is how long anything may take that has nothing to wait for. The machine may be busy.
const patience = 40 * time.Second

const (
	ambiguousAfter = 12 * time.Second // AMBIGUOUS_SEND_AFTER
	importQuiet    = 10 * time.Second // IMPORT_QUIET: no shorter one is safe, because the store keeps the time to ten seconds
)

// world is a running stack, with everything that it says.
type world struct {
	*stack.Stack
	dir      string
	more     []string
	recorder *record.Recorder
	runner   *lockedBuffer // what the runner itself says
	personal []string      // what no log may hold, see secret
	ours     []string      // phone_number_ids, which logs may hold: pairs with what stands for them
}

// environ sets the template's parameters.
func environ() []string {
	return []string{
		"APP_SECRET=" + appSecret, "VERIFY_TOKEN=" + verifyToken, "API_KEY=" + apiKey,
		"ACCESS_TOKEN=" + accessToken, "HUBSPOT_TOKEN=" + hubSpotToken,
		"PHONE_NUMBER_ID=" + number + "," + second, "LOG_LEVEL=DEBUG",
		"HUBSPOT_CALLS_PER_10S=100000", // the simulated one has no limit, and thousands of messages are imported
		"AMBIGUOUS_SEND_AFTER=" + ambiguousAfter.String(), "IMPORT_QUIET=" + importQuiet.String(),
	}
}

// start runs the real template with its state in dir. more sets more of its parameters.
func start(t *testing.T, dir string, more ...string) *world {
	t.Helper()
	w := &world{dir: dir, more: more, recorder: record.New(), runner: &lockedBuffer{}}
	t.Cleanup(w.recorder.Close)
	s, err := stack.Start(t.Context(), w.options(t))
	if err != nil {
		t.Fatal(err)
	}
	w.Stack = s
	t.Cleanup(w.stop)
	w.secret(appSecret, verifyToken, apiKey, accessToken, hubSpotToken)
	return w
}

func (w *world) options(t *testing.T) stack.Options {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".venv", "run")); err != nil && os.Getenv("CI") != "true" {
		t.Skip("the local emulator is not installed: make setup")
	}
	log.SetOutput(w.runner) // net/http complains there
	return stack.Options{
		Root: root, StateDir: w.dir, Environ: append(environ(), w.more...), Endpoint: w.recorder.Between,
		Progress: func(line string) { fmt.Fprintln(w.runner, line) },
		Log:      slog.New(slog.NewTextHandler(w.runner, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Delays:   meta.Delays{Sent: 20 * time.Millisecond, Delivered: 20 * time.Millisecond, Retry: 200 * time.Millisecond},
	}
}

// stop ends the stack; a second time does nothing.
func (w *world) stop() {
	if w.Stack != nil {
		w.Stop()
		w.Stack = nil
	}
}

// secret notes what no log may hold.
func (w *world) secret(values ...string) { w.personal = append(w.personal, values...) }

// eventually tries until check has nothing to complain about.
func eventually(t *testing.T, within time.Duration, check func() error) {
	t.Helper()
	poll(t, within, 50*time.Millisecond, 400*time.Millisecond, check) // looking all the time slows what is looked for
}

// poll is eventually with pauses that grow from the first to the last.
func poll(t *testing.T, within, first, last time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	pause := first
	for err := check(); err != nil; err = check() {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", within, err)
		}
		time.Sleep(pause)
		pause = min(pause*3/2, last)
	}
}

// nextSecond waits for Meta's clock, which counts whole seconds: there is no order within one.
func nextSecond() { time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }

// call makes a request of the REST API and decodes the answer into out.
func (w *world) call(ctx context.Context, method, path, idempotencyKey string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, w.URL()+"/api/v1"+path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+apiKey)
	if idempotencyKey != "" {
		req.Header.Set("Idempotency-Key", idempotencyKey)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil && out != nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return resp.StatusCode, fmt.Errorf("%s %s: status %d: %w", method, path, resp.StatusCode, err)
	}
	return resp.StatusCode, nil
}

// get decodes a resource of the REST API, which must be there.
func (w *world) get(t *testing.T, path string, out any) error {
	t.Helper()
	status, err := w.call(t.Context(), http.MethodGet, path, "", nil, out)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("GET %s: status %d", path, status)
	}
	return err
}

// messageByID decodes a message, by our id or by Meta's, which may hold slashes.
func (w *world) messageByID(t *testing.T, id string, out any) error {
	t.Helper()
	return w.get(t, "/messages/"+url.PathEscape(id), out)
}

// object is JSON.
type object = map[string]any

// message is what the REST API says of one.
type message struct {
	ID           string
	ProviderID   string `json:"provider_id"`
	Conversation string
	Direction    string
	Kind         string
	RawType      string `json:"raw_type"`
	Origin       string
	Status       string
	At           time.Time
	Text         string
	Content      json.RawMessage
	ReplyTo      string `json:"reply_to"`
	Quotes       *struct{ Text string }
	Forwarded    string
	Referral     json.RawMessage
	Imported     bool
	Problems     []struct{ Code int }
	Reactions    []struct{ Emoji, Direction string }
	Edits        []struct{ Text string }
	RevokedAt    *time.Time `json:"revoked_at"`
	Call         *struct {
		Status  string
		Seconds int
	}
	Attachment *struct {
		State, URL, MIME, Name, SHA256 string
		Size                           int64
		Voice                          bool
	}
	History []struct{ Status string }
	Error   *struct {
		Code   int
		Reason string
	}
}

// messages returns a whole conversation in order, read in pages of the given size.
func (w *world) messages(t *testing.T, conversation string, page int) ([]message, error) {
	t.Helper()
	var all []message
	for cursor := ""; ; {
		var out struct {
			Messages   []message
			NextCursor string `json:"next_cursor"`
		}
		if err := w.get(t, fmt.Sprintf("/conversations/%s/messages?limit=%d&cursor=%s", conversation, page, cursor), &out); err != nil {
			return nil, err
		}
		all = append(out.Messages, all...) // the newest page comes first
		if out.NextCursor == "" {
			return all, nil
		}
		cursor = out.NextCursor
	}
}

// ask has the company send something, and returns the id that the message got.
func (w *world) ask(t *testing.T, idempotencyKey string, request object) (id string) {
	t.Helper()
	var answer struct{ ID, Status string }
	status, err := w.call(t.Context(), http.MethodPost, "/messages", idempotencyKey, request, &answer)
	if err != nil || status != http.StatusAccepted || answer.Status != "queued" || answer.ID == "" {
		t.Fatalf("POST /messages: %d %+v %v", status, answer, err)
	}
	return answer.ID
}

// reaches waits until a message of the company has a status.
func (w *world) reaches(t *testing.T, id, status string) message {
	t.Helper()
	var m message
	eventually(t, patience, func() error {
		m = message{}
		if err := w.messageByID(t, id, &m); err != nil {
			return err
		}
		if m.Status != status {
			return fmt.Errorf("message %s is %s, not yet %s", id, m.Status, status)
		}
		return nil
	})
	return m
}

// becomes waits until a message, named by either id, is as wanted.
func (w *world) becomes(t *testing.T, id string, wanted func(message) bool) message {
	t.Helper()
	var m message
	eventually(t, patience, func() error {
		m = message{}
		if err := w.messageByID(t, id, &m); err != nil {
			return err
		}
		if !wanted(m) {
			return fmt.Errorf("message %s is %+v", id, m)
		}
		return nil
	})
	return m
}

// refused makes a request that the API mustn't take, and returns its reason.
func (w *world) refused(t *testing.T, path string, request object, status int) string {
	t.Helper()
	var answer struct{ Error struct{ Message string } }
	got, err := w.call(t.Context(), http.MethodPost, path, "", request, &answer)
	if err != nil || got != status {
		t.Errorf("POST %s: status %d, want %d (%v)", path, got, status, err)
	}
	return answer.Error.Message
}

// command asks for something that is done a moment later.
func (w *world) command(t *testing.T, path string, request object) {
	t.Helper()
	if status, err := w.call(t.Context(), http.MethodPost, path, "", request, nil); err != nil || status != http.StatusAccepted {
		t.Fatalf("POST %s: %d %v", path, status, err)
	}
}

// post delivers a webhook as Meta does.
func (w *world) post(t *testing.T, body []byte) (status int) {
	t.Helper()
	return w.request(t, http.MethodPost, "/webhook", whatsapptest.Sign(appSecret, body), body)
}

// request makes any call of the webhook and drops what it says.
func (w *world) request(t *testing.T, method, path, signature string, body []byte) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if signature != "" {
		req.Header.Set("X-Hub-Signature-256", signature)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// log returns what a function, or the emulator (aws), has said so far.
func (w *world) log(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// counted tells how often a function has counted a metric.
func (w *world) counted(t *testing.T, function, metric string) int {
	t.Helper()
	return strings.Count(w.log(t, function), `"`+metric+`":1`)
}
