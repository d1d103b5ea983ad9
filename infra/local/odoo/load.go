package odoo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// load is an import: a matrix of texts, whole or not at all. A column is a field, "id" for an external id, or a field of
// another record with "/id" or "/.id". What goes wrong with a row is no error of the call: it answers ids false and messages.
func (t *tx) load(model string, columns []string, rows [][]any) (any, error) {
	var ids []int64
	messages := []any{}
	for i, row := range rows {
		if len(row) != len(columns) {
			return nil, valueError("row %d has %d cells, want %d", i, len(row), len(columns))
		}
		id, failed := t.loadRow(model, columns, row)
		if failed != nil {
			failed["type"], failed["record"], failed["rows"] = "error", i, map[string]any{"from": i, "to": i}
			messages = append(messages, failed)
			continue
		}
		ids = append(ids, id)
	}
	if len(messages) > 0 {
		t.rollback()
		return map[string]any{"ids": false, "messages": messages, "nextrow": 0}, nil
	}
	return map[string]any{"ids": ids, "messages": messages, "nextrow": 0}, nil
}

func (t *tx) loadRow(model string, columns []string, row []any) (id int64, failed map[string]any) {
	if t.s.faults.contended() {
		return 0, map[string]any{"message": "could not serialize access due to concurrent update\n"}
	}
	name, values := "", map[string]any{}
	for i, column := range columns {
		if column == "id" {
			name, _ = row[i].(string)
			continue
		}
		v, err := t.cell(model, column, row[i])
		if err != nil {
			field, _, _ := strings.Cut(column, "/")
			return 0, map[string]any{"field": field, "message": err.Error()}
		}
		values[strings.SplitN(column, "/", 2)[0]] = v
	}
	id, err := t.loadRecord(model, name, values)
	if err == nil {
		return id, nil
	}
	e := asException(err)
	if e.Field != "" {
		return 0, map[string]any{"field": e.Field, "message": e.Message}
	}
	if e.user() {
		return 0, map[string]any{"message": e.Message}
	}
	return 0, map[string]any{"message": "Unknown error during import: <class '" + e.Name + "'>: " + e.Message, "moreinfo": "Resolve other errors first"}
}

// cell converts what a column holds into what write takes.
func (t *tx) cell(model, column string, raw any) (any, error) {
	name, part, _ := strings.Cut(column, "/")
	f, ok := t.s.schema[model][name]
	if !ok {
		return nil, fmt.Errorf("Column '%s' is unknown", column) //nolint:staticcheck // Odoo's words
	}
	if b, ok := raw.(blob); ok {
		return b, nil
	}
	text, ok := raw.(string)
	if !ok {
		return nil, fmt.Errorf("a cell of '%s' isn't a text", f.Label)
	}
	if text == "" {
		return false, nil
	}
	switch f.Type {
	case "integer", "many2one_reference":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("'%s' does not seem to be an integer for field '%s'", text, f.Label)
		}
		return float64(n), nil
	case "boolean":
		return strings.Contains(" 1 true yes ", " "+strings.ToLower(text)+" "), nil
	case "datetime":
		return t.localTime(text, f)
	case "many2one":
		id, err := t.reference(f, part, text)
		return float64(id), err
	case "many2many":
		return t.references(f, part, text)
	}
	return text, nil
}

// localTime reads a time, which is one of the context's time zone, else of the user's.
func (t *tx) localTime(text string, f field) (any, error) {
	zone := t.s.zone
	if name, ok := t.context["tz"].(string); ok {
		if named, err := time.LoadLocation(name); err == nil {
			zone = named
		}
	}
	at, err := time.ParseInLocation(clockFormat, text, zone)
	if err != nil {
		return nil, fmt.Errorf("'%s' does not seem to be a valid datetime for field '%s'", text, f.Label)
	}
	return at.UTC().Format(clockFormat), nil
}

// reference finds the record that a cell names, an archived one too.
func (t *tx) reference(f field, part, text string) (int64, error) {
	kind := map[string]string{"id": "external id", ".id": "database id", "": "name"}[part]
	if part == "id" {
		if x, ok := t.s.xmlids[external(text)]; ok && x.Model == f.Relation && t.get(x.Model, x.ID) != nil {
			return x.ID, nil
		}
	}
	if part == ".id" {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && t.get(f.Relation, n) != nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("No matching record found for %s '%s' in field '%s'", kind, text, f.Label) //nolint:staticcheck // Odoo's words
}

// references replace the list, or with update_many2many in the context add to it.
func (t *tx) references(f field, part, text string) (any, error) {
	var ids, links []any
	for one := range strings.SplitSeq(text, ",") {
		id, err := t.reference(f, part, one)
		if err != nil {
			return nil, err
		}
		ids, links = append(ids, float64(id)), append(links, []any{4.0, float64(id), 0.0})
	}
	if t.context["update_many2many"] == true {
		return links, nil
	}
	return []any{[]any{6.0, 0.0, ids}}, nil
}

// external completes an external id that names no module.
func external(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return "__import__." + name
}

// loadRecord makes the record that an external id names, or changes it; with mode "update" in the context it leaves one
// alone whose external id was made with "noupdate".
func (t *tx) loadRecord(model, name string, values map[string]any) (int64, error) {
	if name == "" {
		return t.create(model, values)
	}
	if strings.Contains(name, " ") {
		return 0, validation("External IDs cannot contain spaces")
	}
	name = external(name)
	x, known := t.s.xmlids[name]
	if known && x.Model != model {
		return 0, validation("For external id %s when trying to create/update a record of model %s found record of different model %s (%d)", name, model, x.Model, x.ID)
	}
	if !known || t.get(model, x.ID) == nil {
		id, err := t.create(model, values)
		if err == nil {
			t.bind(name, xmlid{Model: model, ID: id, NoUpdate: t.context["noupdate"] == true})
		}
		return id, err
	}
	if t.context["mode"] == "update" && x.NoUpdate {
		return x.ID, nil
	}
	return x.ID, t.write(model, []int64{x.ID}, values)
}
