package demo_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/demo"
)

// shop is a CRM with two contacts, one of whom sent files.
type shop struct {
	revision int64
	written  []string
}

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// content holds the files by their type.
var content = map[string]string{
	"image/jpeg": "jpeg", "audio/ogg; codecs=opus": "ogg", "video/mp4": "mp4", "application/pdf": "%PDF-1.7",
	"image/svg+xml": "<svg><script>alert(1)</script></svg>", "text/html": "<script>alert(1)</script>", "": "anything",
}

func (s *shop) Title() string   { return "simulated shop" }
func (s *shop) Revision() int64 { return s.revision }

func (s *shop) Contacts() []demo.Contact {
	return []demo.Contact{{ID: "1", Name: "María", Phone: "+34600111222", Entries: 1, Latest: noon}, {ID: "2"}}
}

func (s *shop) Timeline(contact string) []demo.Entry {
	if contact != "1" {
		return nil
	}
	e := demo.Entry{ID: "e1", At: noon, HTML: "<p>hello</p>"}
	for kind := range content {
		e.Files = append(e.Files, demo.File{ID: kind, Name: "a file", MIME: kind})
	}
	return []demo.Entry{e}
}

func (s *shop) Open(id string) (io.ReadSeekCloser, demo.File, error) {
	text, ok := content[id]
	if !ok {
		return nil, demo.File{}, errors.New("no such file")
	}
	return closing{strings.NewReader(text)}, demo.File{ID: id, Name: "a \"file\"\n.txt", MIME: id, Changed: noon}, nil
}

type closing struct{ io.ReadSeeker }

func (closing) Close() error { return nil }

// desk is a shop in which somebody can write.
type desk struct{ *shop }

func (d desk) How() string { return "a bell" }

func (d desk) Write(contact, text string) error {
	if contact != "1" {
		return errors.New("nobody there")
	}
	d.written = append(d.written, text)
	return nil
}

func (d desk) Key(contact string) string                 { return "k" + contact }
func (d desk) Properties(contact string) []demo.Property { return []demo.Property{{"Room", contact}} }

// one is the page of a run with one CRM.
func one(crm demo.CRM) http.Handler {
	return demo.Page([]demo.Place{{Name: "shop", Title: "Shop", CRM: crm}}, "a-key")
}

func call(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Ensure that the page finds all its parts and may load nothing from elsewhere.
func TestAssets(t *testing.T) {
	h := one(&shop{})
	if w := call(h, "GET", "/crm", ""); w.Code != http.StatusFound || w.Header().Get("Location") != "/crm/" {
		t.Errorf("/crm leads to %d %s", w.Code, w.Header().Get("Location"))
	}
	seen := map[string]bool{}
	for todo := []string{"/crm/"}; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if seen[path] {
			continue
		}
		seen[path] = true
		w := call(h, "GET", path, "")
		if w.Code != http.StatusOK || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="(/crm/[^"#]*)"|from '\./([^']+)'`).FindAllStringSubmatch(w.Body.String(), -1) {
			if m[2] != "" {
				m[1] = "/crm/" + m[2]
			}
			todo = append(todo, m[1])
		}
	}
	if len(seen) < 6 {
		t.Errorf("only %v", seen)
	}
	for _, path := range []string{"/crm/page.go", "/crm/..%2fpage.go", "/crm/data/contacts/9", "/crm/data/files/9"} {
		if w := call(h, "GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestData(t *testing.T) {
	s := &shop{}
	h := one(desk{s})
	w := call(h, "GET", "/crm/data/contacts", "")
	if !strings.Contains(w.Body.String(), `"title":"simulated shop"`) || !strings.Contains(w.Body.String(), `"id":"2"`) {
		t.Errorf("the list is %s", w.Body)
	}
	tag := w.Header().Get("ETag")
	if w := call(h, "GET", "/crm/data/contacts", "", "If-None-Match", tag); w.Code != http.StatusNotModified {
		t.Errorf("unchanged: %d", w.Code)
	}
	s.revision++
	if w := call(h, "GET", "/crm/data/contacts", "", "If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("changed: %d", w.Code)
	}
	if w := call(one(desk{&shop{}}), "GET", "/crm/data/contacts", "", "If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("after a restart: %d", w.Code)
	}
	for id, want := range map[string]string{
		"1": `{"api_key":"a-key","contact":{"id":"1","name":"María","phone":"+34600111222","entries":1,"latest":"2026-11-02T12:00:00Z"},`,
		"2": `"entries":[],"how":"a bell","key":"k2","properties":[{"label":"Room","value":"2"}]}`,
	} {
		if w := call(h, "GET", "/crm/data/contacts/"+id, ""); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s has no %s", w.Body, want)
		}
	}
	plain := call(one(s), "GET", "/crm/data/contacts/2", "").Body.String()
	if strings.Contains(plain, `"how"`) || !strings.Contains(plain, `"properties":[]`) {
		t.Errorf("of a CRM in which nobody writes: %s", plain)
	}
}

