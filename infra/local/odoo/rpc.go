package odoo

import (
	"maps"
	"slices"
	"strings"
)

// method is a public method: what its arguments are called, in their order.
type method struct {
	arguments []string
	optional  int  // so many of them, at the end
	model     bool // of the model, not of records: it takes no ids
	since     int  // version
	anything  bool // takes arguments that aren't listed
	call      func(*tx, call) (any, error)
}

// call is what a method was called with.
type call struct {
	model string
	ids   []int64
	args  map[string]any
}

func (c call) text(name string) string { s, _ := c.args[name].(string); return s }
func (c call) list(name string) []any  { l, _ := c.args[name].([]any); return l }
func (c call) number(name string) int  { n, _ := c.args[name].(float64); return int(n) }

func (c call) values(name string) map[string]any {
	v, _ := c.args[name].(map[string]any)
	return v
}

func (c call) names(name string) []string {
	var out []string
	for _, v := range c.list(name) {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

var methods = map[string]method{
	"load": {arguments: []string{"fields", "data"}, model: true, call: func(t *tx, c call) (any, error) {
		var rows [][]any
		for _, raw := range c.list("data") {
			row, _ := raw.([]any)
			rows = append(rows, row)
		}
		return t.load(c.model, c.names("fields"), rows)
	}},
	"search": {arguments: []string{"domain", "offset", "limit", "order"}, optional: 3, model: true, call: func(t *tx, c call) (any, error) {
		return t.search(c.model, c.list("domain"), c.page())
	}},
	"search_count": {arguments: []string{"domain", "limit"}, optional: 1, model: true, call: func(t *tx, c call) (any, error) {
		ids, err := t.search(c.model, c.list("domain"), page{})
		return len(ids), err
	}},
	"search_read": {arguments: []string{"domain", "fields", "offset", "limit", "order"}, optional: 5, model: true, call: func(t *tx, c call) (any, error) {
		ids, err := t.search(c.model, c.list("domain"), c.page())
		if err != nil {
			return nil, err
		}
		return t.read(c.model, ids, c.names("fields"), true)
	}},
	"read": {arguments: []string{"fields", "load"}, optional: 2, call: func(t *tx, c call) (any, error) {
		_, told := c.args["load"]
		return t.read(c.model, c.ids, c.names("fields"), !told || c.args["load"] != nil)
	}},
	"create": {arguments: []string{"vals_list"}, model: true, call: createAll},
	"write": {arguments: []string{"vals"}, call: func(t *tx, c call) (any, error) {
		return true, t.write(c.model, c.ids, c.values("vals"))
	}},
	"unlink": {call: func(t *tx, c call) (any, error) { return true, t.unlink(c.model, c.ids) }},
	"fields_get": {arguments: []string{"allfields", "attributes"}, optional: 2, model: true, call: func(t *tx, c call) (any, error) {
		return t.fieldsGet(c.model, c.names("allfields"))
	}},
	"get_external_id": {call: func(t *tx, c call) (any, error) { return t.externalIDs(c.model, c.ids), nil }},
	"has_access": {arguments: []string{"operation"}, since: 18, call: func(t *tx, c call) (any, error) {
		return t.has(c.model, c.text("operation")), nil
	}},
	"check_access_rights": {arguments: []string{"operation", "raise_exception"}, optional: 1, model: true, call: func(t *tx, c call) (any, error) {
		if c.args["raise_exception"] == false {
			return t.has(c.model, c.text("operation")), nil
		}
		return true, t.allowed(c.model, c.text("operation"))
	}},
	"message_post": {anything: true, call: func(t *tx, c call) (any, error) {
		id, err := t.post(c.model, c.ids, c.args)
		if t.s.options.Version < 19 {
			return id, err
		}
		return []int64{id}, err
	}},
}

// special are methods that only one model has.
var special = map[string]method{
	"ir.model.data/check_object_reference": {arguments: []string{"module", "xml_id", "raise_on_access_error"}, optional: 1, model: true, call: checkReference},
}

func (c call) page() page { return page{c.number("offset"), c.number("limit"), c.text("order")} }

func createAll(t *tx, c call) (any, error) {
	if one, ok := c.args["vals_list"].(map[string]any); ok {
		return t.create(c.model, one)
	}
	ids := []int64{}
	for _, raw := range c.list("vals_list") {
		values, _ := raw.(map[string]any)
		id, err := t.create(c.model, values)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// checkReference tells what an external id names, to anybody. An archived record, or one that the user may not read, has
// no number.
func checkReference(t *tx, c call) (any, error) {
	name := c.text("module") + "." + c.text("xml_id")
	x, ok := t.s.xmlids[name]
	if !ok {
		return nil, valueError("External ID not found in the system: %s", name)
	}
	found, err := t.search(x.Model, []any{[]any{"id", "=", float64(x.ID)}}, page{})
	if err != nil || len(found) == 0 {
		return []any{x.Model, false}, nil
	}
	return []any{x.Model, x.ID}, nil
}

func (t *tx) fieldsGet(model string, only []string) (any, error) {
	out := map[string]any{}
	for name, f := range t.s.schema[model] {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		told := map[string]any{"type": f.Type, "string": f.Label, "readonly": f.ReadOnly, "required": slices.Contains(required[model], name)}
		if f.Relation != "" {
			told["relation"] = f.Relation
		}
		out[name] = told
	}
	return out, nil
}

// externalIDs tells the external id of records, one of them where there are several. It needs no right to ir.model.data.
func (t *tx) externalIDs(model string, ids []int64) any {
	out := map[int64]string{}
	for _, id := range ids {
		out[id] = ""
	}
	for _, name := range slices.Sorted(maps.Keys(t.s.xmlids)) {
		x := t.s.xmlids[name]
		if told, asked := out[x.ID]; x.Model == model && asked && told == "" {
			out[x.ID] = name
		}
	}
	return out
}

// find returns a public method of a model.
func (s *Simulator) find(model, name string) (method, error) {
	if _, ok := s.schema[model]; !ok {
		return method{}, notFound("the model '%s' does not exist", model)
	}
	m, ok := special[model+"/"+name]
	if !ok {
		m, ok = methods[name]
	}
	if !ok || strings.HasPrefix(name, "_") || s.options.Version < m.since || name == "message_post" && model != "res.partner" {
		return method{}, notFound("The method '%s.%s' does not exist", model, name)
	}
	return m, nil
}

// bind checks that a call has the arguments that a method takes.
func (m method) bind(name string, args map[string]any) error {
	for given := range args {
		if !m.anything && !slices.Contains(m.arguments, given) {
			return unprocessable("got an unexpected keyword argument '%s'", given)
		}
	}
	for _, wanted := range m.arguments[:len(m.arguments)-m.optional] {
		if _, ok := args[wanted]; !ok {
			return unprocessable("missing a required argument: '%s'", wanted)
		}
	}
	return nil
}

// numbers reads ids.
func numbers(raw any) ([]int64, error) {
	if n, ok := raw.(float64); ok {
		return []int64{int64(n)}, nil
	}
	list, ok := raw.([]any)
	if !ok {
		return nil, unprocessable("ids must be a list")
	}
	ids := []int64{}
	for _, v := range list {
		n, ok := v.(float64)
		if !ok {
			return nil, unprocessable("ids must be numbers")
		}
		ids = append(ids, int64(n))
	}
	return ids, nil
}
