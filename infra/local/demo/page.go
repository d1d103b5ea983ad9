package demo

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var assets embed.FS

// policy lets the page load and call what is on its own origin, and nothing else run.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Detailed is a CRM whose records have more to show than a name and a number.
type Detailed interface {
	// Key is Threadline's contact that a record is; empty if the CRM doesn't know.
	Key(contact string) string
	// Properties are a record's, in the order in which they are shown.
	Properties(contact string) []Property
}

// Property is a line about a record. A value that is a time in RFC 3339 is shown as people write one.
type Property struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// page shows one CRM.
type page struct {
	crm    CRM
	apiKey string
	run    string // revisions of another run aren't this one's
}

// Page shows a CRM at /crm and below /crm/: the contacts, their records, a box to reply through the product's REST API on
// the same origin and, if the CRM is a Writer, as its user. It asks for no login: it is for one laptop.
func Page(crm CRM, apiKey string) http.Handler {
	p := &page{crm: crm, apiKey: apiKey, run: rand.Text()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /crm", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/crm/", http.StatusFound) })
	mux.HandleFunc("GET /crm/{$}", func(w http.ResponseWriter, r *http.Request) { asset(w, r, "crm.html") })
	mux.HandleFunc("GET /crm/{name}", func(w http.ResponseWriter, r *http.Request) { asset(w, r, r.PathValue("name")) })
	mux.HandleFunc("GET /crm/data/contacts", func(w http.ResponseWriter, r *http.Request) { p.show(w, r, p.list) })
	mux.HandleFunc("GET /crm/data/contacts/{id}", func(w http.ResponseWriter, r *http.Request) {
		p.show(w, r, func() any { return p.record(r.PathValue("id")) })
	})
	mux.HandleFunc("POST /crm/data/contacts/{id}/write", p.write)
	mux.HandleFunc("GET /crm/data/files/{id}", p.file)
	return http.NewCrossOriginProtection().Handler(mux) // other sites' pages must not play the CRM's user
}

func asset(w http.ResponseWriter, r *http.Request, name string) {
	content, err := assets.ReadFile(path.Join("page", name))
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

// show answers with data, or with 304 as long as nothing in the CRM has changed: the page asks every second.
func (p *page) show(w http.ResponseWriter, r *http.Request, data func() any) {
	tag := fmt.Sprintf(`"%s-%d"`, p.run, p.crm.Revision())
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := data()
	if body == nil {
		http.NotFound(w, r)
		return
	}
	reply(w, http.StatusOK, body)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser has gone
}

func (p *page) list() any {
	contacts := p.crm.Contacts()
	if contacts == nil {
		contacts = []Contact{}
	}
	return map[string]any{"title": p.crm.Title(), "contacts": contacts}
}

// record is what the page shows of a contact; nil if there is none.
func (p *page) record(id string) any {
	for _, c := range p.crm.Contacts() {
		if c.ID != id {
			continue
		}
		entries := []shownEntry{}
		for _, e := range p.crm.Timeline(id) {
			entries = append(entries, showEntry(e))
		}
		out := map[string]any{"contact": c, "entries": entries, "api_key": p.apiKey, "properties": []Property{}}
		if d, ok := p.crm.(Detailed); ok {
			out["key"], out["properties"] = d.Key(id), d.Properties(id)
		}
		if w, ok := p.crm.(Writer); ok {
			out["how"] = w.How()
		}
		return out
	}
	return nil
}

type shownEntry struct {
	Entry
	Files []shownFile `json:"files"`
}

type shownFile struct {
	File
	Show string `json:"show"` // image, audio, video, page or download
}

func showEntry(e Entry) shownEntry {
	files := []shownFile{}
	for _, f := range e.Files {
		files = append(files, shownFile{f, showAs(f.MIME)})
	}
	return shownEntry{e, files}
}

// write does what the CRM's user does.
func (p *page) write(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	writer, ok := p.crm.(Writer)
	if !ok {
		http.NotFound(w, r)
		return
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
	if err != nil || strings.TrimSpace(in.Text) == "" {
		reply(w, http.StatusBadRequest, map[string]string{"error": "there is no text"})
		return
	}
	if err := writer.Write(r.PathValue("id"), in.Text); err != nil {
		reply(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
