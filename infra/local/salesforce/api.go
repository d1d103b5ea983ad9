package salesforce

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const dataPath = "/services/data/" + Version + "/"

// API serves the token endpoint and the REST API, as the org's My Domain does.
func (s *Simulator) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/oauth2/token", s.token)
	mux.HandleFunc("/services/data/", s.serve)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.send(w, answerOf(refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")))
	})
	return mux
}

// serve checks the session, applies the faults that are switched on, and answers.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request) {
	a, cut := s.answer(r)
	s.mu.Lock()
	s.calls = append(s.calls, Call{Method: r.Method, Path: r.URL.Path, Status: a.status, At: s.options.Now()})
	s.mu.Unlock()
	if cut {
		panic(http.ErrAbortHandler) // done, and nobody is told
	}
	s.send(w, a)
}

func (s *Simulator) answer(r *http.Request) (a answer, cut bool) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), dataPath)
	if err := s.admit(r); err != nil {
		return answerOf(err), false
	}
	if !ok {
		return answerOf(refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")), false
	}
	if path == "sobjects/ContentVersion" && r.Method == http.MethodPost {
		a = s.postVersion(r) // not under the lock while bytes arrive
	} else {
		s.mu.Lock()
		a = s.route(r, path)
		s.mu.Unlock()
	}
	return a, s.cuts()
}

// route answers everything that isn't a file; the lock is held.
func (s *Simulator) route(r *http.Request, path string) answer {
	switch top, rest, _ := strings.Cut(path, "/"); {
	case top == "composite" && rest == "" && r.Method == http.MethodPost:
		return s.composite(r)
	case top == "query" || top == "queryAll":
		return s.getQuery(r.Method, rest, r.URL.Query(), top == "queryAll")
	case top == "parameterizedSearch" && r.Method == http.MethodGet:
		return s.search(r.URL.Query())
	}
	fields := map[string]any{}
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if r.Header.Get("Content-Type") != "application/json" {
			return answerOf(refuse(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "the type of the body isn't supported"))
		}
		var err error
		if fields, err = decode(r.Body); err != nil {
			return answerOf(err)
		}
	}
	return s.rows(call{method: r.Method, path: path, query: r.URL.Query(), header: r.Header, fields: fields})
}

func (s *Simulator) admit(r *http.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || !s.sessions[token] {
		return refuse(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
	}
	return s.faults.refuse(s.options.Now(), s.today() >= s.options.Daily)
}

// today counts the calls of the last 24 hours. https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
func (s *Simulator) today() int {
	n, since := 0, s.options.Now().Add(-24*time.Hour)
	for _, c := range s.calls {
		if c.At.After(since) && strings.HasPrefix(c.Path, "/services/data/") {
			n++
		}
	}
	return n
}

func (s *Simulator) usage() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.today()
}

// call is a call on records, by itself or in a composite one.
type call struct {
	method, path string
	query        url.Values
	header       http.Header
	fields       map[string]any
}

// rows answers sobjects/<object>[/<id>] and sobjects/<object>/<external id>/<value>; the lock is held.
func (s *Simulator) rows(c call) answer {
	part := strings.Split(c.path, "/")
	for i, p := range part {
		if unescaped, err := url.PathUnescape(p); err == nil {
			part[i] = unescaped
		}
	}
	if part[0] != "sobjects" || len(part) < 2 {
		return answerOf(refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist"))
	}
	o := s.schema[part[1]]
	if o == nil || !o.read {
		return answerOf(refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist"))
	}
	var a answer
	var err error
	switch {
	case len(part) == 2 && c.method == http.MethodPost:
		a, err = s.create(o, c)
	case len(part) == 3 && c.method == http.MethodGet && part[2] == "describe":
		a = s.describe(o)
	case len(part) == 3 && c.method == http.MethodGet:
		a, err = s.read(o, part[2], c)
	case len(part) == 3 && c.method == http.MethodPatch:
		a, err = s.patch(o, part[2], c)
	case len(part) == 3 && c.method == http.MethodDelete:
		a, err = s.destroy(o, part[2])
	case len(part) == 4 && c.method == http.MethodGet && o.name == "ContentVersion" && part[3] == "VersionData":
		a, err = s.bytes(part[2])
	case len(part) == 4 && c.method == http.MethodPatch:
		a, err = s.upsert(o, part[2], part[3], c)
	default:
		err = refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "HTTP Method '"+c.method+"' not allowed.")
	}
	if err != nil {
		if several, ok := errors.AsType[*choices](err); ok {
			return answer{http.StatusMultipleChoices, several.urls}
		}
		return answerOf(err)
	}
	return a
}
