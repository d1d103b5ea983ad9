package odoo

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// contactName is the name part of a contact's external id.
func contactName(key chat.ContactID) string { return "contact_" + string(key) }

// ContactByKey asks what our external id names. Odoo moves it when contacts are merged. An archived contact isn't shown;
// CreateContact finds it.
func (c *Connector) ContactByKey(ctx context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	id, ok, err := c.find(ctx, "find contact", partnerModel, contactName(key))
	return crm.Contact{Ref: refOf[crm.ContactRef](id), Key: key}, ok, err
}

// find returns the record that an external id of ours names. Reading ir.model.data is for administrators; asking it for one
// id isn't. https://github.com/odoo/odoo/blob/19.0/odoo/addons/base/models/ir_model.py check_object_reference
func (c *Connector) find(ctx context.Context, op, model, name string) (id int64, ok bool, err error) {
	var found [2]any // the model and the id, which is false for a record that isn't to be seen
	err = c.do(ctx, call{
		op: op, model: "ir.model.data", method: "check_object_reference", args: map[string]any{"module": module, "xml_id": name},
	}, &found)
	if hasReason(err, "ValueError") { // nothing has that id
		return 0, false, nil
	}
	n, ok := found[1].(float64)
	return int64(n), ok && found[0] == model, err
}

// quietly has an import leave alone what an earlier one made, so that nobody's work on it is undone, and not make us a
// follower, to whom Odoo would mail each answer that is sent from the contact.
// https://github.com/odoo/odoo/blob/19.0/odoo/orm/models.py _load_records
// https://github.com/odoo/odoo/blob/19.0/addons/mail/models/mail_thread.py create
var quietly = map[string]any{"mode": "update", "noupdate": true, "mail_create_nosubscribe": true}

// CreateContact makes a contact under our external id, or finds it.
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	r := row{op: "create contact", model: partnerModel, name: contactName(p.Key), context: quietly}
	r.set("name", names(p)[0])
	if p.Phone.Known() {
		r.set("phone", p.Phone.E164)
	}
	id, err := c.load(ctx, r)
	return refOf[crm.ContactRef](id), err
}

// names are what a person may be called, the best first: Odoo takes no contact without a name.
func names(p crm.Person) []string {
	var all []string
	if name := strings.TrimSpace(p.Name); name != "" {
		all = append(all, name)
	}
	if p.Username != "" {
		all = append(all, "@"+p.Username)
	}
	if p.Phone.Known() {
		all = append(all, p.Phone.E164)
	}
	return append(all, "WhatsApp contact")
}

// FillContact adds a number where there is none, and a name where there is only what we put into its place. Odoo has no
// field for the rest.
func (c *Connector) FillContact(ctx context.Context, on crm.ContactRef, p crm.Person) error {
	const op = "fill contact"
	there, err := c.fields(ctx)
	if err != nil {
		return err
	}
	want := []string{"name", "phone"}
	if there["mobile"] {
		want = append(want, "mobile")
	}
	id := recordID(on)
	var found []map[string]any
	if err := c.do(ctx, call{op: op, model: partnerModel, method: "read", ids: []int64{id}, args: map[string]any{"fields": want}}, &found); err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: %w", op, crm.ErrGone)
	}
	gaps := gaps(found[0], p)
	if len(gaps) == 0 {
		return nil
	}
	var done bool
	if err := c.do(ctx, call{op: op, model: partnerModel, method: "write", ids: []int64{id}, args: map[string]any{"vals": gaps}}, &done); err != nil {
		return err
	}
	if !done {
		return &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: http.StatusOK, Reason: "NOT_WRITTEN"}
	}
	return nil
}

// gaps returns what a contact lacks.
func gaps(contact map[string]any, p crm.Person) map[string]string {
	vals := map[string]string{}
	name, _ := contact["name"].(string)
	if best := names(p)[0]; name != best && (strings.TrimSpace(name) == "" || slices.Contains(names(p)[1:], name)) {
		vals["name"] = best
	}
	phone, _ := contact["phone"].(string)
	mobile, _ := contact["mobile"].(string)
	if phone == "" && mobile == "" && p.Phone.Known() {
		vals["phone"] = p.Phone.E164
	}
	return vals
}
