package handler

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"threadline/shared/chat"
	"threadline/shared/link"
	"threadline/shared/store"
)

// receiveFile stores a customer's message with a file, and returns what a client sees of the file.
func (r *rig) receiveFile(id string, f chat.Attachment) attachmentView {
	r.Helper()
	r.seeNumber(ourNumber)
	r.receive(id, chat.Seen{Phone: ana}, func(in *store.Inbound) {
		in.Message.Kind, in.Message.RawType, in.Message.Attachment = chat.KindDocument, "document", &f
	})
	var v messageView
	r.get("/api/v1/messages/"+url.PathEscape(id)).want(http.StatusOK, &v)
	return *v.Attachment
}

// open opens a link as a browser does that has no key.
func (r *rig) open(link string) answer {
	r.Helper()
	return r.call("GET", link, "", "Authorization", "")
}

func TestLinksToFiles(t *testing.T) {
	for _, c := range []struct {
		mime, name            string
		contentType, disposes string
	}{
		{"image/jpeg", "a.jpg", "image/jpeg", `inline; filename=a.jpg`},
		{"audio/ogg; codecs=opus", "", "audio/ogg", `inline`},
		{"application/pdf", "../../März.pdf", "application/pdf", `inline; filename*=utf-8''M%C3%A4rz.pdf`},
		{"text/html", "a.html", "application/octet-stream", `attachment; filename=a.html`},
		{"TEXT/HTML; charset=utf-8", "a.jpg", "application/octet-stream", `attachment; filename=a.jpg`},
		{"image/svg+xml", "a.svg", "application/octet-stream", `attachment; filename=a.svg`},
		{"application/xhtml+xml", "a", "application/octet-stream", `attachment; filename=a`},
		{"text/javascript", "a.js", "application/octet-stream", `attachment; filename=a.js`},
		{"text/plain", "a.txt", "application/octet-stream", `attachment; filename=a.txt`},
		{"", "a", "application/octet-stream", `attachment; filename=a`},
		{"image/png; x", "a", "application/octet-stream", `attachment; filename=a`},
		{"image/png\r\nX-Evil: 1", "a\r\nX-Evil: 1", "application/octet-stream", `attachment; filename="aX-Evil 1"`},
		{"application/hologram", "a\u202egpj.exe", "application/octet-stream", `attachment; filename=agpj.exe`},
	} {
		r := newRig(t)
		f := r.receiveFile("wamid.1", chat.Attachment{State: chat.Stored, MIME: c.mime, Name: c.name, Key: "media/1"})
		a := r.open(f.URL).want(http.StatusFound, nil)
		u, err := url.Parse(a.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if u.Scheme != "https" || !strings.HasSuffix(u.Path, "/media/1") || q.Get("X-Amz-Expires") != "120" || len(a.body) > 0 {
			t.Errorf("%s leads to %s", c.mime, u)
		}
		if got := q.Get("response-content-type"); got != c.contentType {
			t.Errorf("%s is served as %s", c.mime, got)
		}
		if got := q.Get("response-content-disposition"); got != c.disposes {
			t.Errorf("%s %q: %s, want %s", c.mime, c.name, got, c.disposes)
		}
		if strings.ContainsAny(f.Name, "/\\\r\n\u202e") {
			t.Errorf("shown as %q", f.Name)
		}
	}
}

// Ids may hold whatever Meta puts into them.
func TestLinksOfAnyMessage(t *testing.T) {
	for _, id := range []string{"wamid.A/B+C==", `a b "c" 100.x`, "ñ\x00<>", "wamid." + strings.Repeat("x", 240)} {
		r := newRig(t)
		f := r.receiveFile(id, chat.Attachment{State: chat.Unverified, MIME: "image/png", Key: "media/of-" + url.PathEscape(id)})
		r.receiveFile("other", chat.Attachment{State: chat.Stored, MIME: "image/png", Key: "media/other"})
		a := r.open(f.URL).want(http.StatusFound, nil)
		if strings.Contains(a.header.Get("Location"), "other") {
			t.Errorf("%q leads to %s", id, a.header.Get("Location"))
		}
	}
}

func TestALinkWorksForAnHourAtLeast(t *testing.T) {
	r := newRig(t)
	r.now = noon.Add(20 * time.Minute)
	f := r.receiveFile("wamid.1", chat.Attachment{State: chat.Stored, MIME: "image/png", Key: "media/1"})
	var again messageView
	r.now = noon.Add(50 * time.Minute)
	if r.get("/api/v1/messages/wamid.1").want(http.StatusOK, &again); again.Attachment.URL != f.URL {
		t.Error("a page that is read again has another link")
	}
	r.now = noon.Add(2*time.Hour - time.Second)
	r.open(f.URL).want(http.StatusFound, nil)
	r.now = noon.Add(2 * time.Hour)
	r.open(f.URL).refused(http.StatusNotFound, "notfound", "fetch the message again")
}

// TestALinkInACRM works as long as the file is kept: what crmsync puts there says no end.
func TestALinkInACRM(t *testing.T) {
	r := newRig(t)
	r.receiveFile("wamid.1", chat.Attachment{State: chat.Stored, MIME: "video/mp4", Key: "media/1"})
	m, err := r.store.Lookup(t.Context(), "wamid.1")
	if err != nil {
		t.Fatal(err)
	}
	l, err := r.api.links().To(t.Context(), link.Claim{Conversation: m.Conversation, Message: store.SortKey(m)})
	if err != nil {
		t.Fatal(err)
	}
	r.now = noon.AddDate(10, 0, 0)
	r.open(l).want(http.StatusFound, nil)
	r.api.Key = func(context.Context) (string, error) { return "another key", nil }
	r.open(l).refused(http.StatusNotFound, "notfound", "the link isn't one of ours")
}

func TestForgedLinks(t *testing.T) {
	r := newRig(t)
	f := r.receiveFile("wamid.1", chat.Attachment{State: chat.Stored, MIME: "image/png", Key: "media/1"})
	token := strings.TrimPrefix(f.URL, "/m/")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.store.Lookup(t.Context(), "wamid.1")
	if err != nil {
		t.Fatal(err)
	}
	honest := link.Claim{Until: noon.Add(time.Hour).Unix(), Conversation: m.Conversation, Message: store.SortKey(m)}
	var forged []string
	for i := range raw {
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		forged = append(forged, base64.RawURLEncoding.EncodeToString(bad))
	}
	unkeyed := func(key string) string { // what somebody could make who knows the code, and not the key
		l := link.Links{Key: func(context.Context) (string, error) { return key, nil }}
		made, err := l.To(t.Context(), honest)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(made, "/m/")
	}
	forged = append(forged, "x", "%00", token+"A", token[:len(token)-4], base64.RawURLEncoding.EncodeToString(encode(honest)), unkeyed(" "), unkeyed("another key"), strings.Repeat("A", 5000))
	r.open("/m/"+unkeyed(theKey)).want(http.StatusFound, nil)
	for _, bad := range forged {
		r.open("/m/"+bad).refused(http.StatusNotFound, "notfound", "the link isn't one of ours, or too old")
	}
	r.open(f.URL).want(http.StatusFound, nil)

	r.api.Key = func(context.Context) (string, error) { return "another key", nil }
	r.open(f.URL).refused(http.StatusNotFound, "notfound", "the link isn't one of ours")
	for _, key := range []func(context.Context) (string, error){
		func(context.Context) (string, error) { return "", nil },
		func(context.Context) (string, error) { return "", errors.New("no secret") },
	} {
		r.api.Key = key
		r.open(f.URL).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	}
}

func TestLinksToNothing(t *testing.T) {
	r := newRig(t)
	for _, s := range []chat.FileState{chat.Pending, chat.FileFailed, chat.Remote} {
		if f := r.receiveFile("wamid."+string(s), chat.Attachment{State: s, MediaID: "1"}); f.URL != "" {
			t.Errorf("a file that is %s has a link", s)
		}
	}
	for _, m := range []chat.Message{
		{ID: "wamid.pending", Conversation: chat.Direct(ourNumber, "01CONTACT001"), At: noon},
		{ID: "wamid.erased", Conversation: chat.Direct(ourNumber, "01CONTACT001"), At: noon},
	} {
		l, err := r.api.fileLink(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		r.open(l).refused(http.StatusNotFound, "notfound", "")
	}
}

func TestLinksOutOfReach(t *testing.T) {
	r := newRig(t)
	f := r.receiveFile("wamid.1", chat.Attachment{State: chat.Stored, MIME: "image/png", Key: "media/1"})
	r.files.err = errors.New("no credentials")
	r.open(f.URL).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	r.files.err = nil
	r.db.err = errors.New("connection refused")
	r.open(f.URL).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	r.db.err = &smithy.GenericAPIError{Code: "ValidationException"}
	a := r.open(f.URL)
	a.refused(http.StatusInternalServerError, "internal", a.header.Get("X-Request-Id"))
}
