package hubspot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"threadline/shared/crm"
)

// maxAnswer bounds what is read of an answer: a search page of 100 contacts is far below it.
const maxAnswer = 4 << 20

// call sends JSON and decodes the answer into out, which may be nil. Op says what is being done, for errors.
func (c *Connector) call(ctx context.Context, op, method, path string, in, out any) error {
	if in == nil {
		return c.send(ctx, op, method, path, "", nil, 0, out)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return c.send(ctx, op, method, path, "application/json", bytes.NewReader(b), int64(len(b)), out)
}

// send makes one request. Every failure is a *crm.Error or wraps crm.ErrNotProvisioned.
func (c *Connector) send(ctx context.Context, op, method, path, mime string, body io.Reader, size int64, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if req.URL.Scheme != "https" && !loopback(req.URL.Hostname()) {
		return &crm.Error{Class: crm.Stopped, Op: op, Reason: "HUBSPOT_API_URL_IS_NOT_HTTPS"}
	}
	req.ContentLength = size
	if mime != "" {
		req.Header.Set("Content-Type", mime)
	}
	req.Header.Set("Accept", "application/json")
	token, err := c.token(ctx)
	if err != nil {
		return &crm.Error{Class: crm.Transient, Op: op, Reason: "NO_TOKEN", Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)

	res, err := c.http.Do(req)
	if err != nil {
		return &crm.Error{Class: crm.Transient, Op: op, Err: withoutURL(err)}
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return &crm.Error{Class: crm.Transient, Op: op, Err: fmt.Errorf("read answer: %w", withoutURL(err))}
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return c.classify(op, res.StatusCode, res.Header, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		// The error would quote what HubSpot sent.
		return &crm.Error{Class: crm.Transient, Op: op, Status: res.StatusCode, Err: errors.New("the answer isn't the JSON expected")}
	}
	return nil
}

// withoutURL drops the address that net/http puts into its errors: it names records.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// objectPath is the path of an object type, or of what follows below it: every part is escaped.
func objectPath(object string, parts ...string) string {
	var b strings.Builder
	b.WriteString("/crm/objects/" + Version + "/" + object)
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// object is a record as HubSpot returns it. Properties that have no value are null or missing.
type object struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
}

func (o object) get(property string) string {
	if v := o.Properties[property]; v != nil {
		return *v
	}
	return ""
}

// read returns one record by id, or by the value of a unique property. A missing record is status 404.
func (c *Connector) read(ctx context.Context, op, kind, id, idProperty string, properties ...string) (object, error) {
	q := url.Values{}
	if idProperty != "" {
		q.Set("idProperty", idProperty)
	}
	if len(properties) > 0 {
		q.Set("properties", strings.Join(properties, ","))
	}
	path := objectPath(kind, id)
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	var o object
	err := c.call(ctx, op, http.MethodGet, path, nil, &o)
	if err != nil && idProperty != "" && hasStatus(err, http.StatusBadRequest) {
		// Whatever its words, this says that the property isn't there or isn't unique.
		return object{}, notProvisioned(op)
	}
	return o, err
}

// patch changes properties of a record; a record that is gone is crm.ErrGone.
func (c *Connector) patch(ctx context.Context, op, kind, id string, properties map[string]string) error {
	err := c.call(ctx, op, http.MethodPatch, objectPath(kind, id), map[string]any{"properties": properties}, nil)
	if hasStatus(err, http.StatusNotFound) {
		return gone(op)
	}
	return err
}

type searchRequest struct {
	FilterGroups []filterGroup `json:"filterGroups"`
	Properties   []string      `json:"properties"`
	Sorts        []string      `json:"sorts"`
	Limit        int           `json:"limit"`
	After        string        `json:"after"`
}

type filterGroup struct {
	Filters []filter `json:"filters"`
}

type filter struct {
	PropertyName string `json:"propertyName"`
	Operator     string `json:"operator"`
	Value        string `json:"value"`
}

// maxPages bounds a search that matches more than it should.
const maxPages = 5

// search returns the records that match any of the filters. It may be SearchLag behind.
func (c *Connector) search(ctx context.Context, op, kind string, properties []string, anyOf ...filter) ([]object, error) {
	req := searchRequest{Properties: properties, Sorts: []string{}, Limit: 100, After: "0"}
	for _, f := range anyOf {
		req.FilterGroups = append(req.FilterGroups, filterGroup{Filters: []filter{f}})
	}
	var all []object
	for range maxPages {
		var page struct {
			Results []object `json:"results"`
			Paging  struct {
				Next struct {
					After string `json:"after"`
				} `json:"next"`
			} `json:"paging"`
		}
		if err := c.call(ctx, op, http.MethodPost, objectPath(kind, "search"), req, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Results...)
		if page.Paging.Next.After == "" {
			break
		}
		req.After = page.Paging.Next.After
	}
	return all, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
