package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// maxSteps is how many calls a composite one may hold.
// https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html
const maxSteps = 25

// result is what became of a step of a composite call.
type result struct {
	body json.RawMessage
	err  error
}

// composite makes several calls in one, which counts as one. A later step may refer to an earlier result, as
// @{step0.Id}. Each has its own outcome inside of the 200: who calls looks at all of them.
func (c *Connector) composite(ctx context.Context, op string, steps []call) ([]result, error) {
	type subrequest struct {
		Method string `json:"method"`
		URL    string `json:"url"`
		ID     string `json:"referenceId"`
		Body   any    `json:"body,omitempty"`
	}
	var in struct {
		All      bool         `json:"allOrNone"`
		Requests []subrequest `json:"compositeRequest"`
	}
	for i, s := range steps {
		in.Requests = append(in.Requests, subrequest{s.method, dataPath + s.path, "step" + strconv.Itoa(i), s.in})
	}
	var out struct {
		Responses []struct {
			Body   json.RawMessage `json:"body"`
			Status int             `json:"httpStatusCode"`
		} `json:"compositeResponse"`
	}
	err := c.do(ctx, call{op: op, object: steps[0].object, method: http.MethodPost, path: "composite", in: in}, &out)
	if err != nil {
		return nil, err
	}
	if len(out.Responses) != len(steps) {
		return nil, &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: http.StatusOK, Reason: "RESULTS_ARE_MISSING"}
	}
	results := make([]result, len(steps))
	for i, r := range out.Responses {
		results[i].body = r.Body
		if r.Status < 200 || r.Status > 299 {
			results[i].err = c.about(steps[i], classify(op, rest.Answer{Status: r.Status, Body: r.Body}))
		}
	}
	return results, nil
}
