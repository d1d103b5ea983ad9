package espocrm

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// created is an answer with status 201. EspoCRM answers 200 to whoever creates anything but a webhook.
type created struct{ body any }

func (s *Simulator) createRecord(r *request, e *entity) (any, error) {
	if err := s.may(r.user, e.Name, "create"); err != nil {
		return nil, err
	}
	in, err := r.body()
	if err != nil {
		return nil, err
	}
	rec := s.newRecord(e.Name, r.user)
	for name, f := range e.Fields {
		if f.Default != nil {
			rec.Attr[name] = f.Default
		}
	}
	if err := s.fill(rec, e, in); err != nil {
		return nil, err
	}
	switch e.Name {
	case contacts:
		err = s.refuseDuplicate(r, rec)
	case notes:
		err = s.beforeNote(r, rec)
	case webhooks:
		err = s.beforeWebhook(r, rec)
	}
	if err != nil {
		return nil, err
	}
	if err := s.commit(change{Record: rec}); err != nil {
		return nil, err
	}
	if e.Name == webhooks {
		return created{s.render(e, rec, false)}, nil
	}
	return s.render(e, rec, false), s.queue(rec, r.user)
}

// readRecord shows a note to whoever sees the stream that it is on: to nobody, once the record of that stream is deleted.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Classes/Acl/Note/AccessChecker.php
func (s *Simulator) readRecord(r *request, e *entity) (any, error) {
	rec, err := s.named(r, e, "read")
	if err != nil {
		return nil, err
	}
	if kind := rec.text("parentType"); e.Name == notes && !r.user.admin {
		if s.get(kind, rec.text("parentId")) == nil {
			return nil, forbidden("No 'read' access.")
		}
		if err := s.may(r.user, kind, "stream"); err != nil {
			return nil, err
		}
	}
	return s.render(e, rec, false), nil
}

// named returns the record that a path names, to somebody who may do this with records of its type.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Core/Record/Service.php
func (s *Simulator) named(r *request, e *entity, action string) (*record, error) {
	if err := s.may(r.user, e.Name, action); err != nil {
		return nil, err
	}
	rec := s.get(e.Name, r.parts[1])
	if rec == nil {
		return nil, notFound()
	}
	return rec, nil
}

func (s *Simulator) updateRecord(r *request, e *entity) (any, error) {
	rec, err := s.named(r, e, "edit")
	if err != nil {
		return nil, err
	}
	if e.Name == notes {
		if err := s.editable(r, rec); err != nil {
			return nil, err
		}
	}
	in, err := r.body()
	if err != nil {
		return nil, err
	}
	rec = rec.clone()
	if err := s.fill(rec, e, in); err != nil {
		return nil, err
	}
	rec.Attr["modifiedAt"] = s.options.Now().UTC().Format(datetime)
	if e.Name == notes {
		s.mention(rec)
	}
	return s.render(e, rec, false), s.commit(change{Record: rec})
}

func (s *Simulator) deleteRecord(r *request, e *entity) (any, error) {
	rec, err := s.named(r, e, "delete")
	if err != nil {
		return nil, err
	}
	rec = rec.clone()
	rec.Deleted = true
	return true, s.commit(change{Record: rec})
}

// fill sets what was sent, as far as the entity has a field for it that may be written, and validates the record.
func (s *Simulator) fill(rec *record, e *entity, in map[string]any) error {
	isNew := s.records[rec.ID] == nil
	for name, value := range in {
		fieldName, f := e.attribute(name)
		fixed := rec.Type == notes && !isNew && (fieldName == "parent" || fieldName == "isInternal")
		if f == nil || f.ReadOnly || fixed || strings.HasSuffix(name, "Name") && f.Type == "link" {
			continue
		}
		if f.Type == "phone" {
			if err := setPhone(rec, value); err != nil {
				return err
			}
			continue
		}
		rec.Attr[name] = value
	}
	for name, f := range e.Fields {
		if f.ReadOnly {
			continue
		}
		if err := s.validate(rec, e, name, f); err != nil {
			return err
		}
	}
	return nil
}

func invalid(e *entity, name, kind string) error {
	return translated(http.StatusBadRequest, "Field validation failure; entityType: "+e.Name+", field: "+name+", type: "+kind+".",
		"validationFailure", map[string]any{"field": name, "type": kind})
}

