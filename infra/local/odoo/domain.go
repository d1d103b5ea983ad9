package odoo

import (
	"regexp"
	"slices"
	"strings"
)

// A domain is a list in prefix notation: conditions, and "&", "|", "!" before what they join.
// https://www.odoo.com/documentation/19.0/developer/reference/backend/orm.html#search-domains

type test func(*record) (bool, error)

func (t *tx) domain(model string, list []any) (test, error) {
	var terms []test
	for rest := list; len(rest) > 0; {
		var one test
		var err error
		if one, rest, err = t.term(model, rest); err != nil {
			return nil, err
		}
		terms = append(terms, one)
	}
	return func(r *record) (bool, error) {
		for _, one := range terms {
			if ok, err := one(r); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}, nil
}

// term reads the first term of a list, and returns what follows it.
func (t *tx) term(model string, list []any) (test, []any, error) {
	if len(list) == 0 {
		return nil, nil, valueError("Domain() is not complete")
	}
	operator, ok := list[0].(string)
	if !ok {
		leaf, err := t.condition(model, list[0])
		return leaf, list[1:], err
	}
	a, rest, err := t.term(model, list[1:])
	if err != nil {
		return nil, nil, err
	}
	if operator == "!" {
		return func(r *record) (bool, error) { ok, err := a(r); return !ok, err }, rest, nil
	}
	if operator != "&" && operator != "|" {
		return nil, nil, valueError("Domain() invalid item in domain: %s", operator)
	}
	b, rest, err := t.term(model, rest)
	return func(r *record) (bool, error) {
		ok, err := a(r)
		if err != nil || ok == (operator == "|") {
			return ok, err
		}
		return b(r)
	}, rest, err
}

func (t *tx) condition(model string, raw any) (test, error) {
	leaf, _ := raw.([]any)
	if len(leaf) != 3 {
		return nil, valueError("Domain() invalid item in domain: %v", raw)
	}
	path, _ := leaf[0].(string)
	operator, _ := leaf[1].(string)
	wanted := plain(leaf[2])
	names := strings.Split(path, ".")
	at := model
	for i, name := range names {
		f, ok := t.s.schema[at][name]
		if !ok || i < len(names)-1 && f.Type != "many2one" {
			return nil, valueError("Invalid field %s.%s in condition", model, path)
		}
		if i < len(names)-1 {
			at = f.Relation
		}
	}
	holds, err := comparison(operator, wanted)
	if err != nil {
		return nil, err
	}
	return func(r *record) (bool, error) {
		for i, name := range names {
			v := t.s.value(r, name)
			if i == len(names)-1 {
				return holds(v), nil
			}
			id, _ := v.(int64)
			if r = t.get(t.s.schema[r.Model][name].Relation, id); r == nil {
				return false, nil // nothing there to compare
			}
		}
		return false, nil
	}, nil
}

func comparison(operator string, wanted any) (func(any) bool, error) {
	equal := func(v any) bool {
		if wanted == false || wanted == nil {
			return v == nil || v == false || v == "" || v == int64(0)
		}
		return v == wanted
	}
	switch operator {
	case "=":
		return equal, nil
	case "!=":
		return func(v any) bool { return !equal(v) }, nil
	case "in", "not in":
		return func(v any) bool { return contains(wanted, v) == (operator == "in") }, nil
	case ">", "<", ">=", "<=":
		return func(v any) bool {
			n := compare(v, wanted)
			return n > 0 && operator[0] == '>' || n < 0 && operator[0] == '<' || n == 0 && len(operator) == 2
		}, nil
	case "like", "ilike", "not like", "not ilike", "=like", "=ilike":
		pattern, ok := wanted.(string)
		if !ok {
			return nil, valueError("%s needs a string", operator)
		}
		matches := like(pattern, !strings.HasPrefix(operator, "="), strings.Contains(operator, "ilike"))
		return func(v any) bool {
			s, _ := v.(string)
			return (s != "" && matches(s)) != strings.HasPrefix(operator, "not")
		}, nil
	}
	return nil, valueError("Invalid operator %s", operator)
}

func contains(list, v any) bool {
	all, _ := list.([]any)
	return slices.Contains(all, v)
}

// plain makes whole numbers of what JSON has as floating ones.
func plain(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return v
}

// like is SQL's: % is any text and _ any character. Within: anywhere in the text.
func like(pattern string, within, fold bool) func(string) bool {
	p := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(pattern))
	if within {
		p = ".*" + p + ".*"
	}
	if fold {
		p = "(?i)" + p
	}
	return regexp.MustCompile(`(?s)\A(?:` + p + `)\z`).MatchString
}

// mentions tells whether a domain names a field.
func mentions(list []any, name string) bool {
	return slices.ContainsFunc(list, func(raw any) bool {
		leaf, _ := raw.([]any)
		return len(leaf) == 3 && leaf[0] == name
	})
}
