package pipedrive

import (
	"html"
	"strconv"
	"strings"

	"threadline/infra/local/demo"
)

// What people do by hand in the web app.

var _ demo.Writer = (*Simulator)(nil)

// How says how one writes to a customer here.
func (s *Simulator) How() string { return "A note that begins with /wa" }

// Write makes a note by hand that asks for a message to be sent.
func (s *Simulator) Write(contact, text string) error {
	if !strings.HasPrefix(strings.ToLower(text), "/wa") {
		text = "/wa " + text
	}
	text = "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
	_, err := s.AddNote(contact, text)
	return err
}

// AddNote makes a note by hand, with any content.
func (s *Simulator) AddNote(contact, content string) (id string, err error) {
	person, _ := strconv.ParseInt(contact, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.person(person) == nil {
		return "", notFound("Person")
	}
	n := &note{ID: s.newID(), Person: person, User: salesUser, Editor: salesUser, Content: sanitise(content), Added: s.now(), Updated: s.now()}
	if err := s.commit(change{Note: n}); err != nil {
		return "", err
	}
	s.emit("create", "app", salesUser, n, nil)
	return strconv.FormatInt(n.ID, 10), nil
}

// EditNote changes a note by hand.
func (s *Simulator) EditNote(id, content string) error {
	number, _ := strconv.ParseInt(id, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.notes[number]
	if before == nil || before.Deleted {
		return notFound("Note")
	}
	n := *before
	n.Content, n.Editor, n.Updated = sanitise(content), salesUser, s.now()
	if err := s.commit(change{Note: &n}); err != nil {
		return err
	}
	s.emit("change", "app", salesUser, &n, before)
	return nil
}

// DeleteNote deletes a note by hand.
func (s *Simulator) DeleteNote(id string) error {
	number, _ := strconv.ParseInt(id, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removeNote(number, "app", salesUser)
}

// AddPerson types a person in.
func (s *Simulator) AddPerson(name string, phones ...string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &person{ID: s.newID(), Name: name, Custom: map[string]string{}, Added: s.now(), Updated: s.now()}
	for i, phone := range phones {
		p.Phones = append(p.Phones, contactDetail{Value: phone, Primary: i == 0, Label: "work"})
	}
	return strconv.FormatInt(p.ID, 10), s.commit(change{Person: p})
}

// DeletePerson deletes a person by hand.
func (s *Simulator) DeletePerson(id string) error {
	number, _ := strconv.ParseInt(id, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(number)
}

// Merge merges one person into another, which keeps what it has and gets the rest.
// https://developers.pipedrive.com/tutorials/merging-two-persons-via-pipedrive-api
func (s *Simulator) Merge(from, into string) error {
	a, _ := strconv.ParseInt(from, 10, 64)
	b, _ := strconv.ParseInt(into, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	lost, kept := s.person(a), s.person(b)
	if lost == nil || kept == nil || lost.Deleted || kept.Deleted {
		return notFound("Person")
	}
	survivor := kept.clone()
	survivor.Updated = s.now()
	survivor.Phones = append(survivor.Phones, lost.Phones...)
	for code, value := range lost.Custom {
		if survivor.Custom[code] == "" {
			survivor.Custom[code] = value
		}
	}
	if err := s.commit(change{Person: survivor}); err != nil {
		return err
	}
	if err := s.moveTo(a, b); err != nil {
		return err
	}
	return s.remove(a)
}

// moveTo gives one person's notes and files to another.
func (s *Simulator) moveTo(a, b int64) error {
	for _, n := range s.sortedNotes(func(n *note) bool { return n.Person == a }) {
		moved := *n
		moved.Person = b
		if err := s.commit(change{Note: &moved}); err != nil {
			return err
		}
	}
	for _, f := range s.filesOf(a) {
		moved := *f
		moved.Person = b
		if err := s.commit(change{File: &moved}); err != nil {
			return err
		}
	}
	return nil
}
