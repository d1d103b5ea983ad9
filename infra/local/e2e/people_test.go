package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"threadline/infra/local/hubspot"
	"threadline/infra/local/meta"
)

// person is a customer with a phone in hand, and what the company knows of them.
type person struct {
	meta.Customer
	w            *world
	contact      string // the company's id; empty until known
	conversation string
}

// customer makes somebody new. Without a phone number they have a username.
func (w *world) customer(t *testing.T, name, phone string) *person {
	t.Helper()
	username := ""
	if phone == "" {
		username = fmt.Sprintf("customer.%d", len(w.Meta().Customers()))
	}
	c, err := w.Meta().AddCustomer(name, phone, username)
	if err != nil {
		t.Fatal(err)
	}
	w.secret(name, c.BSUID)
	if phone != "" {
		w.secret(phone)
	} else {
		w.secret(username)
	}
	return &person{Customer: c, w: w}
}

// writes sends something from the phone and returns Meta's id of it.
func (p *person) writes(t *testing.T, d meta.Draft) string {
	t.Helper()
	id, err := p.w.Meta().Write(p.ID, d)
	if err != nil {
		t.Fatal(err)
	}
	if d.Text != "" {
		p.w.secret(d.Text)
	}
	p.w.secret(id)
	return id
}

// known waits until the company knows the person, and notes their ids.
func (p *person) known(t *testing.T) {
	t.Helper()
	eventually(t, patience, func() error {
		for cursor, more := "", true; more; more = cursor != "" {
			var page struct {
				Conversations []struct {
					ID      string
					Number  string
					Contact struct{ ID, Name string }
				}
				NextCursor string `json:"next_cursor"`
			}
			if err := p.w.get(t, "/conversations?limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
				return err
			}
			for _, c := range page.Conversations {
				if c.Contact.Name == p.Name && c.Number == number {
					p.contact, p.conversation = c.Contact.ID, c.ID
					return nil
				}
			}
			cursor = page.NextCursor
		}
		return fmt.Errorf("no conversation with this customer yet")
	})
}

// record returns what the CRM has of the person: the contact and its timeline.
func (p *person) record() (hubspot.Contact, []hubspot.Entry, error) {
	var found []hubspot.Contact
	for _, c := range p.w.HubSpot().Contacts() {
		if c.Name() == p.Name {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return hubspot.Contact{}, nil, fmt.Errorf("%d contacts in the CRM, want one", len(found))
	}
	return found[0], p.w.HubSpot().Timeline(found[0].ID), nil
}

// entry waits until the record has an entry with all of the words.
func (p *person) entry(t *testing.T, words ...string) (found hubspot.Entry) {
	t.Helper()
	eventually(t, patience, func() (err error) {
		found, err = p.find(words...)
		return err
	})
	return found
}

// find looks for an entry of the record with all of the words.
func (p *person) find(words ...string) (hubspot.Entry, error) {
	_, entries, err := p.record()
	for _, e := range entries {
		if holds(e.HTML, words...) {
			return e, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("none of %d entries says %q", len(entries), words)
	}
	return hubspot.Entry{}, err
}

func holds(text string, words ...string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// onPhone waits until the phone shows a message of the company, and returns it.
func (p *person) onPhone(t *testing.T, providerID string) meta.Message {
	t.Helper()
	var found meta.Message
	eventually(t, patience, func() error {
		for _, m := range p.w.Meta().Messages(p.ID) {
			if m.ID == providerID {
				found = m
				return nil
			}
		}
		return fmt.Errorf("not on the phone yet")
	})
	return found
}

// hasEntries waits until the CRM record has as many entries as the conversation has messages.
func (p *person) hasEntries(t *testing.T) {
	t.Helper()
	eventually(t, patience, func() error {
		all, err := p.w.messages(t, p.conversation, 100)
		if err != nil {
			return err
		}
		_, entries, err := p.record()
		if err == nil && len(entries) != len(all) {
			err = fmt.Errorf("%d entries for %d messages", len(entries), len(all))
		}
		return err
	})
}

// shows counts the company's messages with a text on the phone.
func (p *person) shows(text string) (n int) {
	for _, m := range p.w.Meta().Messages(p.ID) {
		if m.Business && m.Text == text {
			n++
		}
	}
	return n
}

// replies are the texts of the company's messages on the phone, in order.
func (p *person) replies() (texts []string) {
	for _, m := range p.w.Meta().Messages(p.ID) {
		if m.Business {
			texts = append(texts, m.Text)
		}
	}
	return texts
}
