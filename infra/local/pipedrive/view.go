package pipedrive

import (
	"cmp"
	"html"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"threadline/infra/local/demo"
)

var (
	_ demo.CRM      = (*Simulator)(nil)
	_ demo.Detailed = (*Simulator)(nil)
)

// Person is a person as somebody looking at the account sees it.
type Person struct {
	ID     string
	Name   string
	Phones []string
	Fields map[string]string // the custom ones, by name
}

// Persons returns those that aren't deleted, the oldest first.
func (s *Simulator) Persons() []Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Person
	for _, id := range s.personIDs() {
		p := s.person(id)
		if p == nil || p.Deleted {
			continue
		}
		shown := Person{ID: strconv.FormatInt(id, 10), Name: p.Name, Phones: values(p.Phones), Fields: map[string]string{}}
		for _, f := range s.fields {
			if v := p.Custom[f.Code]; v != "" && !f.Deleted {
				shown.Fields[f.Name] = v
			}
		}
		list = append(list, shown)
	}
	return list
}

// Title names the account.
func (s *Simulator) Title() string { return "Simulated Pipedrive" }

// Revision grows with every change.
func (s *Simulator) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// Contacts returns the persons, the latest entry first.
func (s *Simulator) Contacts() []demo.Contact {
	var list []demo.Contact
	for _, p := range s.Persons() {
		c := demo.Contact{ID: p.ID, Name: p.Name}
		if len(p.Phones) > 0 {
			c.Phone = p.Phones[0]
		}
		for _, e := range s.Timeline(p.ID) {
			c.Count(e.At)
		}
		list = append(list, c)
	}
	demo.LatestFirst(list)
	return list
}

// Timeline returns a person's notes and files in the order of time. A file that a note names is shown with it.
func (s *Simulator) Timeline(contact string) []demo.Entry {
	id, _ := strconv.ParseInt(contact, 10, 64)
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []demo.Entry
	files := s.filesOf(id)
	for _, n := range s.sortedNotes(func(n *note) bool { return n.Person == id && !n.Deleted }) {
		e := demo.Entry{ID: strconv.FormatInt(n.ID, 10), At: n.Added, Kind: "Note", HTML: n.Content}
		if m := outcome.FindStringSubmatch(n.Content); m != nil {
			e.From, e.Problem = demo.Company, demo.Failure(demo.Text(m[1]))
		}
		files = slices.DeleteFunc(files, func(f *file) bool {
			named := strings.Contains(n.Content, html.EscapeString(f.Name))
			if named {
				e.Files = append(e.Files, f.show())
			}
			return named
		})
		list = append(list, e)
	}
	for _, f := range files {
		list = append(list, demo.Entry{
			ID: strconv.FormatInt(f.ID, 10), At: f.Added, Kind: "File", HTML: "<p>File</p>", Files: []demo.File{f.show()},
		})
	}
	slices.SortStableFunc(list, func(a, b demo.Entry) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return list
}

// outcome is what Threadline says on a note that somebody wrote to have it sent.
var outcome = regexp.MustCompile(`<p>WhatsApp: ([^<]*?)(?: Ref\. tl[0-9a-f]{16})?</p>`)

// Key is the person's contact of Threadline.
func (s *Simulator) Key(contact string) string {
	for _, p := range s.Persons() {
		if p.ID == contact {
			return p.Fields["Threadline ID"]
		}
	}
	return ""
}

// Properties are what a person's page shows, the custom fields by their names.
func (s *Simulator) Properties(contact string) []demo.Property {
	for _, p := range s.Persons() {
		if p.ID != contact {
			continue
		}
		list := []demo.Property{{Label: "Name", Value: p.Name}, {Label: "Phone", Value: strings.Join(p.Phones, ", ")}}
		for _, name := range slices.Sorted(maps.Keys(p.Fields)) {
			list = append(list, demo.Property{Label: name, Value: p.Fields[name]})
		}
		return demo.Present(append(list, demo.Property{Label: "Record", Value: p.ID}))
	}
	return []demo.Property{}
}

func (f *file) show() demo.File {
	return demo.File{
		ID: strconv.FormatInt(f.ID, 10), Name: f.Name, MIME: f.MIME, Size: f.Size, Changed: f.Added,
		Private: true, // a file is for who may see the person
	}
}

// Open opens a file's bytes.
func (s *Simulator) Open(id string) (io.ReadSeekCloser, demo.File, error) {
	n, _ := strconv.ParseInt(id, 10, 64)
	s.mu.Lock()
	f := s.files[n]
	s.mu.Unlock()
	if f == nil || f.Deleted {
		return nil, demo.File{}, notFound("File")
	}
	content, err := s.journal.OpenFile(f.Stored)
	return content, f.show(), err
}
