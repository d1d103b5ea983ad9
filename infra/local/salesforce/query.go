package salesforce

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// getQuery answers query and queryAll, and the next page of either; the lock is held.
func (s *Simulator) getQuery(method, cursor string, values url.Values, deleted bool) answer {
	if method != http.MethodGet {
		return answerOf(refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "HTTP Method '"+method+"' not allowed."))
	}
	text, from := values.Get("q"), 0
	if cursor != "" {
		// A real cursor is opaque; this one holds the query.
		encoded, n, _ := strings.Cut(cursor, "-")
		whole, err := url.PathUnescape(encoded)
		at, numbered := strconv.Atoi(n)
		if err != nil || numbered != nil {
			return answerOf(refuse(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator"))
		}
		text, from = strings.ReplaceAll(whole, "_d_", "-"), at
	}
	q, err := parseQuery(text)
	if err != nil {
		return answerOf(err)
	}
	found, err := s.run(q, deleted)
	if err != nil {
		return answerOf(err)
	}
	page := found[min(from, len(found)):min(from+s.options.Batch, len(found))]
	body := map[string]any{"totalSize": len(found), "done": from+len(page) == len(found), "records": page}
	if from+len(page) < len(found) {
		body["nextRecordsUrl"] = dataPath + "query/" + url.PathEscape(strings.ReplaceAll(text, "-", "_d_")) + "-" + strconv.Itoa(from+len(page))
	}
	return answer{http.StatusOK, body}
}

func (s *Simulator) run(q *query, deleted bool) ([]any, error) {
	o := s.schema[q.object]
	if o == nil || !o.read {
		return nil, refuse(http.StatusBadRequest, "INVALID_TYPE", fmt.Sprintf("sObject type '%s' is not supported.", q.object))
	}
	if err := s.checkQuery(o, q); err != nil {
		return nil, err
	}
	var rows []*record
	for _, r := range s.all(o.name) {
		if (deleted || !r.Deleted) && (q.where == nil || s.holds(q.where, r)) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b *record) int {
		for _, o := range q.order {
			n := strings.Compare(s.value(a, o.field), s.value(b, o.field))
			if o.down {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	if q.limit >= 0 && len(rows) > q.limit {
		rows = rows[:q.limit]
	}
	list := []any{}
	for _, r := range rows {
		list = append(list, s.selected(r, q.fields))
	}
	return list, nil
}

// checkQuery refuses what the user doesn't see, and what can't be filtered by.
func (s *Simulator) checkQuery(o *object, q *query) error {
	named := slices.Clone(q.fields)
	for _, by := range q.order {
		named = append(named, by.field)
	}
	for _, name := range named {
		if err := s.checkField(o, name, false); err != nil {
			return err
		}
	}
	names := filtered(q.where)
	for _, name := range names {
		if err := s.checkField(o, name, true); err != nil {
			return err
		}
	}
	linked := func(name string) bool {
		return slices.Contains([]string{"Id", "LinkedEntityId", "ContentDocumentId"}, name)
	}
	if o.name == "ContentDocumentLink" && !slices.ContainsFunc(names, linked) {
		return refuse(http.StatusBadRequest, "MALFORMED_QUERY",
			"Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.")
	}
	return nil
}

func filtered(c *condition) []string {
	if c == nil {
		return nil
	}
	if c.join == "" {
		return []string{c.field}
	}
	var names []string
	for _, part := range c.parts {
		names = append(names, filtered(part)...)
	}
	return names
}

func (s *Simulator) checkField(o *object, name string, filter bool) error {
	head, rest, follows := strings.Cut(name, ".")
	if follows {
		_, f := o.relation(head)
		if f == nil || len(f.refers) == 0 {
			return refuse(http.StatusBadRequest, "INVALID_FIELD", fmt.Sprintf("Didn't understand relationship '%s' in field path.", head))
		}
		return s.checkField(s.schema[f.refers[0]], rest, filter)
	}
	f := o.fields[name]
	if f == nil || !f.visible {
		return refuse(http.StatusBadRequest, "INVALID_FIELD", fmt.Sprintf("No such column '%s' on entity '%s'.", name, o.name))
	}
	if filter && f.unfiltered {
		return refuse(http.StatusBadRequest, "INVALID_FIELD", fmt.Sprintf("field '%s' can not be filtered in a query call", name))
	}
	return nil
}

// follow returns the value of a field path, and the field.
func (s *Simulator) follow(r *record, name string) (string, *field) {
	head, rest, follows := strings.Cut(name, ".")
	if !follows {
		return s.value(r, name), s.schema[r.Object].fields[name]
	}
	key, _ := s.schema[r.Object].relation(head)
	if to := s.records[s.value(r, key)]; to != nil {
		return s.follow(to, rest)
	}
	return "", &field{}
}

func (s *Simulator) holds(c *condition, r *record) bool {
	switch c.join {
	case "AND":
		return !slices.ContainsFunc(c.parts, func(p *condition) bool { return !s.holds(p, r) })
	case "OR":
		return slices.ContainsFunc(c.parts, func(p *condition) bool { return s.holds(p, r) })
	}
	value, f := s.follow(r, c.field)
	return slices.ContainsFunc(c.values, func(want string) bool { return compares(f, value, c.operator, want) })
}

func compares(f *field, value, operator, want string) bool {
	switch f.kind {
	case "id", "reference":
		want = long(want)
	case "datetime":
		if at, err := time.Parse(time.RFC3339Nano, want); err == nil {
			want = at.UTC().Format(stamp)
		}
	}
	n := strings.Compare(strings.ToLower(value), strings.ToLower(want)) // text is compared without regard to case
	switch operator {
	case "=", "IN":
		return n == 0
	case "!=":
		return n != 0
	case "<":
		return n < 0 && value != ""
	case ">":
		return n > 0
	case "<=":
		return n <= 0 && value != ""
	case ">=":
		return n >= 0
	}
	return like(value, want)
}

// like tells whether a text has a pattern's form: % stands for anything, _ for one character.
func like(value, pattern string) bool {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.NewReplacer(`\\%`, "%", `\\_`, "_", "%", ".*", "_", ".").Replace(expression)
	matched, err := regexp.MatchString("(?is)^"+expression+"$", value)
	return err == nil && matched
}

// selected returns a row with the fields that were asked for; a path makes an object inside.
func (s *Simulator) selected(r *record, names []string) map[string]any {
	row := map[string]any{"attributes": attributes(r)}
	inside := map[string][]string{}
	for _, name := range names {
		head, rest, follows := strings.Cut(name, ".")
		if follows {
			inside[head] = append(inside[head], rest)
			continue
		}
		row[name] = render(s.schema[r.Object].fields[name], s.value(r, name))
	}
	for head, rest := range inside {
		key, _ := s.schema[r.Object].relation(head)
		if to := s.records[s.value(r, key)]; to != nil {
			row[head] = s.selected(to, rest)
		} else {
			row[head] = nil
		}
	}
	return row
}
