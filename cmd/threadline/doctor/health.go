package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"threadline/shared/secret"
	"threadline/shared/whatsapp"
)

// health is what Meta knows about everything that a number needs for sending, with the way out where it knows one.
// https://developers.facebook.com/docs/whatsapp/cloud-api/health-status
type health struct {
	Status struct {
		Entities []struct {
			Type   string `json:"entity_type"` // PHONE_NUMBER, WABA, BUSINESS, APP
			ID     string `json:"id"`
			Errors []struct {
				Description string `json:"error_description"`
				Solution    string `json:"possible_solution"`
			} `json:"errors"`
		} `json:"entities"`
	} `json:"health_status"`
}

// advice returns Meta's own words.
func (h health) advice() []string {
	var all []string
	for _, entity := range h.Status.Entities {
		for _, problem := range entity.Errors {
			all = append(all, "Meta says: "+problem.Description+" "+problem.Solution)
		}
	}
	return all
}

// health asks for the health of a number, and remembers the account and the app that it names. Not everybody may see
// it; then it is empty.
func (e *exam) health(ctx context.Context, id string) health {
	var h health
	address := e.graphURL() + "/" + cmp.Or(e.stack.Parameters["GraphApiVersion"], whatsapp.DefaultVersion) + "/" +
		url.PathEscape(id) + "?fields=health_status"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return h
	}
	req.Header.Set("Authorization", "Bearer "+e.keys[secret.AccessToken])
	res, err := e.client().Do(req)
	if err != nil {
		return h
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&h) != nil {
		return health{}
	}
	for _, entity := range h.Status.Entities {
		switch entity.Type {
		case "WABA":
			e.belongsTo(entity.ID)
		case "APP":
			e.appID = cmp.Or(e.appID, entity.ID)
		}
	}
	return h
}

// client follows no redirect: an answer from elsewhere proves nothing, and a token goes where it was meant to.
func (e *exam) client() *http.Client {
	c := http.Client{}
	if e.HTTP != nil {
		c = *e.HTTP
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
