package webhook

import (
	"cmp"
	"context"
	"strings"

	"threadline/shared/crm"
)

// PutMessage sends an entry. Without an answer of the receiver's own, its key is the ref.
func (c *Connector) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	ref, err := c.put(ctx, "put message", document{Type: typeMessage, Contact: &contactPart{Ref: on}, Entry: shown(e, files)})
	if err != nil {
		return "", err
	}
	return crm.EntryRef(cmp.Or(ref, e.Key)), nil
}

// UpdateMessage sends the entry as it is to be, with the ref of the one that is there.
func (c *Connector) UpdateMessage(ctx context.Context, on crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	entry := shown(to, files)
	entry.Ref = ref
	_, err := c.put(ctx, "update message", document{Type: typeMessage, Contact: &contactPart{Ref: on}, Entry: entry})
	return err
}

// FindMessage finds nothing: whoever doesn't know whether an entry is there puts it once more.
func (c *Connector) FindMessage(context.Context, crm.ContactRef, crm.Entry) (crm.EntryRef, bool, error) {
	return "", false, nil
}

// How much of an entry is sent, so that no document has more than 4 MB. One text of WhatsApp's is always whole.
const (
	maxShown = 256 << 10 // UTF-16 units of the HTML, and of the plain text
	maxSaid  = 1 << 20   // bytes of all messages' texts together
)

// shown is an entry in three ways: as HTML and as plain text for a CRM that just shows it, and message by message.
func shown(e crm.Entry, files []crm.FileRef) *entryPart {
	out := &entryPart{Key: e.Key, At: e.At.UTC(), HTML: crm.HTML(e, maxShown), Text: crm.Plain(e, maxShown), Files: files}
	said := 0
	for _, m := range e.Messages {
		said += len(m.Text)
	}
	for _, m := range e.Messages {
		if each := maxSaid / len(e.Messages); said > maxSaid && len(m.Text) > each {
			m.Text = strings.ToValidUTF8(m.Text[:each], "") + "… (shortened)"
		}
		out.Messages = append(out.Messages, messagePart{
			ID: m.ID, At: m.At.UTC(), Direction: m.Direction, Kind: m.Kind, Status: m.Status,
			Author: m.Author, Text: m.Text, Note: m.Note,
		})
	}
	return out
}
