package espocrm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// user is who calls.
type user struct {
	id, name string
	admin    bool
}

var (
	apiUser       = user{id: "66000000000000001", name: "Threadline"}
	administrator = user{id: "66000000000000002", name: "Admin", admin: true}
	salesperson   = user{id: "66000000000000003", name: "Ana Silva"} // of the demo page
)

// refusal is an error as EspoCRM answers it: the reason is in a header, and the body is often empty.
type refusal struct {
	Status int
	Reason string
	Body   any
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Reason) }

func forbidden(reason string) error {
	return &refusal{Status: http.StatusForbidden, Reason: reason}
}

func badRequest(reason string) error {
	return &refusal{Status: http.StatusBadRequest, Reason: reason}
}

func notFound() error {
	return &refusal{Status: http.StatusNotFound, Reason: "Record not found."}
}

// translated is a reason for EspoCRM's own user interface.
func translated(status int, reason, label string, data map[string]any) error {
	return &refusal{Status: status, Reason: reason, Body: map[string]any{"messageTranslation": map[string]any{"label": label, "scope": nil, "data": data}}}
}

// request is a call on its way to the records.
type request struct {
	*http.Request
	user  user
	parts []string // of the path below /api/v1
}

// API serves the REST API, below /api/v1.
func (s *Simulator) API() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
		path, ok := strings.CutPrefix(r.URL.Path, "/api/v1/")
		if !ok {
			http.Error(w, "<h1>404 Not Found</h1>", http.StatusNotFound)
			return
		}
		answer, err := s.serve(&request{Request: r, parts: strings.Split(path, "/")}, w)
		if err != nil {
			refuse(w, err)
			return
		}
		if answer == nil {
			return // written already, or there is nothing to write
		}
		w.Header().Set("Content-Type", "application/json")
		if c, ok := answer.(created); ok {
			w.WriteHeader(http.StatusCreated)
			answer = c.body
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}

func refuse(w http.ResponseWriter, err error) {
	why, ok := errors.AsType[*refusal](err)
	if !ok {
		why = &refusal{Status: http.StatusInternalServerError, Reason: err.Error()}
	}
	w.Header().Set("X-Status-Reason", why.Reason)
	if why.Body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(why.Status)
	if why.Body != nil {
		_ = json.NewEncoder(w).Encode(why.Body)
	}
}

func (s *Simulator) serve(r *request, w http.ResponseWriter) (any, error) {
	if err := s.admit(r, w); err != nil {
		return nil, err
	}
	if r.parts[0] == attachments {
		return s.serveAttachment(r, w) // takes the lock when the bytes are there
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.parts[0] {
	case "App":
		return s.appUser(r)
	case "Metadata":
		return s.metadata(r)
	case "EntityManager", "Admin":
		return s.administer(r)
	}
	e := s.entities[r.parts[0]]
	if e == nil {
		return nil, &refusal{Status: http.StatusNotFound, Reason: "Controller '" + r.parts[0] + "' does not exist."}
	}
	return s.serveEntity(r, e)
}

// admit notes a call, switches the faults, and finds out who calls.
func (s *Simulator) admit(r *request, w http.ResponseWriter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	var path []string
	for _, p := range r.parts {
		if s.records[p] == nil {
			path = append(path, p)
		}
	}
	s.calls = append(s.calls, Call{Method: r.Method, Path: strings.Join(path, "/"), At: now})
	if err := s.faults.refuse(now, w.Header()); err != nil {
		return err
	}
	name, password, basic := r.BasicAuth()
	switch {
	case r.Header.Get("X-Api-Key") == s.options.APIKey:
		r.user = apiUser
	case basic && name == "admin" && password == s.options.Password:
		r.user = administrator
	default:
		return &refusal{Status: http.StatusUnauthorized}
	}
	return nil
}

func (s *Simulator) serveEntity(r *request, e *entity) (any, error) {
	switch {
	case len(r.parts) == 1 && r.Method == http.MethodGet:
		return s.findRecords(r, e)
	case len(r.parts) == 1 && r.Method == http.MethodPost:
		return s.createRecord(r, e)
	case len(r.parts) == 2 && r.Method == http.MethodGet:
		return s.readRecord(r, e)
	case len(r.parts) == 2 && (r.Method == http.MethodPut || r.Method == http.MethodPatch):
		return s.updateRecord(r, e)
	case len(r.parts) == 2 && r.Method == http.MethodDelete:
		return s.deleteRecord(r, e)
	case len(r.parts) == 3 && r.Method == http.MethodGet && r.parts[2] == "stream":
		return s.stream(r, e)
	case len(r.parts) == 3 && r.Method == http.MethodGet:
		return s.findLinked(r, e)
	}
	return nil, &refusal{Status: http.StatusNotFound, Reason: "Route not found."}
}

// body reads what was sent. EspoCRM reads any JSON object, and ignores what it doesn't know.
func (r *request) body() (map[string]any, error) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "application/json" {
		return nil, badRequest("No body.")
	}
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in == nil {
		return nil, badRequest("Bad JSON.")
	}
	return in, nil
}
