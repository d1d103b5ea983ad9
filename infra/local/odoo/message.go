package odoo

import (
	"crypto/rand"
	"html"
	"slices"
	"strconv"
	"strings"
)

// messageID is that of a message which brings none.
func (t *tx) messageID() string {
	return "<" + strconv.FormatInt(t.s.options.Now().UnixNano(), 10) + "." + rand.Text()[:12] + "-openerp@odoo.example>"
}

// posted are what message_post knows, of its many arguments.
var posted = []string{"body", "message_type", "subtype_xmlid", "author_id", "message_id", "date", "attachment_ids", "body_is_html"}

// post writes into a record's chatter, as a person does in a browser. A plain text is escaped. Unlike an import, it sets
// off what waits for messages.
func (t *tx) post(model string, ids []int64, arguments map[string]any) (int64, error) {
	for name := range arguments {
		if !slices.Contains(posted, name) {
			return 0, valueError("Those values are not supported when posting or notifying: %s", name)
		}
	}
	if len(ids) != 1 {
		return 0, valueError("Expected singleton: %s%v", model, ids)
	}
	body, _ := arguments["body"].(string)
	if arguments["body_is_html"] != true && body != "" {
		body = "<p>" + strings.ReplaceAll(html.EscapeString(body), "\n", "<br>") + "</p>"
	}
	values := map[string]any{"model": model, "res_id": float64(ids[0]), "body": body, "message_type": "notification"}
	subtype := "mail.mt_note"
	for name, v := range arguments {
		switch name {
		case "subtype_xmlid":
			subtype, _ = v.(string)
		case "attachment_ids":
			values[name] = []any{[]any{6.0, 0.0, v}}
		case "message_type", "author_id", "message_id", "date":
			values[name] = v
		}
	}
	x, ok := t.s.xmlids[subtype]
	if !ok || x.Model != "mail.message.subtype" {
		return 0, valueError("External ID not found in the system: %s", subtype)
	}
	values["subtype_id"] = float64(x.ID)
	id, err := t.create("mail.message", values)
	if err == nil {
		t.announce(t.get("mail.message", id))
	}
	return id, err
}

// announce has the rules carried out that wait for a message of the company's to the outside: notes and what customers
// write don't count.
func (t *tx) announce(m *record) {
	subtype, author := t.get("mail.message.subtype", m.number("subtype_id")), m.number("author_id")
	if subtype == nil || subtype.flag("internal") || m.flag("is_internal") || !t.s.hasUser(author) {
		return
	}
	if !slices.Contains([]string{"comment", "email", "notification"}, m.text("message_type")) {
		return
	}
	for _, rule := range t.s.sorted("base.automation") {
		on := t.get("ir.model", rule.number("model_id"))
		if !rule.flag("active") || rule.text("trigger") != "on_message_sent" || on == nil || on.text("model") != m.text("model") {
			continue
		}
		for _, action := range t.s.sorted("ir.actions.server") {
			if action.number("base_automation_id") == rule.ID && action.text("state") == "webhook" {
				t.callHook(action, on.text("model"), m.number("res_id"))
			}
		}
	}
}

// sorted returns a model's records in the order of their making.
func (s *Simulator) sorted(model string) []*record {
	list := make([]*record, 0, len(s.records[model]))
	for _, r := range s.records[model] {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *record) int { return int(a.ID - b.ID) })
	return list
}
