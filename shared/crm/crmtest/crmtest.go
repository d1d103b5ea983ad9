// Package crmtest is the suite that every crm.Connector passes.
//
// It knows nothing of any CRM: a Fixture makes connectors and looks at what the CRM holds. Each connector that the suite
// asks for stands for a process of its own, so nothing may depend on what an earlier one remembered. The suite plays the
// careful caller of package crm: it notes what it is about to make, looks for it after an outcome that isn't known,
// waits as long as an error says, provisions when told to, and repeats everything else.
//
// It runs against a simulator, and against a real server: a Fixture that is Live has no switches and no clock.
package crmtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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

	// Advance lets time pass for the CRM and for every connector; on a real server it sleeps, at most some seconds.
	Advance func(time.Duration)

	// Live says that this is a real server. It may hold contacts of others, which CRM doesn't show; it may be provisioned;
	// it can't be limited, and nobody takes a permission away. What the suite made is deleted in the end.
	Live bool

	// Ready says that the account needs no provisioning, so that nothing is ErrNotProvisioned.
	Ready bool

	// TimeInText says that the CRM dates entries itself; they show the message's time as "2026-01-02 12:00 UTC".
	TimeInText bool

	// MaxText is how much of a text is kept whole, in bytes; 60 KB if it is 0.
	MaxText int

	unique string
	owners map[crm.ContactRef]chat.ContactID
}

// Inspector is the account as its user sees it, and what its administrator can do to it.
type Inspector interface {
	// Contacts lists the contacts that exist.
	Contacts() []Contact
	// Entries lists a contact's timeline in the order of time, or of insertion where that is the CRM's order.
	Entries(contact string) []Entry
	// AddContact types a contact in. Search finds it when it returns. A number that the CRM refuses to take as typed is put
	// there as an import of old data would have put it; where not even that works, ok is false.
	AddContact(name, phone string) (id string, ok bool)
	// DeleteContact deletes one.
	DeleteContact(id string)
	// Forbid takes a permission away, without which nothing can be written, and returns its name as an error tells it.
	Forbid() (scope string)
	// Limit makes the CRM refuse calls for their number, from now on, for as long as d. ok is false if it has no limits.
	Limit(d time.Duration) (ok bool)
}

// Contact is a contact of the CRM.
type Contact struct {
	ID    string // the ContactRef of it
	Key   string // crm.Person.Key; empty if the CRM doesn't show it
	Name  string
	Phone string
}

// Entry is one entry on a timeline.
type Entry struct {
	At    time.Time
	Text  string // as shown: HTML resolved, line breaks as \n
	HTML  string // as stored; empty if the CRM stores no HTML
	Files []File
}

// File is attached to an entry.
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
		{"Check", testCheck},
		{"Idempotency", testIdempotency},
		{"SameContactTwice", testSameContactTwice},
		{"TakenOverByPhone", testTakenOverByPhone},
		{"PhoneFormats", testPhoneFormats},
		{"SeveralMatches", testSeveralMatches},
		{"NotAnothersContact", testNotAnothersContact},
		{"NoPhone", testNoPhone},
		{"Filled", testFilled},
		{"BackDated", testBackDated},
		{"Bundle", testBundle},
		{"Escaping", testEscaping},
		{"LongText", testLongText},
		{"Files", testFiles},
		{"BigFile", testBigFile},
		{"CompletedLater", testCompletedLater},
		{"DeletedContact", testDeletedContact},
		{"MissingScope", testMissingScope},
		{"RateLimit", testRateLimit},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, begin(t, fixture)) })
	}
	t.Run("Faults", func(t *testing.T) { testFaults(t, fixture) })
}

// begin makes a fixture whose keys no other has.
func begin(t *testing.T, fixture func(t *testing.T) Fixture) Fixture {
	f := fixture(t)
	f.owners = map[crm.ContactRef]chat.ContactID{}
	if f.unique = "A"; f.Live {
		f.unique = rand.Text()[:10]
		t.Cleanup(func() {
			for _, c := range f.CRM.Contacts() {
				f.CRM.DeleteContact(c.ID)
			}
		})
	}
	return f
}

// ready returns a connector to a provisioned account.
func ready(t *testing.T, f Fixture) crm.Connector {
	t.Helper()
	return provisioned(t, f.Connect(nil))
}

func provisioned(t *testing.T, c crm.Connector) crm.Connector {
	t.Helper()
	if err := c.Provision(t.Context()); err != nil {
		t.Fatalf("provision: %v", err)
	}
	return c
}

// noon is when the messages of the suite were written: long ago, as after an outage.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func (f Fixture) hash(name string) string {
	sum := sha256.Sum256([]byte(f.unique + " " + name))
	return hex.EncodeToString(sum[:20])
}

func (f Fixture) entry(name, text string) crm.Entry {
	return crm.Entry{Key: f.hash("entry " + name), At: noon, Messages: []crm.Message{{
		ID: chat.MessageID("wamid." + name + f.unique), At: noon, Direction: chat.In, Kind: chat.KindText, Author: "María", Text: text,
	}}}
}

func (f Fixture) file(name string, content []byte) crm.File {
	sum := sha256.Sum256(content)
	return crm.File{
		Key: f.hash("file " + name), Name: "photo.jpg", MIME: "image/jpeg", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), At: noon,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}
}

// key is that of the n-th person.
func (f Fixture) key(n int) chat.ContactID {
	return chat.ContactID(fmt.Sprintf("01J%s%02d", f.hash("person")[:21], n))
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
