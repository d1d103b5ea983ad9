package odoo

import (
	"encoding/base64"
	"maps"
	"slices"
	"time"
)

// clockFormat is how Odoo writes a time, which is UTC.
const clockFormat = "2006-01-02 15:04:05"

func (t *tx) now() string { return t.s.options.Now().UTC().Format(clockFormat) }

// create makes a record of values as write and create take them.
func (t *tx) create(model string, values map[string]any) (int64, error) {
	if err := t.allowed(model, "create"); err != nil {
		return 0, err
	}
	r := &record{Model: model, ID: t.newID(), Values: t.defaults(model)}
	if err := t.assign(r, values); err != nil {
		return 0, err
	}
	r.Values["create_uid"], r.Values["create_date"] = t.user, t.now()
	if err := t.check(r); err != nil {
		return 0, err
	}
	t.put(r)
	return r.ID, nil
}

func (t *tx) defaults(model string) map[string]any {
	switch model {
	case "res.partner":
		return t.newContact()
	case "mail.message":
		return map[string]any{"date": t.now(), "message_type": "comment", "author_id": t.partner(), "message_id": t.messageID()}
	case "ir.attachment":
		return map[string]any{"type": "binary"}
	case "base.automation":
		return map[string]any{"active": true}
	case "ir.actions.server":
		return map[string]any{"state": "object_write", "usage": "ir_actions_server"}
	}
	return map[string]any{}
}

// newContact is a contact before anything is known of it. It has the language (17) and the time zone that the call is made
// in, and whoever makes it follows it. https://github.com/odoo/odoo/blob/17.0/odoo/addons/base/models/res_partner.py
func (t *tx) newContact() map[string]any {
	values := map[string]any{"active": true, "type": "contact"}
	if tz, ok := t.context["tz"].(string); ok {
		values["tz"] = tz
	}
	if lang, ok := t.context["lang"].(string); ok && t.s.options.Version == 17 {
		values["lang"] = lang
	}
	if t.context["mail_create_nosubscribe"] != true {
		values["message_partner_ids"] = []int64{t.partner()}
	}
	return values
}

func (t *tx) partner() int64 { return t.get("res.users", t.user).number("partner_id") }

// write changes records. One that is gone is an error, but for a message: nobody looks whether it is there, unless the
// list of its files changes.
func (t *tx) write(model string, ids []int64, values map[string]any) error {
	if err := t.allowed(model, "write"); err != nil {
		return err
	}
	_, toModel := values["model"]
	_, toRecord := values["res_id"]
	if model == "mail.message" && (toModel || toRecord) && t.s.options.Version > 17 && !t.s.options.Admin {
		return accessError("modify", "model and res_id of a message", model)
	}
	for _, id := range ids {
		old := t.get(model, id)
		_, files := values["attachment_ids"]
		switch {
		case old == nil && model == "mail.message" && !files:
			continue
		case old == nil && model == "mail.message":
			return validation("The operation cannot be completed: Another model is using the record you are trying to delete.")
		case old == nil:
			return missing(model, id, t.user)
		}
		r := &record{Model: model, ID: id, Values: maps.Clone(old.Values)}
		if err := t.assign(r, values); err != nil {
			return err
		}
		if err := t.check(r); err != nil {
			return err
		}
		t.put(r)
	}
	return nil
}

func (t *tx) unlink(model string, ids []int64) error {
	if err := t.allowed(model, "unlink"); err != nil {
		return err
	}
	for _, id := range ids {
		r := t.get(model, id)
		if r == nil {
			return missing(model, id, t.user)
		}
		t.remove(r)
		if model != "res.partner" {
			continue
		}
		for _, m := range slices.Collect(maps.Values(t.s.records["mail.message"])) { // a chatter goes with its record
			if m.text("model") == model && m.number("res_id") == id {
				t.remove(m)
			}
		}
	}
	return nil
}

// assign sets fields.
func (t *tx) assign(r *record, values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f, ok := t.s.schema[r.Model][name]
		if !ok {
			return valueError("Invalid field '%s' in '%s'", name, r.Model)
		}
		if name == "id" || f.Derived && f.Type != "binary" {
			continue // computed, whatever one writes
		}
		v, err := t.accept(r, name, f, values[name])
		if err != nil {
			return err
		}
		if v == nil {
			delete(r.Values, name)
		} else {
			r.Values[name] = v
		}
	}
	r.Values["write_uid"], r.Values["write_date"] = t.user, t.now()
	return nil
}

