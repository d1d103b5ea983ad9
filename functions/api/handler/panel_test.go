package handler

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/pipedrive"
	"threadline/shared/store"
)

const panelSecret = "panel-secret-of-the-tests"

// panelToken is what Pipedrive puts into a panel's address.
func panelToken(secret string, expires time.Time) string {
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(fmt.Appendf(nil, `{"userId":7,"companyId":9,"exp":%d}`, expires.Unix()))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + part(mac.Sum(nil))
}

// panelRig is the API with Pipedrive, whose person 5 is Ana.
func panelRig(t *testing.T) *rig {
	r := newRig(t)
	connector := pipedrive.New(pipedrive.Config{PanelSecret: func(context.Context) (string, error) { return panelSecret, nil }})
	r.api.Panels = map[string]crm.Paneler{"pipedrive": connector}
	return r
}

// owns makes the contact of a message the person 5.
func (r *rig) owns(m chat.Message) {
	r.Helper()
	if err := r.store.SetLink(r.Context(), m.Contact, "pipedrive", store.Link{Ref: "5"}); err != nil {
		r.Fatal(err)
	}
}

// look opens the panel with what stands in its address beside, or instead of, a good token and person 5.
func (r *rig) look(change url.Values) *httptest.ResponseRecorder {
	r.Helper()
	q := url.Values{
		"resource": {"person"}, "view": {"details"}, "userId": {"7"}, "companyId": {"9"}, "selectedIds": {"5"}, "id": {"frame"},
		"token": {panelToken(panelSecret, r.now.Add(time.Minute))},
	}
	for name, values := range change {
		q[name] = values
	}
	w := httptest.NewRecorder()
	r.api.Handler().ServeHTTP(w, httptest.NewRequestWithContext(r.Context(), "GET", "/crm/pipedrive/panel?"+q.Encode(), nil))
	return w
}

// page fails the test unless the answer is a page with this status that says each of these.
func (r *rig) page(w *httptest.ResponseRecorder, status int, says ...string) string {
	r.Helper()
	body := w.Body.String()
	if w.Code != status || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
		r.Fatalf("%d %v: %s", w.Code, w.Header(), body)
	}
	for _, want := range says {
		if !strings.Contains(body, want) {
			r.Errorf("the page doesn't say %q:\n%s", want, body)
		}
	}
	return body
}

func TestPanelShowsTheConversation(t *testing.T) {
	r := panelRig(t)
	r.seeNumber(ourNumber, "200")
	ana := chat.Seen{Phone: ana, Name: "María <García>"}
	at := func(minute int) func(chat.Seen) chat.Seen {
		return func(s chat.Seen) chat.Seen { s.At = noon.Add(time.Duration(minute) * time.Minute); return s }
	}
	r.owns(r.receive("wamid.1", at(0)(ana), func(in *store.Inbound) { in.Message.Text = `<script>alert("1")</script>` }))
	r.receive("wamid.2", at(1)(ana), func(in *store.Inbound) {
		in.Number = "200"
		in.Message.Kind, in.Message.RawType, in.Message.Text = chat.KindImage, "image", "the second number"
		in.Message.Attachment = &chat.Attachment{State: chat.Stored, MIME: "image/jpeg", Name: `a"b.jpg`, Key: "media/1"}
	})
	r.receive("wamid.3", at(2)(ana), func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType, in.Message.Text = chat.KindDocument, "document", ""
		in.Message.Attachment = &chat.Attachment{State: chat.Stored, MIME: "image/svg+xml", Name: "drawing.svg", Key: "media/2"}
	})
	r.receive("wamid.4", at(3)(ana), func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType, in.Message.Text, in.Message.ReplyTo = chat.KindLocation, "location", "", "wamid.1"
	})
	body := r.page(r.look(nil), http.StatusOK, "María &lt;García&gt;", "&lt;script&gt;alert(", "2 Mar 2026, 12:01 UTC", "the second number",
		`alt="ab.jpg"`, ">drawing.svg</a>", `<blockquote dir="auto">&lt;script`, ">Location<")
	if strings.Contains(body, "<script>alert") || strings.Count(body, "<img") != 1 || strings.Count(body, "<script") != 2 {
		t.Errorf("something runs, or isn't shown:\n%s", body)
	}
	first, second := strings.Index(body, "alert("), strings.Index(body, "the second number")
	if first > second || second > strings.Index(body, "drawing.svg") {
		t.Error("not in the order of time")
	}
	links := regexp.MustCompile(`/m/[\w-]+`).FindAllString(body, -1)
	if len(links) != 3 { // an image's twice
		t.Fatalf("links %q", links)
	}
	for _, l := range links {
		r.open(l).want(http.StatusFound, nil)
	}
	r.now = noon.Add(3 * time.Hour)
	r.open(links[0]).refused(http.StatusNotFound, "notfound", "")
}

