package espocrm

import (
	"fmt"
	"maps"
	"time"
)

// The types of records that somebody here knows by name.
const (
	contacts    = "Contact"
	notes       = "Note"
	attachments = "Attachment"
	webhooks    = "Webhook"
	queueItems  = "WebhookQueueItem" // not served
)

// record is a record of any type.
type record struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Number  int64          `json:"number"` // grows with each record
	Attr    map[string]any `json:"attr"`
	Deleted bool           `json:"deleted,omitempty"`
}

func (r *record) text(attribute string) string {
	v, _ := r.Attr[attribute].(string)
	return v
}

func (r *record) list(attribute string) []string {
	var all []string
	values, _ := r.Attr[attribute].([]any)
	for _, v := range values {
		if text, ok := v.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

func (r *record) createdAt() time.Time {
	at, _ := time.Parse(datetime, r.text("createdAt"))
	return at
}

// clone is what a change starts from.
func (r *record) clone() *record {
	c := *r
	c.Attr = maps.Clone(r.Attr)
	return &c
}

// datetime is how EspoCRM writes times, all of them UTC.
// https://docs.espocrm.com/development/api/#date-and-time-values
const datetime = "2006-01-02 15:04:05"

// entity is what an administrator sees in the Entity Manager.
type entity struct {
	Name   string            `json:"name"`
	Custom bool              `json:"custom,omitempty"`
	Fields map[string]*field `json:"fields"`
	Links  map[string]link   `json:"links,omitempty"`
}

// clone is what a change starts from.
func (e *entity) clone() *entity {
	c := *e
	c.Fields, c.Links = maps.Clone(e.Fields), maps.Clone(e.Links)
	return &c
}

// field is a field of an entity.
type field struct {
	Type      string   `json:"type"`
	Required  bool     `json:"required,omitempty"`
	ReadOnly  bool     `json:"readOnly,omitempty"`
	MaxLength int      `json:"maxLength,omitempty"`
	Options   []string `json:"options,omitempty"`
	Default   any      `json:"default,omitempty"`
	Pattern   string   `json:"pattern,omitempty"`
}

// link goes from many records of one entity to one of another, or back.
type link struct {
	Type    string `json:"type"` // belongsTo or hasMany
	Entity  string `json:"entity"`
	Foreign string `json:"foreign"`
}

// attributes are the names under which the API has a field.
func attributes(name string, f *field) []string {
	switch f.Type {
	case "link":
		return []string{name + "Id", name + "Name"}
	case "linkParent":
		return []string{name + "Id", name + "Type", name + "Name"}
	case "attachmentMultiple":
		return []string{name + "Ids", name + "Names", name + "Types"}
	case "phone":
		return []string{name, name + "Data", name + "Numeric"}
	case "linkMultiple":
		return nil
	}
	return []string{name}
}

// attribute finds the field that an attribute belongs to.
func (e *entity) attribute(name string) (field string, f *field) {
	for n, f := range e.Fields {
		for _, a := range attributes(n, f) {
			if a == name {
				return n, f
			}
		}
	}
	return "", nil
}

func written(fields map[string]*field) map[string]*field {
	for _, name := range []string{"createdAt", "modifiedAt"} {
		fields[name] = &field{Type: "datetime", ReadOnly: true}
	}
	fields["createdBy"] = &field{Type: "link", ReadOnly: true}
	return fields
}

// stockEntities are EspoCRM's own, as far as anybody here uses them.
// https://github.com/espocrm/espocrm/tree/master/application/Espo/Resources/metadata/entityDefs
func stockEntities() map[string]*entity {
	return map[string]*entity{
		contacts: {Name: contacts, Fields: written(map[string]*field{
			"name":      {Type: "personName", ReadOnly: true},
			"firstName": {Type: "varchar", MaxLength: 100}, "lastName": {Type: "varchar", MaxLength: 100, Required: true},
			"description": {Type: "text"}, "phoneNumber": {Type: "phone"}, "emailAddress": {Type: "varchar"},
		})},
		notes: {Name: notes, Fields: written(map[string]*field{
			"type": {Type: "enum", Options: []string{"Post"}, Default: "Post"}, "post": {Type: "text"}, "data": {Type: "jsonObject", ReadOnly: true},
			"parent": {Type: "linkParent"}, "attachments": {Type: "attachmentMultiple"}, "isInternal": {Type: "bool"},
			"number": {Type: "autoincrement", ReadOnly: true},
		})},
		attachments: {Name: attachments, Fields: written(map[string]*field{
			"name": {Type: "varchar", MaxLength: 255, Required: true}, "type": {Type: "varchar", MaxLength: 100}, "role": {Type: "varchar", MaxLength: 36},
			"size": {Type: "int", ReadOnly: true}, "field": {Type: "varchar"}, "parent": {Type: "linkParent"}, "related": {Type: "linkParent"},
		})},
		webhooks: {Name: webhooks, Fields: written(map[string]*field{
			"event": {Type: "varchar", MaxLength: 100, Required: true}, "url": {Type: "varchar", MaxLength: 512, Required: true},
			"isActive": {Type: "bool", Default: true}, "user": {Type: "link"}, "secretKey": {Type: "varchar", ReadOnly: true},
			"skipOwn": {Type: "bool", Default: false},
		})},
	}
}

// newRecord makes a record of now, by a user.
func (s *Simulator) newRecord(kind string, by user) *record {
	now := s.options.Now().UTC()
	n := s.number + 1
	return &record{Type: kind, Number: n, ID: fmt.Sprintf("%08x%09x", now.Unix()&0xffffffff, n), Attr: map[string]any{
		"createdAt": now.Format(datetime), "modifiedAt": now.Format(datetime), "createdById": by.id, "createdByName": by.name,
	}}
}

// get returns a record that exists, or nil.
func (s *Simulator) get(kind, id string) *record {
	if r := s.records[id]; r != nil && r.Type == kind && !r.Deleted {
		return r
	}
	return nil
}

// each goes through the records of a type that exist, the oldest first.
func (s *Simulator) each(kind string, f func(*record)) {
	for _, r := range s.order {
		if r.Type == kind && !r.Deleted {
			f(r)
		}
	}
}
