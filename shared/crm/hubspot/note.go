package hubspot

import (
	"context"

	"threadline/shared/crm"
)

// noteToContact is the id of HubSpot's own association of the two.
// https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide#association-type-id-values
const noteToContact = 202

func (c *Connector) note(e crm.Entry, files []crm.FileRef) record {
	caption := crm.Entry{Key: e.Key, At: e.At, Messages: e.Messages[:1:1]}
	m := caption.Messages[0]
	m.Text, m.Note = "File of the WhatsApp message.", ""
	caption.Messages = []crm.Message{m}
	return record{
		kind:        notes,
		key:         e.Key,
		association: noteToContact,
		body:        "hs_note_body",
		properties: map[string]string{
			"hs_note_body": c.html(notes, caption, ""),
			"hs_timestamp": e.At.UTC().Format(timestamp),
			attachmentIDs:  join(nil, files),
		},
	}
}

// attachNote puts the files of an entry on a note with the entry's key and time. fresh says that there can't be one yet.
// Where a note can't be read by its key, its id is kept on the communication, since a search wouldn't show it yet.
func (c *Connector) attachNote(ctx context.Context, on crm.ContactRef, communication object, e crm.Entry, files []crm.FileRef, fresh bool) error {
	about, err := c.about(ctx, notes)
	if err != nil {
		return err
	}
	r := c.note(e, files)
	known := noteOf(communication, e.Key)
	var there object
	var found bool
	switch {
	case fresh || about.mode == keyed && len(files) == 1: // the first file: HubSpot tells if it isn't
	case about.mode != keyed && known != "":
		there, err = c.existing(ctx, notes, known, attachmentIDs)
		found = true
	default:
		there, found, err = c.find(ctx, r)
	}
	if err == nil && !found {
		there, found, err = c.createNote(ctx, on, r)
	}
	if err == nil && about.mode != keyed && known == "" {
		body := map[string]string{communicationBody: c.html(communications, e, there.ID)}
		err = c.patch(ctx, communications, communication.ID, body)
	}
	if err != nil {
		return afterLag(err, about.mode)
	}
	if ids := join(attached(there), files); found && ids != there.get(attachmentIDs) {
		return c.patch(ctx, notes, there.ID, map[string]string{attachmentIDs: ids})
	}
	return nil
}

// createNote returns the note that is there already if there is one.
func (c *Connector) createNote(ctx context.Context, on crm.ContactRef, r record) (there object, found bool, err error) {
	id, err := c.create(ctx, on, r)
	if conflicts(err) {
		there, err = c.holder(ctx, r)
		return there, err == nil, err
	}
	return object{ID: id}, false, err
}

// afterLag makes the caller wait for the search that will show what was made.
func afterLag(err error, m mode) error {
	if e, ok := asError(err); ok && m != keyed {
		e.After = max(e.After, SearchLag)
	}
	return err
}

// halfDone says of an error that the communication was made before it.
func halfDone(err error) error {
	if e, ok := asError(err); ok {
		e.Unknown = true
	}
	return err
}
