package espocrm

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxPage is recordListMaxSizeLimit. https://docs.espocrm.com/administration/config-params/#general
const maxPage = 200

// condition is one of the filters of a list. https://docs.espocrm.com/development/api-search-params/#where-items
type condition struct{ kind, attribute, value string }

var whereKey = regexp.MustCompile(`^where\[(\d+)\]\[(type|attribute|value)\]$`)

// conditions reads where[n][type], where[n][attribute] and where[n][value].
func conditions(q url.Values) []condition {
	byIndex := map[string]*condition{}
	var order []string
	for key := range q {
		m := whereKey.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		if byIndex[m[1]] == nil {
			byIndex[m[1]] = &condition{}
			order = append(order, m[1])
		}
		c := byIndex[m[1]]
		map[string]func(string){
			"type": func(v string) { c.kind = v }, "attribute": func(v string) { c.attribute = v }, "value": func(v string) { c.value = v },
		}[m[2]](q.Get(key))
	}
	slices.Sort(order)
	var all []condition
	for _, i := range order {
		all = append(all, *byIndex[i])
	}
	return all
}

// known refuses conditions on what the entity doesn't have.
func (e *entity) known(all []condition) error {
	for _, c := range all {
		if _, f := e.attribute(c.attribute); f == nil && c.attribute != "id" {
			return badRequest("Not existing attribute '" + c.attribute + "' in where.")
		}
	}
	return nil
}

// values are what a condition looks at: of a telephone number, any that the record has.
func (s *Simulator) values(e *entity, rec *record, attribute string) []string {
	switch attribute {
	case "id":
		return []string{rec.ID}
	case "phoneNumber":
		return phones(rec)
	case "phoneNumberNumeric":
		var all []string
		for _, p := range phones(rec) {
			all = append(all, digits(p))
		}
		return all
	case "name":
		if e.Name == contacts {
			return []string{personName(rec)}
		}
	}
	if v := rec.text(attribute); v != "" {
		return []string{v}
	}
	return nil
}

// matches compares as MySQL's usual collation does: without case.
func (s *Simulator) matches(e *entity, rec *record, c condition) (bool, error) {
	values, want := s.values(e, rec, c.attribute), strings.ToLower(c.value)
	any := func(test func(v string) bool) (bool, error) {
		return slices.ContainsFunc(values, func(v string) bool { return test(strings.ToLower(v)) }), nil
	}
	switch c.kind {
	case "equals":
		return any(func(v string) bool { return v == want })
	case "contains":
		return any(func(v string) bool { return strings.Contains(v, want) })
	case "startsWith":
		return any(func(v string) bool { return strings.HasPrefix(v, want) })
	case "endsWith":
		return any(func(v string) bool { return strings.HasSuffix(v, want) })
	case "greaterThanOrEquals":
		return any(func(v string) bool { return v >= want })
	case "isNull":
		return len(values) == 0, nil
	}
	return false, badRequest("Unknown where type.")
}

func (s *Simulator) filter(e *entity, list []*record, all []condition) ([]*record, error) {
	if err := e.known(all); err != nil {
		return nil, err
	}
	var found []*record
	for _, rec := range list {
		keep := true
		for _, c := range all {
			ok, err := s.matches(e, rec, c)
			if err != nil {
				return nil, err
			}
			keep = keep && ok
		}
		if keep {
			found = append(found, rec)
		}
	}
	return found, nil
}

func (s *Simulator) findRecords(r *request, e *entity) (any, error) {
	if err := s.may(r.user, e.Name, "read"); err != nil {
		return nil, err
	}
	if e.Name == notes || e.Name == webhooks {
		return nil, &refusal{Status: http.StatusForbidden, Reason: "No access."}
	}
	var list []*record
	s.each(e.Name, func(rec *record) { list = append(list, rec) })
	return s.answerList(r, e, list)
}

// findLinked lists what a link leads to. A custom link of one of EspoCRM's own entities is only there with its c; without
// it there is nothing but an error.
func (s *Simulator) findLinked(r *request, e *entity) (any, error) {
	rec := s.get(e.Name, r.parts[1])
	if rec == nil {
		return nil, notFound()
	}
	l, ok := e.Links[r.parts[2]]
	if !ok {
		return nil, &refusal{Status: http.StatusInternalServerError}
	}
	if err := s.may(r.user, l.Entity, "read"); err != nil {
		return nil, err
	}
	var list []*record
	s.each(l.Entity, func(other *record) {
		if other.text(l.Foreign+"Id") == rec.ID {
			list = append(list, other)
		}
	})
	return s.answerList(r, s.entities[l.Entity], list)
}

func (s *Simulator) answerList(r *request, e *entity, list []*record) (any, error) {
	q := r.URL.Query()
	list, err := s.filter(e, list, conditions(q))
	if err != nil {
		return nil, err
	}
	sortRecords(list, q.Get("orderBy"), q.Get("order"))
	page, err := paged(list, q)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, rec := range page {
		shown := s.render(e, rec, true)
		e.choose(shown, q.Get("select"))
		out = append(out, shown)
	}
	return map[string]any{"total": len(list), "list": out}, nil
}

// choose leaves of a record in a list what is asked for. Files are there only if they are.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Core/FieldProcessing/LinkMultiple/ListLoader.php
func (e *entity) choose(shown map[string]any, selected string) {
	keep := strings.Split(selected, ",")
	for name := range shown {
		_, f := e.attribute(name)
		files := f != nil && f.Type == "attachmentMultiple"
		if name != "id" && (selected != "" || files) && !slices.Contains(keep, name) {
			delete(shown, name)
		}
	}
}

// sortRecords sorts by a text or a time; the newest first if nobody says how.
func sortRecords(list []*record, by, order string) {
	if by == "" {
		by, order = "createdAt", "desc"
	}
	slices.SortStableFunc(list, func(a, b *record) int {
		c := strings.Compare(a.text(by), b.text(by))
		if c == 0 {
			c = int(a.Number - b.Number)
		}
		if order == "desc" {
			c = -c
		}
		return c
	})
}

func paged(list []*record, q url.Values) ([]*record, error) {
	offset, _ := strconv.Atoi(q.Get("offset"))
	size, err := strconv.Atoi(q.Get("maxSize"))
	if err != nil {
		size = maxPage
	}
	if size > maxPage || size < 0 {
		return nil, forbidden("Max size should not exceed " + strconv.Itoa(maxPage) + ". Use offset and limit.")
	}
	offset = min(max(offset, 0), len(list))
	return list[offset:min(len(list), offset+size)], nil
}
