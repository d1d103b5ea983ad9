package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// The object of infra/salesforce that an entry is.
const (
	messageObject = "WA_Message__c"
	messageKey    = "WAMID__c"
	maxBody       = 131072
)

// PutMessage makes the message with the key, or a task where there are no messages.
func (c *Connector) PutMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, _ []crm.FileRef) (crm.EntryRef, error) {
	l, contact, err := c.place(ctx, on)
	if err != nil {
		return "", err
	}
	const op = "put message"
	var id string
	object := taskObject
	if l.metadata {
		object = messageObject
		values := message(e)
		values["Contact__c"] = contact
		id, err = c.upsert(ctx, op, messageObject, messageKey, e.Key, values)
	} else {
		values := task(e)
		values["WhoId"], values["Status"], values["ActivityDate"] = contact, l.done, day(e.At)
		id, err = c.insert(ctx, op, taskObject, values)
	}
	if err != nil {
		return "", c.whereabouts(ctx, contact, err)
	}
	return entryRef(object, id), nil
}

// FindMessage looks for the message by its key, and for a task with it: the metadata may have come in between.
func (c *Connector) FindMessage(ctx context.Context, on crm.ContactRef, e crm.Entry) (crm.EntryRef, bool, error) {
	l, contact, err := c.place(ctx, on)
	if err != nil {
		return "", false, err
	}
	if l.metadata {
		rows, err := query[created](ctx, c, "find message", messageObject,
			queryPath("SELECT Id FROM "+messageObject+" WHERE "+messageKey+" = "+literal(e.Key)+" LIMIT 1"))
		if err != nil {
			return "", false, err
		}
		if len(rows) > 0 {
			return entryRef(messageObject, long(rows[0].ID)), true, nil
		}
	}
	id, ok, err := c.findTask(ctx, contact, e.At, e.Key)
	if withoutTasks(l, err) {
		return "", false, nil
	}
	return entryRef(taskObject, id), ok, err
}

// UpdateMessage writes the texts again and links the files to the entry, in one call for up to 24 of them.
func (c *Connector) UpdateMessage(ctx context.Context, _ crm.ContactRef, ref crm.EntryRef, to crm.Entry, files []crm.FileRef) error {
	object, id, err := split(ref)
	if err != nil {
		return err
	}
	values := message(to)
	if object == taskObject {
		values = task(to)
	}
	const op = "update message"
	var steps []call
	if len(files) == 0 || refers(values) {
		if err := c.patch(ctx, op, object, id, values); err != nil {
			return err
		}
	} else {
		steps = append(steps, call{
			op: op, object: object, method: http.MethodPatch, path: "sobjects/" + object + "/" + id, names: aRecord, in: values,
		})
	}
	for _, f := range files {
		if !isID(string(f)) {
			return &crm.Error{Class: crm.Refused, Op: op, Reason: "NOT_A_FILE"}
		}
		steps = append(steps, link(op, string(f), id))
	}
	for some := range slices.Chunk(steps, maxSteps) {
		if err := c.update(ctx, op, some); err != nil {
			return err
		}
	}
	return nil
}

// refers tells whether a composite call would take what people wrote for a reference to another step.
func refers(values map[string]any) bool {
	for _, v := range values {
		if text, ok := v.(string); ok && strings.Contains(text, "@{") {
			return true
		}
	}
	return false
}

// update makes steps and returns what failed first.
func (c *Connector) update(ctx context.Context, op string, steps []call) error {
	results, err := c.composite(ctx, op, steps)
	if err != nil {
		return err
	}
	for i, r := range results {
		if steps[i].object == linkObject && linkedOrDeleted(r.err) {
			continue
		}
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// message are the values of a message that may change.
func message(e crm.Entry) map[string]any {
	values := map[string]any{"SentAt__c": e.At.UTC().Format("2006-01-02T15:04:05.000Z"), "Body__c": fitted(e, maxBody)}
	direction, status := "", ""
	for _, m := range e.Messages {
		word := map[chat.Direction]string{chat.In: "Received", chat.Out: "Sent"}[m.Direction]
		if direction != "" && direction != word {
			word = "Both"
		}
		if direction != "Both" {
			direction = word
		}
		if m.Direction == chat.Out {
			status = crm.StatusWord(m)
		}
	}
	values["Direction__c"], values["Status__c"] = direction, status
	return values
}

// fitted writes an entry for a field of so many characters, of which a line break takes two.
// https://help.salesforce.com/apex/HTViewSolution?id=000240417
func fitted(e crm.Entry, limit int) string {
	text := crm.Plain(e, limit)
	breaks := strings.Count(text, "\n")
	if len(utf16.Encode([]rune(text)))+breaks > limit {
		text = crm.Plain(e, max(limit-breaks, limit/2)) // half is enough if there were nothing but breaks
	}
	return text
}

// An entry's ref names the object too: "WA_Message__c/a00…".
func entryRef(object, id string) crm.EntryRef {
	if id == "" {
		return ""
	}
	return crm.EntryRef(object + "/" + id)
}

func split(ref crm.EntryRef) (object, id string, err error) {
	object, id, _ = strings.Cut(string(ref), "/")
	if object != messageObject && object != taskObject || !isID(id) {
		return "", "", fmt.Errorf("read ref: %w", crm.ErrGone)
	}
	return object, id, nil
}

// linkedOrDeleted tells whether a link needs nothing more: it is there, or somebody deleted the file.
func linkedOrDeleted(err error) bool {
	return reason(err) == duplicateValue || errors.Is(err, crm.ErrGone)
}
