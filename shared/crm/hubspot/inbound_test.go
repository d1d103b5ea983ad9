package hubspot_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/hubspot"
	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/hubspot"
)

const clientSecret = "test-client-secret"

// office is an account with a workflow, and what its calls said to us.
type office struct {
	*account
	connector *hubspot.Connector
	requests  []crm.Request
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.account = openAccount(t, sim.Options{ActionURL: server.URL + "/crm/hubspot/events", ClientSecret: clientSecret})
	o.config = hubspot.Config{
		PublicURL:    server.URL + "/crm/hubspot/events",
		ClientSecret: crmtest.Secret(clientSecret),
	}
	o.connector = ready(t, o.account)
	return o
}

// ServeHTTP is what the api function does.
func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in, err := o.connector.ParseInbound(r.Context(), crm.Call{
		Method: r.Method, URL: "http://inside" + r.URL.Path, Header: r.Header, Body: body, At: o.clock.Now(),
	})
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o.requests = append(o.requests, in.Requests...)
	w.Header().Set("Content-Type", in.ContentType)
	w.WriteHeader(in.Status)
	_, _ = w.Write(in.Answer)
}

func TestWorkflowAction(t *testing.T) {
	o := newOffice(t)
	contact, _ := o.AddContact("María García", "+34600111222")
	at := o.clock.Now()
	for _, row := range []struct {
		input    map[string]string
		text     string
		template string
		state    string
	}{
		{input: map[string]string{"text": " Your order is ready \n"}, text: "Your order is ready", state: "SUCCESS"},
		{input: map[string]string{"text": "ready", "wait": "true"}, text: "ready", state: "BLOCK"},
		{input: map[string]string{"template": "order_ready", "language": "es"}, template: `{"name":"order_ready","language":"es"}`, state: "SUCCESS"},
		{
			input: map[string]string{"template": "order_ready", "language": "es", "parameters": "María\n\n 42 \n", "text": "x"},
			template: `{"name":"order_ready","language":"es","components":[{"type":"body","parameters":` +
				`[{"type":"text","text":"María"},{"type":"text","text":"42"}]}]}`,
			state: "SUCCESS",
		},
	} {
		o.requests = nil
		id, err := o.sim.Enrol(contact, row.input)
		if err != nil {
			t.Fatalf("%v: %v", row.input, err)
		}
		if err := o.sim.Redeliver(id); err != nil { // the answer was lost
			t.Fatal(err)
		}
		if state, _ := o.sim.Execution(id); state != row.state {
			t.Errorf("%v: the execution is %s, want %s", row.input, state, row.state)
		}
		if len(o.requests) != 2 || o.requests[0].ID != o.requests[1].ID || !strings.HasSuffix(o.requests[0].ID, id) {
			t.Fatalf("%v: %+v, want the same request twice, named after %s", row.input, o.requests, id)
		}
		got := o.requests[0]
		if got.Text != row.text || string(got.Template) != row.template {
			t.Errorf("%v: text %q, template %s", row.input, got.Text, got.Template)
		}
		if string(got.Contact) != contact || got.Phone != "+34600111222" || got.Actor != "HubSpot workflow 7001" || !got.At.Equal(at) {
			t.Errorf("%v: %+v, want the contact, its number, the workflow and the time", row.input, got)
		}
	}
}

const action = `{"callbackId":"ap-1","object":{"objectId":7,"objectType":"CONTACT"},"inputFields":{"text":"hi"}}`

// signed is a call with the third version of the signature.
func signed(secret, uri, body string, at time.Time) crm.Call {
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST" + uri + body + stamp))
	h := http.Header{}
	h.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	h.Set("X-HubSpot-Request-Timestamp", stamp)
	return crm.Call{Method: http.MethodPost, URL: uri, Header: h, Body: []byte(body), At: at}
}

