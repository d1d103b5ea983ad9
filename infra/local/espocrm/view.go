package espocrm

import (
	"errors"
	"html"
	"io"
	"slices"
	"strings"
	"time"

	"threadline/infra/local/demo"
)

var (
	_ demo.CRM      = (*Simulator)(nil)
	_ demo.Writer   = (*Simulator)(nil)
	_ demo.Detailed = (*Simulator)(nil)
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
			list = append(list, demo.Entry{
				ID: rec.ID, At: rec.createdAt(), Kind: "Post", HTML: Markdown(rec.text("post")), Files: s.files(rec, "attachmentsIds"),
			})
		}
	})
	s.each(messages, func(rec *record) {
		if rec.text("contactId") == contact {
			list = append(list, s.message(rec))
		}
	})
	return list
}

// message is a record of the custom entity. What Threadline wrote begins with its heading; what became of it is the last
// line, or the status of a record that a user made.
func (s *Simulator) message(rec *record) demo.Entry {
	body, status := rec.text("body"), rec.text("status")
	e := demo.Entry{
		ID: rec.ID, At: sentAt(rec), Kind: "WhatsApp Message", Files: s.files(rec, "filesIds"), Status: status,
		HTML: "<p>" + strings.ReplaceAll(html.EscapeString(body), "\n", "<br>") + "</p>",
		From: map[string]demo.Side{"In": demo.Customer, "Out": demo.Company}[rec.text("direction")],
	}
	if rec.text("createdById") == apiUser.id {
		e.Heading, _ = demo.Heading(body)
		e.Problem = demo.Failure(body)
	}
	if problem := demo.Failure(status); problem != "" {
		e.Problem = problem
		e.Status, _, _ = strings.Cut(problem, ":")
	}
	return e
}

// Key is the contact's of Threadline.
func (s *Simulator) Key(contact string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rec := s.get(contacts, contact); rec != nil {
		return rec.text("cThreadlineId")
	}
	return ""
}

// Properties are what a contact's page shows.
func (s *Simulator) Properties(contact string) []demo.Property {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.get(contacts, contact)
	if rec == nil {
		return []demo.Property{}
	}
	return demo.Present([]demo.Property{
		{Label: "Name", Value: personName(rec)}, {Label: "Phone", Value: rec.text("phoneNumber")},
		{Label: "Description", Value: rec.text("description")}, {Label: "WhatsApp Username", Value: rec.text("cWhatsappUsername")},
		{Label: "WhatsApp User ID", Value: rec.text("cWhatsappUserId")}, {Label: "WhatsApp Marketing", Value: rec.text("cWhatsappMarketing")},
		{Label: "Threadline ID", Value: rec.text("cThreadlineId")}, {Label: "Record", Value: rec.ID},
	})
}

func sentAt(rec *record) time.Time {
	if at, err := time.Parse(datetime, rec.text("dateSent")); err == nil {
		return at
	}
	return rec.createdAt()
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
