package hubspot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"threadline/shared/crm"
)

// The ids of HubSpot's own associations with a contact.
// https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide#association-type-id-values
const (
	communicationToContact = 81
	noteToContact          = 202
)

// attachmentIDs holds the ids of files, separated by semicolons.
const attachmentIDs = "hs_attachment_ids"

// timestamp is where an entry stands on the timeline: the message's own time.
const timestamp = "2006-01-02T15:04:05.000Z"

// EnsureEntry finds the communication with threadline_message, else creates it on the contact.
func (c *Connector) EnsureEntry(ctx context.Context, owner crm.ContactRef, e crm.Entry) (crm.EntryRef, error) {
	id, _, err := c.ensure(ctx, owner, record{
		kind:        communications,
		key:         e.Key,
		association: communicationToContact,
		body:        "hs_communication_body",
		properties: map[string]string{
			"hs_communication_channel_type": "WHATS_APP",
			"hs_communication_logged_from":  "CRM",
			"hs_communication_body":         c.html(communications, e),
			"hs_timestamp":                  e.At.UTC().Format(timestamp),
		},
	})
	return crm.EntryRef(id), err
}

// Complete writes the text again and attaches the files: to the communication, or to a note beside it where HubSpot
// has no attachments on communications. Files that somebody attached by hand stay.
func (c *Connector) Complete(ctx context.Context, owner crm.ContactRef, entry crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	changed := map[string]string{"hs_communication_body": c.html(communications, to)}
	if len(files) == 0 {
		return c.patch(ctx, "complete communication", communications, string(entry), changed)
	}
	here, err := c.attachesToCommunications(ctx)
	if err != nil {
		return err
	}
	if here {
		ids, err := c.withFiles(ctx, communications, string(entry), files)
		if err != nil {
			return err
		}
		changed[attachmentIDs] = ids
	}
	if err := c.patch(ctx, "complete communication", communications, string(entry), changed); err != nil {
		return err
	}
	if here {
		return nil
	}
	return c.ensureNote(ctx, owner, to, files)
}

// ensureNote puts the files of an entry on a note with the entry's key and time.
func (c *Connector) ensureNote(ctx context.Context, owner crm.ContactRef, e crm.Entry, files []crm.FileRef) error {
	caption := e
	caption.Text, caption.Note = "File of the WhatsApp message.", ""
	id, created, err := c.ensure(ctx, owner, record{
		kind:        notes,
		key:         e.Key,
		association: noteToContact,
		body:        "hs_note_body",
		properties: map[string]string{
			"hs_note_body": c.html(notes, caption),
			"hs_timestamp": e.At.UTC().Format(timestamp),
			attachmentIDs:  join(files),
		},
	})
	if err != nil || created {
		return err
	}
	ids, err := c.withFiles(ctx, notes, id, files)
	if err != nil {
		return err
	}
	return c.patch(ctx, "complete note", notes, id, map[string]string{attachmentIDs: ids})
}

// withFiles returns the attachments that a record is to have: those it has, and ours.
func (c *Connector) withFiles(ctx context.Context, kind, id string, files []crm.FileRef) (string, error) {
	o, err := c.read(ctx, "read "+kind, kind, id, "", attachmentIDs)
	if hasStatus(err, http.StatusNotFound) {
		return "", gone("read " + kind)
	}
	if err != nil {
		return "", err
	}
	all := strings.FieldsFunc(o.get(attachmentIDs), func(r rune) bool { return r == ';' })
	for _, f := range files {
		if !slices.Contains(all, string(f)) {
			all = append(all, string(f))
		}
	}
	return strings.Join(all, ";"), nil
}

func join(files []crm.FileRef) string {
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = string(f)
	}
	return strings.Join(ids, ";")
}

// attachesToCommunications asks HubSpot once whether communications have attachments: its documents don't say.
func (c *Connector) attachesToCommunications(ctx context.Context) (bool, error) {
	c.mu.Lock()
	known := c.attach
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	p, err := c.property(ctx, communications, attachmentIDs)
	if err != nil {
		return false, err
	}
	has := p != nil
	c.mu.Lock()
	c.attach = &has
	c.mu.Unlock()
	return has, nil
}

// property is the definition of a property.
type property struct {
	HasUniqueValue *bool `json:"hasUniqueValue"` // nil: not said
}

// property returns nil if there is no such property.
func (c *Connector) property(ctx context.Context, kind, name string) (*property, error) {
	var p property
	path := propertiesPath + kind + "/" + url.PathEscape(name)
	err := c.call(ctx, "read property", http.MethodGet, path, nil, &p)
	if hasStatus(err, http.StatusNotFound) || errors.Is(err, crm.ErrNotProvisioned) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}
