package pipedrive

// change is a line of the journal: the new state of one thing.
type change struct {
	Person *person `json:"person,omitempty"`
	Field  *field  `json:"field,omitempty"`
	Note   *note   `json:"note,omitempty"`
	File   *file   `json:"file,omitempty"`
	Hook   *hook   `json:"hook,omitempty"`
}

func (s *Simulator) apply(c change) {
	switch {
	case c.Person != nil:
		s.persons[c.Person.ID] = append(s.persons[c.Person.ID], c.Person)
		s.lastID = max(s.lastID, c.Person.ID)
	case c.Field != nil:
		s.setField(c.Field)
	case c.Note != nil:
		s.notes[c.Note.ID] = c.Note
		s.lastID = max(s.lastID, c.Note.ID)
	case c.File != nil:
		s.files[c.File.ID] = c.File
		s.lastID = max(s.lastID, c.File.ID)
	case c.Hook != nil:
		s.hooks[c.Hook.ID] = c.Hook
		s.lastID = max(s.lastID, c.Hook.ID)
	}
	s.revision++
}

// commit makes a change lasting; then it is there for everybody.
func (s *Simulator) commit(c change) error {
	if err := s.journal.Append(c); err != nil {
		return err
	}
	s.apply(c)
	return nil
}
