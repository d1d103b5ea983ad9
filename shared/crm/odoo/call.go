package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// api is a way to call methods of Odoo's models.
type api int

const (
	unknownAPI api = iota
	jsonRPC        // until 22: https://www.odoo.com/documentation/19.0/developer/reference/external_rpc_api.html
	json2          // from 19: https://www.odoo.com/documentation/19.0/developer/reference/external_api.html
)

// call is a call of a method.
type call struct {
	op      string
	model   string
	method  string
	ids     []int64        // of the records it is called on; nil for a method of the model
	args    map[string]any // by name
	context map[string]any // says how to do it; a new contact takes over what it says of a language or time zone
}

// named returns the arguments of a call with its context.
func (q call) named() map[string]any {
	all := maps.Clone(q.args)
	if all == nil {
		all = map[string]any{}
	}
	if q.context != nil {
		all["context"] = q.context
	}
	return all
}

// do calls a method and decodes what it returns into out, unless that is nil.
func (c *Connector) do(ctx context.Context, q call, out any) error {
	r, err := c.request(ctx, q)
	if err != nil {
		return err
	}
	post, err := r.post(q.op).WithJSON(r.body)
	if err != nil {
		return err
	}
	return c.send(ctx, q, r.api, post, out)
}

// request is a call in the words of the server's API.
type request struct {
	api    api
	path   string
	header http.Header
	body   map[string]any
}

// post is the request without its body.
func (r request) post(op string) rest.Request {
	return rest.Request{Op: op, Method: http.MethodPost, Path: r.path, Header: r.header}
}

func (c *Connector) request(ctx context.Context, q call) (request, error) {
	way, err := c.detect(ctx)
	if err != nil {
		return request{}, err
	}
	key, err := c.key(ctx, q.op)
	if err != nil {
		return request{}, err
	}
	if way == json2 {
		body := q.named()
		if q.ids != nil {
			body["ids"] = q.ids
		}
		header := http.Header{"Authorization": {"bearer " + key}}
		if c.config.DB != "" {
			header.Set("X-Odoo-Database", c.config.DB)
		}
		return request{way, "/json/2/" + q.model + "/" + q.method, header, body}, nil
	}
	user, err := c.login(ctx, key)
	if err != nil {
		return request{}, err
	}
	positional := []any{}
	if q.ids != nil {
		positional = append(positional, q.ids)
	}
	return request{way, "/jsonrpc", nil, rpc("object", "execute_kw", c.config.DB, user, key, q.model, q.method, positional, q.named())}, nil
}

// rpc is the envelope of JSON-RPC.
func rpc(service, method string, args ...any) map[string]any {
	return map[string]any{
		"jsonrpc": "2.0", "method": "call", "id": 1,
		"params": map[string]any{"service": service, "method": method, "args": args},
	}
}

// send makes the HTTP call.
func (c *Connector) send(ctx context.Context, q call, way api, post rest.Request, out any) error {
	a, err := c.rest.Do(ctx, post)
	if err == nil && way == jsonRPC {
		a.Body, err = unwrap(q.op, a)
	}
	if err != nil {
		c.forgetLogin(err)
		return withModel(err, q.model)
	}
	if out == nil {
		return nil
	}
	return rest.Decode(q.op, a, out)
}

// unwrap takes the result out of a JSON-RPC answer, which has status 200 for errors too.
func unwrap(op string, a rest.Answer) (json.RawMessage, error) {
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Data struct {
				Name string `json:"name"`
			} `json:"data"`
		} `json:"error"`
	}
	if err := rest.Decode(op, a, &envelope); err != nil {
		return nil, err
	}
	if envelope.Error != nil {
		return nil, failure(op, a.Status, envelope.Error.Data.Name)
	}
	if envelope.Result == nil {
		return nil, &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: a.Status, Err: errors.New("the answer has no result")}
	}
	return envelope.Result, nil
}

func (c *Connector) key(ctx context.Context, op string) (string, error) {
	key, err := c.config.APIKey(ctx)
	if err != nil {
		return "", &crm.Error{Class: crm.Transient, Op: op, Reason: "NO_CREDENTIALS", Err: err}
	}
	return key, nil
}

// detect finds out which API the server has. Only 19 knows the address; what older ones say to it is never 2xx.
func (c *Connector) detect(ctx context.Context) (api, error) {
	c.mu.Lock()
	way := c.known.api
	c.mu.Unlock()
	if way != unknownAPI {
		return way, nil
	}
	var version struct {
		Version string `json:"version"`
	}
	err := c.rest.JSON(ctx, "ask for the version", http.MethodGet, "/json/version", nil, &version)
	switch {
	case err == nil:
		way = json2
	case unknownAddress(err):
		way = jsonRPC
	default:
		return unknownAPI, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.api = way
	return way, nil
}

// unknownAddress tells an answer that speaks of the address from one that speaks of the moment.
func unknownAddress(err error) bool {
	e, ok := classified(err)
	switch {
	case !ok || e.Status < http.StatusMultipleChoices || e.Status >= http.StatusInternalServerError:
		return false
	case e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooEarly || e.Status == http.StatusTooManyRequests:
		return false
	}
	return true
}

// login returns the number of the user, which JSON-RPC wants beside the key.
func (c *Connector) login(ctx context.Context, key string) (int64, error) {
	c.mu.Lock()
	user := c.known.user
	c.mu.Unlock()
	if user != 0 {
		return user, nil
	}
	const op = "log in"
	if c.config.DB == "" || c.config.Login == "" {
		return 0, &crm.Error{Class: crm.Stopped, Op: op, Reason: "NO_DATABASE_OR_LOGIN"}
	}
	a, err := c.rest.Do(ctx, loginRequest(op, c.config, key))
	if err != nil {
		return 0, err
	}
	result, err := unwrap(op, a)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(result, &user); err != nil || user == 0 { // false
		return 0, &crm.Error{Class: crm.Stopped, Op: op, Status: a.Status, Reason: "WRONG_LOGIN_OR_KEY"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.user = user
	return user, nil
}

func loginRequest(op string, config Config, key string) rest.Request {
	r := rest.Request{Op: op, Method: http.MethodPost, Path: "/jsonrpc"}
	r, _ = r.WithJSON(rpc("common", "authenticate", config.DB, config.Login, key, map[string]any{})) // texts always marshal
	return r
}

// forgetLogin lets the next call log in again after one was denied: the key may have been replaced.
func (c *Connector) forgetLogin(err error) {
	if hasReason(err, "AccessDenied") {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.known.user = 0
	}
}
