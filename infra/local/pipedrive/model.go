package pipedrive

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// The users of the account.
const (
	integrationUser = 1 // the token is this one's
	salesUser       = 2 // writes notes by hand
)

var userNames = map[int]string{integrationUser: "Integration", salesUser: "Sales"}

// person is one state of a person.
type person struct {
	ID      int64             `json:"id"`
	Name    string            `json:"name"`
	Phones  []contactDetail   `json:"phones,omitempty"`
	Emails  []contactDetail   `json:"emails,omitempty"`
	Custom  map[string]string `json:"custom,omitempty"` // by the field's hash
	Added   time.Time         `json:"added"`
	Updated time.Time         `json:"updated"`
	Deleted bool              `json:"deleted,omitempty"`
}

// contactDetail is a telephone number or an e-mail address.
type contactDetail struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
	Label   string `json:"label"`
}

// clone is what a change starts from.
func (p *person) clone() *person {
	c := *p
	c.Phones, c.Emails = slices.Clone(p.Phones), slices.Clone(p.Emails)
	if c.Custom = maps.Clone(p.Custom); c.Custom == nil {
		c.Custom = map[string]string{}
	}
	return &c
}

// kept is how long a deleted person can still be read.
// https://developers.pipedrive.com/docs/api/v1/Persons#deletePerson
const kept = 30 * 24 * time.Hour

// person returns the present state, or nil if there is no such person any more.
func (s *Simulator) person(id int64) *person {
	states := s.persons[id]
	if len(states) == 0 {
		return nil
	}
	p := states[len(states)-1]
	if p.Deleted && s.now().Sub(p.Updated) >= kept {
		return nil
	}
	return p
}

// indexed returns what search knows of a person: nil if nothing.
func (s *Simulator) indexed(id int64) *person {
	at := s.options.Now().Add(-s.options.SearchLag)
	var known *person
	for _, p := range s.persons[id] {
		if !p.Updated.After(at) {
			known = p
		}
	}
	if known == nil || known.Deleted {
		return nil
	}
	return known
}

func (s *Simulator) personIDs() []int64 { return slices.Sorted(maps.Keys(s.persons)) }

// note is a note. Its content is already sanitised.
type note struct {
	ID      int64     `json:"id"`
	Person  int64     `json:"person"`
	User    int       `json:"user"`
	Editor  int       `json:"editor"`
	Content string    `json:"content"`
	Added   time.Time `json:"added"`
	Updated time.Time `json:"updated"`
	Deleted bool      `json:"deleted,omitempty"`
}

// file is a file on a person; its bytes are with the journal.
type file struct {
	ID      int64     `json:"id"`
	Person  int64     `json:"person"`
	Name    string    `json:"name"`   // as uploaded
	Stored  string    `json:"stored"` // made unique
	MIME    string    `json:"mime"`
	Size    int64     `json:"size"` // bytes
	Added   time.Time `json:"added"`
	Deleted bool      `json:"deleted,omitempty"`
}

// field describes a field of persons.
type field struct {
	Code    string `json:"code"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Custom  bool   `json:"custom"`
	Deleted bool   `json:"deleted,omitempty"`
}

// ownFields are Pipedrive's, as far as anybody here uses them.
func ownFields() []*field {
	return []*field{
		{Code: "id", Name: "ID", Type: "int"}, {Code: "name", Name: "Name", Type: "varchar"},
		{Code: "phone", Name: "Phone", Type: "phone"}, {Code: "email", Name: "Email", Type: "varchar"},
		{Code: "add_time", Name: "Person created", Type: "date"}, {Code: "owner_id", Name: "Owner", Type: "user"},
	}
}

func (s *Simulator) setField(f *field) {
	for i, old := range s.fields {
		if old.Code == f.Code {
			s.fields[i] = f
			return
		}
	}
	s.fields = append(s.fields, f)
}

func (s *Simulator) field(code string) *field {
	for _, f := range s.fields {
		if f.Code == code && !f.Deleted {
			return f
		}
	}
	return nil
}

// splitName makes the two names that Pipedrive shows of the one that was given.
func splitName(name string) (first, last string) {
	first, last, _ = strings.Cut(strings.TrimSpace(name), " ")
	return first, last
}
