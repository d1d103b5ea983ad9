package espocrm

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// postMarkup mends escapes that EspoCRM takes amiss: its page puts a backslash of its own before each <, which with ours
// makes HTML of it, and tells every user whose name stands after an @.
// https://github.com/espocrm/espocrm/blob/master/client/src/view-helper.js
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Tools/Notification/NoteMentionHookProcessor.php
var postMarkup = strings.NewReplacer(`\<`, "&lt;", `\@`, "&#64;")

// post is an entry in Markdown, with its time, which a note doesn't have, and with its mark.
func post(e crm.Entry, mark string) string {
	return "WhatsApp · " + e.At.UTC().Format("2006-01-02 15:04 UTC") + "\n\n" + postMarkup.Replace(crm.Markdown(e, maxText)) + "\n\n" + mark
}

// markOf is a link definition, which Markdown doesn't show. What people write can't be one: it is escaped.
func markOf(key string) string { return "[threadline]: # (" + key + ")" }

// later makes the key of the note that continues one which can't be changed any more.
func later(key string) string { return key + "-2" }

// postNote makes a note. https://docs.espocrm.com/development/api/stream/#post-to-stream
func (c *Connector) postNote(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (string, error) {
	return c.postMarked(ctx, on, post(e, markOf(e.Key)), files)
}

// postMarked makes the note internal, so that portal users don't see it. Version 10 forbids that where internal notes are
// not allowed, which on contacts they aren't as EspoCRM comes; there the note is like everybody's.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Classes/RecordHooks/Note/BeforeCreate.php
func (c *Connector) postMarked(ctx context.Context, on crm.ContactRef, text string, files []crm.FileRef) (string, error) {
	in := map[string]any{"type": "Post", "parentType": contactType, "parentId": string(on), "post": text}
	if len(files) > 0 {
		in["attachmentsIds"] = idsOf(files)
	}
	if c.mayBeInternal() {
		in["isInternal"] = true
		id, err := c.create(ctx, opPostNote, noteType, in)
		if !rest.HasStatus(err, http.StatusForbidden) {
			return id, err
		}
		delete(in, "isInternal")
	}
	id, err := c.create(ctx, opPostNote, noteType, in)
	if err == nil {
		c.neverInternal()
	}
	return id, err
}

func (c *Connector) mayBeInternal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known == nil || !c.known.noInternal
}

// neverInternal holds until the schema is read anew.
func (c *Connector) neverInternal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known != nil {
		c.known.noInternal = true
	}
}

const (
	streamPage  = 50
	streamPages = 40 // bounds a search on a server that doesn't filter a stream
)

// findNote looks through the contact's stream, the newest first. The filter leaves what has the key in it; should a server
// not filter, each note of a page is compared all the same.
func (c *Connector) findNote(ctx context.Context, on crm.ContactRef, key string) (string, error) {
	for n := range streamPages {
		q := where("post", "contains", key)
		q.Set("maxSize", strconv.Itoa(streamPage))
		q.Set("offset", strconv.Itoa(n*streamPage))
		found, _, err := c.list(ctx, opFindNote, path(contactType, string(on), "stream"), q)
		if err != nil {
			return "", gone(err)
		}
		for _, r := range found {
			if strings.Contains(r.text("post"), markOf(key)) {
				return r.id(), nil
			}
		}
		if len(found) < streamPage {
			return "", nil
		}
	}
	return "", nil
}

// updateNote changes a note. EspoCRM lets its author do so for seven days; after that what is new goes into a second
// note, which is found and changed like the first.
// https://docs.espocrm.com/administration/config-params/#stream
func (c *Connector) updateNote(ctx context.Context, on crm.ContactRef, id string, to crm.Entry, files []crm.FileRef) error {
	r, err := c.read(ctx, opReadNote, noteType, id)
	if err != nil {
		return gone(c.orContactGone(ctx, on, err))
	}
	text, missed := post(to, markOf(to.Key)), missedBy(r, "attachments", files)
	if r.text("post") == text && len(missed) == 0 {
		return nil
	}
	err = c.update(ctx, opUpdateNote, noteType, id, map[string]any{"post": text, "attachmentsIds": attach(r, "attachments", files)})
	if !rest.HasStatus(err, http.StatusForbidden) {
		return gone(err)
	}
	return c.continueNote(ctx, on, to, missed)
}

// continueNote makes the second note of an entry, or changes it.
func (c *Connector) continueNote(ctx context.Context, on crm.ContactRef, to crm.Entry, files []crm.FileRef) error {
	text := post(to, markOf(later(to.Key)))
	id, err := c.findNote(ctx, on, later(to.Key))
	if err != nil {
		return err
	}
	if id == "" {
		_, err = c.postMarked(ctx, on, text, files)
		return err
	}
	r, err := c.read(ctx, opReadNote, noteType, id)
	if err != nil {
		return gone(err)
	}
	err = c.update(ctx, opUpdateNote, noteType, id, map[string]any{"post": text, "attachmentsIds": attach(r, "attachments", files)})
	if rest.HasStatus(err, http.StatusForbidden) {
		return &crm.Error{Class: crm.Refused, Op: opUpdateNote, Status: http.StatusForbidden, Reason: "NOTE_TOO_OLD"}
	}
	return gone(err)
}
