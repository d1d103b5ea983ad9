package salesforce

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"threadline/shared/crm"
)

// layout is how an org is set up.
type layout struct {
	metadata bool   // that of infra/salesforce is deployed, and the user has its permission set
	done     string // the status of a completed task, as the API calls it: in the words that the org was made with
}

// layoutOf finds out once how the org is set up. Missing metadata isn't an error, half of it is.
func (c *Connector) layoutOf(ctx context.Context) (layout, error) {
	c.mu.Lock()
	known := c.layout
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	const op = "look at the org"
	ask := func(object, soql string) call {
		return call{op: op, object: object, method: http.MethodGet, path: queryPath(soql)}
	}
	results, err := c.composite(ctx, op, []call{
		ask("Contact", "SELECT "+contactKey+" FROM Contact LIMIT 1"),
		ask(messageObject, "SELECT "+strings.Join(requiredWithMetadata[messageObject].write, ", ")+" FROM "+messageObject+" LIMIT 1"),
		ask("TaskStatus", "SELECT ApiName, MasterLabel FROM TaskStatus WHERE IsClosed = TRUE ORDER BY SortOrder LIMIT 1"),
	})
	if err != nil {
		return layout{}, err
	}
	if err := results[0].err; err != nil {
		return layout{}, err
	}
	found := layout{metadata: results[1].err == nil, done: "Completed"}
	if err := results[1].err; err != nil && !absent(results[1].body) {
		return layout{}, err
	}
	var statuses struct {
		Records []struct{ APIName, MasterLabel string } `json:"records"`
	}
	if json.Unmarshal(results[2].body, &statuses) == nil && len(statuses.Records) > 0 {
		found.done = cmp.Or(statuses.Records[0].APIName, statuses.Records[0].MasterLabel, found.done)
	}
	c.mu.Lock()
	c.layout = &found
	c.mu.Unlock()
	return found, nil
}

// absent tells whether an error says that there is no such object, or none that the user may see.
func absent(body json.RawMessage) bool {
	var faults []fault
	return json.Unmarshal(body, &faults) == nil && len(faults) > 0 && slices.Contains([]string{invalidType, notFound}, faults[0].Code)
}

func (c *Connector) forgetLayout() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layout = nil
}

// description is what Salesforce tells of an object, as far as the user sees it. A field may be written in a new record or
// in one that is there if the user has that right to the object too.
type description struct {
	Createable bool               `json:"createable"`
	Updateable bool               `json:"updateable"`
	Fields     []fieldDescription `json:"fields"`
}

type fieldDescription struct {
	Name       string `json:"name"`
	Createable bool   `json:"createable"`
	Updateable bool   `json:"updateable"`
	Unique     bool   `json:"unique"`
}

// verify compares what the user may write with what the connector writes. What lacks is in the error's Scopes.
func (c *Connector) verify(ctx context.Context) error {
	const op = "check permissions"
	l, err := c.layoutOf(ctx)
	objects := required
	switch {
	case errors.Is(err, crm.ErrNotProvisioned):
		if c.sees(ctx, messageObject) {
			objects = requiredWithMetadata
		}
	case err != nil:
		return err
	case l.metadata:
		objects = requiredWithMetadata
	}
	var lacks []string
	for _, object := range slices.Sorted(maps.Keys(objects)) {
		var d description
		err := c.do(ctx, call{op: op, object: object, method: http.MethodGet, path: "sobjects/" + object + "/describe", names: aRecord}, &d)
		switch {
		case errors.Is(err, crm.ErrGone):
			lacks = append(lacks, object)
		case err != nil:
			return err
		default:
			lacks = append(lacks, d.lacks(object, objects[object])...)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return &crm.Error{Class: crm.Stopped, Op: op, Status: http.StatusOK, Reason: "NOT_ALL_MAY_BE_WRITTEN", Scopes: lacks}
}

func (c *Connector) sees(ctx context.Context, object string) bool {
	return c.do(ctx, call{op: "check permissions", object: object, method: http.MethodGet, path: "sobjects/" + object + "/describe"}, nil) == nil
}

// lacks names what can't be written or read: the object, or fields of it.
func (d description) lacks(object string, n needs) []string {
	if !d.Updateable || !d.Createable && !n.made {
		return []string{object}
	}
	var list []string
	lack := func(fields []string, good func(fieldDescription) bool) {
		for _, name := range fields {
			named := func(f fieldDescription) bool { return f.Name == name && good(f) }
			if !slices.ContainsFunc(d.Fields, named) {
				list = append(list, object+"."+name)
			}
		}
	}
	lack(n.write, func(f fieldDescription) bool {
		unique := f.Unique || f.Name != contactKey && f.Name != messageKey
		return unique && (f.Createable || n.made && f.Updateable)
	})
	lack(n.read, func(fieldDescription) bool { return true })
	return list
}
