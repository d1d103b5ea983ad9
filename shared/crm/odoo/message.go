package odoo

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// chatterRef begins the ref of a message that a user of Odoo wrote, see FetchOutbound.
const chatterRef = "chatter:"

// ourDomain ends the message ids of what we wrote.
const ourDomain = "@threadline>"

// clockFormat is how Odoo writes a time, which is UTC.
const clockFormat = "2006-01-02 15:04:05"

func messageName(key string) string { return "msg_" + key }

// PutMessage imports a note into the contact's chatter. An import sends no mail and sets nothing off, whereas message_post
// does, and is no other message when it is repeated.
func (c *Connector) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (crm.EntryRef, error) {
	r := note("put message", recordID(on), messageName(e.Key), crm.HTML(e, 0))
	r.set("date", e.At.UTC().Truncate(time.Second).Format(clockFormat))
	if byCustomer(e) {
		r.set("author_id/.id", string(on))
	}
	if len(files) > 0 {
		var ids []string
		for _, f := range files {
			ids = append(ids, string(f))
		}
		r.set("attachment_ids/.id", strings.Join(ids, ","))
	}
	id, again, err := c.putNote(ctx, r)
	ref := refOf[crm.EntryRef](id)
	switch {
	case again:
		err = c.UpdateMessage(ctx, on, ref, e, files)
	case hasReason(err, refusedIn("attachment_ids")):
		left, lookErr := c.remaining(ctx, files)
		if lookErr != nil || len(left) == len(files) {
			return "", errors.Join(err, lookErr)
		}
		return c.PutMessage(ctx, on, e, left)
	}
	return ref, err
}

// putNote imports a note. From 18 on an ordinary user may not import one twice, because that would write on which record
// it is, if only once more: a note that is there already is found and left to the caller.
// https://github.com/odoo/odoo/blob/18.0/addons/mail/models/mail_message.py write
func (c *Connector) putNote(ctx context.Context, r row) (id int64, again bool, err error) {
	var out loaded
	if err := c.do(ctx, r.call(), &out); err != nil {
		return 0, false, err
	}
	if out.id() == 0 && !out.contended() {
		id, again, err = c.find(ctx, r.op, r.model, r.name)
		if again || err != nil {
			return id, again, err
		}
	}
	id, err = c.settle(ctx, r, out)
	return id, false, err
}

// note is an internal note: customers who may look into Odoo don't see it, and followers aren't mailed. Its author is the
// integration's user unless it is set.
func note(op string, contact int64, name, body string) row {
	r := row{op: op, model: messageModel, name: name, on: contact, context: map[string]any{
		"tz":               "UTC", // or its date is one of the user's time zone
		"update_many2many": true,  // repeated, it adds its files to those that people attached
	}}
	r.set("model", partnerModel)
	r.set("res_id", string(refOf[crm.ContactRef](contact)))
	r.set("body", body)
	r.set("message_type", "comment")
	r.set("subtype_id/id", "mail.mt_note")
	r.set("message_id", "<"+name+ourDomain)
	return r
}

func byCustomer(e crm.Entry) bool {
	return !slices.ContainsFunc(e.Messages, func(m crm.Message) bool { return m.Direction != chat.In })
}

// FindMessage asks what our external id names. Putting it again would do as well.
func (c *Connector) FindMessage(ctx context.Context, _ crm.ContactRef, e crm.Entry) (crm.EntryRef, bool, error) {
	id, ok, err := c.find(ctx, "find message", messageModel, messageName(e.Key))
	return refOf[crm.EntryRef](id), ok, err
}

// UpdateMessage rewrites the note and adds files to it. What a user of Odoo wrote is left as it is: there, what became of
// it is one line below.
func (c *Connector) UpdateMessage(ctx context.Context, _ crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	const op = "update message"
	if number, theirs := strings.CutPrefix(string(ref), chatterRef); theirs {
		var notes []string
		for _, m := range to.Messages {
			if m.Note != "" {
				notes = append(notes, m.Note)
			}
		}
		return c.annotate(ctx, op, recordID(crm.EntryRef(number)), notes, files)
	}
	id := recordID(ref)
	if len(files) == 0 { // with files, Odoo notices itself that a message is gone
		if err := c.exists(ctx, op, messageModel, id); err != nil {
			return err
		}
	}
	return c.rewrite(ctx, op, id, crm.HTML(to, 0), files)
}

// rewrite gives a message another body, and more files.
func (c *Connector) rewrite(ctx context.Context, op string, id int64, body string, files []crm.FileRef) error {
	vals := map[string]any{"body": body}
	if len(files) > 0 {
		// [4, id] links one. https://www.odoo.com/documentation/19.0/developer/reference/backend/orm.html#odoo.fields.Command
		var links [][]int64
		for _, f := range files {
			links = append(links, []int64{4, recordID(f)})
		}
		vals["attachment_ids"] = links
	}
	var done bool
	err := c.do(ctx, call{op: op, model: messageModel, method: "write", ids: []int64{id}, args: map[string]any{"vals": vals}}, &done)
	if err == nil && !done {
		return &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: http.StatusOK, Reason: "NOT_WRITTEN"}
	}
	if e, ok := classified(err); err == nil || ok && (e.Class == crm.Transient || e.Class == crm.Limited) {
		return err
	}
	// What doesn't exist may be refused for another reason first, and it may be a file that somebody deleted.
	if gone := c.exists(ctx, op, messageModel, id); gone != nil {
		return gone
	}
	left, lookErr := c.remaining(ctx, files)
	if lookErr != nil || len(left) == len(files) {
		return errors.Join(err, lookErr)
	}
	return c.rewrite(ctx, op, id, body, left)
}

// annotate replaces our line below a message that somebody wrote.
func (c *Connector) annotate(ctx context.Context, op string, id int64, notes []string, files []crm.FileRef) error {
	old, err := c.body(ctx, op, id)
	if err != nil {
		return err
	}
	body := annotated(old, notes)
	if body == old && len(files) == 0 {
		return nil
	}
	return c.rewrite(ctx, op, id, body, files)
}

func (c *Connector) body(ctx context.Context, op string, id int64) (string, error) {
	var found []struct {
		Body any `json:"body"` // false if it is empty
	}
	err := c.do(ctx, call{op: op, model: messageModel, method: "read", ids: []int64{id}, args: map[string]any{"fields": []string{"body"}}}, &found)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("%s: %w", op, crm.ErrGone)
	}
	body, _ := found[0].Body.(string)
	return body, nil
}

// remark is our line below somebody's message. Odoo marks what follows a signature.
var remark = regexp.MustCompile(`(?s)<p( [^>]*)?><em( [^>]*)?>WhatsApp · .*?</em></p>\s*\z`)

func annotated(body string, notes []string) string {
	body = remark.ReplaceAllString(body, "")
	if len(notes) == 0 {
		return body
	}
	line := html.EscapeString(strings.Join(notes, "\n"))
	return body + "<p><em>WhatsApp · " + strings.ReplaceAll(line, "\n", "<br>") + "</em></p>"
}
