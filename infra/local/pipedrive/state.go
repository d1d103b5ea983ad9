package pipedrive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// change is a line of the journal: the new state of one thing.
type change struct {
	Person *person `json:"person,omitempty"`
	Field  *field  `json:"field,omitempty"`
	Note   *note   `json:"note,omitempty"`
	File   *file   `json:"file,omitempty"`
	Hook   *hook   `json:"hook,omitempty"`
}

func (s *Simulator) open() error {
	if err := os.MkdirAll(filepath.Join(s.options.StateDir, "files"), 0o700); err != nil {
		return err
	}
	name := filepath.Join(s.options.StateDir, "journal.jsonl")
	old, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := 0 // a line that was cut short by a crash was never answered
	for line := range bytes.Lines(old) {
		if line[len(line)-1] != '\n' {
			break
		}
		var c change
		if err := json.Unmarshal(line, &c); err != nil {
			return fmt.Errorf("read %s at byte %d: %w", name, whole, err)
		}
		s.apply(c)
		whole += len(line)
	}
	s.journal, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := s.journal.Truncate(int64(whole)); err != nil {
		return err
	}
	_, err = s.journal.Seek(0, 2)
	return err
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
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if _, err := s.journal.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	s.apply(c)
	return nil
}
