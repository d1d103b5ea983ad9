package hubspot

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// How HubSpot calls a workflow action, and what it does with the answer.
// https://developers.hubspot.com/docs/api-reference/latest/automation/workflow-actions/custom-action-reference
const (
	actionTimeout = 30 * time.Second
	firstRepeat   = time.Minute // then twice as long each time
	lastRepeat    = 3 * 24 * time.Hour
)

// requested are the properties that the action's definition asks for.
var requested = []string{"hs_whatsapp_phone_number", "mobilephone", "phone"}

// Redeliver calls the action again for an execution, as HubSpot does after an answer that it didn't get.
func (s *Simulator) Redeliver(callbackID string) error {
	_, err := s.deliver(callbackID)
	return err
}

// deliver calls the action once. again says that HubSpot tries later.
func (s *Simulator) deliver(id string) (again bool, err error) {
	body, err := s.payload(id)
	if err != nil {
		return false, err
	}
	r, err := http.NewRequestWithContext(s.running, http.MethodPost, s.options.ActionURL, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/json")
	s.signAction(r.Header, body)
	client := http.Client{Timeout: actionTimeout}
	res, err := client.Do(r)
	if err != nil {
		return true, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil || res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return true, fmt.Errorf("the action answered %d", res.StatusCode)
	case res.StatusCode > 299:
		return false, s.fail(id, res.StatusCode)
	}
	var out struct {
		Outputs map[string]string `json:"outputFields"`
	}
	_ = json.Unmarshal(answer, &out) // the status alone counts where nothing is said
	state := out.Outputs["hs_execution_state"]
	if state == "" {
		state = "SUCCESS"
	}
	return false, s.conclude(id, state, out.Outputs)
}

func (s *Simulator) fail(id string, status int) error {
	if err := s.conclude(id, failed, nil); err != nil {
		return err
	}
	return fmt.Errorf("the action answered %d", status)
}

func (s *Simulator) payload(id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.executions[id]
	if e == nil {
		return nil, notFound("Execution")
	}
	o, err := s.find(contacts, e.Contact, "", false)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseInt(o.ID, 10, 64)
	if err != nil {
		return nil, err
	}
	properties := map[string]string{}
	for _, name := range requested {
		if v := o.Properties[name]; v != "" {
			properties[name] = v
		}
	}
	return json.Marshal(map[string]any{
		"callbackId":  e.ID,
		"origin":      map[string]any{"portalId": 1, "actionDefinitionId": 1, "actionDefinitionVersion": 1},
		"context":     map[string]any{"source": "WORKFLOWS", "workflowId": workflowID},
		"object":      map[string]any{"objectId": number, "objectType": "CONTACT", "properties": properties},
		"inputFields": e.Input,
	})
}

// signAction adds the signature in its second version, which HubSpot names for workflow actions, and in its third.
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
func (s *Simulator) signAction(h http.Header, body []byte) {
	sum := sha256.Sum256([]byte(s.options.ClientSecret + http.MethodPost + s.options.ActionURL + string(body)))
	h.Set("X-HubSpot-Signature-Version", "v2")
	h.Set("X-HubSpot-Signature", hex.EncodeToString(sum[:]))

	stamp := strconv.FormatInt(s.options.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(s.options.ClientSecret))
	mac.Write([]byte(http.MethodPost + s.options.ActionURL + string(body) + stamp))
	h.Set("X-HubSpot-Request-Timestamp", stamp)
	h.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// resume goes on with what was pending when the account was closed.
func (s *Simulator) resume() {
	if s.options.ActionURL == "" {
		return
	}
	for id, e := range s.executions {
		if e.State == pending {
			s.repeat(id)
		}
	}
}

// repeat calls the action until it answers, for three days.
func (s *Simulator) repeat(id string) {
	s.repeats.Go(func() {
		for wait, total := firstRepeat, time.Duration(0); total < lastRepeat; wait *= 2 {
			total += wait
			select {
			case <-s.running.Done():
				return
			case <-time.After(wait):
			}
			if again, _ := s.deliver(id); !again { // its own end is written down
				return
			}
		}
		_ = s.conclude(id, failed, nil) // nobody is left to tell
	})
}
