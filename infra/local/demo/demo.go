// Package demo shows simulated CRMs to people: their contacts, one contact's timeline, and the files on it. Of a CRM that
// isn't simulated it says where the records are.
//
// It knows no vendor: a simulator is a CRM, and one page looks at all of them.
package demo

import (
	"io"
	"slices"
	"time"
)

// CRM is a simulated CRM, as its user sees it.
type CRM interface {
	Title() string       // the vendor's name, with "simulated" before it
	Contacts() []Contact // the latest entry first
	Timeline(contact string) []Entry
	Open(file string) (io.ReadSeekCloser, File, error)
	Revision() int64 // grows with every change
}

// Writer is a CRM in which a user can ask for a message to be sent.
type Writer interface {
	// Write does what the vendor's user does, a chatter message or a note, and what the vendor then does: it calls its hooks.
	Write(contact, text string) error
	// How says in a few words what that is, for instance "Send message in the chatter".
	How() string
}

// Detailed is a CRM whose records have more to show than a name and a number.
type Detailed interface {
	// Key is Threadline's contact that a record is; empty if the CRM doesn't know.
	Key(contact string) string
	// Properties are a record's, in the order in which they are shown.
	Properties(contact string) []Property
}

// Property is a line about a record. A value that is a time in RFC 3339 is shown as people write one.
type Property struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// Present returns the properties that have a value.
func Present(list []Property) []Property {
	return slices.DeleteFunc(list, func(p Property) bool { return p.Value == "" })
}

// Queue is a CRM that keeps what its user asked for beside the timeline.
type Queue interface {
	// Asked are a record's requests that were not sent, or not yet.
	Asked(contact string) []Entry
}

// Contact is a record.
type Contact struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Phone   string    `json:"phone"`
	Entries int       `json:"entries"`
	Latest  time.Time `json:"latest"`
}

// Count counts an entry on the contact's timeline.
func (c *Contact) Count(at time.Time) {
	c.Entries++
	if at.After(c.Latest) {
		c.Latest = at
	}
}

// LatestFirst sorts contacts by their latest entry. Those that have none come last.
func LatestFirst(list []Contact) {
	slices.SortStableFunc(list, func(a, b Contact) int { return b.Latest.Compare(a.Latest) })
}
