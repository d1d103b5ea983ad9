package webhookcrm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// tries is how often a request goes to Threadline before its user is told that it can't. Each time it has the same id, so
// that it is sent once however many of them arrive.
const tries = 3

// How says how a user of this CRM writes.
func (s *Simulator) How() string { return "Reply box of the company’s own CRM" }

// Write asks Threadline to send a text to a contact.
func (s *Simulator) Write(contact, text string) error {
	s.mu.Lock()
	c, ok := s.contacts.get(contact)
	if !ok || c.Deleted {
		s.mu.Unlock()
		return errors.New("there is no such contact")
	}
	r := &request{ID: s.ids.Next(), Contact: c.ID, Text: text, At: s.options.Now().UTC()}
	err := s.commit(change{Request: r})
	body := s.requestBody(c, r)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for range tries {
		if err = s.post(body); err == nil {
			return nil
		}
	}
	lost := *r
	lost.Settled, lost.Problem = true, "Threadline wasn’t reached."
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.commit(change{Request: &lost}))
}

// requestBody names the contact in the shortest way that Threadline knows it by.
func (s *Simulator) requestBody(c *contact, r *request) []byte {
	one := map[string]any{"id": r.ID, "text": r.Text, "actor": "Demo User", "at": r.At}
	switch {
	case c.Key == "":
		one["phone"] = c.Phone // somebody who never wrote
	case s.options.Least:
		one["key"] = c.Key
	default:
		one["contact"] = c.ID
	}
	body, _ := json.Marshal(map[string]any{"v": 1, "requests": []any{one}}) // there is nothing in it that can't be encoded
	return body
}

// post signs a body and sends it to Threadline.
func (s *Simulator) post(body []byte) error {
	r, err := http.NewRequest(http.MethodPost, s.options.EventsURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(s.options.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Threadline-Timestamp", timestamp)
	r.Header.Set("Threadline-Signature", s.sign(timestamp, body))
	answer, err := s.options.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("threadline answered %d", answer.StatusCode)
	}
	return nil
}
