package pipedrive

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// personBody is what API v2 takes. Names of v1 (phone, email, a hash at the top level) are unknown to it.
type personBody struct {
	Name         *string                    `json:"name"`
	OwnerID      *int64                     `json:"owner_id"`
	OrgID        *int64                     `json:"org_id"`
	AddTime      *string                    `json:"add_time"`
	UpdateTime   *string                    `json:"update_time"`
	Emails       *[]detailBody              `json:"emails"`
	Phones       *[]detailBody              `json:"phones"`
	VisibleTo    *int                       `json:"visible_to"`
	LabelIDs     *[]int64                   `json:"label_ids"`
	CustomFields map[string]json.RawMessage `json:"custom_fields"`
}

type detailBody struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary"`
	Label   string `json:"label"`
}

// merge puts what a body says on a person.
func (s *Simulator) merge(p *person, b personBody) error {
	if b.Name != nil {
		if p.Name = strings.TrimSpace(*b.Name); p.Name == "" {
			return invalid("name must not be empty")
		}
	}
	if b.Phones != nil {
		p.Phones = details(*b.Phones)
	}
	if b.Emails != nil {
		p.Emails = details(*b.Emails)
	}
	for code, raw := range b.CustomFields {
		f := s.field(code)
		if f == nil || !f.Custom {
			return invalid("custom_fields: %s is not a field", code)
		}
		var value *string
		if err := json.Unmarshal(raw, &value); err != nil {
			return invalid("custom_fields: %s must be a string", code)
		}
		switch {
		case value == nil:
			delete(p.Custom, code)
		case f.Type == "varchar" && len(utf16.Encode([]rune(*value))) > 255:
			return invalid("custom_fields: %s is longer than 255 characters", code)
		default:
			p.Custom[code] = *value
		}
	}
	p.Updated = s.now()
	return nil
}

// details are telephone numbers or addresses as they are kept: the first one is primary if none is said to be.
func details(list []detailBody) []contactDetail {
	kept := []contactDetail{}
	primary := false
	for _, d := range list {
		if d.Value == "" {
			continue
		}
		if d.Label == "" {
			d.Label = "work"
		}
		primary = primary || d.Primary
		kept = append(kept, contactDetail(d))
	}
	if !primary && len(kept) > 0 {
		kept[0].Primary = true
	}
	return kept
}

func (s *Simulator) postPerson(r *http.Request) (answer, error) {
	var b personBody
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	if b.Name == nil {
		return answer{}, invalid("name is required")
	}
	p := &person{Custom: map[string]string{}, Added: s.now()}
	if err := s.merge(p, b); err != nil {
		return answer{}, err
	}
	p.ID = s.newID()
	if err := s.commit(change{Person: p}); err != nil {
		return answer{}, err
	}
	return answer{data: s.render(p, nil)}, nil
}

func (s *Simulator) patchPerson(r *http.Request) (answer, error) {
	old := s.person(pathID(r))
	if old == nil || old.Deleted {
		return answer{}, notFound("Person")
	}
	var b personBody
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	p := old.clone()
	if err := s.merge(p, b); err != nil {
		return answer{}, err
	}
	if err := s.commit(change{Person: p}); err != nil {
		return answer{}, err
	}
	return answer{data: s.render(p, nil)}, nil
}

// getPerson shows a deleted person too, and says so.
func (s *Simulator) getPerson(r *http.Request) (answer, error) {
	only, err := customFields(r)
	if err != nil {
		return answer{}, err
	}
	p := s.person(pathID(r))
	if p == nil {
		return answer{}, notFound("Person")
	}
	return answer{data: s.render(p, only)}, nil
}

func (s *Simulator) listPersons(r *http.Request) (answer, error) {
	only, err := customFields(r)
	if err != nil {
		return answer{}, err
	}
	ids := s.personIDs()
	if v := r.URL.Query().Get("ids"); v != "" {
		ids = nil
		for part := range strings.SplitSeq(v, ",") {
			id, err := strconv.ParseInt(part, 10, 64)
			if err != nil {
				return answer{}, invalid("ids must be numbers")
			}
			ids = append(ids, id)
		}
		if len(ids) > 100 {
			return answer{}, invalid("at most 100 ids")
		}
	}
	var since time.Time
	if v := r.URL.Query().Get("updated_since"); v != "" {
		if since, err = time.Parse(time.RFC3339, v); err != nil {
			return answer{}, invalid("updated_since must be a time in RFC 3339")
		}
	}
	var persons []*person
	for _, id := range ids {
		if p := s.person(id); p != nil && !p.Updated.Before(since) {
			persons = append(persons, p)
		}
	}
	if err := sortPersons(persons, r.URL.Query()); err != nil {
		return answer{}, err
	}
	list := []any{}
	for _, p := range persons {
		list = append(list, s.render(p, only))
	}
	shown, additional, err := cursorPage(r, list)
	return answer{data: shown, additional: additional}, err
}

func sortPersons(list []*person, q url.Values) error {
	by := map[string]func(a, b *person) int{
		"":            func(a, b *person) int { return cmp.Compare(a.ID, b.ID) },
		"id":          func(a, b *person) int { return cmp.Compare(a.ID, b.ID) },
		"add_time":    func(a, b *person) int { return a.Added.Compare(b.Added) },
		"update_time": func(a, b *person) int { return a.Updated.Compare(b.Updated) },
	}[q.Get("sort_by")]
	if by == nil {
		return invalid("sort_by is invalid")
	}
	slices.SortStableFunc(list, by)
	if q.Get("sort_direction") == "desc" {
		slices.Reverse(list)
	}
	return nil
}

func (s *Simulator) deletePerson(r *http.Request) (answer, error) {
	id := pathID(r)
	if err := s.remove(id); err != nil {
		return answer{}, err
	}
	return answer{data: map[string]any{"id": id}}, nil
}

// remove marks a person as deleted.
func (s *Simulator) remove(id int64) error {
	old := s.person(id)
	if old == nil || old.Deleted {
		return notFound("Person")
	}
	p := old.clone()
	p.Deleted, p.Updated = true, s.now()
	return s.commit(change{Person: p})
}

// customFields are the custom fields that are asked for; nil for all.
func customFields(r *http.Request) ([]string, error) {
	v := r.URL.Query().Get("custom_fields")
	if v == "" {
		return nil, nil
	}
	codes := strings.Split(v, ",")
	if len(codes) > 15 {
		return nil, invalid("at most 15 custom fields")
	}
	return codes, nil
}

func (s *Simulator) render(p *person, only []string) map[string]any {
	custom := map[string]any{}
	for _, f := range s.fields {
		if !f.Custom || f.Deleted || only != nil && !slices.Contains(only, f.Code) {
			continue
		}
		custom[f.Code] = nil
		if v, ok := p.Custom[f.Code]; ok {
			custom[f.Code] = v
		}
	}
	first, last := splitName(p.Name)
	return map[string]any{
		"id": p.ID, "name": p.Name, "first_name": first, "last_name": last, "owner_id": integrationUser,
		"add_time": rfc3339(p.Added), "update_time": rfc3339(p.Updated), "is_deleted": p.Deleted, "visible_to": 3,
		"phones": orEmpty(p.Phones), "emails": orEmpty(p.Emails), "label_ids": []int{}, "custom_fields": custom,
	}
}

func orEmpty(list []contactDetail) []contactDetail {
	if list == nil {
		return []contactDetail{}
	}
	return list
}