func (s *Simulator) validate(rec *record, e *entity, name string, f *field) error {
	switch f.Type {
	case "link":
		return s.validateLink(rec, e, name)
	case "attachmentMultiple":
		return s.validateFiles(rec, e, name)
	}
	value, isText := rec.Attr[name].(string)
	switch {
	case rec.Attr[name] != nil && !isText && f.Type != "bool" && f.Type != "phone":
		return invalid(e, name, "valid")
	case f.Required && strings.TrimSpace(value) == "":
		return invalid(e, name, "required")
	case f.MaxLength > 0 && len([]rune(value)) > f.MaxLength:
		return invalid(e, name, "maxLength")
	case f.Pattern == "$noBadCharacters" && strings.ContainsAny(value, "<>="):
		return invalid(e, name, "pattern")
	case f.Type == "enum" && value != "" && !slices.Contains(f.Options, value):
		return invalid(e, name, "valid")
	case f.Type == "datetime" && value != "":
		if _, err := time.Parse(datetime, value); err != nil {
			return invalid(e, name, "valid")
		}
	}
	return nil
}

// validateFiles looks at the files that a record is to have. Version 10 takes none that another record has.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Core/Record/Access/LinkCheck.php
func (s *Simulator) validateFiles(rec *record, e *entity, name string) error {
	for _, id := range rec.list(name + "Ids") {
		if s.get(attachments, id) == nil {
			return forbidden("Can't relate with non-existing record.")
		}
		taken := slices.ContainsFunc(s.order, func(other *record) bool {
			return other.ID != rec.ID && (slices.Contains(other.list("attachmentsIds"), id) || slices.Contains(other.list("filesIds"), id))
		})
		if taken && s.options.Version >= 10 {
			return forbidden("Cannot link an already linked attachment (" + e.Name + ":" + name + ").")
		}
	}
	return nil
}

// validateLink looks at a link that changes: what a record was linked with may be deleted.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Core/Record/Access/LinkCheck.php
func (s *Simulator) validateLink(rec *record, e *entity, name string) error {
	id := rec.text(name + "Id")
	if old := s.records[rec.ID]; old != nil && old.text(name+"Id") == id {
		return nil
	}
	l, ok := e.Links[name]
	if id == "" || !ok || s.get(l.Entity, id) != nil {
		return nil
	}
	return translated(http.StatusForbidden, "Can't relate with non-existing record. entity type: "+e.Name+", link: "+name+".",
		"cannotRelateNonExisting", map[string]any{"foreignEntityType": l.Entity})
}

// maxListText is where a list cuts texts off, in characters: maxSelectTextAttributeLengthForList.
// https://docs.espocrm.com/administration/config-params/#general
const maxListText = 10000

// render is what the API shows of a record.
func (s *Simulator) render(e *entity, rec *record, inList bool) map[string]any {
	out := map[string]any{"id": rec.ID, "deleted": rec.Deleted}
	for name, f := range e.Fields {
		for _, a := range attributes(name, f) {
			out[a] = rec.Attr[a]
		}
		switch f.Type {
		case "personName":
			out[name] = personName(rec)
		case "attachmentMultiple":
			s.renderFiles(rec, name, out)
		case "text":
			if text := []rune(rec.text(name)); inList && len(text) > maxListText {
				out[name] = string(text[:maxListText])
			}
		case "link":
			if other := s.records[rec.text(name+"Id")]; other != nil && other.Type == contacts {
				out[name+"Name"] = personName(other)
			}
		case "phone":
			delete(out, name+"Numeric")
			if inList {
				delete(out, name+"Data") // lists have the primary number only
			}
		}
	}
	if e.Name == notes {
		out["number"] = rec.Number
	}
	return out
}

func (s *Simulator) renderFiles(rec *record, name string, out map[string]any) {
	names, types := map[string]any{}, map[string]any{}
	for _, id := range rec.list(name + "Ids") {
		if a := s.get(attachments, id); a != nil {
			names[id], types[id] = a.Attr["name"], a.Attr["type"]
		}
	}
	if rec.Attr[name+"Ids"] == nil {
		out[name+"Ids"] = []any{}
	}
	out[name+"Names"], out[name+"Types"] = names, types
}
