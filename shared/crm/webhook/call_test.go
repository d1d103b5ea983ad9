package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/webhookcrm"
	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
	"threadline/shared/crm/webhook"
)

func person() crm.Person {
	return crm.Person{Key: "01JCONTACT0000000000000001", Name: "María García", Phone: match.Phone("34600111222"), Marketing: "granted"}
}

func entry(text string) crm.Entry {
	at := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	return crm.Entry{Key: strings.Repeat("e", 40), At: at, Messages: []crm.Message{{
		ID: "wamid.1", At: at, Direction: chat.In, Kind: chat.KindText, Author: "María", Text: text,
	}}}
}

func file(content, sum string) crm.File {
	return crm.File{
		Key: strings.Repeat("f", 40), Name: "niño 🙂.pdf", MIME: "application/pdf", Size: int64(len(content)), SHA256: sum,
		Open: crmtest.Content(content),
	}
}

func hexSum(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// answering is a receiver that answers one thing, and remembers what it was sent.
type answering struct {
	status  int
	body    string
	headers http.Header
	got     []*http.Request
	bodies  []string
}

func (a *answering) connect(t *testing.T, secret string) *webhook.Connector {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.got, a.bodies = append(a.got, r), append(a.bodies, string(body))
		for name, values := range a.headers {
			w.Header()[name] = values
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	return webhook.New(webhook.Config{URL: server.URL + "/in", Secret: crmtest.Secret(secret), Now: crmtest.NewClock().Now})
}

// TestAnswers is the table of docs/crm/webhook.md: what a receiver answers, and what becomes of it.
func TestAnswers(t *testing.T) {
	for _, row := range []struct {
		status int
		body   string
		class  crm.Class
		reason string
	}{
		{200, `<html>sign in</html>`, crm.Stopped, "ANSWER_NOT_AS_AGREED"},
		{200, `{"ref":17}`, crm.Stopped, "ANSWER_NOT_AS_AGREED"},
		{200, `{"ref":"niño"}`, crm.Stopped, "ANSWER_NOT_AS_AGREED"},
		{302, ``, crm.Stopped, "NO_RECEIVER_AT_THE_ADDRESS"},
		{404, `not found`, crm.Stopped, "NO_RECEIVER_AT_THE_ADDRESS"},
		{405, ``, crm.Stopped, "NO_RECEIVER_AT_THE_ADDRESS"},
		{401, `{"error":"signature"}`, crm.Stopped, "signature"},
		{403, ``, crm.Stopped, ""},
		{400, `{"error":"No: María's number is +34600111222"}`, crm.Refused, ""},
		{400, `{"error":"34600111222"}`, crm.Refused, ""},
		{413, ``, crm.Refused, ""},
		{422, `{"error":"too_long"}`, crm.Refused, "too_long"},
		{408, ``, crm.Transient, ""},
		{409, `{"error":"locked"}`, crm.Transient, "locked"},
		{423, ``, crm.Transient, ""},
		{429, ``, crm.Limited, ""},
		{500, ``, crm.Transient, ""},
		{503, `<html>`, crm.Transient, ""},
	} {
		t.Run(fmt.Sprint(row.status, row.body), func(t *testing.T) {
			a := &answering{status: row.status, body: row.body, headers: http.Header{"Retry-After": {"7"}, "Location": {"/elsewhere"}}}
			_, err := a.connect(t, secret).PutMessage(t.Context(), "17", entry("hello"), nil)
			e, ok := errors.AsType[*crm.Error](err)
			if !ok || e.Class != row.class || e.Reason != row.reason || e.After != 7*time.Second && e.Status != 200 {
				t.Errorf("%+v, want class %d and reason %q", err, row.class, row.reason)
			}
			if want := row.status == 200 || row.status == 408 || row.status >= 500; ok && e.Unknown != want {
				t.Errorf("may have been carried out: %v, want %v", e.Unknown, want)
			}
			if len(a.got) != 1 {
				t.Errorf("%d calls, want 1", len(a.got))
			}
			if err != nil && (strings.Contains(err.Error(), "600111222") || strings.Contains(err.Error(), "127.0.0.1")) {
				t.Errorf("%q holds a number or an address", err)
			}
		})
	}
}

func TestGoneAndMoved(t *testing.T) {
	a := &answering{status: 410, body: `{"error":"contact_deleted"}`}
	c := a.connect(t, secret)
	if err := c.FillContact(t.Context(), "17", person()); !errors.Is(err, crm.ErrGone) {
		t.Errorf("410: %v, want ErrGone", err)
	}
	a.body = `{"moved_to":"18"}`
	err := c.FillContact(t.Context(), "17", person())
	if moved, ok := errors.AsType[*crm.Moved](err); !ok || moved.To != "18" {
		t.Errorf("410 with moved_to: %v, want Moved to 18", err)
	}
}

// Ensure that a contact whose record was merged in the CRM is found where it is now.
func TestMergedContact(t *testing.T) {
	company := newCompany(t, webhookcrm.Options{})
	c := company.connect(nil)
	old, err := c.CreateContact(t.Context(), person())
	if err != nil {
		t.Fatal(err)
	}
	winner, _ := company.AddContact("Mrs Garcia", "")
	if err := company.sim.MergeContacts(string(old), winner); err != nil {
		t.Fatal(err)
	}
	_, err = c.PutMessage(t.Context(), old, entry("hello"), nil)
	if moved, ok := errors.AsType[*crm.Moved](err); !ok || string(moved.To) != winner {
		t.Errorf("%v, want Moved to %s", err, winner)
	}
}

// TestSignature computes by hand what a receiver compares, during the change of a secret too.
func TestSignature(t *testing.T) {
	a := &answering{status: 204}
	c := a.connect(t, "the-new-secret-00 the-old-secret-00")
	if ref, err := c.PutMessage(t.Context(), "17", entry("¿qué tal? <b>"), nil); err != nil || string(ref) != entry("").Key {
		t.Fatalf("%q, %v", ref, err)
	}
	if ref, err := c.PutFile(t.Context(), "17", "18", file("bytes", hexSum("bytes"))); err != nil || string(ref) != file("", "").Key {
		t.Fatalf("%q, %v", ref, err)
	}
	keys := map[string]bool{}
	for i, r := range a.got {
		document := a.bodies[i]
		if i == 1 {
			document = r.Header.Get("Threadline-Document")
		}
		const timestamp = "1793610000" // the clock of the tests
		var want []string
		for _, secret := range []string{"the-new-secret-00", "the-old-secret-00"} {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(timestamp + "." + document))
			want = append(want, "v1="+hex.EncodeToString(mac.Sum(nil)))
		}
		h := r.Header
		if h.Get("Threadline-Timestamp") != timestamp || h.Get("Threadline-Signature") != strings.Join(want, ",") {
			t.Errorf("signed %s at %s, want %s at %s", h.Get("Threadline-Signature"), h.Get("Threadline-Timestamp"), want, timestamp)
		}
		keys[h.Get("Idempotency-Key")] = true
		if r.Method != http.MethodPost || r.URL.Path != "/in" {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
	}
	if len(keys) != 2 || keys[""] {
		t.Errorf("the calls have the keys %v", keys)
	}
}

// TestConfiguration: a mistake in it stops the calls with a reason, and nothing is sent.
func TestConfiguration(t *testing.T) {
	broken := errors.New("no such secret")
	for name, row := range map[string]struct {
		config webhook.Config
		class  crm.Class
		reason string
	}{
		"no address":           {webhook.Config{Secret: crmtest.Secret(secret)}, crm.Stopped, "NO_ADDRESS"},
		"a password in it":     {webhook.Config{URL: "https://a:b@crm.example/x", Secret: crmtest.Secret(secret)}, crm.Stopped, "NO_ADDRESS"},
		"http":                 {webhook.Config{URL: "http://crm.example/x", Secret: crmtest.Secret(secret)}, crm.Stopped, "ADDRESS_IS_NOT_HTTPS"},
		"no secret":            {webhook.Config{URL: "https://crm.example/x", Secret: crmtest.Secret(" ")}, crm.Stopped, "ONE_OR_TWO_SECRETS_NEEDED"},
		"three secrets":        {webhook.Config{URL: "https://crm.example/x", Secret: crmtest.Secret("a b c")}, crm.Stopped, "ONE_OR_TWO_SECRETS_NEEDED"},
		"a guessable secret":   {webhook.Config{URL: "https://crm.example/x", Secret: crmtest.Secret("hunter2")}, crm.Stopped, "SECRET_TOO_SHORT"},
		"the secret is away":   {webhook.Config{URL: "https://crm.example/x", Secret: func(context.Context) (string, error) { return "", broken }}, crm.Transient, "NO_CREDENTIALS"},
		"a mistake in the URL": {webhook.Config{URL: "://", Secret: crmtest.Secret(secret)}, crm.Stopped, "NO_ADDRESS"},
	} {
		row.config.HTTP = &http.Client{Transport: crmtest.Transport(func(*http.Request) (*http.Response, error) {
			t.Errorf("%s: a call was made", name)
			return nil, errors.New("none is")
		})}
		_, err := webhook.New(row.config).CreateContact(t.Context(), person())
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != row.class || e.Reason != row.reason || e.Unknown {
			t.Errorf("%s: %v, want class %d, reason %s", name, err, row.class, row.reason)
		}
	}
}

// TestCheck proves that a receiver which doesn't compare signatures is found out.
func TestCheck(t *testing.T) {
	careless := &answering{status: 204}
	err := careless.connect(t, secret).Check(t.Context())
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped || e.Reason != "SIGNATURE_NOT_CHECKED" {
		t.Errorf("%v, want it found out", err)
	}
	for _, status := range []int{404, 500} {
		if err := (&answering{status: status}).connect(t, secret).Check(t.Context()); err == nil {
			t.Errorf("answered %d, and all is well", status)
		}
	}
	company := newCompany(t, webhookcrm.Options{})
	if err := company.connect(nil).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if calls := company.sim.Calls(); len(calls) != 2 || calls[1].Status != http.StatusUnauthorized {
		t.Errorf("%+v, want a ping and a refused one", calls)
	}
}
