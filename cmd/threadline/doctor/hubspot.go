package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"threadline/shared/crm/hubspot"
	"threadline/shared/secret"
)

const hubspotKeys = "HubSpot > Development > Keys > Service keys"

// probe is a call that needs one scope and changes nothing: it reads, or it is bound to be refused for another reason
// than the scope. HubSpot checks the scope first.
type probe struct{ scope, method, path, body string }

var hubspotProbes = []probe{
	{"crm.objects.contacts.read", http.MethodGet, "/crm/objects/" + hubspot.Version + "/contacts?limit=1", ""},
	{"crm.objects.contacts.write", http.MethodPatch, "/crm/objects/" + hubspot.Version + "/contacts/0", `{"properties":{}}`},
	{"crm.schemas.contacts.read", http.MethodGet, "/crm/v3/properties/contacts/threadline_id", ""},
	{"crm.schemas.contacts.write", http.MethodPost, "/crm/v3/properties/contacts", `{}`},
	{"files", http.MethodGet, "/files/" + hubspot.Version + "/files/search?limit=1", ""},
}

func (e *exam) checkCRM(ctx context.Context) {
	switch {
	case !e.hasCRM():
		e.ok("No CRM is configured")
	case e.uses("hubspot") && e.keys[secret.HubSpotToken] == "":
		e.fail("There is no HubSpot token", hubspotKeys+": make one and put it into the secret as hubspot_token.")
	case e.uses("hubspot"):
		e.checkHubSpot(ctx)
	}
}

func (e *exam) checkHubSpot(ctx context.Context) {
	var missing []string
	for _, p := range hubspotProbes {
		status, _, err := e.hubspot(ctx, p)
		switch {
		case err != nil:
			e.warn("HubSpot can't be reached: "+networkReason(err), "Run this again in a few minutes.")
			return
		case status == http.StatusUnauthorized:
			e.fail("HubSpot refuses the token",
				hubspotKeys+": make a new one and put it into the secret as hubspot_token.")
			return
		case status == http.StatusForbidden:
			missing = append(missing, p.scope)
		case status == http.StatusTooManyRequests || status >= 500:
			e.warn(fmt.Sprintf("HubSpot answers %d", status),
				"Run this again in a few minutes. Nothing is lost meanwhile: entries wait.")
			return
		}
	}
	if len(missing) == 0 {
		e.ok("HubSpot accepts the token, and it has all scopes")
	} else {
		e.fail("The HubSpot token lacks "+strings.Join(missing, ", "),
			hubspotKeys+": edit the key's scopes. What waits for them goes on by itself.")
	}
	if slices.Contains(missing, "crm.schemas.contacts.read") {
		return
	}
	mayCreate := !slices.Contains(missing, "crm.schemas.contacts.write")
	e.checkProperty(ctx, "contacts", "threadline_id", mayCreate)
	e.checkProperty(ctx, "communications", "threadline_message", mayCreate)
}

// checkProperty looks for a property of ours, which the connector makes when it first needs it.
func (e *exam) checkProperty(ctx context.Context, kind, name string, mayCreate bool) {
	status, body, err := e.hubspot(ctx, probe{method: http.MethodGet, path: "/crm/v3/properties/" + kind + "/" + name})
	var property struct {
		Unique bool `json:"hasUniqueValue"`
	}
	switch {
	case err != nil:
		e.warn("HubSpot can't be reached: "+networkReason(err), "Run this again in a few minutes.")
	case status == http.StatusOK && json.Unmarshal(body, &property) == nil && property.Unique:
		e.ok(fmt.Sprintf("The property %s of %s is there", name, kind))
	case status == http.StatusOK && kind == "contacts":
		e.fail(fmt.Sprintf("The property %s of %s isn't unique", name, kind),
			"HubSpot > Settings > Properties: delete it; Threadline makes it again as it must be.")
	case status == http.StatusOK:
		e.warn(fmt.Sprintf("The property %s of %s isn't unique", name, kind),
			"Entries are told apart by a mark in their text instead, which is slower. Delete the property to have it made again.")
	case status == http.StatusNotFound && mayCreate:
		e.ok(fmt.Sprintf("The property %s of %s is made with the first message", name, kind))
	case status == http.StatusNotFound:
		e.fail(fmt.Sprintf("The property %s of %s is missing and can't be made", name, kind),
			"It needs the scope crm.schemas.contacts.write.")
	default:
		e.warn(fmt.Sprintf("HubSpot answers %d when asked for the property %s of %s", status, name, kind),
			"Run this again in a few minutes.")
	}
}

// hubspot makes one call.
func (e *exam) hubspot(ctx context.Context, p probe) (status int, body []byte, err error) {
	base := cmp.Or(e.HubSpotURL, e.stack.Parameters["HubSpotApiUrl"], hubspot.DefaultBaseURL)
	req, err := http.NewRequestWithContext(ctx, p.method, base+p.path, strings.NewReader(p.body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+e.keys[secret.HubSpotToken])
	if p.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := e.client().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, body, err
}
