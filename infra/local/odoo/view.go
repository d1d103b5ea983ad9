package odoo

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"threadline/infra/local/demo"
)

// The simulator is a demo.CRM: the record with its chatter, as the user of Sales sees it, who answers there.
var (
	_ demo.CRM      = (*Simulator)(nil)
	_ demo.Writer   = (*Simulator)(nil)
	_ demo.Detailed = (*Simulator)(nil)
)

// Title names the CRM.
func (s *Simulator) Title() string { return fmt.Sprintf("simulated Odoo %d", s.options.Version) }

// Revision grows with every change.
func (s *Simulator) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// Contacts returns the contacts of people outside, the latest entry first.
func (s *Simulator) Contacts() []demo.Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []demo.Contact{}
	for _, r := range s.sorted("res.partner") {
		if s.hasUser(r.ID) || !r.flag("active") {
			continue
		}
		c := demo.Contact{ID: strconv.FormatInt(r.ID, 10), Name: r.text("name"), Phone: cmp.Or(r.text("phone"), r.text("mobile"))}
		for _, m := range s.chatter(r.ID) {
			c.Count(timeOf(m))
		}
		list = append(list, c)
	}
	demo.LatestFirst(list)
	return list
}

// chatter returns a contact's messages in the order in which they were made, whatever their dates.
func (s *Simulator) chatter(partner int64) []*record {
	var list []*record
	for _, m := range s.sorted("mail.message") {
		if m.text("model") == "res.partner" && m.number("res_id") == partner {
			list = append(list, m)
		}
	}
	return list
}

func timeOf(m *record) time.Time {
	at, _ := time.Parse(clockFormat, m.text("date"))
	return at
}

// Timeline returns a contact's chatter, the oldest first.
func (s *Simulator) Timeline(contact string) []demo.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.ParseInt(contact, 10, 64)
	list := []demo.Entry{}
	for _, m := range s.chatter(id) {
		e := demo.Entry{ID: strconv.FormatInt(m.ID, 10), At: timeOf(m), Kind: "Note", HTML: m.text("body")}
		if m.number("subtype_id") == commentSubtype {
			e.Kind, e.From = "Message", demo.Company
		}
		if r := notSent.FindStringSubmatch(e.HTML); r != nil {
			e.Problem = demo.NotSent(demo.Text(r[1]))
		}
		for _, id := range m.list("attachment_ids") {
			if a := s.records["ir.attachment"][id]; a != nil {
				e.Files = append(e.Files, asFile(a))
			}
		}
		list = append(list, e)
	}
	return list
}

// notSent is a note that says why what a user wrote wasn't sent.
var notSent = regexp.MustCompile(`^<p><strong>WhatsApp</strong></p><p>(.*?)</p>`)

// contactName begins the external id of a contact that Threadline knows; its key follows.
const contactName = "threadline.contact_"

// Key is the contact's of Threadline, which Odoo keeps in an external id.
func (s *Simulator) Key(contact string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.ParseInt(contact, 10, 64)
	for name, x := range s.xmlids {
		if key, ours := strings.CutPrefix(name, contactName); ours && x.Model == "res.partner" && x.ID == id {
			return key
		}
	}
	return ""
}

// Properties are what a contact's form shows.
func (s *Simulator) Properties(contact string) []demo.Property {
	key := s.Key(contact)
	s.mu.Lock()
	defer s.mu.Unlock()
	id, _ := strconv.ParseInt(contact, 10, 64)
	r := s.records["res.partner"][id]
	if r == nil {
		return []demo.Property{}
	}
	external := ""
	if key != "" {
		external = contactName + key
	}
	return demo.Present([]demo.Property{
		{Label: "Name", Value: r.text("name")}, {Label: "Phone", Value: r.text("phone")}, {Label: "Mobile", Value: r.text("mobile")},
		{Label: "Email", Value: r.text("email")}, {Label: "External ID", Value: external}, {Label: "Record", Value: contact},
	})
}

func asFile(a *record) demo.File {
	changed, _ := time.Parse(clockFormat, a.text("write_date"))
	return demo.File{
		ID: strconv.FormatInt(a.ID, 10), Name: a.text("name"), MIME: a.text("mimetype"), Size: a.number("file_size"),
		Private: !a.flag("public"), Changed: changed,
	}
}

// Open opens a file.
func (s *Simulator) Open(file string) (io.ReadSeekCloser, demo.File, error) {
	s.mu.Lock()
	id, _ := strconv.ParseInt(file, 10, 64)
	a := s.records["ir.attachment"][id]
	s.mu.Unlock()
	if a == nil || a.text("store_fname") == "" {
		return nil, demo.File{}, fs.ErrNotExist
	}
	content, err := s.journal.OpenFile(a.text("store_fname"))
	if err != nil {
		return nil, demo.File{}, fmt.Errorf("open attachment: %w", err)
	}
	return content, asFile(a), nil
}

// Write posts in a contact's chatter as the user of Sales, and returns when the hooks were called.
func (s *Simulator) Write(contact, text string) error { return s.WriteWith(contact, text) }

// Attachment is a file that a user sends along.
type Attachment struct {
	Name, MIME string
	Content    io.Reader
}

// WriteWith posts as Write does, with files, which are then the contact's.
func (s *Simulator) WriteWith(contact, text string, files ...Attachment) error {
	id, err := strconv.ParseInt(contact, 10, 64)
	if err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	kept := make([]blob, len(files))
	for i, f := range files {
		if kept[i], err = s.store(f.Content); err != nil {
			return fmt.Errorf("keep attachment: %w", err)
		}
	}
	_, err = s.run(salesUser, nil, func(t *tx) (any, error) {
		attached := []any{}
		for i, f := range files {
			attachment, err := t.create("ir.attachment", map[string]any{
				"name": f.Name, "mimetype": f.MIME, "datas": kept[i], "res_model": "res.partner", "res_id": float64(id),
			})
			if err != nil {
				return nil, err
			}
			attached = append(attached, float64(attachment))
		}
		return t.post("res.partner", []int64{id}, map[string]any{
			"body": text, "message_type": "comment", "subtype_xmlid": "mail.mt_comment", "attachment_ids": attached,
		})
	})
	return err
}

// Act chooses an action on a contact as the user of Sales, and returns when its hook was called.
func (s *Simulator) Act(action, contact string) error {
	id, err := strconv.ParseInt(contact, 10, 64)
	if err != nil {
		return fmt.Errorf("contact: %w", err)
	}
	_, err = s.run(salesUser, nil, func(t *tx) (any, error) {
		for _, a := range s.sorted("ir.actions.server") {
			on := t.get("ir.model", a.number("binding_model_id"))
			if a.text("name") == action && a.text("state") == "webhook" && on != nil && on.text("model") == "res.partner" {
				t.callHook(a, on.text("model"), id)
				return nil, nil
			}
		}
		return nil, fmt.Errorf("contacts have no action %q", action)
	})
	return err
}

// How says how a user asks for a message.
func (s *Simulator) How() string { return "Send message in the chatter" }
