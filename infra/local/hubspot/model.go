package hubspot

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// object is a record: a contact, a communication, a note.
type object struct {
	Kind       string            `json:"kind"`
	ID         string            `json:"id"`
	Properties map[string]string `json:"properties"`
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	Archived   bool              `json:"archived,omitempty"`
	Merged     string            `json:"merged,omitempty"` // the contact that this one was merged into
	Links      []link            `json:"links,omitempty"`  // to contacts

	before []snapshot // earlier states, for a search that lags
}

// link is an association.
type link struct {
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	TypeID int    `json:"type_id"`
}

// snapshot is what an object was until a time.
type snapshot struct {
	until      time.Time
	properties map[string]string
	archived   bool
}

// indexed returns what search knows of an object at a time: nil if nothing, or if it is deleted.
func (o *object) indexed(at time.Time) map[string]string {
	if o.CreatedAt.After(at) {
		return nil
	}
	for _, s := range o.before {
		if s.until.After(at) {
			return s.properties
		}
	}
	if o.Archived {
		return nil
	}
	return o.Properties
}

// clone is what a change starts from.
func (o *object) clone() *object {
	c := *o
	c.Properties = maps.Clone(o.Properties)
	c.Links = slices.Clone(o.Links)
	c.before = nil
	return &c
}

// property is the definition of a property.
type property struct {
	ObjectType     string   `json:"object_type"`
	Name           string   `json:"name"`
	Label          string   `json:"label"`
	Description    string   `json:"description"`
	GroupName      string   `json:"group_name"`
	Type           string   `json:"type"`
	FieldType      string   `json:"field_type"`
	Options        []string `json:"options,omitempty"`
	HasUniqueValue bool     `json:"has_unique_value,omitempty"`
	ReadOnly       bool     `json:"read_only,omitempty"`
	HubSpotDefined bool     `json:"hubspot_defined,omitempty"`
	FormField      bool     `json:"form_field,omitempty"`
	MaxLength      int      `json:"max_length,omitempty"`
}

// group is a property group.
type group struct {
	ObjectType string `json:"object_type"`
	Name       string `json:"name"`
	Label      string `json:"label"`
}

// file is a file of the file manager; its bytes are with the journal.
type file struct {
	ID        string    `json:"id"`
	Folder    string    `json:"folder"`
	Name      string    `json:"name"` // without extension
	Extension string    `json:"extension"`
	MIME      string    `json:"mime"`
	Access    string    `json:"access"`
	Size      int64     `json:"size"`
	MD5       string    `json:"md5"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Archived  bool      `json:"archived,omitempty"`
	Blob      string    `json:"blob"` // name of its bytes
}

func (f *file) path() string { return f.Folder + "/" + f.fullName() }

func (f *file) fullName() string {
	if f.Extension == "" {
		return f.Name
	}
	return f.Name + "." + f.Extension
}

// The kinds of objects.
const (
	contacts       = "contacts"
	communications = "communications"
	notes          = "notes"
)

// associationTypes are the type ids of HubSpot's own associations with contacts.
var associationTypes = map[string]int{communications: 81, notes: 202}

// ownProperties are HubSpot's, as far as anybody here uses them.
func ownProperties() map[string]map[string]*property {
	all := map[string]map[string]*property{contacts: {}, communications: {}, notes: {}}
	add := func(kind, group string, names ...string) {
		for _, name := range names {
			all[kind][name] = &property{ObjectType: kind, Name: name, Label: name, GroupName: group, Type: "string", FieldType: "text", HubSpotDefined: true}
		}
	}
	add(contacts, "contactinformation", "firstname", "lastname", "email", "phone", "mobilephone", "company",
		"hs_whatsapp_phone_number", "hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number",
		"hs_object_id", "createdate", "lastmodifieddate")
	add(communications, "communication", "hs_communication_channel_type", "hs_communication_logged_from",
		"hs_communication_body", "hs_timestamp", "hs_attachment_ids", "hubspot_owner_id", "hs_object_id",
		"hs_createdate", "hs_lastmodifieddate")
	add(notes, "engagement", "hs_note_body", "hs_timestamp", "hs_attachment_ids", "hubspot_owner_id", "hs_object_id",
		"hs_createdate", "hs_lastmodifieddate")

	all[contacts]["email"].HasUniqueValue = true
	all[communications]["hs_communication_channel_type"].Options = []string{"WHATS_APP", "LINKEDIN_MESSAGE", "SMS"}
	all[communications]["hs_communication_logged_from"].Options = []string{"CRM"}
	all[communications]["hs_communication_body"].MaxLength = 65536
	all[notes]["hs_note_body"].MaxLength = 65536
	for _, properties := range all {
		for name, p := range properties {
			switch {
			case strings.Contains(name, "_calculated_"), strings.HasSuffix(name, "date"), name == "hs_object_id":
				p.ReadOnly = true
			case name == "hs_timestamp":
				p.Type, p.FieldType = "datetime", "date"
			case p.Options != nil:
				p.Type, p.FieldType = "enumeration", "select"
			}
		}
	}
	return all
}
