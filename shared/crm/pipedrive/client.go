package pipedrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// The rights, in the words of Pipedrive's document. A token has those of its user; the words help to find the setting.
const (
	readContacts  = "contacts:read"
	writeContacts = "contacts:full"
	search        = "search:read"
	administer    = "admin"
)

// operation is what is being done.
type operation struct{ name, method, right string }

// envelope is every answer of Pipedrive's.
// https://pipedrive.readme.io/docs/core-api-concepts-responses
type envelope struct {
	Success    *bool           `json:"success"`
	Code       string          `json:"code"`
	Data       json.RawMessage `json:"data"`
	Additional struct {
		NextCursor string `json:"next_cursor"`              // of API v2
		More       bool   `json:"more_items_in_collection"` // of one list of API v1
		Pagination struct {
			More bool `json:"more_items_in_collection"`
		} `json:"pagination"` // of the others
	} `json:"additional_data"`
}

// more tells whether a list of API v1 has another page.
func (e envelope) more() bool { return e.Additional.More || e.Additional.Pagination.More }

// call sends in as JSON, unless it is nil, and decodes the data of the answer into out, unless that is nil.
func (c *Connector) call(ctx context.Context, o operation, path string, in, out any) (envelope, error) {
	r, err := rest.Request{Op: o.name, Method: o.method, Path: path}.WithJSON(in)
	if err != nil {
		return envelope{}, err
	}
	return c.send(ctx, o, r, out)
}

// send makes a request and reads the envelope. An answer that doesn't say that it succeeded is a failure, whatever its
// status.
func (c *Connector) send(ctx context.Context, o operation, r rest.Request, out any) (envelope, error) {
	a, err := c.rest.Do(ctx, r)
	if err != nil {
		return envelope{}, c.blame(ctx, o, o.explain(err))
	}
	var e envelope
	if err := rest.Decode(o.name, a, &e); err != nil {
		return envelope{}, o.explain(err)
	}
	if e.Success == nil || !*e.Success {
		return envelope{}, o.explain(&crm.Error{
			Class: crm.Transient, Unknown: true, Op: o.name, Status: a.Status, Reason: word(e.Code, "SUCCESS_IS_FALSE"),
		})
	}
	if out == nil {
		return e, nil
	}
	return e, o.explain(rest.Decode(o.name, rest.Answer{Status: a.Status, Body: e.Data}, out))
}

// explain adds what the operation knows: which right it needs, for Pipedrive doesn't say so, and that reading changes
// nothing, so that nobody has to look for what a note's check of its person may have made.
func (o operation) explain(err error) error {
	e, ok := errors.AsType[*crm.Error](err)
	if !ok {
		return err
	}
	if o.method == http.MethodGet {
		e.Unknown = false
	}
	if e.Class == crm.Stopped && e.Status == http.StatusForbidden && e.Reason == "" {
		e.Scopes = []string{o.right}
	}
	return err
}

// declined tells whether Pipedrive won't do this one thing, for a right, a limit of the plan or what is asked for: the login
// is good, and so is the rest.
func declined(err error) bool {
	e, ok := errors.AsType[*crm.Error](err)
	return ok && (e.Class == crm.Refused || e.Class == crm.Stopped && (e.Status == http.StatusForbidden || e.Status == http.StatusUnsupportedMediaType))
}

// noResult is an answer without what it must have.
func noResult(o operation) error {
	return &crm.Error{Class: crm.Transient, Unknown: true, Op: o.name, Status: http.StatusOK, Reason: "NO_RESULT"}
}

func gone(o operation) error { return fmt.Errorf("%s: %w", o.name, crm.ErrGone) }

// missing tells whether an answer means that the record is deleted.
func missing(err error) bool {
	return rest.HasStatus(err, http.StatusNotFound) || rest.HasStatus(err, http.StatusGone)
}

// number reads an id out of a ref. What isn't one names nothing that exists.
func number[T ~string](o operation, ref T) (int64, error) {
	id, err := strconv.ParseInt(string(ref), 10, 64)
	if err != nil || id < 1 {
		return 0, gone(o)
	}
	return id, nil
}

func text(id int64) string { return strconv.FormatInt(id, 10) }
