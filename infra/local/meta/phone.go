package meta

import (
	"embed"
	"fmt"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

// shownMessages is how many messages of each chat a page gets when it opens.
const shownMessages = 200

// policy lets the page load nothing but what this handler serves.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Phone serves the page and its API under /phone and /phone/.
func (s *Simulator) Phone() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /phone", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/phone/", http.StatusFound) })
	for _, name := range []string{"", "phone.css", "phone.js", "handset.js", "dialogs.js", "chat.js", "world.js", "menus.js", "composer.js", "company.js", "company.css", "icon.svg"} {
		file := name
		if name == "" {
			name, file = "{$}", "phone.html"
		}
		mux.HandleFunc("GET /phone/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+file)
		})
	}
	mux.HandleFunc("GET /phone/api/events", s.events)
	mux.HandleFunc("GET /phone/api/media/{id}", s.showMedia)
	for pattern, h := range s.actions() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			result, err := h(r)
			switch {
			case err != nil:
				reply(w, http.StatusBadRequest, object{"error": err.Error()})
			case result != nil:
				reply(w, http.StatusOK, result)
			default:
				w.WriteHeader(http.StatusNoContent)
			}
		})
	}
	safe := http.NewCrossOriginProtection().Handler(mux) // other sites' pages must not play the customer
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		safe.ServeHTTP(w, r)
	})
}

// showMedia serves a file of a chat. What a browser might run is offered for download only.
func (s *Simulator) showMedia(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	f := s.media[id]
	s.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	in, err := os.Open(s.mediaPath(id))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer in.Close()
	disposition := "attachment"
	if kind, _, _ := strings.Cut(f.MIME, "/"); kindFor(f.MIME) != "document" && kind != "text" {
		disposition = "inline"
	}
	name := mime.FormatMediaType(disposition, map[string]string{"filename": f.Name})
	w.Header().Set("Content-Disposition", name)
	w.Header().Set("Content-Type", f.MIME)
	w.Header().Set("Cache-Control", "private, max-age=3600")
	http.ServeContent(w, r, "", f.At, in)
}

// page is one open page that is told what changes.
type page struct {
	news chan []byte
	gone bool
}

// leave ends the stream of a page; called with the lock held.
func (p *page) leave() {
	if !p.gone {
		p.gone = true
		close(p.news)
	}
}

// tell sends an event to every page. A page that does not keep up is let go: it comes back and starts afresh.
func (s *Simulator) tell(event string, v any) {
	if len(s.pages) == 0 {
		return
	}
	raw := frame(event, v)
	for p := range s.pages {
		select {
		case p.news <- raw:
		default:
			p.leave()
			delete(s.pages, p)
		}
	}
}

// frame is an event of a text/event-stream.
func frame(event string, v any) []byte {
	raw, err := marshal(v)
	if err != nil {
		return fmt.Appendf(nil, ": %s could not be encoded\n\n", event)
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, raw)
}

// events streams to a page: everything first, then what changes.
func (s *Simulator) events(w http.ResponseWriter, r *http.Request) {
	p := &page{news: make(chan []byte, 256)}
	s.mu.Lock()
	p.news <- frame("everything", s.everything())
	s.pages[p] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.pages, p)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for {
		raw := []byte(": still here\n\n")
		select {
		case <-r.Context().Done():
			return
		case news, ok := <-p.news:
			if !ok {
				return
			}
			raw = news
		case <-beat.C:
		}
		if _, err := w.Write(raw); err != nil || flush.Flush() != nil {
			return
		}
	}
}

// everything is what a page needs to begin.
func (s *Simulator) everything() object {
	numbers := []object{}
	for _, id := range s.opts.Numbers {
		numbers = append(numbers, object{"id": id, "display": s.displayNumber(id)})
	}
	left := map[string]int{}
	messages := []*Message{}
	for i := len(s.state.Messages) - 1; i >= 0; i-- {
		m := s.state.Messages[i]
		if m.visible() && left[m.chat()] < shownMessages {
			left[m.chat()]++
			messages = append(messages, m)
		}
	}
	return object{"business": businessName, "numbers": numbers, "customers": s.state.Customers, "messages": messages,
		"groups": append([]*Group{}, s.state.Groups...), "company": s.company(), "faults": s.faults, "webhook": s.webhookState()}
}
