package hubspot

import (
	"context"
	"fmt"
	"net/http"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Provision makes our properties. It is idempotent and safe to run in parallel. Contacts can't do without threadline_id;
// everything else can be refused: see mode for messages.
func (c *Connector) Provision(ctx context.Context) error {
	if err := c.provisionContacts(ctx); err != nil {
		return fmt.Errorf("provision contacts: %w", err)
	}
	here, err := c.provisionMessages(ctx, communications)
	if err != nil {
		return fmt.Errorf("provision communications: %w", err)
	}
	if here {
		return nil
	}
	if _, err := c.provisionMessages(ctx, notes); err != nil {
		return fmt.Errorf("provision notes: %w", err)
	}
	return nil
}

func (c *Connector) provisionContacts(ctx context.Context) error {
	all, err := c.properties(ctx, contacts)
	if err != nil {
		return err
	}
	p, ok := all[contactKey]
	if !ok {
		p, err = c.createProperty(ctx, contacts, contactKeyDefinition)
	}
	if err == nil && !p.unique() {
		err = &crm.Error{Class: crm.Refused, Op: "check property", Status: http.StatusOK, Reason: "NOT_UNIQUE"}
	}
	if err != nil {
		return asStopped(err)
	}
	var lacking []string
	for _, d := range extraDefinitions {
		if _, ok := all[d.Name]; ok {
			continue
		}
		_, err := c.createProperty(ctx, contacts, d)
		if refused(err) || rest.HasStatus(err, http.StatusForbidden) {
			lacking = append(lacking, d.Name)
			continue
		}
		if err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lacking = lacking
	return nil
}

// provisionMessages makes the best key for records of a kind that the account takes, and tells whether they carry
// attachments.
func (c *Connector) provisionMessages(ctx context.Context, kind string) (attaches bool, err error) {
	all, err := c.properties(ctx, kind)
	if err != nil {
		return false, err
	}
	p, ok := all[messageKey]
	d := messageKeyDefinition
	if !ok {
		p, err = c.createProperty(ctx, kind, d)
	}
	if refused(err) {
		d.HasUniqueValue = false
		p, err = c.createProperty(ctx, kind, d)
	}
	f := factsOf(all, keyed)
	switch {
	case refused(err):
		f.mode = marked
	case err != nil:
		return false, err
	case !p.unique():
		f.mode = searched
	}
	c.learn(kind, f)
	return f.attaches, nil
}

// asStopped says of a refusal that a person has to mend it: ten unique properties are all that an object may have, a
// property of this name may exist without being unique, or be deleted.
func asStopped(err error) error {
	if e, ok := asError(err); ok && e.Class == crm.Refused {
		e.Class = crm.Stopped
	}
	return err
}
