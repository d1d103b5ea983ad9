package odoo

import (
	"fmt"
	"net/http"
	"strings"
)

// API serves the external API: JSON-RPC, from 19 on /json/2 too, and the version to anybody.
func (s *Simulator) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /web/version", s.version)
	mux.HandleFunc("POST /jsonrpc", s.jsonRPC)
	if s.options.Version >= 19 {
		mux.HandleFunc("GET /json/version", s.version)
		mux.HandleFunc("POST /json/2/{model}/{method}", s.json2)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.note(r.Method, r.URL.Path)
		http.Error(w, "<h1>Not Found</h1>", http.StatusNotFound)
	})
	return mux
}

func (s *Simulator) version(w http.ResponseWriter, r *http.Request) {
	s.note(r.Method, r.URL.Path)
	v := s.options.Version
	s.reply(w, http.StatusOK, map[string]any{"version_info": []any{v, 0, 0, "final", 0, ""}, "version": fmt.Sprintf("%d.0", v)})
}

// json2 is the API of 19. https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
func (s *Simulator) json2(w http.ResponseWriter, r *http.Request) {
	model, name := r.PathValue("model"), r.PathValue("method")
	s.note(r.Method, model+"/"+name)
	out, err := s.callJSON2(w, r, model, name)
	if s.faults.cuts() {
		panic(http.ErrAbortHandler) // done, and nobody is told
	}
	if err != nil {
		e := asException(err)
		s.reply(w, e.Status, e.body())
		return
	}
	s.reply(w, http.StatusOK, out)
}

func (s *Simulator) callJSON2(w http.ResponseWriter, r *http.Request, model, name string) (any, error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") || !s.knows(key) {
		return nil, raise(http.StatusUnauthorized, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
	}
	if db := r.Header.Get("X-Odoo-Database"); db != "" && db != s.options.DB {
		return nil, notFound("no such database")
	}
	args, err := s.decode(w, r)
	if err != nil {
		return nil, err
	}
	if err := s.faults.refuse(s.options.Now()); err != nil {
		return nil, err
	}
	m, err := s.find(model, name)
	if err != nil {
		return nil, err
	}
	c := call{model: model, args: args}
	if raw, ok := args["ids"]; ok {
		if c.ids, err = numbers(raw); err != nil {
			return nil, err
		}
		if m.model && len(c.ids) > 0 {
			return nil, unprocessable("cannot call %s.%s with ids", model, name)
		}
	}
	context, _ := args["context"].(map[string]any)
	delete(args, "ids")
	delete(args, "context")
	if err := m.bind(name, args); err != nil {
		return nil, err
	}
	return s.run(integrationUser, context, func(t *tx) (any, error) { return m.call(t, c) })
}

// jsonRPC is the API that every version has; its errors are answered with status 200.
// https://www.odoo.com/documentation/18.0/developer/howtos/web_services.html
func (s *Simulator) jsonRPC(w http.ResponseWriter, r *http.Request) {
	envelope := map[string]any{"jsonrpc": "2.0", "id": nil}
	in, err := s.decode(w, r)
	var out any
	if err == nil {
		envelope["id"] = in["id"]
		out, err = s.dispatch(r, in)
	}
	if s.faults.cuts() {
		panic(http.ErrAbortHandler) // done, and nobody is told
	}
	if err == nil {
		envelope["result"] = out
		s.reply(w, http.StatusOK, envelope)
		return
	}
	e := asException(err)
	if e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusBadRequest {
		http.Error(w, e.Message, e.Status)
		return
	}
	envelope["error"] = map[string]any{"code": 200, "message": "Odoo Server Error", "data": e.body()}
	s.reply(w, http.StatusOK, envelope)
}

func (s *Simulator) dispatch(r *http.Request, in map[string]any) (any, error) {
	params, _ := in["params"].(map[string]any)
	service, _ := params["service"].(string)
	name, _ := params["method"].(string)
	args, _ := params["args"].([]any)
	if service != "object" || name != "execute_kw" {
		s.note(r.Method, service+"/"+name)
		if err := s.faults.refuse(s.options.Now()); err != nil {
			return nil, err
		}
		return s.common(service, name, args)
	}
	if len(args) < 6 {
		return nil, valueError("not enough values to unpack")
	}
	model, _ := args[3].(string)
	name, _ = args[4].(string)
	s.note(r.Method, model+"/"+name)
	if err := s.faults.refuse(s.options.Now()); err != nil {
		return nil, err
	}
	key, _ := args[2].(string)
	if args[0] != s.options.DB || args[1] != float64(integrationUser) || !s.knows(key) {
		return nil, raise(http.StatusForbidden, "odoo.exceptions.AccessDenied", "Access Denied")
	}
	var named any
	if len(args) > 6 {
		named = args[6]
	}
	return s.executeKW(model, name, args[5], named)
}

func (s *Simulator) common(service, name string, args []any) (any, error) {
	switch service + "/" + name {
	case "common/version":
		v := s.options.Version
		return map[string]any{"server_version": fmt.Sprintf("%d.0", v), "server_version_info": []any{v, 0, 0, "final", 0, ""}, "protocol_version": 1}, nil
	case "common/authenticate", "common/login":
		if len(args) < 3 || args[0] != s.options.DB {
			return nil, raise(http.StatusInternalServerError, "psycopg2.OperationalError", "connection to server failed: FATAL: database does not exist")
		}
		key, _ := args[2].(string)
		if args[1] != s.options.Login || !s.knows(key) {
			return false, nil
		}
		return integrationUser, nil
	}
	return nil, valueError("Method not found: %s", name)
}

// executeKW calls a method with arguments by their place, of which a method of records takes the ids first, and by name.
func (s *Simulator) executeKW(model, name string, positional, named any) (any, error) {
	m, err := s.find(model, name)
	if err != nil {
		return nil, err
	}
	places, _ := positional.([]any)
	given, _ := named.(map[string]any)
	c := call{model: model, args: map[string]any{}}
	if !m.model {
		if len(places) == 0 {
			return nil, valueError("%s: ids are missing", name)
		}
		if c.ids, err = numbers(places[0]); err != nil {
			return nil, err
		}
		places = places[1:]
	}
	if len(places) > len(m.arguments) {
		return nil, raise(http.StatusInternalServerError, "builtins.TypeError", "%s() takes %d arguments but %d were given", name, len(m.arguments), len(places))
	}
	for i, v := range places {
		c.args[m.arguments[i]] = v
	}
	context, _ := given["context"].(map[string]any)
	for name, v := range given {
		if name != "context" {
			c.args[name] = v
		}
	}
	if err := m.bind(name, c.args); err != nil {
		return nil, raise(http.StatusInternalServerError, "builtins.TypeError", "%s", asException(err).Message)
	}
	return s.run(integrationUser, context, func(t *tx) (any, error) { return m.call(t, c) })
}

func (s *Simulator) knows(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return key != "" && !s.faults.revoked && (s.options.Key == "" || key == s.options.Key)
}
