package crmtest

import (
	"context"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// How the careful caller makes things: what it is about to make it notes before, as on a table.

// claim is a note about one thing.
type claim struct {
	ref   string
	tried bool // it may be there although ref is empty
}

// once returns the ref of what is made once: found after an outcome that isn't known, else put.
func (c *claim) once(atomic bool, find func() (string, bool, error), put func() (string, error)) (string, error) {
	if c.ref != "" {
		return c.ref, nil
	}
	if c.tried && !atomic {
		ref, ok, err := find()
		if err != nil {
			return "", err
		}
		if ok {
			c.ref = ref
			return ref, nil
		}
	}
	c.tried = true
	ref, err := put()
	if err != nil {
		c.tried = crm.Unsettled(err)
		return "", err
	}
	c.ref = ref
	return ref, nil
}

func (f Fixture) owner(_ context.Context, ref crm.ContactRef) (chat.ContactID, error) {
	return f.owners[ref], nil
}

func (f Fixture) putContact(ctx context.Context, c crm.Connector, p crm.Person) (match.Found, error) {
	found, err := match.Contact(ctx, c, p, f.owner)
	if err == nil {
		f.owners[found.Ref] = p.Key
	}
	return found, err
}

func putEntry(ctx context.Context, c crm.Connector, note *claim, on crm.ContactRef, e crm.Entry, files ...crm.FileRef) (crm.EntryRef, error) {
	ref, err := note.once(c.Capabilities().AtomicMessages,
		func() (string, bool, error) {
			ref, ok, err := c.FindMessage(ctx, on, e)
			return string(ref), ok, err
		},
		func() (string, error) {
			ref, err := c.PutMessage(ctx, on, e, files)
			return string(ref), err
		})
	return crm.EntryRef(ref), err
}

// putFile uploads before there is an entry if the CRM wants that.
func putFile(ctx context.Context, c crm.Connector, note *claim, on crm.ContactRef, entry crm.EntryRef, f crm.File) (crm.FileRef, error) {
	if c.Capabilities().FilesFirst {
		entry = ""
	}
	ref, err := note.once(c.Capabilities().AtomicFiles,
		func() (string, bool, error) {
			ref, ok, err := c.FindFile(ctx, on, entry, f)
			return string(ref), ok, err
		},
		func() (string, error) {
			ref, err := c.PutFile(ctx, on, entry, f)
			return string(ref), err
		})
	return crm.FileRef(ref), err
}

func (f Fixture) contact(t *testing.T, c crm.Connector, p crm.Person) crm.ContactRef {
	t.Helper()
	found, err := f.putContact(t.Context(), c, p)
	if err != nil {
		t.Fatalf("contact: %v", err)
	}
	return found.Ref
}

func message(t *testing.T, c crm.Connector, on crm.ContactRef, e crm.Entry, files ...crm.FileRef) crm.EntryRef {
	t.Helper()
	ref, err := putEntry(t.Context(), c, &claim{}, on, e, files...)
	if err != nil {
		t.Fatalf("put message: %v", err)
	}
	return ref
}

func upload(t *testing.T, c crm.Connector, on crm.ContactRef, entry crm.EntryRef, f crm.File) crm.FileRef {
	t.Helper()
	ref, err := putFile(t.Context(), c, &claim{}, on, entry, f)
	if err != nil {
		t.Fatalf("put file: %v", err)
	}
	return ref
}

func update(t *testing.T, c crm.Connector, on crm.ContactRef, ref crm.EntryRef, to crm.Entry, files ...crm.FileRef) {
	t.Helper()
	if err := c.UpdateMessage(t.Context(), on, ref, to, files); err != nil {
		t.Fatalf("update message: %v", err)
	}
}
