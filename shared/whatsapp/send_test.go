package whatsapp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const (
	secretToken = "EAAG-secret-token"
	phone       = "34600111222"
	words       = "my card number"
)

// graph starts a Graph API and a client for it.
func graph(t *testing.T, h http.HandlerFunc) (*Client, *httptest.Server) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return client(srv.URL), srv
}

func client(base string) *Client {
	return &Client{
		BaseURL: base,
		Token:   func(context.Context) (string, error) { return secretToken, nil },
		HTTP:    &http.Client{Transport: &http.Transport{}},
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

var hello = Outgoing{To: phone, Text: &OutText{Body: words}}

func TestSendRequest(t *testing.T) {
	var got map[string]any
	var path, auth, agent string
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		path, auth, agent = r.Method+" "+r.URL.Path, r.Header.Get("Authorization"), r.UserAgent()
		json.NewDecoder(r.Body).Decode(&got)
		answer(200, `{"contacts":[{"input":"+1","wa_id":"+5511999","user_id":"BR.1"}],"messages":[{"id":"wamid.1","message_status":"accepted"}]}`)(w, r)
	})
	sent, err := c.Send(t.Context(), "106", Outgoing{To: "+" + phone, ReplyTo: "wamid.0", CallbackData: "m_1", Text: &OutText{Body: "hé", PreviewURL: true}})
	if err != nil || OutcomeOf(err) != Accepted {
		t.Fatalf("send: %v", err)
	}
	if want := (Sent{"wamid.1", "5511999", "BR.1", "accepted"}); sent != want {
		t.Errorf("sent %+v, want %+v", sent, want)
	}
	if path != "POST /v26.0/106/messages" || auth != "Bearer "+secretToken || agent != DefaultUserAgent {
		t.Errorf("request %q, %q, %q", path, auth, agent)
	}
	raw, _ := json.Marshal(got)
	const want = `{"biz_opaque_callback_data":"m_1","context":{"message_id":"wamid.0"},"messaging_product":"whatsapp",` +
		`"recipient_type":"individual","text":{"body":"hé","preview_url":true},"to":"+34600111222","type":"text"}`
	if string(raw) != want {
		t.Errorf("\n got %s\nwant %s", raw, want)
	}
}

// Ensure that a BSUID is never taken for a number, wherever Meta puts it.
func TestSentTo(t *testing.T) {
	for contact, want := range map[string]Sent{
		`{"wa_id":"+5511999","user_id":"BR.1"}`: {MessageID: "wamid.1", WAID: "5511999", BSUID: "BR.1"},
		`{"user_id":"BR.1"}`:                    {MessageID: "wamid.1", BSUID: "BR.1"},
		`{"wa_id":"BR.1"}`:                      {MessageID: "wamid.1", BSUID: "BR.1"},
		`7`:                                     {MessageID: "wamid.1"},
	} {
		c, _ := graph(t, answer(200, `{"contacts":[`+contact+`],"messages":[{"id":"wamid.1"}]}`))
		if sent, err := c.Send(t.Context(), "106", hello); err != nil || sent != want {
			t.Errorf("%s: %+v, %v", contact, sent, err)
		}
	}
}

// Ensure that each recipient goes where Meta wants it.
func TestSendRecipients(t *testing.T) {
	for name, tt := range map[string]struct {
		m                   Outgoing
		to, recipient, kind any
	}{
		"digits": {Outgoing{To: phone}, "+" + phone, nil, "individual"},
		"plus":   {Outgoing{To: "+" + phone}, "+" + phone, nil, "individual"},
		"BSUID":  {Outgoing{Recipient: "US.1349"}, nil, "US.1349", "individual"},
		"group":  {Outgoing{Group: "G1"}, "G1", nil, "group"},
	} {
		tt.m.Text = hello.Text
		body, err := tt.m.body()
		if err != nil || body["to"] != tt.to || body["recipient"] != tt.recipient || body["recipient_type"] != tt.kind {
			t.Errorf("%s: %v, %v", name, body, err)
		}
	}
}

