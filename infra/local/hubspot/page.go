package hubspot

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed page
var page embed.FS

// policy lets the page load and call what is on its own origin, and nothing else run.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page serves the demo CRM below /crm/: the contacts, their records, and a box to reply through the product's REST API
// on the same origin. It asks for no login: it is for one laptop.
func (s *Simulator) Page() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /crm", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/crm/", http.StatusFound) })
	mux.HandleFunc("GET /crm/{$}", func(w http.ResponseWriter, r *http.Request) { asset(w, r, "crm.html") })
	mux.HandleFunc("GET /crm/{name}", func(w http.ResponseWriter, r *http.Request) { asset(w, r, r.PathValue("name")) })
	mux.HandleFunc("GET /crm/data/contacts", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, func() (any, bool) { return s.contactList(), true })
	})
	mux.HandleFunc("GET /crm/data/contacts/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, func() (any, bool) { return s.contactRecord(r.PathValue("id")) })
	})
	mux.HandleFunc("GET /crm/data/files/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.serveFile(w, r, r.PathValue("id"))
	})
	return mux
}

func asset(w http.ResponseWriter, r *http.Request, name string) {
	content, err := page.ReadFile(path.Join("page", name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	types := map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)]+"; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(content) // the browser has gone
}

// show answers with data, or with 304 as long as nothing in the account has changed: the page asks every second.
func (s *Simulator) show(w http.ResponseWriter, r *http.Request, data func() (any, bool)) {
	s.mu.Lock()
	tag := fmt.Sprintf("%q", fmt.Sprintf("%s-%d", s.sign("page", "")[:8], s.revision))
	s.mu.Unlock()
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body, ok := data()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body) // the browser has gone
}

type shownContact struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Phone   string     `json:"phone,omitempty"`
	Entries int        `json:"entries"`
	Latest  *time.Time `json:"latest,omitempty"`
}

func showContact(c Contact) shownContact {
	shown := shownContact{ID: c.ID, Name: c.Name(), Phone: c.Properties["phone"], Entries: c.Entries}
	if shown.Phone == "" {
		shown.Phone = c.Properties["mobilephone"]
	}
	if !c.Latest.IsZero() {
		shown.Latest = &c.Latest
	}
	return shown
}

func (s *Simulator) contactList() any {
	list := []shownContact{}
	for _, c := range s.Contacts() {
		list = append(list, showContact(c))
	}
	return map[string]any{"contacts": list}
}

// shownProperties are those in the sidebar, in order.
var shownProperties = [][2]string{
	{"firstname", "First name"}, {"lastname", "Last name"}, {"phone", "Phone number"}, {"mobilephone", "Mobile phone number"},
	{"email", "Email"}, {"company", "Company"}, {"createdate", "Created"}, {"lastmodifieddate", "Last changed"},
	{"threadline_id", "Threadline ID"}, {"hs_object_id", "Record ID"},
}

func (s *Simulator) contactRecord(id string) (any, bool) {
	for _, c := range s.Contacts() {
		if c.ID != id {
			continue
		}
		properties := []map[string]string{}
		for _, p := range shownProperties {
			if v := c.Properties[p[0]]; v != "" {
				properties = append(properties, map[string]string{"name": p[0], "label": p[1], "value": v})
			}
		}
		entries := []map[string]any{}
		for _, e := range s.Timeline(id) {
			entries = append(entries, showEntry(e))
		}
		return map[string]any{
			"contact": showContact(c), "properties": properties, "entries": entries,
			"threadline_id": c.Properties["threadline_id"], "api_key": s.options.APIKey,
		}, true
	}
	return nil, false
}

func showEntry(e Entry) map[string]any {
	files := []map[string]any{}
	for _, f := range e.Files {
		major, _, _ := strings.Cut(f.MIME, "/")
		files = append(files, map[string]any{
			"id": f.ID, "name": f.Name, "size": f.Size, "access": f.Access, "kind": major,
		})
	}
	return map[string]any{"id": e.ID, "kind": e.Kind, "at": e.At, "html": e.HTML, "files": files}
}
