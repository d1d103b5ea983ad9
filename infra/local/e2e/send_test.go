package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"threadline/infra/local/meta"
)

var errStill = errors.New("not yet as it should be")

// templates are listed, checked against what is sent, and listed anew when Meta says that one has changed.
func templates(t *testing.T, w *world) {
	tom := w.customer(t, "Tom Template", "34600555006")
	tom.writes(t, meta.Draft{Text: "Please keep me posted"})
	tom.known(t)
	eventually(t, patience, func() error { return w.isListed(t, "coupon", "APPROVED") })
	to := object{"contact": tom.contact}
	text := func(values ...string) []any {
		var parameters []any
		for _, v := range values {
			parameters = append(parameters, object{"type": "text", "text": v})
		}
		return []any{object{"type": "body", "parameters": parameters}}
	}
	for name, components := range map[string][]any{"too few": text("Tom", "1042"), "too many": text("Tom", "1042", "today", "or not")} {
		request := object{"to": to, "template": object{"name": "order_update", "language": "en_US", "components": components}}
		if why := w.refused(t, "/messages", request, http.StatusBadRequest); !strings.Contains(why, "template") {
			t.Errorf("%s: refused because: %s", name, why)
		}
	}
	request := object{"to": to, "template": object{"name": "coupon", "language": "en_US", "components": []any{
		object{"type": "button", "sub_type": "copy_code", "index": "0", "parameters": []any{object{"type": "coupon_code", "coupon_code": "GARDEN10"}}}}}}
	m := w.reaches(t, w.ask(t, "", request), "delivered") // marketing: sent only as long as the customer hasn't refused that
	if shown := tom.onPhone(t, m.ProviderID); !strings.Contains(shown.Text, "10 % off") {
		t.Errorf("the phone shows %+v", shown)
	}
	if err := w.Meta().Prefer(tom.ID, number, "stop"); err != nil {
		t.Fatal(err)
	}
	tom.consents(t, "marketing", false)
	if m := w.reaches(t, w.ask(t, "", request), "failed"); m.Error == nil || !strings.Contains(m.Error.Reason, "marketing") {
		t.Errorf("to somebody who doesn't want it: %+v", m.Error)
	}
	if err := w.Meta().HappenToAccount(meta.AccountEvent{Kind: "template_status", Value: "PAUSED", Template: "coupon"}); err != nil {
		t.Fatal(err)
	}
	w.KillFunction("api") // each process asks Meta at most once a minute
	eventually(t, patience, func() error { return w.isListed(t, "coupon", "PAUSED") })
}

// isListed wants a template to be listed with a status.
func (w *world) isListed(t *testing.T, name, status string) error {
	t.Helper()
	var list struct {
		Templates []struct{ Name, Status string }
	}
	err := w.get(t, "/templates?name="+name, &list)
	if err == nil && (len(list.Templates) != 1 || list.Templates[0].Status != status) {
		err = fmt.Errorf("the list says %+v", list.Templates)
	}
	return err
}

// consents waits until the company knows what the person thinks of messages of a category.
func (p *person) consents(t *testing.T, category string, given bool) {
	t.Helper()
	eventually(t, patience, func() error {
		var c struct {
			Consent map[string]struct{ Given bool }
		}
		if err := p.w.get(t, "/contacts/"+p.contact, &c); err != nil {
			return err
		}
		if said, ok := c.Consent[category]; !ok || said.Given != given {
			return errStill
		}
		return nil
	})
}

// announce tells the API of a file to send, and returns its id and the request that brings the bytes.
func (w *world) announce(t *testing.T, name, mimeType string, content []byte) (id string, bring func()) {
	t.Helper()
	sum := sha256.Sum256(content)
	var up struct {
		ID, Method, URL string
		Headers         map[string]string
	}
	status, err := w.call(t.Context(), http.MethodPost, "/media", "", object{"name": name, "mime": mimeType, "size": len(content),
		"sha256": hex.EncodeToString(sum[:])}, &up)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("POST /media: %d %v", status, err)
	}
	return up.ID, func() {
		req, err := http.NewRequestWithContext(t.Context(), up.Method, up.URL, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range up.Headers {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s of the bytes: %s", up.Method, resp.Status)
		}
	}
}

// uploads brings a file to the bucket and sends it twice: Meta gets it once.
func uploads(t *testing.T, w *world) {
	una := w.customer(t, "Una Upload", "34600555007")
	una.writes(t, meta.Draft{Text: "Show me the picture"})
	una.known(t)
	picture := randomFile(60_000)
	id, bring := w.announce(t, "garden.jpg", "image/jpeg", picture)
	request := object{"to": object{"contact": una.contact}, "media": object{"type": "image", "id": id, "caption": "The garden in June"}}
	w.secret("The garden in June", "garden.jpg")
	if why := w.refused(t, "/messages", request, http.StatusBadRequest); !strings.Contains(why, "uploaded") {
		t.Errorf("before its bytes are there: %s", why)
	}
	bring()
	media := map[string]bool{}
	for range 2 {
		m := w.reaches(t, w.ask(t, "", request), "delivered")
		shown := una.onPhone(t, m.ProviderID)
		if shown.Media == nil || shown.Media.Size != int64(len(picture)) || shown.Text != "The garden in June" {
			t.Fatalf("the phone shows %+v", shown)
		}
		media[shown.Media.ID] = true
	}
	if len(media) != 1 {
		t.Errorf("%d uploads for two messages with one file", len(media))
	}
	una.hasEntries(t)
	sameFile(t, w, una.entry(t, "The garden in June").Files[0], picture)
}

// links are how people open files: a photo is shown, a page with scripts is saved, and neither needs a key.
func links(t *testing.T, w *world) {
	lou := w.customer(t, "Lou Linked", "34600555008")
	photo, page := randomFile(8000), []byte("<!DOCTYPE html><script>alert(document.domain)</script>")
	for _, c := range []struct {
		upload                meta.Upload
		content               []byte
		mimeType, disposition string
	}{
		{meta.Upload{Name: "roof.jpg", MIME: "image/jpeg"}, photo, "image/jpeg", "inline"},
		{meta.Upload{Name: "report.html", MIME: "text/html"}, page, "application/octet-stream", "attachment"},
	} {
		c.upload.Body = bytes.NewReader(c.content)
		m := w.becomes(t, lou.writes(t, meta.Draft{File: &c.upload}), func(m message) bool { return m.Attachment != nil && m.Attachment.URL != "" })
		token := strings.TrimPrefix(m.Attachment.URL, "/m/")
		w.secret(c.upload.Name, token)
		resp, err := http.Get(w.URL() + m.Attachment.URL) // follows to the bucket
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.Equal(got, c.content) {
			t.Errorf("%s: %s with %d bytes (%v)", c.upload.Name, resp.Status, len(got), err)
		}
		how, _, _ := strings.Cut(resp.Header.Get("Content-Disposition"), ";")
		if got := resp.Header.Get("Content-Type"); got != c.mimeType || how != c.disposition {
			t.Errorf("%s is served as %s, %s", c.upload.Name, got, how)
		}
		forged := []byte(m.Attachment.URL)
		forged[len("/m/")+3] ^= 1
		if got := w.request(t, http.MethodGet, string(forged), "", nil); got != http.StatusNotFound {
			t.Errorf("%s by another link: status %d", c.upload.Name, got)
		}
	}
}