func TestSendRefusesInvalid(t *testing.T) {
	c, _ := graph(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	id := &OutMedia{ID: "1"}
	for name, m := range map[string]Outgoing{
		"nobody":           {Text: hello.Text},
		"two recipients":   {To: phone, Recipient: "US.1", Text: hello.Text},
		"BSUID in to":      {To: "US.1349", Text: hello.Text},
		"letters in to":    {To: "+34abc600", Text: hello.Text},
		"nothing":          {To: phone},
		"two contents":     {To: phone, Text: hello.Text, Image: id},
		"empty text":       {To: phone, Text: &OutText{Body: " \n"}},
		"long text":        {To: phone, Text: &OutText{Body: strings.Repeat("é", MaxText+1)}},
		"long callback":    {To: phone, Text: hello.Text, CallbackData: strings.Repeat("x", MaxCallbackData+1)},
		"no file":          {To: phone, Image: &OutMedia{}},
		"id and link":      {To: phone, Image: &OutMedia{ID: "1", Link: "https://example.com/a"}},
		"odd link":         {To: phone, Image: &OutMedia{Link: "file:///etc/passwd"}},
		"audio caption":    {To: phone, Audio: &OutMedia{ID: "1", Caption: "x"}},
		"sticker caption":  {To: phone, Sticker: &OutMedia{ID: "1", Caption: "x"}},
		"image name":       {To: phone, Image: &OutMedia{ID: "1", Filename: "x"}},
		"video voice":      {To: phone, Video: &OutMedia{ID: "1", Voice: true}},
		"long caption":     {To: phone, Video: &OutMedia{ID: "1", Caption: strings.Repeat("x", MaxCaption+1)}},
		"nameless":         {To: phone, Template: &Template{Language: "en"}},
		"no language":      {To: phone, Template: &Template{Name: "x"}},
		"odd components":   {To: phone, Template: &Template{Name: "x", Language: "en", Components: []byte(`{}`)}},
		"null components":  {To: phone, Template: &Template{Name: "x", Language: "en", Components: []byte(`null`)}},
		"odd interactive":  {To: phone, Interactive: []byte(`[]`)},
		"half interactive": {To: phone, Interactive: []byte(`{`)},
	} {
		_, err := c.Send(t.Context(), "106", m)
		if !errors.Is(err, ErrInvalid) || OutcomeOf(err) != NotSent || ClassOf(err) != ClassPermanent {
			t.Errorf("%s: %v (%s)", name, err, OutcomeOf(err))
		}
	}
	for _, number := range []string{"", ".", ".."} {
		if _, err := c.Send(t.Context(), number, hello); !errors.Is(err, ErrInvalid) {
			t.Errorf("number %q: %v", number, err)
		}
	}
	if _, err := (Outgoing{To: phone, Text: &OutText{Body: strings.Repeat("é", MaxText)}}).body(); err != nil {
		t.Errorf("text of %d characters: %v", MaxText, err)
	}
}

// Ensure that only an error object with a 4xx status counts as a refusal; every
// other answer to a written request may hide a message that was sent.
func TestSendOutcomes(t *testing.T) {
	object := func(code string) string {
		return `{"error":{"message":"(#1) to ` + phone + `: ` + words + `","code":` + code + `,"error_data":{"details":"` + words + `"},"fbtrace_id":"T1"}}`
	}
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		outcome Outcome
		class   Class
	}{
		{"outside the window", 400, object(`131047`), NotSent, ClassPermanent},
		{"code in a string", 400, object(`"131056"`), NotSent, ClassTransient},
		{"token expired", 401, object(`190`), NotSent, ClassAccount},
		{"throughput", 429, object(`130429`), NotSent, ClassTransient},
		{"template paused", 400, object(`132015`), NotSent, ClassWait},
		{"code zero", 401, object(`0`), NotSent, ClassAccount},
		{"unknown code", 400, object(`999999`), NotSent, ClassPermanent},
		{"unknown but transient", 400, `{"error":{"code":999999,"is_transient":true}}`, NotSent, ClassTransient},
		{"5xx with a code", 500, object(`131016`), Unknown, ClassAmbiguous},
		{"5xx with a permanent code", 503, object(`131047`), Unknown, ClassAmbiguous},
		{"5xx page", 502, `<html>`, Unknown, ClassAmbiguous},
		{"4xx page", 400, `<html>`, Unknown, ClassAmbiguous},
		{"4xx without code", 400, `{"error":{"message":"x"}}`, Unknown, ClassAmbiguous},
		{"4xx with a code that is none", 400, object(`"none"`), Unknown, ClassAmbiguous},
		{"4xx with a text", 400, `{"error":"x"}`, Unknown, ClassAmbiguous},
		{"4xx empty", 429, ``, Unknown, ClassAmbiguous},
		{"redirect", 307, ``, Unknown, ClassAmbiguous},
		{"no id", 200, `{"messages":[]}`, Unknown, ClassAmbiguous},
		{"empty id", 200, `{"messages":[{"id":""}]}`, Unknown, ClassAmbiguous},
		{"odd messages", 200, `{"messages":{"id":"1"}}`, Unknown, ClassAmbiguous},
		{"no JSON", 200, `ok`, Unknown, ClassAmbiguous},
		{"error in a 200", 200, object(`131047`), Unknown, ClassAmbiguous},
		{"empty 200", 200, ``, Unknown, ClassAmbiguous},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, srv := graph(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.status == 307 {
					w.Header().Set("Location", "/elsewhere")
				}
				answer(tt.status, tt.body)(w, r)
			})
			_, err := c.Send(t.Context(), "106", hello)
			if OutcomeOf(err) != tt.outcome || ClassOf(err) != tt.class {
				t.Errorf("%v is %s, %s", err, OutcomeOf(err), ClassOf(err))
			}
			tellsNothing(t, err, srv.URL)
		})
	}
}

