package odoo

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// The fields of a contact that hold numbers. Which there are depends on the version and on the phone_validation module.
var numberFields = []string{"phone", "mobile", "phone_sanitized"}

// fields tells which of numberFields there are.
func (c *Connector) fields(ctx context.Context) (map[string]bool, error) {
	c.mu.Lock()
	known := c.known.fields
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	var all map[string]json.RawMessage
	err := c.do(ctx, call{
		op: "list fields", model: partnerModel, method: "fields_get",
		args: map[string]any{"allfields": numberFields, "attributes": []string{"type"}},
	}, &all)
	if err != nil {
		return nil, err
	}
	known = map[string]bool{}
	for name := range all {
		known[name] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.fields = known
	return known, nil
}

// mostContacts bounds what is read of a search, which finds more than the number.
const mostContacts = 200

// SearchContacts finds by number, however it was typed.
func (c *Connector) SearchContacts(ctx context.Context, p crm.Phone) ([]crm.Contact, error) {
	if !p.Known() {
		return nil, nil
	}
	there, err := c.fields(ctx)
	if err != nil {
		return nil, err
	}
	typed := slices.DeleteFunc([]string{"phone", "mobile"}, func(name string) bool { return !there[name] })
	var found []map[string]any
	err = c.do(ctx, call{
		op: "search contacts", model: partnerModel, method: "search_read",
		args: map[string]any{"domain": numberDomain(p, there, typed), "fields": typed, "limit": mostContacts, "order": "id"},
	}, &found)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	list := make([]crm.Contact, len(found))
	ids := make([]int64, len(found))
	for i, r := range found {
		n, _ := r["id"].(float64)
		ids[i] = int64(n)
		list[i].Ref = refOf[crm.ContactRef](ids[i])
		for _, name := range typed {
			if number, _ := r[name].(string); number != "" { // false if it isn't set
				list[i].Phones = append(list[i].Phones, number)
			}
		}
	}
	return list, c.addKeys(ctx, ids, list)
}

// addKeys fills in whose contacts are that we made. Odoo tells one external id of a record, any of them if it has several.
func (c *Connector) addKeys(ctx context.Context, ids []int64, list []crm.Contact) error {
	var names map[string]string
	if err := c.do(ctx, call{op: "read external ids", model: partnerModel, method: "get_external_id", ids: ids}, &names); err != nil {
		return err
	}
	for i, id := range ids {
		if key, ours := strings.CutPrefix(names[strconv.FormatInt(id, 10)], module+"."+contactName("")); ours {
			list[i].Key = chat.ContactID(key)
		}
	}
	return nil
}

// numberDomain asks for a number in every way. phone_sanitized has it in one form, but only of one of a contact's numbers
// and not without a country. Of what was typed the last digits are looked for, whatever is between them: the search that
// phone_validation has for this looks past plain spaces and hyphens, not past those of a number that was copied from a page.
// https://github.com/odoo/odoo/blob/19.0/addons/phone_validation/models/mail_thread_phone.py PHONE_REGEX_PATTERN
func numberDomain(p crm.Phone, there map[string]bool, typed []string) []any {
	var terms []any
	if there["phone_sanitized"] {
		var forms []string
		for _, way := range p.Ways {
			forms = append(forms, "+"+way)
		}
		terms = append(terms, []any{"phone_sanitized", "in", forms})
	}
	for _, pattern := range patterns(p.National) {
		for _, name := range typed {
			terms = append(terms, []any{name, "=like", pattern})
		}
	}
	domain := []any{}
	for range len(terms) - 1 {
		domain = append(domain, "|")
	}
	return append(domain, terms...)
}

// patterns match the last digits of numbers, which all the ways to write one share.
func patterns(national []string) []string {
	const digits = 8
	var all []string
	for _, n := range national {
		last := n[max(0, len(n)-digits):]
		all = append(all, "%"+strings.Join(strings.Split(last, ""), "%")+"%")
	}
	slices.Sort(all)
	return slices.Compact(all)
}
