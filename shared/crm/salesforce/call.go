package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// call is a call to the REST API.
type call struct {
	op     string // what is being done, for errors
	object string // the object that it is about
	method string
	path   string // below dataPath, or all of it
	in     any    // the body as JSON; nil: none, or content
	header http.Header

	content *rest.Content // a body that isn't JSON
	names   naming
}

// naming is what the path of a call names: what a 404 says of.
type naming int

const (
	nothing  naming = iota
	aRecord         // by its id: it was deleted
	ourField        // with our key: it isn't there, or not for the user
)

// created is the answer to a record that was made or changed by key.
type created struct {
	ID string `json:"id"`
}

// do makes a call, once more with a new session if the old one has ended, and decodes the answer into out.
func (c *Connector) do(ctx context.Context, r call, out any) error {
	a, s, err := c.send(ctx, r)
	switch {
	case reason(err) == invalidSession:
		c.ended(s)
		a, _, err = c.send(ctx, r)
	case r.content != nil && rest.HasStatus(err, 0):
		c.ended(s) // whoever refuses a session may close the connection before a file is through
	}
	if err != nil || out == nil || a.Status == http.StatusNoContent {
		return err
	}
	return rest.Decode(r.op, a, out)
}

func (c *Connector) send(ctx context.Context, r call) (rest.Answer, *session, error) {
	s, err := c.begun(ctx)
	if err != nil {
		return rest.Answer{}, nil, err
	}
	request, err := rest.Request{Op: r.op, Method: r.method, Path: r.path, Header: r.header}.WithJSON(r.in)
	if err != nil {
		return rest.Answer{}, s, err
	}
	if !strings.HasPrefix(r.path, "/") {
		request.Path = dataPath + r.path
	}
	if r.content != nil {
		body, err := r.content.Open(ctx)
		if err != nil {
			return rest.Answer{}, s, fmt.Errorf("open file: %w", err)
		}
		defer func() { _ = body.Close() }()
		request.Type, request.Body, request.Size = r.content.Type, body, r.content.Size
	}
	a, err := s.client.Do(ctx, request)
	return a, s, c.about(r, err)
}

// save makes a call that a duplicate rule may object to. Whose record it is has been decided, by telephone number and
// key, so that an objection is overruled where the rule lets it be.
// https://developer.salesforce.com/docs/platform/api-rest/guide/headers-duplicaterules.html
func (c *Connector) save(ctx context.Context, r call, out any) error {
	err := c.do(ctx, r, out)
	if reason(err) != duplicatesDetected {
		return err
	}
	r.header = http.Header{"Sforce-Duplicate-Rule-Header": {"allowSave=true"}}
	return c.do(ctx, r, out)
}

// upsert makes the record with our key in a unique external id, or changes it.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
func (c *Connector) upsert(ctx context.Context, op, object, field, key string, values map[string]any) (string, error) {
	var out created
	err := c.save(ctx, call{
		op: op, object: object, method: http.MethodPatch, names: ourField, in: values,
		path: "sobjects/" + object + "/" + field + "/" + url.PathEscape(key),
	}, &out)
	if err == nil && out.ID == "" { // 204, as older versions answer a change
		rows, err := query[created](ctx, c, op, object, queryPath("SELECT Id FROM "+object+" WHERE "+field+" = "+literal(key)+" LIMIT 1"))
		if err != nil || len(rows) == 0 {
			return idOf(op, out, err)
		}
		out = rows[0]
	}
	return idOf(op, out, err)
}

// insert makes a record.
func (c *Connector) insert(ctx context.Context, op, object string, values map[string]any) (string, error) {
	var out created
	err := c.do(ctx, call{op: op, object: object, method: http.MethodPost, path: "sobjects/" + object, in: values}, &out)
	return idOf(op, out, err)
}

func idOf(op string, out created, err error) (string, error) {
	if err == nil && !isID(out.ID) {
		err = &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: http.StatusOK, Reason: "NO_ID"}
	}
	return long(out.ID), err
}

// patch changes a record.
func (c *Connector) patch(ctx context.Context, op, object, id string, values map[string]any) error {
	return c.save(ctx, call{op: op, object: object, method: http.MethodPatch, path: "sobjects/" + object + "/" + id, names: aRecord, in: values}, nil)
}
