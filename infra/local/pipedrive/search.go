package pipedrive

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	searchable = []string{"custom_fields", "email", "notes", "phone", "name"}
	entities   = []string{"deal", "lead", "person", "organization", "product", "project"}
	matches    = []string{"exact", "beginning", "middle"}
)

// searchPersons compares the term with what is stored, as text: a number is found in the way in which it was typed.
func (s *Simulator) searchPersons(r *http.Request) (answer, error) {
	q := r.URL.Query()
	term := strings.ToLower(q.Get("term"))
	exact := q.Get("exact_match") == "true"
	if err := checkTerm(term, exact); err != nil {
		return answer{}, err
	}
	fields := searchable
	if v := q.Get("fields"); v != "" {
		fields = strings.Split(v, ",")
		for _, f := range fields {
			if !slices.Contains(searchable, f) {
				return answer{}, invalid("fields: %s is not one", f)
			}
		}
	}
	hits := []any{}
	for _, id := range s.personIDs() {
		p := s.indexed(id)
		if p == nil || !slices.ContainsFunc(p.texts(fields), func(text string) bool {
			text = strings.ToLower(text)
			return text == term || !exact && strings.Contains(text, term)
		}) {
			continue
		}
		hits = append(hits, map[string]any{"result_score": 0.5, "item": map[string]any{
			"id": p.ID, "type": "person", "name": p.Name, "phones": values(p.Phones), "emails": values(p.Emails),
			"visible_to": 3, "owner": map[string]any{"id": integrationUser}, "custom_fields": []string{}, "notes": []string{},
		}})
	}
	shown, additional, err := cursorPage(r, hits)
	return answer{data: map[string]any{"items": shown}, additional: additional}, err
}

func (p *person) texts(fields []string) []string {
	var all []string
	for _, f := range fields {
		switch f {
		case "name":
			all = append(all, p.Name)
		case "phone":
			all = append(all, values(p.Phones)...)
		case "email":
			all = append(all, values(p.Emails)...)
		case "custom_fields":
			for _, v := range p.Custom {
				all = append(all, v)
			}
		}
	}
	return all
}

func values(list []contactDetail) []string {
	all := []string{}
	for _, d := range list {
		all = append(all, d.Value)
	}
	return all
}

// searchField finds persons by one custom field. It is case sensitive.
func (s *Simulator) searchField(r *http.Request) (answer, error) {
	q := r.URL.Query()
	match := q.Get("match")
	if match == "" {
		match = "exact"
	}
	switch term := q.Get("term"); {
	case !slices.Contains(entities, q.Get("entity_type")):
		return answer{}, invalid("entity_type is required")
	case !slices.Contains(matches, match):
		return answer{}, invalid("match is invalid")
	default:
		if err := checkTerm(term, match == "exact"); err != nil {
			return answer{}, err
		}
	}
	f := s.field(q.Get("field"))
	if f == nil {
		return answer{}, invalid("field is unknown")
	}
	hits := []any{}
	for _, id := range s.personIDs() {
		if p := s.indexed(id); p != nil && matching(match, p.Custom[f.Code], q.Get("term")) {
			hits = append(hits, map[string]any{"id": p.ID, "name": p.Name})
		}
	}
	shown, additional, err := cursorPage(r, hits)
	return answer{data: shown, additional: additional}, err
}

func matching(match, value, term string) bool {
	switch match {
	case "exact":
		return value == term
	case "beginning":
		return strings.HasPrefix(value, term)
	}
	return strings.Contains(value, term)
}

func checkTerm(term string, exact bool) error {
	least := 2
	if exact {
		least = 1
	}
	if utf8.RuneCountInString(term) < least {
		return invalid("term must have at least %d characters", least)
	}
	return nil
}
