// Package crmtest is the suite that every crm.Connector passes.
//
// It knows nothing of any CRM: a Fixture makes connectors and looks at what the CRM holds. Each connector that the suite
// asks for stands for a process of its own, so nothing may depend on what an earlier one remembered. The suite plays the
// careful caller of package crm: it keeps the refs that it was given, waits as long as an error says, provisions when
// told to, and repeats everything else.
package crmtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// Fixture is an empty, unprovisioned account of a CRM, and the ways to reach it.
type Fixture struct {
	// Connect returns a connector without memory. Its calls go through wrap, unless that is nil.
	Connect func(wrap func(http.RoundTripper) http.RoundTripper) crm.Connector

	// CRM is the account as its user sees it.
	CRM Inspector

	// Advance lets time pass for the CRM and for every connector.
	Advance func(time.Duration)

	// Settle is how long a caller that lost a ref must wait before it ensures the same thing again; 0 if not at all.
	Settle time.Duration
}

// Inspector is the account as its user sees it, and what its administrator can do to it.
type Inspector interface {
	// Contacts lists the contacts that exist.
	Contacts() []Contact
	// Entries lists a contact's timeline in the order of time.
	Entries(contact string) []Entry
	// AddContact types a contact in. Search finds it at once.
	AddContact(name, phone string) (id string)
	// DeleteContact deletes one.
	DeleteContact(id string)
	// Forbid takes a permission away, without which nothing can be written, and returns its name.
	Forbid() (scope string)
	// Limit makes the CRM refuse calls for their number, from now on, for as long as d.
	Limit(d time.Duration)
}

// Contact is a contact of the CRM.
type Contact struct {
	ID    string
	Key   string // crm.Person.Key
	Name  string
	Phone string
}

// Entry is one message on a timeline.
type Entry struct {
	At    time.Time
	Text  string // as shown: HTML resolved, line breaks as \n
	HTML  string // as stored; empty if the CRM stores plain text
	Files []File
}

// File is a file attached to an entry.
type File struct {
	Private bool
	Size    int64
	SHA256  [32]byte
}

// Run runs the suite; each part gets a fixture of its own.
func Run(t *testing.T, fixture func(t *testing.T) Fixture) {
	for _, part := range []struct {
		name string
		test func(*testing.T, Fixture)
	}{
		{"Unprovisioned", testUnprovisioned},
		{"Idempotency", testIdempotency},
		{"SameContactTwice", testSameContactTwice},
		{"TakenOverByPhone", testTakenOverByPhone},
		{"PhoneFormats", testPhoneFormats},
		{"SeveralMatches", testSeveralMatches},
		{"NotAnothersContact", testNotAnothersContact},
		{"NoPhone", testNoPhone},
		{"BackDated", testBackDated},
		{"Escaping", testEscaping},
		{"LongText", testLongText},
		{"Files", testFiles},
		{"BigFile", testBigFile},
		{"CompletedLater", testCompletedLater},
		{"DeletedContact", testDeletedContact},
		{"MissingScope", testMissingScope},
		{"RateLimit", testRateLimit},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, fixture(t)) })
	}
	t.Run("Faults", func(t *testing.T) { testFaults(t, fixture) })
}

// ready returns a connector to a provisioned account.
func ready(t *testing.T, f Fixture) crm.Connector {
	t.Helper()
	c := f.Connect(nil)
	if err := c.Provision(t.Context()); err != nil {
		t.Fatalf("provision: %v", err)
	}
	return c
}

func person() crm.Person {
	return crm.Person{Key: "01JCONTACT0000000000000001", Name: "María García López", Phone: "34600111222"}
}

// noon is when the messages of the suite were written: long ago, as after an outage.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func entry(key, text string) crm.Entry {
	return crm.Entry{Key: key, At: noon, Direction: chat.In, Author: "María", Text: text}
}

func file(key string, content []byte) crm.File {
	return crm.File{
		Key: key, Name: "photo.jpg", MIME: "image/jpeg", Size: int64(len(content)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

func ensureContact(t *testing.T, c crm.Connector, p crm.Person) crm.ContactRef {
	t.Helper()
	ref, err := c.EnsureContact(t.Context(), p)
	if err != nil {
		t.Fatalf("ensure contact: %v", err)
	}
	return ref
}

func ensureEntry(t *testing.T, c crm.Connector, owner crm.ContactRef, e crm.Entry) crm.EntryRef {
	t.Helper()
	ref, err := c.EnsureEntry(t.Context(), owner, e)
	if err != nil {
		t.Fatalf("ensure entry: %v", err)
	}
	return ref
}

func ensureFile(t *testing.T, c crm.Connector, f crm.File) crm.FileRef {
	t.Helper()
	ref, err := c.EnsureFile(t.Context(), f)
	if err != nil {
		t.Fatalf("ensure file: %v", err)
	}
	return ref
}

func complete(t *testing.T, c crm.Connector, owner crm.ContactRef, ref crm.EntryRef, to crm.Entry, files ...crm.FileRef) {
	t.Helper()
	if err := c.Complete(t.Context(), owner, ref, to, files); err != nil {
		t.Fatalf("complete: %v", err)
	}
}

// onlyContact returns the only contact of the account.
func onlyContact(t *testing.T, f Fixture) Contact {
	t.Helper()
	all := f.CRM.Contacts()
	if len(all) != 1 {
		t.Fatalf("the account has %d contacts, want 1", len(all))
	}
	return all[0]
}

// attached returns the files on a contact's timeline, on whichever entry.
func attached(f Fixture, contact string) []File {
	var files []File
	for _, e := range f.CRM.Entries(contact) {
		files = append(files, e.Files...)
	}
	return files
}

// classOf returns the class of an error.
func classOf(err error) (crm.Class, bool) {
	e, ok := errors.AsType[*crm.Error](err)
	if !ok {
		return 0, false
	}
	return e.Class, true
}
