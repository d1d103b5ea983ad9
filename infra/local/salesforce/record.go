package salesforce

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// record is a row of an object. Values are text; an empty one is null.
type record struct {
	ID      string            `json:"id"`
	Object  string            `json:"object"`
	Values  map[string]string `json:"values"`
	Created time.Time         `json:"created"`
	Changed time.Time         `json:"changed"`
	By      string            `json:"by,omitempty"` // the user who made it
	Deleted bool              `json:"deleted,omitempty"`
}

func (r *record) clone() *record {
	c := *r
	c.Values = maps.Clone(r.Values)
	return &c
}

func (s *Simulator) apply(r *record) {
	if s.records[r.ID] == nil {
		s.order = append(s.order, r.ID)
		s.serial++
	}
	s.records[r.ID] = r
	s.revision++
}

// commit makes a record's new state lasting; then it is there for everybody.
func (s *Simulator) commit(r *record) error {
	if err := s.journal.Append(r); err != nil {
		return err
	}
	s.apply(r)
	return nil
}

func (s *Simulator) newRecord(object string, values map[string]string) *record {
	now := s.options.Now().UTC()
	r := &record{ID: s.newID(s.schema[object].prefix), Object: object, Values: maps.Clone(values), Created: now, Changed: now}
	for name, f := range s.schema[object].fields {
		if f.initial != "" && r.Values[name] == "" {
			r.Values[name] = f.initial
		}
	}
	if object == "ContentDocumentLink" && r.Values["Visibility"] == "" {
		// https://help.salesforce.com/s/articleView?id=000384243&type=1
		r.Values["Visibility"] = map[bool]string{true: "InternalUsers", false: "AllUsers"}[s.options.Sites]
	}
	return r
}

// all returns the records of an object, the oldest first.
func (s *Simulator) all(object string) []*record {
	var list []*record
	for _, id := range s.order {
		if r := s.records[id]; r.Object == object {
			list = append(list, r)
		}
	}
	return list
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newID returns an id of 18 characters: the object's prefix, the pod, a number in base 62, and the checksum.
func (s *Simulator) newID(prefix string) string {
	// A prime spreads the letters' case, so that whoever compares ids without it finds out.
	n := (s.serial + 1) * 7_919_993
	number := make([]byte, 9)
	for i := len(number) - 1; i >= 0; i-- {
		number[i], n = alphabet[n%62], n/62
	}
	return long(prefix + "Dm0" + string(number))
}

// long returns the 18-character form of an id: the last three say which of the others are upper case.
// https://help.salesforce.com/s/articleView?id=000385585&type=1
func long(id string) string {
	if len(id) != 15 {
		return id
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	sum := make([]byte, 0, 3)
	for part := range slices.Chunk([]byte(id), 5) {
		bits := 0
		for i, c := range part {
			if c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		sum = append(sum, letters[bits])
	}
	return id + string(sum)
}

// find returns the record with an id of either length, or the refusal that a call naming it in its path gets.
func (s *Simulator) find(object, id string) (*record, error) {
	r := s.records[long(id)]
	switch {
	case r == nil || r.Object != object:
		return nil, refuse(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+id)
	case r.Deleted:
		return nil, refuse(404, "ENTITY_IS_DELETED", "entity is deleted")
	}
	return r, nil
}

// remove deletes a record with its details: children in a master-detail relationship, tasks, links to files.
func (s *Simulator) remove(r *record) error {
	gone := r.clone()
	gone.Deleted, gone.Changed = true, s.options.Now().UTC()
	if err := s.commit(gone); err != nil {
		return err
	}
	for _, child := range s.children(r.ID) {
		if err := s.remove(child); err != nil {
			return err
		}
	}
	return nil
}

func (s *Simulator) children(id string) []*record {
	var list []*record
	for _, other := range s.order {
		r := s.records[other]
		for name, f := range s.schema[r.Object].fields {
			if f.cascades && r.Values[name] == id && !r.Deleted {
				list = append(list, r)
			}
		}
	}
	return list
}

// merge lets the second contact live on in the first: gaps are filled, what hangs on it moves.
func (s *Simulator) merge(winner, loser *record) error {
	kept := winner.clone()
	for name, value := range loser.Values {
		if kept.Values[name] == "" && !s.schema["Contact"].fields[name].unique {
			kept.Values[name] = value
		}
	}
	if err := s.commit(kept); err != nil {
		return err
	}
	for _, child := range s.children(loser.ID) {
		moved := child.clone()
		for name, f := range s.schema[child.Object].fields {
			if f.cascades && moved.Values[name] == loser.ID {
				moved.Values[name] = winner.ID
			}
		}
		if err := s.commit(moved); err != nil {
			return err
		}
	}
	gone := loser.clone()
	gone.Deleted, gone.Values["MasterRecordId"], gone.Changed = true, winner.ID, s.options.Now().UTC()
	return s.commit(gone)
}

func isID(s string) bool {
	return (len(s) == 15 || len(s) == 18) && strings.Trim(s, alphabet) == ""
}
