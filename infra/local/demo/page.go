package demo

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed page
var assets embed.FS

// policy lets the page load and call what is on its own origin, and nothing else run.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Place is a CRM that Threadline writes to.
type Place struct {
	Name  string `json:"name"`  // its word in CRM_CONNECTOR
	Title string `json:"title"` // what people call it
	CRM   CRM    `json:"-"`     // nil if it isn't simulated

	Host    string `json:"-"` // where it is then; empty if nobody can tell
	Setting string `json:"-"` // the variable that says so
}

// page shows CRMs.
type page struct {
	places []Place
	apiKey string
	run    string // revisions of another run aren't this one's
}

// Page shows CRMs at /crm and below /crm/: the contacts, their records, a box to reply through the product's REST API on
// the same origin and, if the CRM is a Writer, as its user. ?crm= says which one, by its name; without it, it is the first
// that is simulated. The page asks for no login: it is for one laptop.
func Page(places []Place, apiKey string) http.Handler {
	p := &page{places: places, apiKey: apiKey, run: rand.Text()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /crm", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.TrimSuffix("/crm/?"+r.URL.RawQuery, "?"), http.StatusFound)
	})
	mux.HandleFunc("GET /crm/{$}", p.home)
	mux.HandleFunc("GET /crm/{name}", p.part)
	mux.HandleFunc("GET /crm/data/contacts", p.about(func(w http.ResponseWriter, r *http.Request, of Place) {
		p.show(w, r, of.CRM, func() any { return p.list(of) })
	}))
	mux.HandleFunc("GET /crm/data/contacts/{id}", p.about(func(w http.ResponseWriter, r *http.Request, of Place) {
		p.show(w, r, of.CRM, func() any { return p.record(of.CRM, r.PathValue("id")) })
	}))
	mux.HandleFunc("POST /crm/data/contacts/{id}/write", p.about(write))
	mux.HandleFunc("GET /crm/data/files/{id}", p.about(file))
	return http.NewCrossOriginProtection().Handler(mux) // other sites' pages must not play the CRM's user
}

// chosen is the CRM that a request is about.
func (p *page) chosen(r *http.Request) (Place, bool) {
	name := r.URL.Query().Get("crm")
	i := slices.IndexFunc(p.places, func(of Place) bool { return of.Name == name || name == "" && of.CRM != nil })
	if i < 0 {
		return Place{}, false
	}
	return p.places[i], true
}

// about answers from a simulated CRM.
func (p *page) about(answer func(http.ResponseWriter, *http.Request, Place)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		of, ok := p.chosen(r)
		if !ok || of.CRM == nil {
			http.NotFound(w, r)
			return
		}
		answer(w, r, of)
	}
}

// home is the page itself, or the one that says where the records are.
func (p *page) home(w http.ResponseWriter, r *http.Request) {
	of, ok := p.chosen(r)
	switch {
	case of.CRM != nil:
		asset(w, r, "crm.html")
	case !ok && r.URL.Query().Has("crm"):
		http.Redirect(w, r, "/crm/", http.StatusFound) // nothing has that name
	default:
		p.away(w, of)
	}
}

// part is a file of the page's, or leads to the CRM of that name.
func (p *page) part(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if slices.ContainsFunc(p.places, func(of Place) bool { return of.Name == name }) {
		http.Redirect(w, r, "/crm/?crm="+name, http.StatusFound)
		return
	}
	asset(w, r, name)
}

func asset(w http.ResponseWriter, r *http.Request, name string) {
	content, err := assets.ReadFile(path.Join("page", name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	types := map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
	send(w, types[path.Ext(name)], content)
}

func send(w http.ResponseWriter, kind string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(content) // the browser has gone
}

// show answers with data, or with 304 as long as nothing in the CRM has changed: the page asks every second.
func (p *page) show(w http.ResponseWriter, r *http.Request, crm CRM, data func() any) {
	tag := fmt.Sprintf(`"%s-%d"`, p.run, crm.Revision())
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
