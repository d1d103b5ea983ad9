package hubspot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"
)

// execution is one run of the workflow action for a contact.
type execution struct {
	ID      string            `json:"id"` // the callbackId
	Number  string            `json:"number"`
	Contact string            `json:"contact"`
	Input   map[string]string `json:"input"`
	State   string            `json:"state"`
	Outputs map[string]string `json:"outputs,omitempty"`
	At      time.Time         `json:"at"`
}

// The states of an execution, apart from those that the action itself tells.
const (
	pending = "PENDING"
	failed  = "FAILED"
	blocked = "BLOCK"
)

// workflowID is that of the only workflow: it runs when somebody enrols a contact by hand.
const workflowID = 7001

// Write enrols a contact in the workflow that sends a WhatsApp message, with a text.
func (s *Simulator) Write(contact, text string) error {
	_, err := s.Enrol(contact, map[string]string{"text": text})
	return err
}

// How says what Write stands for.
func (s *Simulator) How() string { return "Enrol in the workflow \"Send WhatsApp message\"" }

// Enrol runs the workflow action with values for its fields, and returns the callbackId. An error says that the action
// failed at once; one that HubSpot would repeat is repeated.
func (s *Simulator) Enrol(contact string, input map[string]string) (callbackID string, err error) {
	s.mu.Lock()
	e, err := s.enrol(contact, input)
	s.mu.Unlock()
	if err != nil {
		return "", err
	}
	again, err := s.deliver(e.ID)
	if again {
		s.repeat(e.ID)
		return e.ID, nil
	}
	return e.ID, err
}

func (s *Simulator) enrol(contact string, input map[string]string) (*execution, error) {
	if s.options.ActionURL == "" {
		return nil, errors.New("the account has no workflow action")
	}
	o, err := s.find(contacts, contact, "", false)
	if err != nil {
		return nil, err
	}
	n := s.ids.Next()
	e := &execution{
		ID: fmt.Sprintf("ap-1-%s-1-0", n), Number: n, Contact: o.ID, Input: maps.Clone(input), State: pending, At: s.options.Now(),
	}
	return e, s.commit(change{Execution: e})
}

// Execution tells the state of an execution and what the action said.
func (s *Simulator) Execution(callbackID string) (state string, outputs map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.executions[callbackID]
	if e == nil {
		return "", nil
	}
	return e.State, maps.Clone(e.Outputs)
}

// conclude writes down what the action said.
func (s *Simulator) conclude(id, state string, outputs map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := *s.executions[id]
	e.State, e.Outputs = state, outputs
	return s.commit(change{Execution: &e})
}

// completeCallback ends a blocked execution.
func (s *Simulator) completeCallback(r *http.Request) (int, any, error) {
	var in struct {
		Outputs       map[string]string          `json:"outputFields"`
		Typed         map[string]json.RawMessage `json:"typedOutputs"`
		Context       json.RawMessage            `json:"requestContext"`
		FailureReason string                     `json:"failureReasonType"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Outputs == nil || in.Typed == nil {
		return 0, nil, invalid("outputFields and typedOutputs are required")
	}
	state := in.Outputs["hs_execution_state"]
	if state != "SUCCESS" && state != "FAIL_CONTINUE" {
		return 0, nil, invalid("hs_execution_state must be SUCCESS or FAIL_CONTINUE")
	}
	old := s.executions[r.PathValue("id")]
	if old == nil || old.State != blocked {
		return 0, nil, notFound("Callback")
	}
	e := *old
	e.State, e.Outputs = state, in.Outputs
	return http.StatusNoContent, nil, s.commit(change{Execution: &e})
}
