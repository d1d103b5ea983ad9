package hubspot

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"threadline/shared/crm"
)

// waiting precedes the id of a request whose workflow waits for Report.
const waiting = "wait:"

// patience is how long such a workflow waits, as an ISO 8601 duration: longer than any message of ours can wait.
const patience = "P2D"

// execution is a call of the workflow action that docs/crm/hubspot-app defines.
// https://developers.hubspot.com/docs/api-reference/latest/automation/workflow-actions/custom-action-reference
type execution struct {
	CallbackID string `json:"callbackId"`
	Context    struct {
		WorkflowID json.Number `json:"workflowId"`
	} `json:"context"`
	Object struct {
		ID         json.Number        `json:"objectId"`
		Type       string             `json:"objectType"`
		Properties map[string]*string `json:"properties"`
	} `json:"object"`
	Input struct {
		Text       string `json:"text"`
		Template   string `json:"template"`
		Language   string `json:"language"`
		Parameters string `json:"parameters"`
		Wait       string `json:"wait"`
	} `json:"inputFields"`
}

// ParseInbound reads a call of the workflow action. HubSpot repeats a call under the same callbackId for three days while
// it is answered with 429 or 5xx, and shows a failure in the workflow's history where it is answered with another 4xx.
func (c *Connector) ParseInbound(ctx context.Context, call crm.Call) (crm.Inbound, error) {
	secret := ""
	if c.secret != nil {
		var err error
		if secret, err = c.secret(ctx); err != nil {
			return crm.Inbound{}, &crm.Error{Class: crm.Transient, Op: "verify call", Reason: "NO_CREDENTIALS", Err: err}
		}
	}
	if !genuine(call, cmp.Or(c.publicURL, call.URL), secret) {
		return crm.Inbound{}, crm.ErrForged
	}
	var e execution
	if json.Unmarshal(call.Body, &e) != nil {
		return crm.Inbound{}, unreadable("NOT_JSON")
	}
	r, err := e.request()
	if err != nil {
		return crm.Inbound{}, err
	}
	r.At = call.At
	state := map[string]string{"hs_execution_state": "SUCCESS"}
	if strings.HasPrefix(r.ID, waiting) {
		state = map[string]string{"hs_execution_state": "BLOCK", "hs_expiration_duration": patience}
	}
	answer, err := json.Marshal(map[string]any{"outputFields": state})
	return crm.Inbound{Requests: []crm.Request{r}, Status: http.StatusOK, ContentType: "application/json", Answer: answer}, err
}

func (e execution) request() (crm.Request, error) {
	r := crm.Request{
		ID:      e.CallbackID,
		Contact: crm.ContactRef(e.Object.ID),
		Text:    strings.TrimSpace(e.Input.Text),
		Actor:   "HubSpot workflow",
	}
	if e.Input.Wait == "true" {
		r.ID = waiting + r.ID
	}
	if id := e.Context.WorkflowID.String(); id != "" {
		r.Actor += " " + id
	}
	for _, property := range []string{"hs_whatsapp_phone_number", "mobilephone", "phone"} {
		if number := e.Object.Properties[property]; number != nil && r.Phone == "" {
			r.Phone = strings.TrimSpace(*number)
		}
	}
	var err error
	switch {
	case e.CallbackID == "" || r.Contact == "":
		err = unreadable("NO_ID")
	case e.Object.Type != "CONTACT":
		err = unreadable("NOT_A_CONTACT")
	case e.Input.Template != "":
		r.Text = ""
		r.Template, err = e.template()
	case r.Text == "":
		err = unreadable("NO_TEXT")
	}
	return r, err
}

type parameter struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type component struct {
	Type       string      `json:"type"`
	Parameters []parameter `json:"parameters"`
}

// template is as in POST /api/v1/messages. Each line of the parameters is one of them.
func (e execution) template() (json.RawMessage, error) {
	t := struct {
		Name       string      `json:"name"`
		Language   string      `json:"language"`
		Components []component `json:"components,omitempty"`
	}{Name: strings.TrimSpace(e.Input.Template), Language: strings.TrimSpace(e.Input.Language)}
	if t.Language == "" {
		return nil, unreadable("NO_LANGUAGE")
	}
	body := component{Type: "body"}
	for line := range strings.Lines(e.Input.Parameters) {
		if text := strings.TrimSpace(line); text != "" {
			body.Parameters = append(body.Parameters, parameter{Type: "text", Text: text})
		}
	}
	if len(body.Parameters) > 0 {
		t.Components = []component{body}
	}
	return json.Marshal(t)
}

func unreadable(reason string) error {
	return &crm.Error{Class: crm.Refused, Op: "read workflow action", Reason: reason}
}
