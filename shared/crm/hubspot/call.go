package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"threadline/shared/crm/rest"
)

// call sends JSON and decodes the answer into out, which may be nil. Op says what is being done, for errors.
func (c *Connector) call(ctx context.Context, op, method, path string, in, out any) error {
	return c.paused(ctx, c.rest.JSON(ctx, op, method, path, in, out))
}

// objectPath is the path of an object type, or of what follows below it: every part is escaped.
func (c *Connector) objectPath(object string, parts ...string) string {
	var b strings.Builder
	b.WriteString("/crm/objects/" + c.version + "/" + object)
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

// read returns one record by its id. A missing record is status 404.
func (c *Connector) read(ctx context.Context, kind, id string, properties ...string) (object, error) {
	q := url.Values{"properties": {strings.Join(properties, ",")}}
	var o object
	err := c.call(ctx, "read "+kind, http.MethodGet, c.objectPath(kind, id)+"?"+q.Encode(), nil, &o)
	return o, err
}

// readBy returns one record by the value of a unique property. A missing record is status 404; a property that isn't
// there, or isn't unique, is 400.
func (c *Connector) readBy(ctx context.Context, kind, property, value string, archived bool, properties ...string) (object, error) {
	q := url.Values{"idProperty": {property}, "properties": {strings.Join(properties, ",")}}
	if archived {
		q.Set("archived", "true")
	}
	var o object
	err := c.call(ctx, "read "+kind, http.MethodGet, c.objectPath(kind, value)+"?"+q.Encode(), nil, &o)
	return o, err
}

// patch changes properties of a record; a record that is gone is crm.ErrGone.
func (c *Connector) patch(ctx context.Context, kind, id string, properties map[string]string) error {
	op := "change " + kind
	err := c.call(ctx, op, http.MethodPatch, c.objectPath(kind, id), map[string]any{"properties": properties}, nil)
	if rest.HasStatus(err, http.StatusNotFound) {
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
	PropertyName string   `json:"propertyName"`
	Operator     string   `json:"operator"`
	Value        string   `json:"value,omitempty"`
	Values       []string `json:"values,omitempty"`
}

// maxPages bounds a search that matches more than it should.
const maxPages = 5

// search returns the records that match any of the filters. It may be SearchLag behind.
func (c *Connector) search(ctx context.Context, kind string, properties []string, anyOf ...filter) ([]object, error) {
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
		if err := c.call(ctx, "search "+kind, http.MethodPost, c.objectPath(kind, "search"), req, &page); err != nil {
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
