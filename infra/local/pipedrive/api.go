package pipedrive

import (
	"net/http"
	"slices"
	"time"
)

// endpoint answers a call: a status, the data and what stands beside it, or an error.
type endpoint func(*http.Request) (answer, error)

type answer struct {
	status     int // 200 if 0
	data       any
	additional any
}

// operation is an endpoint with its price in tokens and the rights of which one is needed, all of them from Pipedrive's
// OpenAPI documents (x-token-cost, security).
type operation struct {
	pattern string
	tokens  int
	rights  []string
	search  bool
	serve   endpoint
}

// Call is a call that was made.
type Call struct {
	Method, Path, Operation string
	Tokens                  int
	Status                  int
	At                      time.Time
}

func (s *Simulator) operations() []operation {
	read := []string{"contacts:read", "contacts:full"}
	write := []string{"contacts:full"}
	admin := []string{"admin"}
	return []operation{
		{"GET /api/v2/persons", 10, read, false, s.locked(s.listPersons)},
		{"POST /api/v2/persons", 5, write, false, s.locked(s.postPerson)},
		{"GET /api/v2/persons/{id}", 1, read, false, s.locked(s.getPerson)},
		{"PATCH /api/v2/persons/{id}", 5, write, false, s.locked(s.patchPerson)},
		{"DELETE /api/v2/persons/{id}", 3, write, false, s.locked(s.deletePerson)},
		{"GET /api/v2/persons/search", 20, append(read, "search:read"), true, s.locked(s.searchPersons)},
		{"GET /api/v2/itemSearch/field", 20, []string{"search:read"}, true, s.locked(s.searchField)},
		{"GET /api/v2/personFields", 10, append(read, "admin", "contact-fields:full"), false, s.locked(s.listFields)},
		{"POST /api/v2/personFields", 5, append(admin, "contact-fields:full"), false, s.locked(s.postField)},
		{"GET /v1/notes", 20, read, false, s.locked(s.listNotes)},
		{"POST /v1/notes", 10, write, false, s.locked(s.postNote)},
		{"GET /v1/notes/{id}", 2, read, false, s.locked(s.getNote)},
		{"PUT /v1/notes/{id}", 10, write, false, s.locked(s.putNote)},
		{"DELETE /v1/notes/{id}", 6, write, false, s.locked(s.deleteNote)},
		{"POST /v1/files", 10, write, false, s.postFile}, // not under the lock while bytes arrive
		{"GET /v1/persons/{id}/files", 20, read, false, s.locked(s.listFiles)},
		{"GET /v1/webhooks", 10, admin, false, s.locked(s.listHooks)},
		{"POST /v1/webhooks", 10, admin, false, s.locked(s.postHook)},
		{"DELETE /v1/webhooks/{id}", 6, admin, false, s.locked(s.deleteHook)},
		{"GET /v1/users/me", 2, []string{"base"}, false, s.locked(s.getMe)},
	}
}

// API serves the API, as https://api.pipedrive.com does.
func (s *Simulator) API() http.Handler {
	mux := http.NewServeMux()
	for _, o := range s.operations() {
		mux.HandleFunc(o.pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, o) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { replyError(w, notFound("Resource")) })
	return mux
}

func (s *Simulator) locked(e endpoint) endpoint {
	return func(r *http.Request) (answer, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return e(r)
	}
}

// answer lets a call in or not, carries it out, and answers.
func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, o operation) {
	call := Call{Method: r.Method, Path: r.URL.Path, Operation: o.pattern, At: s.options.Now()}
	err := s.admit(w, r, o)
	if err != nil {
		s.log(call, reply(w, 0, err, answer{}))
		return
	}
	call.Tokens = o.tokens
	a, err := o.serve(r)
	cut, deny := s.cuts()
	if deny {
		a, err = answer{}, &refusal{Status: http.StatusOK, Message: "Something went wrong."}
	}
	if cut {
		s.log(call, 0)
		panic(http.ErrAbortHandler) // done, and nobody is told
	}
	s.log(call, reply(w, a.status, err, a))
}

func (s *Simulator) log(c Call, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Status = status
	s.calls = append(s.calls, c)
}

// Calls returns the calls so far, in order.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Tokens is the price of a call, by method and path pattern.
func (s *Simulator) Tokens() map[string]int {
	price := map[string]int{}
	for _, o := range s.operations() {
		price[o.pattern] = o.tokens
	}
	return price
}

// admit checks the token, the faults that are switched on, the limits and the rights, in this order.
func (s *Simulator) admit(w http.ResponseWriter, r *http.Request, o operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.Header.Get("x-api-token")
	if token == "" || s.options.Token != "" && token != s.options.Token {
		return &refusal{Status: http.StatusUnauthorized, Message: "unauthorized access", Number: http.StatusUnauthorized}
	}
	if err := s.faults.refuse(w.Header(), s.options.Now()); err != nil {
		return err
	}
	if err := s.charge(w.Header(), o); err != nil {
		return err
	}
	if !slices.ContainsFunc(o.rights, func(right string) bool { return slices.Contains(s.faults.rights, right) }) {
		return &refusal{Status: http.StatusForbidden, Message: "You do not have permissions to do this."}
	}
	return nil
}

// getMe returns whose token this is.
func (s *Simulator) getMe(*http.Request) (answer, error) {
	return answer{data: map[string]any{
		"id": integrationUser, "name": userNames[integrationUser], "email": "integration@example.com", "active_flag": true,
		"is_you": true, "is_deleted": false, "company_id": 1, "company_name": "Example", "company_domain": "example",
		"access": []map[string]any{{"app": "global", "admin": slices.Contains(s.faults.rights, "admin")}},
	}}, nil
}
