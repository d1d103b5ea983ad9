package espocrm

import (
	"encoding/json"
	"net/http"
	"strings"
)

// metadata answers what is at a key, as far as the caller's role sees it: entities without access are not there. What
// isn't there is an answer 200 without a body.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Core/Api/ControllerActionProcessor.php
// https://docs.espocrm.com/development/api/metadata/
func (s *Simulator) metadata(r *request) (any, error) {
	parts := strings.Split(r.URL.Query().Get("key"), ".")
	if r.Method != http.MethodGet || len(parts) < 2 || parts[0] != "entityDefs" {
		return nil, nil
	}
	e := s.entities[parts[1]]
	if e == nil || !r.user.admin && len(s.role[e.Name]) == 0 {
		return nil, nil
	}
	var at any
	raw, err := json.Marshal(map[string]any{"fields": e.Fields, "links": e.Links})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &at); err != nil {
		return nil, err
	}
	for _, p := range parts[2:] {
		m, _ := at.(map[string]any)
		at = m[p]
	}
	if at == nil {
		return nil, nil
	}
	return at, nil
}

// administer is the Entity Manager. API users are never administrators.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Controllers/EntityManager.php
func (s *Simulator) administer(r *request) (any, error) {
	if !r.user.admin {
		return nil, forbidden("")
	}
	in, err := r.body()
	if err != nil {
		return nil, err
	}
	path := strings.Join(r.parts[:min(2, len(r.parts))], "/")
	switch {
	case path == "Admin/fieldManager" && len(r.parts) == 3 && r.Method == http.MethodPost:
		return s.createField(r.parts[2], in)
	case path == "Admin/fieldManager" && len(r.parts) == 4 && r.Method == http.MethodPut:
		return s.updateField(r.parts[2], r.parts[3], in)
	case path == "EntityManager/action" && len(r.parts) == 3 && r.Method == http.MethodPost && r.parts[2] == "createEntity":
		return s.createEntity(in)
	case path == "EntityManager/action" && len(r.parts) == 3 && r.Method == http.MethodPost && r.parts[2] == "createLink":
		return s.createLink(in)
	case path == "EntityManager/action" && len(r.parts) == 3 && r.Method == http.MethodPost && r.parts[2] == "updateEntity":
		if s.entities[text(in, "name")] == nil {
			return nil, &refusal{Status: http.StatusInternalServerError, Reason: "Entity does not exist."}
		}
		return true, nil // how it is sorted on a page
	}
	return nil, &refusal{Status: http.StatusNotFound, Reason: "Route not found."}
}

func text(in map[string]any, name string) string {
	v, _ := in[name].(string)
	return v
}

// prefixed puts the c before a custom name.
func prefixed(c, name string) string {
	return c + strings.ToUpper(name[:1]) + name[1:]
}

func (s *Simulator) createEntity(in map[string]any) (any, error) {
	if text(in, "name") == "" || text(in, "type") != "Base" {
		return nil, badRequest("")
	}
	name := prefixed("C", text(in, "name"))
	if s.entities[name] != nil {
		return nil, translated(http.StatusConflict, "Name '"+name+"' is already used.", "nameIsAlreadyUsed", map[string]any{"name": name})
	}
	e := &entity{Name: name, Custom: true, Links: map[string]link{}, Fields: written(map[string]*field{
		"name": {Type: "varchar", Required: true, MaxLength: 255, Pattern: "$noBadCharacters"}, "description": {Type: "text"},
	})}
	return map[string]any{"name": name}, s.commit(change{Entity: e})
}

func (s *Simulator) createField(scope string, in map[string]any) (any, error) {
	e, name := s.entities[scope], text(in, "name")
	if e == nil || name == "" || text(in, "type") == "" {
		return nil, badRequest("")
	}
	if !e.Custom {
		name = prefixed("c", name)
	}
	if e.Fields[name] != nil {
		return nil, translated(http.StatusConflict, "Field '"+name+"' already exists in '"+scope+"'.", "fieldAlreadyExists", map[string]any{"field": name})
	}
	return s.setField(e, name, &field{}, in)
}

func (s *Simulator) updateField(scope, name string, in map[string]any) (any, error) {
	e := s.entities[scope]
	if e == nil || e.Fields[name] == nil {
		return nil, &refusal{Status: http.StatusInternalServerError, Reason: "Can't read field defs " + scope + "." + name + "."}
	}
	return s.setField(e, name, e.Fields[name], in)
}

// setField changes what was sent of a field, and nothing else.
func (s *Simulator) setField(e *entity, name string, old *field, in map[string]any) (any, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	f := *old
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, badRequest("")
	}
	e = e.clone()
	e.Fields[name] = &f
	return &f, s.commit(change{Entity: e})
}

// createLink makes a link from many records to one: the other side lists the many.
func (s *Simulator) createLink(in map[string]any) (any, error) {
	one, many := s.entities[text(in, "entity")], s.entities[text(in, "entityForeign")]
	name, foreign := text(in, "link"), text(in, "linkForeign")
	if one == nil || many == nil || name == "" || foreign == "" || text(in, "label") == "" || text(in, "linkType") != "oneToMany" {
		return nil, badRequest("")
	}
	if !one.Custom {
		name = prefixed("c", name)
	}
	if !many.Custom {
		foreign = prefixed("c", foreign)
	}
	if _, ok := one.Links[name]; ok {
		return nil, &refusal{Status: http.StatusConflict, Reason: "Link " + one.Name + "::" + name + " already exists."}
	}
	one, many = one.clone(), many.clone()
	if one.Links == nil {
		one.Links = map[string]link{}
	}
	one.Links[name] = link{Type: "hasMany", Entity: many.Name, Foreign: foreign}
	one.Fields[name] = &field{Type: "linkMultiple"}
	many.Links[foreign] = link{Type: "belongsTo", Entity: one.Name, Foreign: name}
	many.Fields[foreign] = &field{Type: "link"}
	if err := s.commit(change{Entity: one}); err != nil {
		return nil, err
	}
	return true, s.commit(change{Entity: many})
}
