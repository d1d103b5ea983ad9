package hubspot

import (
	"context"
	"net/http"
	"net/url"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// HubSpot's document of the properties is of this version.
const propertiesPath = "/crm/v3/properties/"

// group is the property group of ours on each object.
const group = "threadline"

// property is a property that the account has.
type property struct {
	Name           string `json:"name"`
	HasUniqueValue *bool  `json:"hasUniqueValue"` // nil: not said
	Metadata       struct {
		ReadOnly bool `json:"readOnlyValue"`
	} `json:"modificationMetadata"`
}

func (p property) unique() bool { return p.HasUniqueValue == nil || *p.HasUniqueValue }

// definition is a property to make.
type definition struct {
	Name           string   `json:"name"`
	Label          string   `json:"label"`
	Description    string   `json:"description"`
	GroupName      string   `json:"groupName"`
	Type           string   `json:"type"`
	FieldType      string   `json:"fieldType"`
	Options        []option `json:"options,omitempty"`
	HasUniqueValue bool     `json:"hasUniqueValue"`
	FormField      bool     `json:"formField"`
}

type option struct {
	Label  string `json:"label"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
}

func text(name, label, description string) definition {
	return definition{Name: name, Label: label, Description: description, Type: "string", FieldType: "text"}
}

func uniqueText(name, label, description string) definition {
	d := text(name, label, description)
	d.HasUniqueValue = true
	return d
}

var (
	contactKeyDefinition = uniqueText(contactKey, "Threadline ID",
		"Who this is in Threadline. Don't change it: the person's WhatsApp conversation is found by it.")
	messageKeyDefinition = uniqueText(messageKey, "Threadline message",
		"Which WhatsApp message this is. Don't change it: it keeps the message from being logged twice.")
	extraDefinitions = []definition{
		text(whatsAppID, "WhatsApp ID", "The number of the person's WhatsApp account, as WhatsApp writes it."),
		text(bsuid, "WhatsApp user ID", "What WhatsApp calls the person in conversations with this business."),
		text(username, "WhatsApp username", "The username that the person chose on WhatsApp."),
		{
			Name: marketing, Label: "WhatsApp marketing", Type: "enumeration", FieldType: "select",
			Description: "The person's latest word on marketing messages on WhatsApp. Threadline writes it and doesn't read it.",
			Options:     []option{{Label: "Granted", Value: "granted"}, {Label: "Withdrawn", Value: "withdrawn"}},
		},
	}
)

// properties returns all properties of a kind of record, by name.
func (c *Connector) properties(ctx context.Context, kind string) (map[string]property, error) {
	var list struct {
		Results []property `json:"results"`
	}
	if err := c.call(ctx, "read properties", http.MethodGet, propertiesPath+url.PathEscape(kind), nil, &list); err != nil {
		return nil, err
	}
	all := map[string]property{}
	for _, p := range list.Results {
		all[p.Name] = p
	}
	return all, nil
}

// createProperty makes a property, in our group if there can be one.
func (c *Connector) createProperty(ctx context.Context, kind string, d definition) (property, error) {
	d.GroupName = group
	err := c.call(ctx, "create property group", http.MethodPost, propertiesPath+kind+"/groups",
		map[string]any{"name": group, "label": "Threadline"}, nil)
	switch {
	case err == nil || conflicts(err):
	case refused(err) && kind == contacts:
		d.GroupName = "contactinformation" // HubSpot's own group: a plainer place, and no reason to give up
	default:
		return property{}, err
	}
	var p property
	err = c.call(ctx, "create property", http.MethodPost, propertiesPath+kind, d, &p)
	if !conflicts(err) {
		return p, err
	}
	// It is there after all: somebody else was faster.
	all, err := c.properties(ctx, kind)
	if err != nil {
		return property{}, err
	}
	if p, ok := all[d.Name]; ok {
		return p, nil
	}
	return property{}, c.hidden(ctx, kind, d.Name)
}

// hidden says why a property is taken that isn't listed: it was deleted and can be restored, or it is too new.
func (c *Connector) hidden(ctx context.Context, kind, name string) error {
	err := c.call(ctx, "read deleted property", http.MethodGet, propertiesPath+kind+"/"+name+"?archived=true", nil, nil)
	switch {
	case err == nil:
		return &crm.Error{Class: crm.Refused, Op: "create property", Status: http.StatusConflict, Reason: "DELETED"}
	case rest.HasStatus(err, http.StatusNotFound):
		return &crm.Error{Class: crm.Transient, Op: "create property", Status: http.StatusConflict, Reason: taken}
	}
	return err
}
