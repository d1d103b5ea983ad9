// Package crm is what Threadline and a company's CRM agree on: a Connector puts a person, the entries of a conversation
// and their files on the customer's record.
//
// A connector translates and classifies; it decides nothing. The caller owns order (one contact's entries one at a
// time), claims and retries. Every method may be called again with the same key after a crash or an answer that never
// came, and must then find what the first call made: the key, not luck, is what prevents a second contact, entry or
// file. Package crmtest holds the suite that every connector passes.
package crm

import (
	"context"
	"io"
	"time"

	"threadline/shared/chat"
)

// Connector is one kind of CRM.
type Connector interface {
	// Name is the word in CRM_CONNECTOR, for instance "hubspot".
	Name() string

	// Provision makes what the CRM lacks: properties, fields. It is idempotent; it is called on first use and again
	// after ErrNotProvisioned.
	Provision(ctx context.Context) error

	// EnsureContact finds the person by key, else by phone among the records that have no key yet (exactly one match
	// is taken over, several are left alone), else creates one. It fills empty fields and never overwrites.
	EnsureContact(ctx context.Context, p Person) (ContactRef, error)

	// EnsureEntry finds the timeline entry by its key, else creates it on the contact.
	EnsureEntry(ctx context.Context, c ContactRef, e Entry) (EntryRef, error)

	// EnsureFile finds the file by its key, else uploads it, private.
	EnsureFile(ctx context.Context, f File) (FileRef, error)

	// Complete brings an existing entry up to date: its text, and its files attached. It is idempotent.
	Complete(ctx context.Context, c ContactRef, e EntryRef, to Entry, files []FileRef) error
}

// The refs are opaque outside the connector that made them. An EntryRef may name more than one record of the CRM, when
// the CRM wants a note for the files beside the entry.
type (
	ContactRef string
	EntryRef   string
	FileRef    string
)

// Person is a contact as the CRM is to know it.
type Person struct {
	Key      chat.ContactID // unique and lasting: the idempotency key
	Name     string
	Phone    string // digits, country code first; empty when the customer hides it
	Username string
}

// Entry is one message on the timeline.
type Entry struct {
	Key       string // unique and lasting: the idempotency key; at most 64 characters of [A-Za-z0-9_-]
	At        time.Time
	Direction chat.Direction
	Author    string // who wrote it, as shown
	Text      string // plain text, as the customer wrote it: the connector escapes
	Note      string // a line of ours below the text: "photo is arriving", "may have been delivered"
}

// File is an attachment. Open may be called more than once, and gives the same bytes each time.
type File struct {
	Key  string // unique and lasting: the idempotency key; at most 64 characters of [A-Za-z0-9_-]
	Name string // safe as a file name: no path, no control characters
	MIME string
	Size int64 // bytes
	Open func(ctx context.Context) (io.ReadCloser, error)
}
