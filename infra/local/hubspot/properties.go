package hubspot

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// maxUnique is how many unique properties of one's own an object type may have.
// https://developers.hubspot.com/changelog/unique-properties-for-contacts
const maxUnique = 10

var propertyName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

func (s *Simulator) renderProperty(p *property) map[string]any {
	options := []any{}
	for i, o := range p.Options {
		options = append(options, map[string]any{"label": o, "value": o, "displayOrder": i, "hidden": false})
	}
	return map[string]any{
		"name": p.Name, "label": p.Label, "description": p.Description, "groupName": p.GroupName,
		"type": p.Type, "fieldType": p.FieldType, "options": options, "hasUniqueValue": p.HasUniqueValue,
		"hubspotDefined": p.HubSpotDefined, "formField": p.FormField, "hidden": false, "archived": false,
		"calculated": strings.Contains(p.Name, "_calculated_"), "externalOptions": false, "displayOrder": -1,
		"modificationMetadata": map[string]any{
			"archivable": !p.HubSpotDefined, "readOnlyDefinition": p.HubSpotDefined, "readOnlyValue": p.ReadOnly,
		},
	}
}

func (s *Simulator) listProperties(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	results := []any{}
	for _, name := range sortedKeys(s.properties[kind]) {
		if !s.faults.forbidden[kind+"."+name] {
			results = append(results, s.renderProperty(s.properties[kind][name]))
		}
	}
	return http.StatusOK, map[string]any{"results": results}, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := []string{}
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *Simulator) getProperty(r *http.Request) (int, any, error) {
	kind, name := r.PathValue("kind"), r.PathValue("name")
	p := s.properties[kind][name]
	if p == nil || s.faults.forbidden[kind+"."+name] {
		return 0, nil, notFound("Property")
	}
	return http.StatusOK, s.renderProperty(p), nil
}

type propertyInput struct {
	Name           string `json:"name"`
	Label          string `json:"label"`
	Description    string `json:"description"`
	GroupName      string `json:"groupName"`
	Type           string `json:"type"`
	FieldType      string `json:"fieldType"`
	HasUniqueValue bool   `json:"hasUniqueValue"`
	FormField      bool   `json:"formField"`
	Hidden         bool   `json:"hidden"`
	DisplayOrder   int    `json:"displayOrder"`
	Options        []struct {
		Label        string `json:"label"`
		Value        string `json:"value"`
		Description  string `json:"description"`
		DisplayOrder int    `json:"displayOrder"`
		Hidden       bool   `json:"hidden"`
	} `json:"options"`
}

func (s *Simulator) postProperty(r *http.Request) (int, any, error) {
	var in propertyInput
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	p, err := s.createProperty(r.PathValue("kind"), in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, s.renderProperty(p), nil
}

// postProperties makes several properties, or none.
func (s *Simulator) postProperties(r *http.Request) (int, any, error) {
	var in struct {
		Inputs *[]propertyInput `json:"inputs"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Inputs == nil {
		return 0, nil, invalid("inputs is required")
	}
	started, results := s.options.Now(), []any{}
	for _, row := range *in.Inputs {
		p, err := s.createProperty(r.PathValue("kind"), row)
		if err != nil {
			return 0, nil, err
		}
		results = append(results, s.renderProperty(p))
	}
	return http.StatusCreated, map[string]any{
		"status": "COMPLETE", "results": results, "startedAt": iso(started), "completedAt": iso(s.options.Now()),
	}, nil
}

func (s *Simulator) createProperty(kind string, in propertyInput) (*property, error) {
	for name, value := range map[string]string{"name": in.Name, "label": in.Label, "groupName": in.GroupName, "type": in.Type, "fieldType": in.FieldType} {
		if value == "" {
			return nil, invalid("%s is required", name)
		}
	}
	var options []string
	for _, o := range in.Options {
		if o.Label == "" || o.Value == "" {
			return nil, invalid("an option needs a label and a value")
		}
		options = append(options, o.Value)
	}
	switch {
	case !propertyName.MatchString(in.Name):
		return nil, invalid("name must be lower case letters, digits and underscores")
	case s.properties[kind][in.Name] != nil:
		return nil, &refusal{Status: http.StatusConflict, Category: "CONFLICT", Message: "A property with this name already exists"}
	case s.faults.forbidden[kind+"."+in.Name] || s.faults.forbidden[kind+".custom"]:
		return nil, invalid("no such property is possible on %s", kind)
	case !s.hasGroup(kind, in.GroupName):
		return nil, invalid("the property group does not exist")
	case in.Type == "enumeration" && len(options) == 0:
		return nil, invalid("options is required for an enumeration")
	case in.HasUniqueValue && (s.faults.forbidden[kind+".unique"] || s.uniques(kind) >= maxUnique):
		return nil, invalid("no further unique property is possible on %s", kind)
	}
	p := &property{
		ObjectType: kind, Name: in.Name, Label: in.Label, Description: in.Description, GroupName: in.GroupName, Options: options,
		Type: in.Type, FieldType: in.FieldType, HasUniqueValue: in.HasUniqueValue, FormField: in.FormField,
	}
	return p, s.commit(change{Property: p})
}

func (s *Simulator) uniques(kind string) int {
	n := 0
	for _, p := range s.properties[kind] {
		if p.HasUniqueValue && !p.HubSpotDefined {
			n++
		}
	}
	return n
}

func (s *Simulator) hasGroup(kind, name string) bool {
	if s.groups[kind][name] != nil {
		return true
	}
	for _, p := range s.properties[kind] {
		if p.GroupName == name {
			return true
		}
	}
	return false
}

func renderGroup(g *group) map[string]any {
	return map[string]any{"name": g.Name, "label": g.Label, "displayOrder": -1, "archived": false}
}

func (s *Simulator) getGroup(r *http.Request) (int, any, error) {
	g := s.groups[r.PathValue("kind")][r.PathValue("name")]
	if g == nil {
		return 0, nil, notFound("Property group")
	}
	return http.StatusOK, renderGroup(g), nil
}

func (s *Simulator) postGroup(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	var in struct {
		Name         string `json:"name"`
		Label        string `json:"label"`
		DisplayOrder int    `json:"displayOrder"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.Label == "" || !propertyName.MatchString(in.Name):
		return 0, nil, invalid("name and label are required")
	case s.hasGroup(kind, in.Name):
		return 0, nil, &refusal{Status: http.StatusConflict, Category: "CONFLICT", Message: "A property group with this name already exists"}
	}
	g := &group{ObjectType: kind, Name: in.Name, Label: in.Label}
	if err := s.commit(change{Group: g}); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, renderGroup(g), nil
}
