package salesforce

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func (s *Simulator) create(o *object, c call) (answer, error) {
	if o.name == "ContentVersion" {
		return answer{}, refuse(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "Required fields are missing: [VersionData]", "VersionData")
	}
	if !o.create || s.faults.forbidden[o.name] {
		return answer{}, refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS", "entity type cannot be inserted: "+o.name)
	}
	values, err := s.checked(o, nil, c.fields)
	if err != nil {
		return answer{}, err
	}
	r, err := s.insert(o, values, c.header)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, map[string]any{"id": r.ID, "success": true, "errors": []any{}}}, nil
}

func (s *Simulator) insert(o *object, values map[string]string, header http.Header) (*record, error) {
	if err := s.faults.lock(); err != nil {
		return nil, err
	}
	r := s.newRecord(o.name, values)
	r.By = s.user(0)
	if o.custom {
		r.Values["Name"] = s.autoNumber(o.name)
	}
	if err := s.duplicate(r, header); err != nil {
		return nil, err
	}
	if o.name == "ContentDocumentLink" {
		if err := s.checkLink(r); err != nil {
			return nil, err
		}
	}
	return r, s.commit(r)
}

// user returns the id of one of the org's users: the integration's, or somebody in sales.
func (s *Simulator) user(n int) string {
	if users := s.all("User"); n < len(users) {
		return users[n].ID
	}
	return ""
}

func (s *Simulator) read(o *object, id string, c call) (answer, error) {
	r, err := s.find(o.name, id)
	if err != nil {
		return answer{}, err
	}
	names := slices.Sorted(maps.Keys(o.fields))
	if list := c.query.Get("fields"); list != "" {
		names = strings.Split(list, ",")
	}
	body := map[string]any{"attributes": attributes(r)}
	for _, name := range names {
		f := o.fields[name]
		if f == nil || !f.visible {
			if c.query.Get("fields") == "" {
				continue
			}
			return answer{}, noColumn(name, o.name)
		}
		body[name] = render(f, s.value(r, name))
	}
	return answer{http.StatusOK, body}, nil
}

func noColumn(field, object string) error {
	return refuse(http.StatusBadRequest, "INVALID_FIELD", fmt.Sprintf("No such column '%s' on sobject of type %s", field, object), field)
}

func (s *Simulator) patch(o *object, id string, c call) (answer, error) {
	r, err := s.find(o.name, id)
	if err != nil {
		return answer{}, err
	}
	if err := s.change(o, r, c); err != nil {
		return answer{}, err
	}
	return answer{http.StatusNoContent, nil}, nil
}

func (s *Simulator) change(o *object, r *record, c call) error {
	if !o.edit || s.faults.forbidden[o.name] {
		return refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
	}
	values, err := s.checked(o, r, c.fields)
	if err != nil {
		return err
	}
	if err := s.faults.lock(); err != nil {
		return err
	}
	next := r.clone()
	maps.Copy(next.Values, values)
	next.Changed = s.options.Now().UTC()
	if err := s.duplicate(next, c.header); err != nil {
		return err
	}
	return s.commit(next)
}

func (s *Simulator) destroy(o *object, id string) (answer, error) {
	r, err := s.find(o.name, id)
	if err != nil {
		return answer{}, err
	}
	if o.name != "Contact" && o.name != "Task" {
		return answer{}, refuse(http.StatusForbidden, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
	}
	return answer{http.StatusNoContent, nil}, s.remove(r)
}

// choices are the records that have a value which isn't unique.
type choices struct{ urls []string }

func (*choices) Error() string { return "several records" }

// upsert changes the record with a value of an external id, else makes it.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
func (s *Simulator) upsert(o *object, key, value string, c call) (answer, error) {
	f := o.fields[key]
	if f == nil || !f.external || !f.visible {
		return answer{}, refuse(http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: "+key)
	}
	if _, twice := c.fields[key]; twice {
		return answer{}, refuse(http.StatusBadRequest, "INVALID_FIELD", "The "+key+" field should not be specified in the sobject data.")
	}
	var found []*record
	for _, r := range s.all(o.name) {
		if !r.Deleted && r.Values[key] == value {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		c.fields[key] = value
		a, err := s.create(o, c)
		if err == nil {
			a.body.(map[string]any)["created"] = true
		}
		return a, err
	case 1:
		if err := s.change(o, found[0], c); err != nil {
			return answer{}, err
		}
		return answer{http.StatusOK, map[string]any{"id": found[0].ID, "success": true, "errors": []any{}, "created": false}}, nil
	}
	several := &choices{}
	for _, r := range found {
		several.urls = append(several.urls, dataPath+"sobjects/"+o.name+"/"+r.ID)
	}
	return answer{}, several
}

// describe tells what the user may do with an object, and which of its fields they see.
func (s *Simulator) describe(o *object) answer {
	may := !s.faults.forbidden[o.name]
	create, edit := o.create && may, o.edit && may // a right to a field is one only with the right to the object
	var fields []any
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		f := o.fields[name]
		if !f.visible {
			continue
		}
		fields = append(fields, map[string]any{
			"name": name, "type": f.kind, "length": f.length, "nillable": !f.required, "externalId": f.external, "unique": f.unique,
			"createable": f.editable && create, "updateable": f.editable && !f.fixed && edit, "filterable": !f.unfiltered,
		})
	}
	return answer{http.StatusOK, map[string]any{
		"name": o.name, "keyPrefix": o.prefix, "custom": o.custom, "queryable": true,
		"createable": create, "updateable": edit, "fields": fields,
	}}
}