// TestFilesDontRun proves that what a customer sent is shown if a browser shows it safely, and downloaded if not.
func TestFilesDontRun(t *testing.T) {
	h := one(&shop{})
	var record struct {
		Entries []struct {
			Files []struct{ ID, Show string }
		}
	}
	if err := json.Unmarshal(call(h, "GET", "/crm/data/contacts/1", "").Body.Bytes(), &record); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"image/jpeg": "image", "audio/ogg; codecs=opus": "audio", "video/mp4": "video", "application/pdf": "page",
		"image/svg+xml": "download", "text/html": "download", "": "download",
	}
	for _, f := range record.Entries[0].Files {
		if f.Show != want[f.ID] {
			t.Errorf("%q is shown as %s, want %s", f.ID, f.Show, want[f.ID])
		}
		if f.ID == "" {
			continue // it can't be addressed
		}
		w := call(h, "GET", "/crm/data/files/"+strings.NewReplacer("/", "%2F", " ", "%20").Replace(f.ID), "")
		kind, disposition, csp := w.Header().Get("Content-Type"), w.Header().Get("Content-Disposition"), w.Header().Get("Content-Security-Policy")
		if f.Show == "download" {
			if kind != "application/octet-stream" || !strings.HasPrefix(disposition, "attachment") || !strings.Contains(csp, "sandbox") {
				t.Errorf("%s: %s, %s, %s", f.ID, kind, disposition, csp)
			}
		} else if !strings.HasPrefix(f.ID, kind) || !strings.HasPrefix(disposition, "inline") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: %s, %s, %s", f.ID, kind, disposition, csp)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Body.String() != content[f.ID] {
			t.Errorf("%s: %v %q", f.ID, w.Header(), w.Body)
		}
	}
	if w := call(h, "GET", "/crm/data/files/video%2Fmp4", "", "Range", "bytes=1-1"); w.Code != http.StatusPartialContent || w.Body.String() != "p" {
		t.Errorf("a part of it, to jump in a video: %d %q", w.Code, w.Body)
	}
}

