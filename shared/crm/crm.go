// Package crm is what Threadline and a company's CRM agree on: a Connector puts a person, the entries of a conversation
// and their files on the customer's record, and brings back what somebody in the CRM wants to be sent.
//
// A connector translates and classifies; it decides nothing and remembers nothing. The caller owns idempotency (claims
// on its table, written before each call that makes something), the order of one contact's entries, retries, and the
// rate: every HTTP call goes through the client that the connector is given. What a connector makes carries a key of
// ours wherever the CRM has a place for it, so that after a crash or an answer that never came it can be found again.
// Package crmtest holds the suite that every connector passes; package match finds a person among a CRM's records.
package crm

import (
	"context"
	"io"
	"time"

	"threadline/shared/chat"
)

// Connector is one kind of CRM. It is safe for concurrent use. Failures are *Error, or wrap ErrNotProvisioned, ErrGone or
// *Moved.
type Connector interface {
	// Name is the word in CRM_CONNECTOR, for instance "hubspot".
	Name() string

	// Capabilities say what the CRM can do. They don't change and cost no call.
	Capabilities() Capabilities

	// Check finds out whether the address, the credentials and the permissions suffice. It changes nothing.
	Check(ctx context.Context) error

	// Provision makes what the CRM lacks: properties, fields, hooks. It is idempotent; it is called on first use and again
	// after ErrNotProvisioned.
	Provision(ctx context.Context) error

	// ContactByKey returns the record that carries a key of ours. ok is false if there is none, or if the CRM can't look.
	ContactByKey(ctx context.Context, key chat.ContactID) (c Contact, ok bool, err error)

	// SearchContacts returns the records that may have a telephone number. It may find too many: the caller compares.
	SearchContacts(ctx context.Context, p Phone) ([]Contact, error)

	// CreateContact makes a record that carries the person's key.
	CreateContact(ctx context.Context, p Person) (ContactRef, error)

	// FillContact gives an existing record the person's key, where the CRM has a place for it, and what it lacks: a name, a
	// telephone number. It overwrites nothing but fields of ours.
	FillContact(ctx context.Context, c ContactRef, p Person) error

	// PutMessage makes an entry on the contact's timeline, with files that PutFile gave if the CRM takes files first.
	PutMessage(ctx context.Context, on ContactRef, e Entry, files []FileRef) (EntryRef, error)

	// FindMessage looks for an entry that an earlier PutMessage may have made. It is called only after an outcome that
	// isn't known, and not sooner than Capabilities.SearchLag after it.
	FindMessage(ctx context.Context, on ContactRef, e Entry) (ref EntryRef, ok bool, err error)

	// UpdateMessage makes an entry show what it is to show now, with these of our files attached. It is idempotent, and
	// leaves alone what others attached.
	UpdateMessage(ctx context.Context, on ContactRef, ref EntryRef, to Entry, files []FileRef) error

	// PutFile uploads a file, private and streaming. entry is empty if the CRM takes files first.
	PutFile(ctx context.Context, on ContactRef, entry EntryRef, f File) (FileRef, error)

	// FindFile looks for a file that an earlier PutFile may have made, as FindMessage does for an entry.
	FindFile(ctx context.Context, on ContactRef, entry EntryRef, f File) (ref FileRef, ok bool, err error)
}

// Capabilities are what the caller has to know of a CRM.
type Capabilities struct {
	// What is made twice with one key is there once, whoever is first, and however long ago that was. The caller then
	// repeats instead of looking.
	AtomicContacts, AtomicMessages, AtomicFiles bool

	// SearchLag is how long ContactByKey, FindMessage and FindFile may not show what was made; 0 if they show it at once.
	SearchLag time.Duration

	// InsertionOrder: the timeline shows entries in the order in which they were made, whatever their time. The caller
	// then holds an entry back for a while whose file is arriving.
	InsertionOrder bool

	// FilesFirst: an entry names its files, so that they are made before it. Otherwise a file names its entry.
	FilesFirst bool

	// MaxFile is the largest file that the CRM takes, in bytes; 0 if that isn't known. A larger one is linked.
	MaxFile int64

	// Calls is how many HTTP calls the CRM takes in each Per, from all functions together; 0 if it has no limit.
	Calls int
	Per   time.Duration
}

// The refs are opaque outside the connector that made them: at most 512 characters of printable ASCII.
type (
	ContactRef string
	EntryRef   string // may name more than one record, when the CRM wants a note for the files beside the entry
	FileRef    string
)

// Contact is a record of the CRM, as far as it matters to find out whose it is.
type Contact struct {
	Ref    ContactRef
	Key    chat.ContactID // of ours; empty if it has none, or if the CRM can't tell
	Phones []string       // every number on the record, as it is stored there
}

// Person is a contact as the CRM is to know it.
type Person struct {
	Key      chat.ContactID // unique and lasting
	Name     string         // may be empty
	Phone    Phone          // zero when the customer hides it
	Username string         // WhatsApp's, without an @; may be empty
	BSUID    string         // WhatsApp's business-scoped user id; may be empty

	// Marketing is the person's word on marketing messages: "granted", "withdrawn", or empty.
	Marketing string
}

// Phone is a telephone number in the ways in which a CRM may have it. The zero value is no number.
type Phone struct {
	Digits   string   // WhatsApp's own form: country code first, nothing but digits
	E164     string   // as one dials it, with its plus: what a new record gets
	Ways     []string // every way to write it, Digits among them: country code first, nothing but digits
	National []string // the ways without the country code, the trunk prefix left out
	Country  string   // ISO 3166 code, such as ES; empty if unknown
}

// Known tells whether there is a number.
func (p Phone) Known() bool { return p.Digits != "" }

// Entry is one entry on the timeline: a message, or several of one conversation that are shown together.
type Entry struct {
	Key      string    // unique and lasting; 40 hex digits
	At       time.Time // of the first message
	Messages []Message // in order, at least one
}

// Message is a message as an entry shows it.
type Message struct {
	ID        chat.MessageID
	At        time.Time
	Direction chat.Direction
	Kind      chat.Kind
	Status    chat.Status // of one that the company sent
	Author    string      // who wrote it, as shown; may be empty
	Text      string      // plain text, as it was written: the connector escapes
	Note      string      // lines of ours below the text: "The file is arriving."; may be empty
}

// File is an attachment. Open may be called more than once, and gives the same bytes each time.
type File struct {
	Key    string // unique and lasting; 40 hex digits
	Name   string // safe as a file name: no path, no control characters
	MIME   string
	Size   int64  // bytes
	SHA256 string // of the bytes, hex; may be empty
	At     time.Time
	Open   func(ctx context.Context) (io.ReadCloser, error)
}