func TestForged(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	const uri = "https://threadline.example.com/crm/hubspot/events"
	for name, row := range map[string]struct {
		change func(*crm.Call)
		secret string
		ok     bool
	}{
		"genuine":                 {func(*crm.Call) {}, clientSecret, true},
		"just in time":            {func(c *crm.Call) { c.At = at.Add(5 * time.Minute) }, clientSecret, true},
		"too late":                {func(c *crm.Call) { c.At = at.Add(5*time.Minute + time.Millisecond) }, clientSecret, false},
		"from the future":         {func(c *crm.Call) { c.At = at.Add(-6 * time.Minute) }, clientSecret, false},
		"another body":            {func(c *crm.Call) { c.Body = append(c.Body, ' ') }, clientSecret, false},
		"another method":          {func(c *crm.Call) { c.Method = http.MethodPut }, clientSecret, false},
		"another secret":          {func(*crm.Call) {}, "other", false},
		"no secret":               {func(*crm.Call) {}, "", false},
		"no signature":            {func(c *crm.Call) { c.Header = http.Header{} }, clientSecret, false},
		"another time":            {func(c *crm.Call) { c.Header.Set("X-HubSpot-Request-Timestamp", "1") }, clientSecret, false},
		"not a time":              {func(c *crm.Call) { c.Header.Set("X-HubSpot-Request-Timestamp", "now") }, clientSecret, false},
		"the second version":      {secondVersion(clientSecret, uri+action), clientSecret, true},
		"the second, forged":      {secondVersion("other", uri+action), clientSecret, false},
		"the second, no secret":   {secondVersion("", uri+action), "", false},
		"the second beside a bad": {func(c *crm.Call) { add(c, clientSecret, uri+action); c.Header.Set("X-HubSpot-Signature-v3", "x") }, clientSecret, false},
	} {
		call := signed(clientSecret, uri, action, at)
		row.change(&call)
		call.URL = "https://inside/crm/hubspot/events"
		c := hubspot.New(hubspot.Config{PublicURL: uri, ClientSecret: crmtest.Secret(row.secret)})
		in, err := c.ParseInbound(t.Context(), call)
		if row.ok != (err == nil && len(in.Requests) == 1) || !row.ok && !errors.Is(err, crm.ErrForged) {
			t.Errorf("%s: %+v, %v", name, in.Requests, err)
		}
	}
	if _, err := hubspot.New(hubspot.Config{PublicURL: uri}).ParseInbound(t.Context(), signed("", uri, action, at)); !errors.Is(err, crm.ErrForged) {
		t.Errorf("nothing configured: %v, want ErrForged", err)
	}
}

// secondVersion signs a call as HubSpot did before.
func secondVersion(secret, source string) func(*crm.Call) {
	return func(c *crm.Call) {
		c.Header = http.Header{}
		add(c, secret, source)
	}
}

func add(c *crm.Call, secret, source string) {
	sum := sha256.Sum256([]byte(secret + "POST" + source))
	c.Header.Set("X-HubSpot-Signature-Version", "v2")
	c.Header.Set("X-HubSpot-Signature", hex.EncodeToString(sum[:]))
}

// TestSignedAddress proves that the escapes which HubSpot undoes are undone, and the others are not.
func TestSignedAddress(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	call := signed(clientSecret, "https://threadline.example.com/a:b/?@!$'()*,;%20%26", action, at)
	call.URL = "https://threadline.example.com/a%3Ab%2f%3F%40%21%24%27%28%29%2A%2C%3b%20%26"
	c := hubspot.New(hubspot.Config{ClientSecret: crmtest.Secret(clientSecret)})
	if _, err := c.ParseInbound(t.Context(), call); err != nil {
		t.Error(err)
	}
}

// TestUnreadable proves that what can't be carried out is refused, so that the workflow's history shows it.
func TestUnreadable(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	c := hubspot.New(hubspot.Config{ClientSecret: crmtest.Secret(clientSecret)})
	for body, reason := range map[string]string{
		`[`:                                    "NOT_JSON",
		strings.Replace(action, "ap-1", "", 1): "NO_ID",
		strings.Replace(action, `"objectId":7,`, "", 1):                            "NO_ID",
		strings.Replace(action, "CONTACT", "DEAL", 1):                              "NOT_A_CONTACT",
		strings.Replace(action, `"hi"`, `" "`, 1):                                  "NO_TEXT",
		strings.Replace(action, `"text":"hi"`, `"template":"order_ready"`, 1):      "NO_LANGUAGE",
		strings.Replace(action, `{"text":"hi"}`, `{"text":{"not":"a string"}}`, 1): "NOT_JSON",
	} {
		_, err := c.ParseInbound(t.Context(), signed(clientSecret, "https://x.example.com/e", body, at))
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Refused || e.Reason != reason {
			t.Errorf("%s: %v, want Refused because of %s", body, err, reason)
		}
	}
	_, err := hubspot.New(hubspot.Config{
		ClientSecret: func(context.Context) (string, error) { return "", errors.New("out of order") },
	}).ParseInbound(t.Context(), signed(clientSecret, "https://x.example.com/e", action, at))
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Transient {
		t.Errorf("no secret to be had: %v, want Transient, so that HubSpot calls again", err)
	}
}

func TestAnswer(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	c := hubspot.New(hubspot.Config{ClientSecret: crmtest.Secret(clientSecret)})
	for input, want := range map[string]string{
		`{"text":"hi"}`:               `{"outputFields":{"hs_execution_state":"SUCCESS"}}`,
		`{"text":"hi","wait":"true"}`: `{"outputFields":{"hs_execution_state":"BLOCK","hs_expiration_duration":"P2D"}}`,
	} {
		body := strings.Replace(action, `{"text":"hi"}`, input, 1)
		in, err := c.ParseInbound(t.Context(), signed(clientSecret, "https://x.example.com/e", body, at))
		if err != nil || string(in.Answer) != want || in.Status != 200 || in.ContentType != "application/json" {
			t.Errorf("%s: %d %s %s, %v, want %s", input, in.Status, in.ContentType, in.Answer, err, want)
		}
	}
}
