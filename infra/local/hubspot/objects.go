package hubspot

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// defaults are the properties of an answer to a request that names none.
var defaults = map[string][]string{
	contacts:       {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"},
	communications: {"hs_createdate", "hs_lastmodifieddate", "hs_object_id"},
	notes:          {"hs_createdate", "hs_lastmodifieddate", "hs_object_id"},
}

// render is an object in an answer. HubSpot's document has no null in it, so a property without value is left out.
func render(o *object, properties map[string]string, names []string) map[string]any {
	shown := map[string]string{}
	for _, name := range append(slices.Clone(defaults[o.Kind]), names...) {
		if v, ok := properties[name]; ok {
			shown[name] = v
		}
	}
	m := map[string]any{"id": o.ID, "properties": shown, "createdAt": iso(o.CreatedAt), "updatedAt": iso(o.UpdatedAt), "archived": o.Archived}
	if o.Archived {
		m["archivedAt"] = iso(o.UpdatedAt)
	}
	return m
}

func all(o *object) []string {
	names := []string{}
	for name := range o.Properties {
		names = append(names, name)
	}
	return names
}

// names reads a comma-separated or repeated parameter.
func names(r *http.Request, parameter string) []string {
	var all []string
	for _, v := range r.URL.Query()[parameter] {
		all = append(all, strings.Split(v, ",")...)
	}
	return all
}

// find returns the object of the path: by id, following merges, or by the unique property that idProperty names.
func (s *Simulator) find(kind, id, idProperty string, archived bool) (*object, error) {
	if idProperty != "" {
		if p := s.properties[kind][idProperty]; p == nil || !p.HasUniqueValue {
			return nil, invalid("%s is not a unique property of %s", idProperty, kind)
		}
		for _, o := range s.objects[kind] {
			if o.Merged == "" && o.Archived == archived && o.Properties[idProperty] == id {
				return o, nil
			}
		}
		return nil, notFound("Object")
	}
	o := s.objects[kind][id]
	for o != nil && o.Merged != "" {
		o = s.objects[kind][o.Merged]
	}
	if o == nil || o.Archived != archived {
		return nil, notFound("Object")
	}
	return o, nil
}

func (s *Simulator) getObject(r *http.Request) (int, any, error) {
	q := r.URL.Query()
	o, err := s.find(r.PathValue("kind"), r.PathValue("id"), q.Get("idProperty"), q.Get("archived") == "true")
	if err != nil {
		return 0, nil, err
	}
	m := render(o, o.Properties, names(r, "properties"))
	associated := map[string]any{}
	for _, kind := range names(r, "associations") {
		if ids := s.associated(o, kind); len(ids) > 0 {
			associated[kind] = map[string]any{"results": ids}
		}
	}
	if len(associated) > 0 {
		m["associations"] = associated
	}
	return http.StatusOK, m, nil
}

// associated returns the records of a kind with which an object is associated.
func (s *Simulator) associated(o *object, kind string) []map[string]string {
	var ids []map[string]string
	add := func(id string) { ids = append(ids, map[string]string{"id": id, "type": o.Kind + "_to_" + kind}) }
	for _, l := range o.Links {
		if l.Kind == kind {
			add(l.ID)
		}
	}
	if o.Kind != contacts || kind == contacts || s.objects[kind] == nil {
		return ids
	}
	for _, other := range s.sorted(kind) {
		if !other.Archived && slices.ContainsFunc(other.Links, func(l link) bool { return l.ID == o.ID }) {
			add(other.ID)
		}
	}
	return ids
}

func (s *Simulator) listObjects(r *http.Request) (int, any, error) {
	kind, q := r.PathValue("kind"), r.URL.Query()
	limit, after := 10, 0
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 100 {
			return 0, nil, invalid("limit must be from 1 to 100")
		}
		limit = n
	}
	if v := q.Get("after"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return 0, nil, invalid("Invalid paging cursor")
		}
		after = n
	}
	body := map[string]any{"results": []any{}}
	results := []any{}
	for _, o := range s.sorted(kind) {
		id, _ := strconv.Atoi(o.ID)
		if o.Archived != (q.Get("archived") == "true") || id <= after {
			continue
		}
		if len(results) == limit {
			body["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(after)}}
			break
		}
		results, after = append(results, render(o, o.Properties, names(r, "properties"))), id
	}
	body["results"] = results
	return http.StatusOK, body, nil
}

