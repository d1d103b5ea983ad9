package hubspot

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// communicationToContact is the id of HubSpot's own association of the two.
// https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide#association-type-id-values
const communicationToContact = 81

const communicationBody = "hs_communication_body"

// attachmentIDs holds the ids of files, separated by semicolons.
const attachmentIDs = "hs_attachment_ids"

// timestamp is where an entry stands on the timeline: the message's own time.
const timestamp = "2006-01-02T15:04:05.000Z"

// maxBody is how long the HTML of a communication may be, in UTF-16 units; that of a note is the same.
// https://developers.hubspot.com/docs/api-reference/crm-notes-v3/guide#properties
const maxBody = 65536

func (c *Connector) communication(e crm.Entry) record {
	return record{
		kind:        communications,
		key:         e.Key,
		association: communicationToContact,
		body:        communicationBody,
		properties: map[string]string{
			"hs_communication_channel_type": "WHATS_APP",
			"hs_communication_logged_from":  "CRM",
			communicationBody:               c.html(communications, e, ""),
			"hs_timestamp":                  e.At.UTC().Format(timestamp),
		},
	}
}

// html writes an entry. Where a record needs it to be found again, the marker follows, and the id of the entry's note.
func (c *Connector) html(kind string, e crm.Entry, note string) string {
	if !c.isMarked(kind) && note == "" {
		return crm.HTML(e, maxBody)
	}
	foot := "<p>Ref. " + strings.TrimSpace(marker(e.Key)+" "+note) + "</p>"
	return crm.HTML(e, maxBody-len(foot)) + foot
}

// noteOf returns the id of the entry's note that html wrote.
func noteOf(o object, key string) string {
	found := regexp.MustCompile(marker(key) + ` (\d+)`).FindStringSubmatch(o.get(communicationBody))
	if found == nil {
		return ""
	}
	return found[1]
}

// PutMessage makes a communication: one call, or two if its files need a note. HubSpot refuses the key that another one
// has: that one then is the message's.
func (c *Connector) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	r := c.communication(e)
	here := false
	if len(files) > 0 {
		about, err := c.about(ctx, communications)
		if err != nil {
			return "", err
		}
		if here = about.attaches; here {
			r.properties[attachmentIDs] = join(nil, files)
		}
	}
	id, err := c.create(ctx, on, r)
	if conflicts(err) {
		o, err := c.holder(ctx, r)
		if err != nil {
			return "", err
		}
		return crm.EntryRef(o.ID), c.UpdateMessage(ctx, on, crm.EntryRef(o.ID), e, files)
	}
	if err == nil && len(files) > 0 && !here {
		err = halfDone(c.attachNote(ctx, on, object{ID: id}, e, files, true))
	}
	return crm.EntryRef(id), err
}

// FindMessage looks for the communication that carries the entry's key.
func (c *Connector) FindMessage(ctx context.Context, _ crm.ContactRef, e crm.Entry) (crm.EntryRef, bool, error) {
	o, ok, err := c.find(ctx, c.communication(e))
	return crm.EntryRef(o.ID), ok, err
}

// UpdateMessage writes the text again and attaches the files: to the communication, or to a note beside it where HubSpot
// has no attachments on communications. Files that somebody attached by hand stay.
func (c *Connector) UpdateMessage(ctx context.Context, on crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	about, err := c.about(ctx, communications)
	if err != nil {
		return err
	}
	mustRead := len(files) > 0
	if !about.attaches {
		beside, err := c.about(ctx, notes)
		if err != nil {
			return err
		}
		mustRead = beside.mode != keyed // the note's id is in the text
	}
	o := object{ID: string(ref)}
	if mustRead {
		if o, err = c.existing(ctx, communications, string(ref), communicationBody, attachmentIDs); err != nil {
			return err
		}
	}
	changed := map[string]string{communicationBody: c.html(communications, to, noteOf(o, to.Key))}
	if about.attaches && len(files) > 0 {
		changed[attachmentIDs] = join(attached(o), files)
	}
	if err := c.patch(ctx, communications, o.ID, changed); err != nil || about.attaches || len(files) == 0 {
		return err
	}
	return c.attachNote(ctx, on, o, to, files, false)
}

// existing reads a record by its id; one that is gone is crm.ErrGone.
func (c *Connector) existing(ctx context.Context, kind, id string, properties ...string) (object, error) {
	o, err := c.read(ctx, kind, id, properties...)
	if rest.HasStatus(err, http.StatusNotFound) {
		err = gone("read " + kind)
	}
	return o, err
}

// attached returns the ids of the files on a record.
func attached(o object) []string {
	return strings.FieldsFunc(o.get(attachmentIDs), func(r rune) bool { return r == ';' })
}

// join adds files to those that are there.
func join(there []string, files []crm.FileRef) string {
	for _, f := range files {
		if !slices.Contains(there, string(f)) {
			there = append(there, string(f))
		}
	}
	return strings.Join(there, ";")
}
