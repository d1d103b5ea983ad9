package salesforce

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// callout is a flow with an HTTP callout, and the named credential that it uses.
type callout struct {
	url    string
	secret string
}

// Callout sets up the flow that calls url when a message to send is queued, with the secret as a bearer token in a
// header of the named credential's. Empty: no flow.
func (s *Simulator) Callout(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callout = callout{url, secret}
}

// How says what Write does in Salesforce.
func (s *Simulator) How() string {
	return "New in the related list “WhatsApp messages to send”, or the quick action of the flow"
}

// Write queues a message on a contact as a user would, and runs the flow. A flow makes its callout once: one that fails
// leaves the record as it is.
func (s *Simulator) Write(contact, text string) error {
	s.mu.Lock()
	deployed := s.schema["WA_Outbound__c"] != nil
	flow := s.callout
	s.mu.Unlock()
	id := rand.Text() // of the flow's interview, where there is no record
	if deployed {
		var err error
		if id, err = s.Add("WA_Outbound__c", map[string]string{"Contact__c": contact, "Text__c": text}); err != nil {
			return err
		}
	}
	if flow.url == "" {
		return nil
	}
	return s.call(flow, map[string]any{
		"id": id, "contact": contact, "text": text, "actor": "Sales User", "at": s.options.Now().UTC().Format(time.RFC3339),
	})
}

func (s *Simulator) call(flow callout, body map[string]any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	// https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_callouts_timeouts.htm
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, flow.url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+flow.secret)
	res, err := s.options.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || !json.Valid(answer) {
		return fmt.Errorf("the flow was answered %d", res.StatusCode)
	}
	return nil
}
