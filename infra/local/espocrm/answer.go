package espocrm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// How says what Write does.
func (s *Simulator) How() string { return "New WhatsApp message on the contact" }

// Write makes a message on a contact, as a salesperson does, and runs the job that calls the webhooks.
func (s *Simulator) Write(contact, text string) error {
	if _, err := s.AddMessage(contact, text); err != nil {
		return err
	}
	return s.RunJob(context.Background())
}

// Attachment is a file that a salesperson sends along.
type Attachment struct {
	Name, MIME string
	Content    io.Reader
}

// AddMessage makes a message on a contact, as a salesperson does, and leaves the webhooks to the job. Files are uploaded
// before, each by itself, as EspoCRM's page does that.
func (s *Simulator) AddMessage(contact, text string, files ...Attachment) (id string, err error) {
	ids := []any{}
	for _, f := range files {
		id, err := s.attach(f)
		if err != nil {
			return "", fmt.Errorf("attach file: %w", err)
		}
		ids = append(ids, id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entities[messages] == nil {
		return "", fmt.Errorf("an administrator hasn't made %s", messages)
	}
	if s.get(contacts, contact) == nil {
		return "", errors.New("no such contact")
	}
	rec := s.newRecord(messages, salesperson)
	rec.Attr["body"], rec.Attr["direction"], rec.Attr["contactId"], rec.Attr["filesIds"] = text, "Out", contact, ids
	if err := s.commit(change{Record: rec}); err != nil {
		return "", err
	}
	return rec.ID, s.queue(rec, salesperson)
}

func (s *Simulator) attach(f Attachment) (id string, err error) {
	blob := rand.Text()
	size, err := s.journal.PutFile(blob, f.Content)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.newRecord(attachments, salesperson)
	for name, value := range map[string]any{
		"name": f.Name, "type": f.MIME, "role": "Attachment", "parentType": messages, "field": "files", "size": float64(size), "blob": blob,
	} {
		rec.Attr[name] = value
	}
	return rec.ID, s.commit(change{Record: rec})
}
