package webhookcrm

import (
	"cmp"
	"net/http"
	"strings"
)

// putContact makes the record that a key stands for, or completes it.
func (s *Simulator) putContact(d document) answer {
	if d.Contact.Key == "" {
		return wrong(http.StatusUnprocessableEntity, "contact_key")
	}
	old, known := s.contacts.find(func(c *contact) bool { return c.Key == d.Contact.Key && !c.Deleted })
	if d.Contact.Ref != "" {
		var gone *answer
		if old, gone = s.contact(d.Contact.Ref); gone != nil {
			return *gone
		}
		known = true
	}
	c := contact{}
	if known {
		c = *old
	} else {
		c.ID = s.ids.Next()
	}
	c.complete(d)
	return saved(s.commit(change{Contact: &c}), s.done(c.ID, !known))
}

// complete adds what is known of the person. What isn't told is left as it is; of the company's own fields, only gaps are
// filled.
func (c *contact) complete(d document) {
	c.Key = d.Contact.Key
	c.WhatsApp = cmp.Or(d.Contact.WhatsApp, c.WhatsApp)
	c.Username = cmp.Or(d.Contact.Username, c.Username)
	c.BSUID = cmp.Or(d.Contact.BSUID, c.BSUID)
	c.Marketing = cmp.Or(d.Contact.Marketing, c.Marketing)
	c.Name = cmp.Or(c.Name, d.Contact.Name)
	c.Phone = cmp.Or(c.Phone, d.Contact.Phone)
}

// contact returns the record that a ref names, or what to answer if there is none.
func (s *Simulator) contact(ref string) (*contact, *answer) {
	c, ok := s.contacts.find(func(c *contact) bool { return s.named(c.ID, c.Key, ref) && !c.Deleted })
	if ok {
		return c, nil
	}
	a := wrong(http.StatusGone, "contact_deleted")
	if c, ok := s.contacts.get(ref); ok && c.Merged != "" {
		a.body = map[string]string{"moved_to": c.Merged}
	}
	return nil, &a
}

// named tells whether a ref names a row: by the id that it was given, or by Threadline's key if none was given.
func (s *Simulator) named(id, key, ref string) bool {
	if s.options.Least {
		return key == ref
	}
	return id == ref
}

func (s *Simulator) findContacts(d document) answer {
	if s.options.Least {
		return answer{status: http.StatusNoContent}
	}
	found := []map[string]any{}
	for _, c := range s.contacts.rows {
		if c.Deleted || !d.fits(c) {
			continue
		}
		one := map[string]any{"ref": c.ID, "phones": []string{}}
		if c.Key != "" {
			one["key"] = c.Key
		}
		if c.Phone != "" {
			one["phones"] = []string{c.Phone}
		}
		found = append(found, one)
	}
	return answer{status: http.StatusOK, body: map[string]any{"contacts": found}}
}

// fits tells whether a contact may be the one who is looked for. It may say so too often: Threadline compares.
func (d document) fits(c *contact) bool {
	if d.Find.Key != "" {
		return c.Key == d.Find.Key
	}
	number := strings.TrimLeft(digits(c.Phone), "0")
	for _, way := range append(d.Find.Phone.Ways, d.Find.Phone.National...) {
		if way != "" && strings.HasSuffix(number, way) {
			return true
		}
	}
	return false
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// putMessage makes the entry that a key stands for, or lets it show what it is to show now.
func (s *Simulator) putMessage(d document) answer {
	if d.Entry.Key == "" || d.Entry.At.IsZero() || len(d.Entry.Messages) == 0 {
		return wrong(http.StatusUnprocessableEntity, "entry")
	}
	c, gone := s.contact(d.Contact.Ref)
	if gone != nil {
		return *gone
	}
	old, known := s.entries.find(func(e *entry) bool { return e.Key == d.Entry.Key && s.there(e) })
	if d.Entry.Ref != "" {
		old, known = s.entry(d.Entry.Ref)
		if !known {
			return wrong(http.StatusGone, "entry_deleted")
		}
	}
	e := entry{Key: d.Entry.Key}
	if known {
		e = *old
	} else {
		e.ID = s.ids.Next()
	}
	e.Contact, e.At, e.HTML = c.ID, d.Entry.At, d.Entry.HTML
	for _, m := range d.Entry.Messages {
		if m.Direction == "out" {
			e.Status = m.Status
		}
	}
	return saved(s.commit(change{Entry: &e}), s.done(e.ID, !known))
}

func (s *Simulator) entry(ref string) (*entry, bool) {
	return s.entries.find(func(e *entry) bool { return s.named(e.ID, e.Key, ref) && s.there(e) })
}

// there tells whether an entry exists: it goes with its contact.
func (s *Simulator) there(e *entry) bool {
	c, ok := s.contacts.get(e.Contact)
	return ok && !c.Deleted && !e.Deleted
}

// report notes what became of a request.
func (s *Simulator) report(d document) answer {
	old, ok := s.requests.get(d.Request.ID)
	if !ok {
		return wrong(http.StatusGone, "request_unknown")
	}
	r := *old
	r.Settled, r.Problem = true, d.Request.Problem
	return saved(s.commit(change{Request: &r}), answer{status: http.StatusNoContent})
}
