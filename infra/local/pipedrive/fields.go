package pipedrive

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"unicode/utf8"
)

var fieldTypes = []string{"varchar", "text", "double", "phone", "date", "daterange", "time", "timerange", "set", "enum",
	"varchar_auto", "address", "monetary", "org", "people", "user"}

func (s *Simulator) listFields(r *http.Request) (answer, error) {
	list := []any{}
	for _, f := range s.fields {
		if !f.Deleted {
			list = append(list, f.render())
		}
	}
	shown, additional, err := cursorPage(r, list)
	return answer{data: shown, additional: additional}, err
}

func (f *field) render() map[string]any {
	return map[string]any{
		"field_name": f.Name, "field_code": f.Code, "field_type": f.Type, "options": nil, "subfields": nil,
		"is_custom_field": f.Custom, "is_optional_response_field": false,
	}
}

// postField makes a custom field. Its name need not be unique: Pipedrive gives each field a hash.
func (s *Simulator) postField(r *http.Request) (answer, error) {
	var b struct {
		Name       string         `json:"field_name"`
		Type       string         `json:"field_type"`
		Options    []any          `json:"options"`
		Visibility map[string]any `json:"ui_visibility"`
		Important  map[string]any `json:"important_fields"`
		Required   map[string]any `json:"required_fields"`
	}
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	if n := utf8.RuneCountInString(b.Name); n < 1 || n > 255 {
		return answer{}, invalid("field_name must have 1 to 255 characters")
	}
	if !slices.Contains(fieldTypes, b.Type) {
		return answer{}, invalid("field_type is invalid")
	}
	if most := s.faults.fields; most > 0 && s.customFields() >= most {
		return answer{}, &refusal{Status: http.StatusForbidden, Message: "Couldn't add person field.", Code: "feature_capping_custom_fields_limit"}
	}
	f := &field{Code: newHash(), Name: b.Name, Type: b.Type, Custom: true}
	if err := s.commit(change{Field: f}); err != nil {
		return answer{}, err
	}
	return answer{data: f.render()}, nil
}

func (s *Simulator) customFields() int {
	n := 0
	for _, f := range s.fields {
		if f.Custom && !f.Deleted {
			n++
		}
	}
	return n
}

func newHash() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

// DeleteField deletes a custom field, as an administrator may.
func (s *Simulator) DeleteField(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range slices.Clone(s.fields) {
		if f.Name == name && f.Custom && !f.Deleted {
			gone := *f
			gone.Deleted = true
			if err := s.commit(change{Field: &gone}); err != nil {
				return err
			}
		}
	}
	return nil
}
