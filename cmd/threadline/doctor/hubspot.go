package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"threadline/shared/crm"
	"threadline/shared/crm/hubspot"
	"threadline/shared/crm/known"
)

// The scopes of a key that may look at properties, and make them.
const (
	readProperties = "crm.schemas.contacts.read"
	makeProperties = "crm.schemas.contacts.write"
)

// checkHubSpot looks for the properties that the connector makes, unless it said already that HubSpot can't be asked.
func (e *exam) checkHubSpot(ctx context.Context, base string, told error) {
	var lacks []string
	if failure, ok := errors.AsType[*crm.Error](told); ok {
		lacks = failure.Scopes
	}
	if told != nil && lacks == nil || slices.Contains(lacks, readProperties) {
		return
	}
	mayMake := !slices.Contains(lacks, makeProperties)
	e.checkProperty(ctx, base, "contacts", "threadline_id", mayMake)
	e.checkProperty(ctx, base, "communications", "threadline_message", mayMake)
}

// checkProperty looks for a property of ours, which the connector makes when it first needs it.
func (e *exam) checkProperty(ctx context.Context, base, kind, name string, mayMake bool) {
	status, body, err := e.hubspot(ctx, base, "/crm/v3/properties/"+kind+"/"+name)
	var property struct {
		Unique bool `json:"hasUniqueValue"`
	}
	switch {
	case err != nil:
		e.warn("HubSpot can't be reached: "+networkReason(err), later)
	case status == http.StatusOK && json.Unmarshal(body, &property) == nil && property.Unique:
		e.ok(fmt.Sprintf("The property %s of %s is there", name, kind))
	case status == http.StatusOK && kind == "contacts":
		e.fail(fmt.Sprintf("The property %s of %s isn't unique", name, kind),
			"HubSpot > Settings > Properties: delete it; Threadline makes it again as it must be.")
	case status == http.StatusOK:
		e.warn(fmt.Sprintf("The property %s of %s isn't unique", name, kind),
			"Entries are found by HubSpot's search instead, which is slower. Delete the property to have it made again.")
	case status == http.StatusNotFound && mayMake:
		e.ok(fmt.Sprintf("The property %s of %s is made with the first message", name, kind))
	case status == http.StatusNotFound:
		e.fail(fmt.Sprintf("The property %s of %s is missing and can't be made", name, kind),
			"It needs the scope "+makeProperties+".")
	default:
		e.warn(fmt.Sprintf("HubSpot answers %d when asked for the property %s of %s", status, name, kind), later)
	}
}

// hubspot reads something.
func (e *exam) hubspot(ctx context.Context, base, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cmp.Or(base, hubspot.DefaultBaseURL)+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+e.keys[known.HubSpotToken])
	res, err := e.client().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, body, err
}
