package webhookcrm

import (
	"cmp"
	"errors"
	"html"
	"io"
	"slices"
	"time"

	"threadline/infra/local/demo"
)

// The simulator is what the demo page shows.
var (
	_ demo.CRM      = (*Simulator)(nil)
	_ demo.Writer   = (*Simulator)(nil)
	_ demo.Detailed = (*Simulator)(nil)
)

// Title is what a page calls the CRM.
func (s *Simulator) Title() string { return "simulated CRM of the company’s own" }

// Revision grows with every change.
func (s *Simulator) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// Contacts returns the contacts that exist, the latest entry first.
func (s *Simulator) Contacts() []demo.Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []demo.Contact{}
	for _, c := range s.contacts.rows {
		if c.Deleted {
			continue
		}
		shown := demo.Contact{ID: c.ID, Name: c.title(), Phone: c.Phone}
		for _, e := range s.entries.rows {
			if e.Contact == c.ID && !e.Deleted {
				shown.Count(e.At)
			}
		}
		list = append(list, shown)
	}
	demo.LatestFirst(list)
	return list
}

// title is what to call somebody, whatever is known of them.
func (c *contact) title() string {
	if c.Name == "" && c.Username != "" {
		return "@" + c.Username
	}
	return cmp.Or(c.Name, c.Phone, "Somebody on WhatsApp")
}

// Timeline returns a contact's entries in the order of time, and what its user asked for that isn't an entry yet.
func (s *Simulator) Timeline(contact string) []demo.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []demo.Entry{}
	for _, e := range s.entries.rows {
		if e.Contact != contact || !s.there(e) {
			continue
		}
		shown := demo.Entry{ID: e.ID, At: e.At, Kind: "WhatsApp message", HTML: e.HTML, Status: e.Status}
		for _, f := range s.files.rows {
			if f.Entry == e.ID {
				shown.Files = append(shown.Files, f.shown())
			}
		}
		list = append(list, shown)
	}
	for _, r := range s.requests.rows {
		if r.Contact == contact && (!r.Settled || r.Problem != "") {
			list = append(list, r.shown())
		}
	}
	slices.SortStableFunc(list, func(a, b demo.Entry) int { return a.At.Compare(b.At) })
	return list
}

func (r *request) shown() demo.Entry {
	e := demo.Entry{ID: r.ID, At: r.At, Kind: "Message to send", From: demo.Company}
	became := demo.NotSent(r.Problem)
	if became == "" {
		became, e.Status = "Waiting for Threadline", "waiting"
	}
	e.HTML = "<p>" + html.EscapeString(r.Text) + "</p><p><em>" + html.EscapeString(became) + "</em></p>"
	return e
}

func (f *file) shown() demo.File {
	return demo.File{ID: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size, Private: true, Changed: f.Changed}
}

// Open opens a file's bytes.
func (s *Simulator) Open(id string) (io.ReadSeekCloser, demo.File, error) {
	s.mu.Lock()
	f, ok := s.files.get(id)
	s.mu.Unlock()
	if !ok {
		return nil, demo.File{}, errors.New("there is no such file")
	}
	content, err := s.journal.OpenFile(f.Blob)
	return content, f.shown(), err
}

// AddContact types a contact in, as a user of the CRM would. It returns the id.
func (s *Simulator) AddContact(name, phone string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &contact{ID: s.ids.Next(), Name: name, Phone: phone}
	return c.ID, s.commit(change{Contact: c})
}

// DeleteContact deletes a contact with all that is on it.
func (s *Simulator) DeleteContact(id string) error {
	return s.edit(id, func(c *contact) { c.Deleted = true })
}

// MergeContacts deletes a contact and says from now on that it is another one, which gets its entries, and Threadline's key
// if it has none.
func (s *Simulator) MergeContacts(id, into string) error {
	key := ""
	if err := s.edit(id, func(c *contact) { c.Deleted, c.Merged, key = true, into, c.Key }); err != nil {
		return err
	}
	if err := s.edit(into, func(c *contact) { c.Key = cmp.Or(c.Key, key) }); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range slices.Clone(s.entries.rows) {
		if old.Contact != id {
			continue
		}
		e := *old
		e.Contact = into
		if err := s.commit(change{Entry: &e}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Simulator) edit(id string, amend func(*contact)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.contacts.get(id)
	if !ok {
		return errors.New("there is no such contact")
	}
	c := *old
	amend(&c)
	return s.commit(change{Contact: &c})
}

// DeleteEntry deletes an entry with its files.
func (s *Simulator) DeleteEntry(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.entries.get(id)
	if !ok {
		return errors.New("there is no such entry")
	}
	e := *old
	e.Deleted = true
	return s.commit(change{Entry: &e})
}

// Key is the person's, by which Threadline knows them.
func (s *Simulator) Key(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.contacts.get(id); ok {
		return c.Key
	}
	return ""
}

// Properties are what the CRM knows of a contact beyond what its list shows.
func (s *Simulator) Properties(id string) []demo.Property {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.contacts.get(id)
	if !ok {
		return []demo.Property{}
	}
	return demo.Present([]demo.Property{
		{Label: "Name", Value: c.Name}, {Label: "Phone", Value: c.Phone}, {Label: "On WhatsApp", Value: c.WhatsApp},
		{Label: "Username", Value: c.Username}, {Label: "BSUID", Value: c.BSUID}, {Label: "Marketing", Value: c.Marketing},
		{Label: "Threadline key", Value: c.Key}, {Label: "Record", Value: c.ID},
	})
}

// Request is what the CRM's user asked for.
type Request struct {
	ID, Contact, Text string
	At                time.Time
	Settled           bool
	Problem           string
}

// Requests returns all of them, the oldest first.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Request
	for _, r := range s.requests.rows {
		list = append(list, Request(*r))
	}
	return list
}
