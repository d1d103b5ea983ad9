package espocrm

import (
	"context"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// fieldsOf is an entry as a record of the custom entity.
func fieldsOf(e crm.Entry) map[string]any {
	last := e.Messages[len(e.Messages)-1]
	direction := "In"
	if last.Direction == chat.Out {
		direction = "Out"
	}
	return map[string]any{
		"name": nameOf(e), "dateSent": e.At.UTC().Format(datetime), "direction": direction,
		"body": crm.Plain(e, maxText), "status": crm.StatusWord(last), keyField: e.Key,
	}
}

// badInNames are what EspoCRM refuses in names.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Resources/metadata/app/regExpPatterns.json
var badInNames = strings.NewReplacer("<", "", ">", "", "=", "")

// nameOf is what a list shows: who wrote, and how the text begins.
func nameOf(e crm.Entry) string {
	first := e.Messages[0]
	alone := crm.Entry{Messages: e.Messages[:1]} // whose heading has no time
	name := crm.Heading(alone, first)
	if line, _, _ := strings.Cut(strings.TrimSpace(first.Text), "\n"); line != "" {
		name += ": " + line
	}
	return cut(badInNames.Replace(strings.Join(strings.Fields(name), " ")))
}

func (c *Connector) createMessage(ctx context.Context, on crm.ContactRef, e crm.Entry, files []crm.FileRef) (string, error) {
	in := fieldsOf(e)
	in["contactId"], in["filesIds"] = string(on), idsOf(files)
	id, err := c.create(ctx, opCreateMessage, messageType, in)
	return id, c.orNotThere(err)
}

// orNotThere is crm.ErrNotProvisioned if an administrator has taken the entity away meanwhile.
func (c *Connector) orNotThere(err error) error {
	if missing(err) {
		return crm.ErrNotProvisioned
	}
	return err
}

func (c *Connector) findMessage(ctx context.Context, on crm.ContactRef, key string) (string, error) {
	q := where(keyField, "equals", key).and("contactId", "equals", string(on)).attributes("id").oldestFirst(1)
	found, _, err := c.list(ctx, opFindMessage, path(messageType), q)
	if err != nil || len(found) == 0 {
		return "", c.orNotThere(err)
	}
	return found[0].id(), nil
}

func (c *Connector) updateMessage(ctx context.Context, id string, to crm.Entry, files []crm.FileRef) error {
	r, err := c.read(ctx, opReadMessage, messageType, id)
	if err != nil {
		return gone(err)
	}
	in := fieldsOf(to)
	in["filesIds"] = attach(r, "files", files)
	return gone(c.update(ctx, opUpdateMessage, messageType, id, in))
}