// TestPanelRunsNothingOfOurs: the policy lets the vendor's script run, and what begins it, and nothing else.
func TestPanelRunsNothingOfOurs(t *testing.T) {
	r := panelRig(t)
	r.seeNumber(ourNumber)
	r.owns(r.receive("wamid.1", chat.Seen{Phone: ana}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType = chat.KindImage, "image"
		in.Message.Attachment = &chat.Attachment{State: chat.Stored, MIME: "image/png", Key: "media/1"}
	}))
	for _, w := range []*httptest.ResponseRecorder{r.look(nil), r.look(url.Values{"token": {"x"}})} {
		body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
		inline := regexp.MustCompile(`(?s)<(style|script)>(.*?)</(?:style|script)>`).FindAllStringSubmatch(body, -1)
		if len(inline) != 2 {
			t.Fatalf("%d inline texts", len(inline))
		}
		for _, m := range inline {
			if !strings.Contains(policy, m[1]+"-src") || !strings.Contains(policy, hashed(m[2])) {
				t.Errorf("%s doesn't let this %s be: %q", policy, m[1], m[2])
			}
		}
		for _, want := range []string{
			"default-src 'none'", "frame-ancestors https://*.pipedrive.com", "base-uri 'none'", "form-action 'none'",
			"script-src https://cdn.jsdelivr.net/npm/@pipedrive/app-extensions-sdk@",
		} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s lacks %s", policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || !strings.Contains(body, `crossorigin="anonymous"`) || !strings.Contains(body, `integrity="sha384-`) {
			t.Errorf("%s\n%s", policy, body)
		}
	}
	if policy := r.look(nil).Header().Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self' https://bucket.s3.eu-west-1.amazonaws.com;") {
		t.Errorf("images are at %s", policy)
	}
}

func TestPanelForNobody(t *testing.T) {
	r := panelRig(t)
	for name, address := range map[string]url.Values{
		"yet":                    {"selectedIds": {"6"}},
		"the person whom":        {"resource": {"deal"}},
		"beside the person":      {"selectedIds": {"5,6"}},
		"shown beside":           {"selectedIds": nil},
		"A conversation":         {"selectedIds": {"-5"}},
		"There is no WhatsApp c": nil,
	} {
		r.page(r.look(address), http.StatusOK, name)
	}
	r.seeNumber(ourNumber)
	m := r.receive("wamid.1", chat.Seen{Phone: ana}, nil)
	r.owns(m)
	r.page(r.look(nil), http.StatusOK, "text of wamid.1")
	if err := r.store.SetLink(t.Context(), m.Contact, "pipedrive", store.Link{Ref: "8"}); err != nil {
		t.Fatal(err)
	}
	r.page(r.look(nil), http.StatusOK, "There is no WhatsApp conversation with this person yet.")
	r.page(r.look(url.Values{"selectedIds": {"8"}}), http.StatusOK, "text of wamid.1")
}

// TestPanelForStrangers: without a token of Pipedrive's nothing is shown, nor why.
func TestPanelForStrangers(t *testing.T) {
	r := panelRig(t)
	r.seeNumber(ourNumber)
	r.owns(r.receive("wamid.1", chat.Seen{Phone: ana}, nil))
	for name, token := range map[string]string{
		"none": "", "not one": "x", "another secret": panelToken("another", r.now.Add(time.Minute)), "old": panelToken(panelSecret, r.now),
	} {
		body := r.page(r.look(url.Values{"token": {token}}), http.StatusUnauthorized, "reload the record there")
		for _, internal := range []string{"text of", "secret", "token", "JWT", ana} {
			if strings.Contains(body, internal) {
				t.Errorf("%s: it says %s", name, internal)
			}
		}
	}
	for _, secret := range []func(context.Context) (string, error){nil, func(context.Context) (string, error) { return "", nil }} {
		r.api.Panels = map[string]crm.Paneler{"pipedrive": pipedrive.New(pipedrive.Config{PanelSecret: secret})}
		r.page(r.look(url.Values{"token": {panelToken("", r.now.Add(time.Minute))}}), http.StatusUnauthorized, "inside the CRM only")
	}
}

func TestPanelOutOfReach(t *testing.T) {
	r := panelRig(t)
	r.seeNumber(ourNumber)
	r.owns(r.receive("wamid.1", chat.Seen{Phone: ana}, nil))
	r.db.err = errors.New("connection refused by 34600111222")
	if body := r.page(r.look(nil), http.StatusServiceUnavailable, "be shown at the moment"); strings.Contains(body, "refused") {
		t.Error(body)
	}
	r.db.err = nil
	r.api.Panels = map[string]crm.Paneler{"pipedrive": pipedrive.New(pipedrive.Config{
		PanelSecret: func(context.Context) (string, error) { return "", errors.New("no secret") },
	})}
	r.page(r.look(nil), http.StatusServiceUnavailable, "be shown at the moment")
	for _, path := range []string{"/crm/odoo/panel", "/crm//panel", "/crm/pipedrive/panel/x"} {
		r.callBadly("GET", path, "").refused(http.StatusNotFound, "notfound", "")
	}
	r.callBadly("POST", "/crm/pipedrive/panel", "").refused(http.StatusMethodNotAllowed, "invalid", "")
}

// TestPanelHasTheLastMessages: fifty, over all numbers, without what isn't on the record.
func TestPanelHasTheLastMessages(t *testing.T) {
	r := panelRig(t)
	r.seeNumber(ourNumber)
	for i := range 60 {
		r.now = noon.Add(time.Duration(i) * time.Minute)
		r.owns(r.receive(fmt.Sprintf("wamid.%d", i), chat.Seen{Phone: ana}, nil))
	}
	r.receive("wamid.reaction", chat.Seen{Phone: ana}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType, in.Message.Text, in.Message.ReplyTo = chat.KindReaction, "reaction", "👍", "wamid.nobody"
	})
	r.post(`{"to":"+34600111222","text":"hello from us"}`).sent() // Meta hasn't taken it
	body := r.page(r.look(nil), http.StatusOK, "Older messages", "text of wamid.10<", "text of wamid.59<")
	if n := strings.Count(body, "<li"); n != panelMessages || strings.Contains(body, "hello from us") || strings.Contains(body, "👍") {
		t.Errorf("%d messages:\n%s", n, body)
	}
}

func TestPanelNotes(t *testing.T) {
	at := noon
	for want, v := range map[string]messageView{
		"The file is arriving.":              {Attachment: &attachmentView{State: chat.Pending}},
		"The file could not be fetched.":     {Attachment: &attachmentView{State: chat.FileFailed}},
		"The file may not be what was sent.": {Attachment: &attachmentView{State: chat.Unverified}},
		"A file is with it. a.pdf":           {Attachment: &attachmentView{State: chat.Remote, Name: "a.pdf"}},
		"Edited.":                            {Edits: []editView{{}}},
		"Deleted by who wrote it.":           {RevokedAt: &at},
		"👍 by the customer":                  {Reactions: []reactionView{{Emoji: "👍", Direction: chat.In}}},
		"❤ by the company":                   {Reactions: []reactionView{{Emoji: "❤", Direction: chat.Out}}},
		"Not delivered.":                     {Direction: chat.Out, Status: chat.Failed},
		"May have been delivered.":           {Direction: chat.Out, Status: chat.Unknown},
	} {
		if got := panelNotes(v); len(got) != 1 || got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if l := viewLine(messageView{Direction: chat.Out, Kind: "media_placeholder"}, chat.Contact{}); l.Who != "Company" || l.Text != "Media placeholder" {
		t.Errorf("%+v", l)
	}
	if l := viewLine(messageView{Direction: chat.In}, chat.Contact{}); l.Who != "Customer" || l.Text != "Unknown" {
		t.Errorf("%+v", l)
	}
}
