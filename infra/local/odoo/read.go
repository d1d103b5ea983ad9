package odoo

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// value returns a field of a record, derived ones too.
func (s *Simulator) value(r *record, name string) any {
	switch name {
	case "id":
		return r.ID
	case "display_name":
		return cmp.Or(r.text("name"), r.Model+","+strconv.FormatInt(r.ID, 10))
	case "partner_share":
		return !s.hasUser(r.ID)
	case "phone_sanitized":
		return s.sanitized(r)
	}
	return r.Values[name]
}

func (s *Simulator) hasUser(partner int64) bool {
	for _, u := range s.records["res.users"] {
		if u.number("partner_id") == partner {
			return true
		}
	}
	return false
}

// render returns a field as read tells it.
func (s *Simulator) render(r *record, name string, f field, named bool) (any, error) {
	switch f.Type {
	case "many2one":
		id, _ := s.value(r, name).(int64)
		to := s.records[f.Relation][id]
		if to == nil {
			return false, nil
		}
		if !named {
			return id, nil
		}
		return []any{id, s.value(to, "display_name")}, nil
	case "many2many":
		ids := []int64{}
		for _, id := range r.list(name) {
			if s.records[f.Relation][id] != nil {
				ids = append(ids, id)
			}
		}
		return ids, nil
	case "binary":
		if r.text("store_fname") == "" {
			return "", nil
		}
		return spooled + r.text("store_fname"), nil
	case "integer":
		n, _ := s.value(r, name).(int64)
		return n, nil
	}
	v := s.value(r, name)
	if v == nil || v == "" {
		return false, nil
	}
	return v, nil
}

// fields checks names of fields; none means all of them, but for the bytes of files.
func (t *tx) fields(model string, names []string) ([]string, error) {
	if len(names) == 0 {
		for name, f := range t.s.schema[model] {
			if f.Type != "binary" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
	}
	for _, name := range names {
		if _, ok := t.s.schema[model][name]; !ok {
			return nil, valueError("Invalid field '%s' on model '%s'", name, model)
		}
	}
	return names, nil
}

// read tells of records. One that doesn't exist isn't told of, which is no error; but nobody looks whether it does if all
// that is asked for is its id. https://github.com/odoo/odoo/blob/19.0/odoo/orm/models.py _read_format
func (t *tx) read(model string, ids []int64, names []string, named bool) ([]map[string]any, error) {
	if err := t.allowed(model, "read"); err != nil {
		return nil, err
	}
	names, err := t.fields(model, names)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(ids, func(id int64) bool { return t.unseen(model, id) }) {
		return nil, accessError("access", model, model)
	}
	rows := []map[string]any{}
	for _, id := range ids {
		row := map[string]any{"id": id}
		r := t.get(model, id)
		if r == nil {
			if slices.Equal(names, []string{"id"}) {
				rows = append(rows, row)
			}
			continue
		}
		for _, name := range names {
			if row[name], err = t.s.render(r, name, t.s.schema[model][name], named); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// page is what part of a search's result is wanted.
type page struct {
	offset, limit int
	order         string
}

// search returns ids. Archived records are left out, unless the domain or the context asks for them.
func (t *tx) search(model string, domain []any, p page) ([]int64, error) {
	if err := t.allowed(model, "read"); err != nil {
		return nil, err
	}
	test, err := t.domain(model, domain)
	if err != nil {
		return nil, err
	}
	_, archivable := t.s.schema[model]["active"]
	hideArchived := archivable && t.context["active_test"] != false && !mentions(domain, "active")
	var found []*record
	for _, r := range t.s.records[model] {
		if hideArchived && !r.flag("active") {
			continue
		}
		ok, err := test(r)
		if err != nil {
			return nil, err
		}
		if ok && (model == "mail.message" || !t.unseen(model, r.ID)) {
			found = append(found, r)
		}
	}
	if err := t.sort(model, found, p.order); err != nil {
		return nil, err
	}
	ids := []int64{}
	for i, r := range found {
		if i >= p.offset && (p.limit == 0 || i < p.offset+p.limit) {
			ids = append(ids, r.ID)
		}
	}
	if model == "mail.message" {
		ids = slices.DeleteFunc(ids, func(id int64) bool { return t.unseen(model, id) })
	}
	return ids, nil
}

// unseen tells whether the user may not see a contact, or a message on it. The author of a message and whoever is mentioned
// in it see it all the same. Messages are looked at after a search has counted to its limit.
// https://github.com/odoo/odoo/blob/19.0/addons/mail/models/mail_message.py _search
func (t *tx) unseen(model string, id int64) bool {
	hidden := func(contact int64) bool {
		return t.user == integrationUser && slices.Contains(t.s.faults.hidden, contact)
	}
	if model != "mail.message" {
		return model == "res.partner" && hidden(id)
	}
	m := t.get(model, id)
	if m == nil || m.text("model") != "res.partner" || !hidden(m.number("res_id")) {
		return false
	}
	return m.number("author_id") != t.partner() && !slices.Contains(m.list("partner_ids"), t.partner())
}

// sort orders records; mail.message's own order is the newest first. https://github.com/odoo/odoo/blob/19.0/addons/mail/models/mail_message.py
func (t *tx) sort(model string, list []*record, order string) error {
	if order == "" && model == "mail.message" {
		order = "id desc"
	}
	type by struct {
		name string
		down bool
	}
	var keys []by
	for part := range strings.SplitSeq(cmp.Or(order, "id"), ",") {
		name, direction, _ := strings.Cut(strings.TrimSpace(part), " ")
		if _, ok := t.s.schema[model][name]; !ok || !slices.Contains([]string{"", "asc", "desc"}, strings.ToLower(direction)) {
			return valueError("Invalid \"order\" specified: %s", order)
		}
		keys = append(keys, by{name, strings.EqualFold(direction, "desc")})
	}
	slices.SortFunc(list, func(a, b *record) int {
		for _, k := range keys {
			n := compare(t.s.value(a, k.name), t.s.value(b, k.name))
			if k.down {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return nil
}

// compare orders two values of a kind; what isn't set comes first.
func compare(a, b any) int {
	if n, ok := a.(int64); ok {
		m, _ := b.(int64)
		return cmp.Compare(n, m)
	}
	x, _ := a.(string)
	y, _ := b.(string)
	return cmp.Compare(x, y)
}