// accept checks a value, and returns what is stored of it; nil for nothing.
func (t *tx) accept(r *record, name string, f field, v any) (any, error) {
	if v == false && f.Type != "boolean" || v == nil {
		return nil, nil
	}
	switch v := plain(v).(type) {
	case bool:
		if f.Type == "boolean" {
			return v, nil
		}
	case int64:
		if f.Type == "many2one" && t.get(f.Relation, v) == nil {
			return nil, validation("The operation cannot be completed: Another model requires the record being deleted.")
		}
		if slices.Contains([]string{"many2one", "integer", "many2one_reference"}, f.Type) {
			return v, nil
		}
	case blob:
		if f.Type == "binary" {
			t.attach(r, v)
			return nil, nil
		}
	case string:
		return t.acceptText(r, name, f, v)
	case []any:
		if f.Type == "many2many" {
			return t.commands(f, r.list(name), v)
		}
	}
	return nil, valueError("Wrong value for %s.%s", r.Model, name)
}

func (t *tx) acceptText(r *record, name string, f field, v string) (any, error) {
	switch f.Type {
	case "char", "text":
		return v, nil
	case "html":
		if f.Sanitize {
			v = sanitize(v)
		}
		return v, nil
	case "datetime":
		if _, err := time.Parse(clockFormat, v); err != nil {
			return nil, valueError("time data '%s' does not match format '%%Y-%%m-%%d %%H:%%M:%%S'", v)
		}
		return v, nil
	case "selection":
		if !slices.Contains(f.Selection, v) {
			return nil, valueError("Wrong value for %s.%s: '%s'", r.Model, name, v)
		}
		return v, nil
	case "binary":
		content, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil, valueError("Incorrect padding")
		}
		b, err := t.s.keep(content)
		if err != nil {
			return nil, err
		}
		t.attach(r, b)
		return nil, nil
	}
	return nil, valueError("Wrong value for %s.%s", r.Model, name)
}

// attach makes a file the content of an attachment.
func (t *tx) attach(r *record, b blob) {
	r.Values["store_fname"], r.Values["file_size"], r.Values["checksum"] = b.name, b.size, b.sha1
}

// commands change a list of records: [4, id] links, [3, id] unlinks, [6, 0, ids] replaces, [5] empties.
// https://www.odoo.com/documentation/19.0/developer/reference/backend/orm.html#odoo.fields.Command
func (t *tx) commands(f field, have []int64, list []any) (any, error) {
	have = slices.Clone(have)
	for _, raw := range list {
		command, _ := raw.([]any)
		if len(command) == 0 {
			return nil, valueError("Wrong command %v", raw)
		}
		var id int64
		if len(command) > 1 {
			id, _ = command[1].(int64)
		}
		switch command[0] {
		case int64(3):
			have = slices.DeleteFunc(have, func(n int64) bool { return n == id })
		case int64(4):
			if !slices.Contains(have, id) {
				have = append(have, id)
			}
		case int64(5):
			have = nil
		case int64(6):
			have = nil
			ids, _ := command[len(command)-1].([]any)
			for _, n := range ids {
				n, _ := n.(int64)
				have = append(have, n)
			}
		default:
			return nil, valueError("Wrong command %v", raw)
		}
	}
	for _, id := range have {
		if t.get(f.Relation, id) == nil {
			return nil, missing(f.Relation, id, t.user)
		}
	}
	return have, nil
}

// check is what the database demands of a record.
func (t *tx) check(r *record) error {
	for _, name := range required[r.Model] {
		if v := r.Values[name]; v == nil || v == "" {
			return unfilled(name, t.s.schema[r.Model][name].Label)
		}
	}
	if name := t.s.faults.demanded[r.Model]; name != "" {
		return unfilled(name, name)
	}
	switch r.Model {
	case "res.partner":
		if r.text("type") == "contact" && r.text("name") == "" {
			return validation("The operation cannot be completed: Contacts require a name")
		}
	case "mail.message":
		// Whoever writes to a record's chatter must be allowed to change the record, which has to exist.
		if model := r.text("model"); model != "" {
			if _, known := t.s.schema[model]; !known || t.get(model, r.number("res_id")) == nil {
				return missing(model, r.number("res_id"), t.user)
			}
			return t.allowed(model, "write")
		}
	}
	return nil
}