// sorted returns the objects of a kind by id.
func (s *Simulator) sorted(kind string) []*object {
	list := make([]*object, 0, len(s.order[kind]))
	for _, id := range s.order[kind] {
		list = append(list, s.objects[kind][id])
	}
	return list
}

type associationInput struct {
	To struct {
		ID string `json:"id"`
	} `json:"to"`
	Types []struct {
		Category string `json:"associationCategory"`
		TypeID   int    `json:"associationTypeId"`
	} `json:"types"`
}

func (s *Simulator) postObject(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	var in struct {
		Properties   map[string]string   `json:"properties"`
		Associations *[]associationInput `json:"associations"`
		TraceID      string              `json:"objectWriteTraceId"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Associations == nil && kind != contacts {
		return 0, nil, invalid("associations is required")
	}
	if in.Properties == nil {
		return 0, nil, invalid("properties is required")
	}
	if err := s.checkNew(kind, in.Properties); err != nil {
		return 0, nil, err
	}
	var links []link
	if in.Associations != nil {
		var err error
		if links, err = s.links(kind, *in.Associations); err != nil {
			return 0, nil, err
		}
	}
	o, err := s.insert(kind, in.Properties, links)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, render(o, o.Properties, all(o)), nil
}

func (s *Simulator) links(kind string, in []associationInput) ([]link, error) {
	var links []link
	for _, a := range in {
		target := s.objects[contacts][a.To.ID]
		if target == nil || target.Archived || target.Merged != "" {
			return nil, invalid("No contact with this ID exists")
		}
		if len(a.Types) == 0 {
			return nil, invalid("types is required")
		}
		for _, t := range a.Types {
			if t.Category != "HUBSPOT_DEFINED" || t.TypeID != associationTypes[kind] {
				return nil, invalid("association type %d is not valid from %s to contacts", t.TypeID, kind)
			}
			links = append(links, link{Kind: contacts, ID: target.ID, TypeID: t.TypeID})
		}
	}
	return links, nil
}

func (s *Simulator) insert(kind string, values map[string]string, links []link) (*object, error) {
	now := s.options.Now()
	o := &object{Kind: kind, ID: s.ids.Next(), Properties: map[string]string{}, CreatedAt: now, UpdatedAt: now, Links: links}
	for name, value := range values {
		if value != "" {
			o.Properties[name] = value
		}
	}
	o.calculate()
	return o, s.commit(change{Object: o})
}

func (s *Simulator) patchObject(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	var in struct {
		Properties map[string]string `json:"properties"`
		TraceID    string            `json:"objectWriteTraceId"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	o, err := s.find(kind, r.PathValue("id"), r.URL.Query().Get("idProperty"), false)
	if err != nil {
		return 0, nil, err
	}
	o, err = s.update(o, in.Properties)
	if err != nil {
		return 0, nil, err
	}
	changed := []string{}
	for name := range in.Properties {
		changed = append(changed, name)
	}
	return http.StatusOK, render(o, o.Properties, changed), nil
}

func (s *Simulator) update(o *object, values map[string]string) (*object, error) {
	if err := s.check(o.Kind, o.ID, values); err != nil {
		return nil, err
	}
	o = o.clone()
	for name, value := range values {
		if value == "" {
			delete(o.Properties, name)
		} else {
			o.Properties[name] = value
		}
	}
	o.UpdatedAt = s.options.Now()
	o.calculate()
	return o, s.commit(change{Object: o})
}

func (s *Simulator) deleteObject(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	o, err := s.find(kind, r.PathValue("id"), "", false)
	if err != nil {
		return http.StatusNoContent, nil, nil // what is not there counts as deleted
	}
	return http.StatusNoContent, nil, s.archive(o)
}

func (s *Simulator) archive(o *object) error {
	o = o.clone()
	o.Archived, o.UpdatedAt = true, s.options.Now()
	return s.commit(change{Object: o})
}
