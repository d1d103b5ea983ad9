package espocrm

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// What is being done, for errors.
const (
	opFindContact   = "find contact"
	opReadContact   = "read contact"
	opCreateContact = "create contact"
	opFillContact   = "fill contact"
	opPostNote      = "post note"
	opReadNote      = "read note"
	opFindNote      = "find note"
	opUpdateNote    = "update note"
	opCreateMessage = "create message"
	opReadMessage   = "read message"
	opFindMessage   = "find message"
	opUpdateMessage = "update message"
	opReport        = "report"
	opUploadFile    = "upload file"
	opReadFile      = "read file"
	opOpenFile      = "open file"
)

// record is a record as EspoCRM returns it: attributes by name.
type record map[string]any

func (r record) text(name string) string {
	v, _ := r[name].(string)
	return v
}

func (r record) id() string { return r.text("id") }

// ids are those of a field that holds several, such as attachments.
func (r record) ids(field string) []string {
	var all []string
	list, _ := r[field+"Ids"].([]any)
	for _, v := range list {
		if id, ok := v.(string); ok {
			all = append(all, id)
		}
	}
	return all
}

// names are those of the records behind ids.
func (r record) names(field string) []string {
	var all []string
	byID, _ := r[field+"Names"].(map[string]any)
	for _, v := range byID {
		if name, ok := v.(string); ok {
			all = append(all, name)
		}
	}
	return all
}

// datetime is how EspoCRM writes times, all of them UTC.
// https://docs.espocrm.com/development/api/#date-and-time-values
const datetime = "2006-01-02 15:04:05"

func (r record) time(name string) time.Time {
	at, _ := time.Parse(datetime, r.text(name))
	return at
}

func path(parts ...string) string {
	var p string
	for _, part := range parts {
		p += "/" + url.PathEscape(part)
	}
	return p
}

func (c *Connector) read(ctx context.Context, op, kind, id string) (record, error) {
	var r record
	err := c.rest.JSON(ctx, op, http.MethodGet, path(kind, id), nil, &r)
	if err == nil && r.id() == "" {
		err = unreadable(op)
	}
	return r, err
}

// create makes a record and returns its id. EspoCRM answers 200.
func (c *Connector) create(ctx context.Context, op, kind string, in map[string]any) (string, error) {
	var r record
	if err := c.rest.JSON(ctx, op, http.MethodPost, path(kind), in, &r); err != nil {
		return "", err
	}
	if r.id() == "" {
		return "", unreadable(op)
	}
	return r.id(), nil
}

func (c *Connector) update(ctx context.Context, op, kind, id string, in map[string]any) error {
	return c.rest.JSON(ctx, op, http.MethodPut, path(kind, id), in, nil)
}

// unreadable is an answer 200 without what it must have.
func unreadable(op string) error {
	return &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: http.StatusOK, Err: errors.New("the answer has no record")}
}

// query is the filters and the page of a list. https://docs.espocrm.com/development/api-search-params/
type query struct {
	url.Values
	filters int
}

func where(attribute, kind, value string) *query {
	return (&query{Values: url.Values{}}).and(attribute, kind, value)
}

func (q *query) and(attribute, kind, value string) *query {
	at := "where[" + strconv.Itoa(q.filters) + "]"
	q.filters++
	q.Set(at+"[type]", kind)
	q.Set(at+"[attribute]", attribute)
	if value != "" {
		q.Set(at+"[value]", value)
	}
	return q
}

// oldestFirst sorts, and limits the page.
func (q *query) oldestFirst(size int) *query {
	q.Set("orderBy", "createdAt")
	q.Set("order", "asc")
	q.Set("maxSize", strconv.Itoa(size))
	return q
}

func (q *query) attributes(list string) *query {
	q.Set("select", list)
	return q
}

// list returns a page of records, and what the server's clock says.
func (c *Connector) list(ctx context.Context, op, path string, q *query) ([]record, time.Time, error) {
	a, err := c.rest.Do(ctx, rest.Request{Op: op, Method: http.MethodGet, Path: path + "?" + q.Encode()})
	if err != nil {
		return nil, time.Time{}, err
	}
	var page struct {
		List *[]record `json:"list"`
	}
	if err := rest.Decode(op, a, &page); err != nil {
		return nil, time.Time{}, err
	}
	if page.List == nil {
		return nil, time.Time{}, unreadable(op)
	}
	now, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		now = c.now()
	}
	return *page.List, now, nil
}

func asError(err error) (*crm.Error, bool) { return errors.AsType[*crm.Error](err) }