// Ensure that each of several CRMs is shown under its name, the first that is simulated without one, and no other.
func TestSeveralCRMs(t *testing.T) {
	first, second := desk{&shop{}}, desk{&shop{revision: 7}}
	h := demo.Page([]demo.Place{
		{Name: "away", Title: "Away", Host: "crm.example", Setting: "AWAY_URL"},
		{Name: "one", Title: "One", CRM: first}, {Name: "two", Title: "Two", CRM: second},
	}, "a-key")
	for path, want := range map[string]string{"/crm/data/contacts": "one", "/crm/data/contacts?crm=two": "two"} {
		var list struct {
			CRM  string
			CRMs []struct{ Name, Title string }
		}
		if err := json.Unmarshal(call(h, "GET", path, "").Body.Bytes(), &list); err != nil || list.CRM != want || len(list.CRMs) != 3 || list.CRMs[2].Title != "Two" {
			t.Errorf("%s: %+v, %v", path, list, err)
		}
	}
	call(h, "POST", "/crm/data/contacts/1/write?crm=two", `{"text":"hello"}`)
	if len(first.written) != 0 || len(second.written) != 1 {
		t.Errorf("written %q and %q", first.written, second.written)
	}
	if w := call(h, "GET", "/crm/data/files/video%2Fmp4?crm=two", ""); w.Code != http.StatusOK {
		t.Errorf("a file of the second: %d", w.Code)
	}
	for path, want := range map[string]string{
		"/crm?crm=two": "/crm/?crm=two", "/crm/two": "/crm/?crm=two", "/crm/away": "/crm/?crm=away", "/crm/?crm=none": "/crm/",
	} {
		if w := call(h, "GET", path, ""); w.Code != http.StatusFound || w.Header().Get("Location") != want {
			t.Errorf("%s leads to %d %s, want %s", path, w.Code, w.Header().Get("Location"), want)
		}
	}
	for _, path := range []string{"/crm/data/contacts?crm=none", "/crm/data/contacts?crm=away", "/crm/data/contacts/1?crm=away", "/crm/three"} {
		if w := call(h, "GET", path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Ensure that whoever looks for the demo of a CRM that isn't simulated is told where the records are.
func TestAway(t *testing.T) {
	real := demo.Place{Name: "odoo", Title: "Odoo", Host: "<b>.example", Setting: "ODOO_URL"}
	beside := demo.Place{Name: "one", Title: "One", CRM: &shop{}}
	for name, row := range map[string]struct {
		places []demo.Place
		path   string
		words  []string
	}{
		"a real one":         {[]demo.Place{real}, "/crm/", []string{"Odoo isn’t simulated", "<strong>&lt;b&gt;.example</strong>", "env -u ODOO_URL CRM_CONNECTOR=odoo"}},
		"beside another one": {[]demo.Place{beside, real}, "/crm/?crm=odoo", []string{"Odoo isn’t simulated", `<a href="/crm/?crm=one">One</a>`, `<a href="/crm/?crm=odoo" aria-current="page">Odoo</a>`}},
		"none":               {nil, "/crm/", []string{"No CRM is connected", "CRM_CONNECTOR=hubspot make run"}},
	} {
		w := call(demo.Page(row.places, "a-key"), "GET", row.path, "")
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none';") {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		for _, words := range row.words {
			if !strings.Contains(w.Body.String(), words) {
				t.Errorf("%s: no %s in %s", name, words, w.Body)
			}
		}
	}
	if w := call(demo.Page(nil, "a-key"), "GET", "/crm/data/contacts", ""); w.Code != http.StatusNotFound {
		t.Errorf("the contacts of no CRM: %d", w.Code)
	}
}

func TestWrite(t *testing.T) {
	d := desk{&shop{}}
	h := one(d)
	for _, row := range []struct {
		path, body string
		headers    []string
		status     int
	}{
		{"/crm/data/contacts/1/write", `{"text":"hello"}`, nil, http.StatusNoContent},
		{"/crm/data/contacts/1/write", `{"text":"hello"}`, []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"/crm/data/contacts/1/write", `{"text":"hello"}`, []string{"Origin", "https://elsewhere.example"}, http.StatusForbidden},
		{"/crm/data/contacts/1/write", `{"text":" "}`, nil, http.StatusBadRequest},
		{"/crm/data/contacts/1/write", `hello`, nil, http.StatusBadRequest},
		{"/crm/data/contacts/2/write", `{"text":"hello"}`, nil, http.StatusBadGateway},
	} {
		if w := call(h, "POST", row.path, row.body, row.headers...); w.Code != row.status {
			t.Errorf("%s %v: %d %s, want %d", row.body, row.headers, w.Code, w.Body, row.status)
		}
	}
	if len(d.written) != 1 {
		t.Errorf("written %q", d.written)
	}
	if w := call(one(&shop{}), "POST", "/crm/data/contacts/1/write", `{"text":"hello"}`); w.Code != http.StatusNotFound {
		t.Errorf("where nobody can write: %d", w.Code)
	}
}
