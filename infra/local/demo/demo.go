// Package demo shows a simulated CRM to people: its contacts, one contact's timeline, and the files on it.
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

// Entry is something on a record's timeline.
type Entry struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	HTML  string    `json:"html"` // safe to show
	Files []File    `json:"files"`
}

// File is attached to an entry.
type File struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	MIME    string    `json:"mime"`
	Size    int64     `json:"size"`
	Private bool      `json:"private"`
	Changed time.Time `json:"-"`
}
