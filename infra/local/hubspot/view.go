package hubspot

import (
	"os"
	"slices"
	"strings"
	"time"
)

// Contact is a contact as somebody looking at the account sees it.
type Contact struct {
	ID         string
	Properties map[string]string
	Entries    int       // on its timeline
	Latest     time.Time // time of the newest entry; zero if there is none
}

// Name is what the CRM's list shows.
func (c Contact) Name() string {
	return strings.TrimSpace(c.Properties["firstname"] + " " + c.Properties["lastname"])
}

// Entry is something on a timeline: a communication or a note.
type Entry struct {
	Kind string // communications or notes
	ID   string
	At   time.Time
	HTML string
	// Files are the attachments that exist.
	Files []File
}

// File is a file as the file manager shows it.
type File struct {
	ID, Name, MIME, Access string
	Size                   int64 // bytes
}

// Contacts returns the contacts that exist, the newest conversation first.
func (s *Simulator) Contacts() []Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Contact
	at := map[string]int{}
	for _, o := range s.sorted(contacts) {
		if !o.Archived && o.Merged == "" {
			at[o.ID] = len(list)
			list = append(list, Contact{ID: o.ID, Properties: o.clone().Properties})
		}
	}
	s.eachEntry(func(contact string, o *object) {
		i, ok := at[contact]
		if !ok {
			return
		}
		list[i].Entries++
		if t := timeOf(o); t.After(list[i].Latest) {
			list[i].Latest = t
		}
	})
	slices.SortStableFunc(list, func(a, b Contact) int { return b.Latest.Compare(a.Latest) })
	return list
}

func (s *Simulator) eachEntry(f func(contact string, o *object)) {
	for _, kind := range []string{communications, notes} {
		for _, o := range s.sorted(kind) {
			if o.Archived {
				continue
			}
			for _, l := range o.Links {
				f(l.ID, o)
			}
		}
	}
}

func timeOf(o *object) time.Time {
	at, _ := parseTime(o.Properties["hs_timestamp"])
	return at
}

// Timeline returns what is on a contact's record, the oldest first.
func (s *Simulator) Timeline(contact string) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Entry
	s.eachEntry(func(id string, o *object) {
		if id != contact {
			return
		}
		e := Entry{Kind: o.Kind, ID: o.ID, At: timeOf(o), HTML: o.Properties["hs_communication_body"] + o.Properties["hs_note_body"]}
		for _, id := range attachments(o.Properties["hs_attachment_ids"]) {
			if f := s.files[id]; f != nil && !f.Archived {
				e.Files = append(e.Files, File{ID: f.ID, Name: f.fullName(), MIME: f.MIME, Access: f.Access, Size: f.Size})
			}
		}
		list = append(list, e)
	})
	slices.SortStableFunc(list, func(a, b Entry) int { return a.At.Compare(b.At) })
	return list
}

// AddContact types a contact in, as a user of the CRM would. It returns its id.
func (s *Simulator) AddContact(properties map[string]string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkNew(contacts, properties); err != nil {
		return "", err
	}
	o, err := s.insert(contacts, properties, nil)
	if err != nil {
		return "", err
	}
	return o.ID, nil
}

// DeleteContact puts a contact into the recycling bin.
func (s *Simulator) DeleteContact(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.find(contacts, id, "", false)
	if err != nil {
		return err
	}
	return s.archive(o)
}

// OpenFile opens a file's bytes.
func (s *Simulator) OpenFile(id string) (*os.File, error) {
	content, _, err := s.openFile(id)
	return content, err
}

func (s *Simulator) openFile(id string) (*os.File, file, error) {
	s.mu.Lock()
	f := s.files[id]
	s.mu.Unlock()
	if f == nil || f.Archived {
		return nil, file{}, notFound("File")
	}
	content, err := s.journal.OpenFile(f.Blob)
	return content, *f, err
}
