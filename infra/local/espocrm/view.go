package espocrm

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"

	"threadline/infra/local/demo"
)

var (
	_ demo.CRM    = (*Simulator)(nil)
	_ demo.Writer = (*Simulator)(nil)
)

// Title names the page.
func (s *Simulator) Title() string { return "Simulated EspoCRM" }

// Revision grows with every change.
func (s *Simulator) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// Contacts returns the contacts, the newest conversation first.
func (s *Simulator) Contacts() []demo.Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []demo.Contact
	s.each(contacts, func(rec *record) {
		c := demo.Contact{ID: rec.ID, Name: personName(rec), Phone: rec.text("phoneNumber")}
		for _, e := range s.entries(rec.ID) {
			c.Count(e.At)
		}
		list = append(list, c)
	})
	demo.LatestFirst(list)
	return list
}

// Timeline returns what is on a contact: messages by their own time, notes by when they were made.
func (s *Simulator) Timeline(contact string) []demo.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.entries(contact)
	slices.SortStableFunc(list, func(a, b demo.Entry) int { return a.At.Compare(b.At) })
	return list
}

func (s *Simulator) entries(contact string) []demo.Entry {
	var list []demo.Entry
	s.each(notes, func(rec *record) {
		if rec.text("parentType") == contacts && rec.text("parentId") == contact {
			list = append(list, demo.Entry{ID: rec.ID, At: rec.createdAt(), HTML: Markdown(rec.text("post")), Files: s.files(rec, "attachmentsIds")})
		}
	})
	s.each(messages, func(rec *record) {
		if rec.text("contactId") == contact {
			list = append(list, demo.Entry{ID: rec.ID, At: sentAt(rec), HTML: messageHTML(rec), Files: s.files(rec, "filesIds")})
		}
	})
	return list
}

func sentAt(rec *record) time.Time {
	if at, err := time.Parse(datetime, rec.text("dateSent")); err == nil {
		return at
	}
	return rec.createdAt()
}

func messageHTML(rec *record) string {
	out := "<p>" + strings.ReplaceAll(html.EscapeString(rec.text("body")), "\n", "<br>") + "</p>"
	if status := rec.text("status"); status != "" {
		out += "<p><em>" + html.EscapeString(status) + "</em></p>"
	}
	return out
}

// files are the attachments of a record. They are never public: each is read with the rights of the record.
func (s *Simulator) files(rec *record, attribute string) []demo.File {
	var list []demo.File
	for _, id := range rec.list(attribute) {
		if a := s.get(attachments, id); a != nil {
			list = append(list, fileOf(a))
		}
	}
	return list
}

func fileOf(a *record) demo.File {
	size, _ := a.Attr["size"].(float64)
	return demo.File{ID: a.ID, Name: a.text("name"), MIME: a.text("type"), Size: int64(size), Private: true, Changed: a.createdAt()}
}

// Open opens a file.
func (s *Simulator) Open(id string) (io.ReadSeekCloser, demo.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.get(attachments, id)
	if a == nil {
		return nil, demo.File{}, errors.New("no such file")
	}
	in, err := s.journal.OpenFile(a.text("blob"))
	return in, fileOf(a), err
}

// How says what Write does.
func (s *Simulator) How() string { return "New WhatsApp message on the contact" }

// Write makes a message on a contact, as a salesperson does, and runs the job that calls the webhooks.
func (s *Simulator) Write(contact, text string) error {
	if _, err := s.AddMessage(contact, text); err != nil {
		return err
	}
	return s.RunJob(context.Background())
}

// AddMessage makes a message on a contact, as a salesperson does, and leaves the webhooks to the job.
func (s *Simulator) AddMessage(contact, text string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entities[messages] == nil {
		return "", fmt.Errorf("an administrator hasn't made %s", messages)
	}
	if s.get(contacts, contact) == nil {
		return "", errors.New("no such contact")
	}
	rec := s.newRecord(messages, salesperson)
	rec.Attr["body"], rec.Attr["direction"], rec.Attr["contactId"] = text, "Out", contact
	if err := s.commit(change{Record: rec}); err != nil {
		return "", err
	}
	return rec.ID, s.queue(rec, salesperson)
}

// AddContact puts a contact there as an import of old data does: the number as it was typed.
func (s *Simulator) AddContact(name, phone string) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.newRecord(contacts, salesperson)
	first, last, ok := strings.Cut(name, " ")
	if !ok {
		first, last = "", name
	}
	rec.Attr["firstName"], rec.Attr["lastName"] = first, last
	if phone != "" {
		putPhones(rec, phone)
	}
	return rec.ID, s.commit(change{Record: rec})
}
