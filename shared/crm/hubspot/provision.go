package hubspot

import (
	"context"
	"fmt"
	"net/http"

	"threadline/shared/crm"
)

// Properties have no dated version of their own yet.
const propertiesPath = "/crm/v3/properties/"

// group is the property group of ours on each object.
const group = "threadline"

// Provision makes our unique properties. It is idempotent and safe to run in parallel. An account that refuses one on
// communications or notes is served in marked mode; contacts can't do without.
func (c *Connector) Provision(ctx context.Context) error {
	if err := c.provision(ctx, contacts, contactKey, "Threadline ID",
		"Who this is in Threadline. Don't change it: the person's WhatsApp conversation is found by it."); err != nil {
		return fmt.Errorf("provision contacts: %w", asStopped(err))
	}
	kinds := []string{communications}
	here, err := c.attachesToCommunications(ctx)
	if err != nil {
		return fmt.Errorf("provision communications: %w", err)
	}
	if !here {
		kinds = append(kinds, notes)
	}
	for _, kind := range kinds {
		err := c.provision(ctx, kind, messageKey, "Threadline message",
			"Which WhatsApp message this is. Don't change it: it keeps the message from being logged twice.")
		if err != nil && !refused(err) {
			return fmt.Errorf("provision %s: %w", kind, err)
		}
		c.mu.Lock()
		c.marked[kind] = err != nil
		c.mu.Unlock()
	}
	return nil
}

// provision makes one unique property. It is Refused if the account won't have it, or has it without uniqueness.
func (c *Connector) provision(ctx context.Context, kind, name, label, description string) error {
	p, err := c.property(ctx, kind, name)
	if err != nil {
		return err
	}
	if p == nil {
		if err := c.createProperty(ctx, kind, name, label, description); !conflicts(err) {
			return err
		}
		// It is there after all: somebody else was faster.
		if p, err = c.property(ctx, kind, name); err != nil || p == nil {
			return err
		}
	}
	if p.HasUniqueValue != nil && !*p.HasUniqueValue {
		return &crm.Error{Class: crm.Refused, Op: "check property", Status: http.StatusOK, Reason: "NOT_UNIQUE"}
	}
	return nil
}

func (c *Connector) createProperty(ctx context.Context, kind, name, label, description string) error {
	in := group
	err := c.call(ctx, "create property group", http.MethodPost, propertiesPath+kind+"/groups",
		map[string]any{"name": group, "label": "Threadline"}, nil)
	switch {
	case refused(err) && kind == contacts:
		in = "contactinformation" // HubSpot's own group: a plainer place, and no reason to give up
	case err != nil && !conflicts(err):
		return err
	}
	return c.call(ctx, "create property", http.MethodPost, propertiesPath+kind, map[string]any{
		"name":           name,
		"label":          label,
		"description":    description,
		"groupName":      in,
		"type":           "string",
		"fieldType":      "text",
		"hasUniqueValue": true,
		"formField":      false,
	}, nil)
}

// asStopped says of a refusal that a person has to mend it: ten unique properties are all that an object may have, and
// a property of this name may exist without being unique.
func asStopped(err error) error {
	if e, ok := asError(err); ok && e.Class == crm.Refused {
		e.Class = crm.Stopped
	}
	return err
}
