package hubspot

import (
	"net/http"
	"slices"
	"strings"
)

// endpoint answers a call: a status and a body, or an error.
type endpoint func(*http.Request) (int, any, error)

// The scopes that calls need: any one of a set.
var (
	readContacts  = []string{"crm.objects.contacts.read"}
	writeContacts = []string{"crm.objects.contacts.write"}
	readSchemas   = []string{"crm.schemas.contacts.read", "crm.objects.contacts.read"}
	writeSchemas  = []string{"crm.schemas.contacts.write"}
	useFiles      = []string{"files"}
	automate      = []string{"automation"}
	readAccount   = []string{"oauth"}
)

// API serves the REST API, as https://api.hubapi.com does.
func (s *Simulator) API() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, scopes []string, e endpoint) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, scopes, s.locked(e)) })
	}
	for _, version := range versions {
		objects := "/crm/objects/" + version + "/{kind}"
		handle("GET "+objects, readContacts, s.listObjects)
		handle("POST "+objects, writeContacts, s.postObject)
		handle("GET "+objects+"/{id}", readContacts, s.getObject)
		handle("PATCH "+objects+"/{id}", writeContacts, s.patchObject)
		handle("DELETE "+objects+"/{id}", writeContacts, s.deleteObject)
		handle("POST "+objects+"/search", readContacts, s.searchObjects)
		handle("POST "+objects+"/batch/upsert", writeContacts, s.upsertObjects)
		handle("POST /crm/objects/"+version+"/contacts/merge", writeContacts, s.mergeContacts)
		handle("POST /automation/actions/callbacks/"+version+"/{id}/complete", automate, s.completeCallback)
	}
	handle("GET /account-info/"+Version+"/details", readAccount, s.getAccount)

	const properties = "/crm/v3/properties/{kind}"
	handle("GET "+properties, readSchemas, s.listProperties)
	handle("POST "+properties, writeSchemas, s.postProperty)
	handle("POST "+properties+"/batch/create", writeSchemas, s.postProperties)
	handle("GET "+properties+"/{name}", readSchemas, s.getProperty)
	handle("POST "+properties+"/groups", writeSchemas, s.postGroup)
	handle("GET "+properties+"/groups/{name}", readSchemas, s.getGroup)

	const files = "/files/" + Version + "/files"
	mux.HandleFunc("POST "+files, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, useFiles, s.postFile) })
	handle("GET "+files+"/search", useFiles, s.searchFiles)
	handle("GET "+files+"/{id}", useFiles, s.getFile)
	handle("DELETE "+files+"/{id}", useFiles, s.deleteFile)
	handle("GET "+files+"/{id}/signed-url", useFiles, s.signedURL)
	mux.HandleFunc("GET /_signed/{id}", s.download)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { replyError(w, notFound("Resource")) })
	return mux
}

func (s *Simulator) locked(e endpoint) endpoint {
	return func(r *http.Request) (int, any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if kind := r.PathValue("kind"); kind != "" && s.properties[kind] == nil {
			return 0, nil, notFound("Object type")
		}
		return e(r)
	}
}

// serve checks the token, applies the faults that are switched on, and answers.
func (s *Simulator) serve(w http.ResponseWriter, r *http.Request, scopes []string, e endpoint) {
	if err := s.admit(r, scopes); err != nil {
		replyError(w, err)
		return
	}
	s.note(r)
	status, body, err := e(r)
	if s.cuts() {
		panic(http.ErrAbortHandler) // done, and nobody is told
	}
	if err != nil {
		replyError(w, err)
		return
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	reply(w, status, body)
}

func (s *Simulator) admit(r *http.Request, scopes []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || token == "" || s.options.Token != "" && token != s.options.Token {
		return &refusal{Status: http.StatusUnauthorized, Category: "INVALID_AUTHENTICATION", Message: "Authentication credentials not found."}
	}
	if err := s.faults.refuse(s.options.Now()); err != nil {
		return err
	}
	if len(scopes) > 0 && !slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(s.faults.scopes, scope) }) {
		return &refusal{
			Status: http.StatusForbidden, Category: "MISSING_SCOPES",
			Message: "This app hasn't been granted all required scopes to make this call.",
			Errors: []detail{{
				Message: "One or more of the following scopes are required.",
				Context: map[string][]string{"requiredGranularScopes": scopes},
			}},
		}
	}
	return nil
}
