package espocrm

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// maxText is how long an entry's text may be, in UTF-16 units. EspoCRM states no limit; WhatsApp's longest text has 4,096,
// so that an entry of many is whole.
const maxText = 100_000

// The first part of an EntryRef: what kind of record the entry is.
const (
	asNote    = "note."
	asMessage = "message."
)

// PutMessage makes a record of the custom entity, or a note where there is none.
func (c *Connector) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	has, err := c.schema(ctx)
	if err != nil {
		return "", err
	}
	put, kind := c.postNote, asNote
	if has.messages {
		put, kind = c.createMessage, asMessage
	}
	id, err := put(ctx, on, e, files)
	if err != nil {
		return "", c.orContactGone(ctx, on, err)
	}
	return crm.EntryRef(kind + id), nil
}

// orContactGone is crm.ErrGone if something was forbidden because the contact isn't there: EspoCRM lets nobody write on
// that, nor read the notes that were on it.
func (c *Connector) orContactGone(ctx context.Context, on crm.ContactRef, err error) error {
	if !rest.HasStatus(err, http.StatusForbidden) {
		return err
	}
	if _, lost := c.read(ctx, opReadContact, contactType, string(on)); missing(lost) {
		return gone(lost)
	}
	return err
}

// FindMessage looks for the key.
func (c *Connector) FindMessage(ctx context.Context, on crm.ContactRef, e crm.Entry) (crm.EntryRef, bool, error) {
	has, err := c.schema(ctx)
	if err != nil {
		return "", false, err
	}
	find, kind := c.findNote, asNote
	if has.messages {
		find, kind = c.findMessage, asMessage
	}
	id, err := find(ctx, on, e.Key)
	return crm.EntryRef(kind + id), id != "", err
}

// UpdateMessage changes the entry, whichever kind it is.
func (c *Connector) UpdateMessage(ctx context.Context, on crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	if id, ok := strings.CutPrefix(string(ref), asMessage); ok {
		return c.updateMessage(ctx, id, to, files)
	}
	return c.updateNote(ctx, on, strings.TrimPrefix(string(ref), asNote), to, files)
}

// A FileRef is the id of an attachment and what its name says of our key: ID.TAG.

// missedBy returns the files of ours that a record doesn't have, be it from an upload that nobody remembers.
func missedBy(r record, field string, files []crm.FileRef) []crm.FileRef {
	ids, names := r.ids(field), r.names(field)
	return slices.DeleteFunc(slices.Clone(files), func(f crm.FileRef) bool {
		id, tag, _ := strings.Cut(string(f), ".")
		return slices.Contains(ids, id) || slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, "-"+tag) })
	})
}

// attach returns the ids of the attachments that a record is to have. Those that it has are named too: others are
// taken off. https://docs.espocrm.com/development/api/attachment/
func attach(r record, field string, files []crm.FileRef) []string {
	return append(r.ids(field), idsOf(missedBy(r, field, files))...)
}

func idsOf(files []crm.FileRef) []string {
	ids := []string{}
	for _, f := range files {
		id, _, _ := strings.Cut(string(f), ".")
		ids = append(ids, id)
	}
	return ids
}
