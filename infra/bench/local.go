package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/infra/local/stack"
	"threadline/shared/whatsapp/whatsapptest"
)

// local is the running stack and how to look at it.
type local struct {
	ctx   context.Context
	stack *stack.Stack
	table *dynamodb.Client
	state string // directory
}

// post is a webhook with one text message.
func (l *local) post(from, id string) error {
	body := whatsapptest.Text(number, from, id, sentence, time.Now())
	return l.request("/webhook", map[string]string{"X-Hub-Signature-256": whatsapptest.Sign(appSecret, body)}, body, http.StatusOK)
}

func (l *local) request(path string, headers map[string]string, body []byte, want int) error {
	r, err := http.NewRequestWithContext(l.ctx, http.MethodPost, l.stack.URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		var problem json.RawMessage
		_ = json.NewDecoder(resp.Body).Decode(&problem) // for the error below
		return fmt.Errorf("POST %s: %s %s", path, resp.Status, problem)
	}
	return nil
}

// until waits for something to be so.
func (l *local) until(what string, so func() (bool, error)) error {
	for deadline := time.Now().Add(patience); ; {
		if ok, err := so(); ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for %s", patience, what)
		}
		select {
		case <-time.After(poll):
		case <-l.ctx.Done():
			return l.ctx.Err()
		}
	}
}

// arrives does something and waits for one more entry in the CRM.
func (l *local) arrives(do func() error) error {
	entries := l.entries()
	if err := do(); err != nil {
		return err
	}
	return l.until("an entry in the CRM", func() (bool, error) { return l.entries() > entries, nil })
}

// stored counts the messages that are in the table.
func (l *local) stored(ids []string) (int, error) {
	name, n := l.stack.Output("TableName"), 0
	for len(ids) > 0 {
		batch := ids[:min(100, len(ids))]
		ids = ids[len(batch):]
		keys := make([]map[string]types.AttributeValue, len(batch))
		for i, id := range batch {
			keys[i] = map[string]types.AttributeValue{
				"PK": &types.AttributeValueMemberS{Value: "WAMID#" + number + "#" + id}, "SK": &types.AttributeValueMemberS{Value: "REF"},
			}
		}
		out, err := l.table.BatchGetItem(l.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{name: {Keys: keys}}})
		if err != nil {
			return 0, err
		}
		n += len(out.Responses[name])
	}
	return n, nil
}

// entries counts what is on all timelines of the CRM.
func (l *local) entries() (n int) {
	for _, c := range l.stack.HubSpot().Contacts() {
		n += c.Entries
	}
	return n
}

// files counts the files on all timelines.
func (l *local) files() (n int) {
	for _, c := range l.stack.HubSpot().Contacts() {
		for _, e := range l.stack.HubSpot().Timeline(c.ID) {
			n += len(e.Files)
		}
	}
	return n
}

// delivered counts the company's messages that reached a phone.
func (l *local) delivered(customer string) (n int) {
	for _, m := range l.stack.Meta().Messages(customer) {
		if m.Business && (m.Status == "delivered" || m.Status == "read") {
			n++
		}
	}
	return n
}
