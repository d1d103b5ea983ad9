package espocrm

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"threadline/shared/crm/rest"
)

// The types of records. EspoCRM puts a C before the name of an administrator's own.
const (
	contactType    = "Contact"
	noteType       = "Note"
	attachmentType = "Attachment"
	messageType    = "CWhatsappMessage"
)

// The fields of an administrator's own: on Contact with a c before their names, on an entity of theirs without.
const (
	idField        = "cThreadlineId" // chat.ContactID
	usernameField  = "cWhatsappUsername"
	userIDField    = "cWhatsappUserId"
	marketingField = "cWhatsappMarketing"

	keyField = "threadlineKey" // crm.Entry.Key
)

// messageFields are what CWhatsappMessage must have to be used.
var messageFields = []string{keyField, "dateSent", "direction", "body", "status", "files", "contact"}

// schemaAge is how long it may take until a process sees what an administrator has made.
const schemaAge = time.Hour

// schema is what the instance has of ours, and what it was found not to take.
type schema struct {
	contact    map[string]bool // the fields of Contact
	messages   bool            // whether entries are CWhatsappMessage records
	noInternal bool            // whether notes can't be internal
}

// Provision reads anew what an administrator has made. It makes nothing: entities and fields are an administrator's to
// make, and an API user is never one. What isn't there is done without.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Controllers/EntityManager.php
func (c *Connector) Provision(ctx context.Context) error {
	c.mu.Lock()
	c.known = nil
	c.mu.Unlock()
	_, err := c.schema(ctx)
	return err
}

func (c *Connector) schema(ctx context.Context) (schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known != nil && c.now().Sub(c.at) < schemaAge {
		return *c.known, nil
	}
	contact, err := c.fields(ctx, contactType)
	if err != nil {
		return schema{}, err
	}
	message, err := c.fields(ctx, messageType)
	if err != nil {
		return schema{}, err
	}
	has := schema{contact: contact, messages: true}
	for _, name := range messageFields {
		has.messages = has.messages && message[name]
	}
	c.known, c.at = &has, c.now()
	return has, nil
}

// fields returns the fields of an entity that the API user may see; none if there is no such entity.
// https://docs.espocrm.com/development/api/metadata/
func (c *Connector) fields(ctx context.Context, entity string) (map[string]bool, error) {
	const op = "read metadata"
	a, err := c.rest.Do(ctx, rest.Request{Op: op, Method: http.MethodGet, Path: "/Metadata?key=entityDefs." + entity + ".fields"})
	if missing(err) || rest.HasStatus(err, http.StatusForbidden) {
		return nil, nil
	}
	if err != nil || len(a.Body) == 0 { // nothing at that key
		return nil, err
	}
	var defs map[string]json.RawMessage
	if err := rest.Decode(op, a, &defs); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range defs {
		names[name] = true
	}
	return names, nil
}