// tellsNothing fails where the text of an error holds what may not be logged.
func tellsNothing(t *testing.T, err error, also ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	var withURL *url.Error
	if errors.As(err, &withURL) {
		t.Errorf("%q wraps an error with a URL", err)
	}
	for _, secret := range append(also, secretToken, phone, words, "hash=") {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q holds %q", err, secret)
		}
	}
}

// Ensure that a read receipt is one call, and so is one with a typing indicator.
func TestMarkReadAndTyping(t *testing.T) {
	var got string
	c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got += r.Method + " " + r.URL.Path + " " + string(body)
		answer(200, `{"success":true}`)(w, r)
	})
	for name, tt := range map[string]struct {
		call func(context.Context, string, string) error
		want string
	}{
		"read":   {c.MarkRead, `{"message_id":"wamid.1","messaging_product":"whatsapp","status":"read"}`},
		"typing": {c.Typing, `{"message_id":"wamid.1","messaging_product":"whatsapp","status":"read","typing_indicator":{"type":"text"}}`},
	} {
		got = ""
		if err := tt.call(t.Context(), "106", "wamid.1"); err != nil {
			t.Fatal(err)
		}
		if want := "POST /v26.0/106/messages " + tt.want; got != want {
			t.Errorf("%s: %s", name, got)
		}
		if err := tt.call(t.Context(), "106", ""); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s without id: %v", name, err)
		}
	}
	c, _ = graph(t, answer(400, `{"error":{"code":131009,"message":"`+phone+`"}}`))
	err := c.Typing(t.Context(), "106", "wamid.old")
	if ClassOf(err) != ClassPermanent {
		t.Errorf("an old message: %v", err)
	}
	tellsNothing(t, err)
}
