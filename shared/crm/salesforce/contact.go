package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// The fields of ours on a contact.
const (
	contactKey       = "WA_Id__c"
	contactUsername  = "WA_Username__c"
	contactMarketing = "WA_Marketing__c"
)

// placeholder is the last name of somebody who has none: Salesforce wants one.
const placeholder = "(WhatsApp)"

// telephones are the fields in which a contact's numbers are.
var telephones = []string{"Phone", "MobilePhone", "HomePhone", "OtherPhone"}

const contactFields = "Id,FirstName,LastName,Phone,MobilePhone,HomePhone,OtherPhone," + contactKey

// contact is a Contact, as far as it matters here.
type contact struct {
	ID, FirstName, LastName                   string
	Phone, MobilePhone, HomePhone, OtherPhone string
	Key                                       string `json:"WA_Id__c"`
	Username                                  string `json:"WA_Username__c"`
	Marketing                                 string `json:"WA_Marketing__c"`
}

func (c contact) phones() []string {
	var list []string
	for _, number := range []string{c.MobilePhone, c.Phone, c.HomePhone, c.OtherPhone} {
		if number != "" {
			list = append(list, number)
		}
	}
	return list
}

func (c contact) found() crm.Contact {
	return crm.Contact{Ref: crm.ContactRef(long(c.ID)), Key: chat.ContactID(c.Key), Phones: c.phones()}
}

// ContactByKey asks for the contact with the key. A query shows what was made a moment ago.
func (c *Connector) ContactByKey(ctx context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	rows, err := query[contact](ctx, c, "find contact by key", "Contact",
		queryPath("SELECT "+contactFields+" FROM Contact WHERE "+contactKey+" = "+literal(string(key))+" LIMIT 1"))
	if err != nil || len(rows) == 0 {
		return crm.Contact{}, false, err
	}
	return rows[0].found(), true, nil
}

// CreateContact makes the contact with the key; one that is there already is the same one.
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	l, err := c.layoutOf(ctx)
	if err != nil {
		return "", err
	}
	first, last := names(p)
	values := map[string]any{"LastName": last}
	if first != "" {
		values["FirstName"] = first
	}
	if p.Phone.Known() {
		values["MobilePhone"] = p.Phone.E164
	}
	ours(values, contact{}, p, l)
	delete(values, contactKey) // it is in the path
	id, err := c.upsert(ctx, "create contact", "Contact", contactKey, string(p.Key), values)
	return crm.ContactRef(id), err
}

// FillContact reads the contact and writes what it lacks, if anything.
func (c *Connector) FillContact(ctx context.Context, ref crm.ContactRef, p crm.Person) error {
	l, err := c.layoutOf(ctx)
	if err != nil {
		return err
	}
	id, err := contactID(ref)
	if err != nil {
		return err
	}
	fields := contactFields
	if l.metadata {
		fields += "," + contactUsername + "," + contactMarketing
	}
	var have contact
	err = c.do(ctx, call{
		op: "read contact", object: "Contact", method: http.MethodGet, path: "sobjects/Contact/" + id + "?fields=" + fields, names: aRecord,
	}, &have)
	if err != nil {
		return c.whereabouts(ctx, id, err)
	}
	values := gaps(have, p)
	ours(values, have, p, l)
	if len(values) == 0 {
		return nil
	}
	return c.whereabouts(ctx, id, c.patch(ctx, "fill contact", "Contact", id, values))
}

// gaps are the values that a contact lacks.
func gaps(have contact, p crm.Person) map[string]any {
	values := map[string]any{}
	first, last := names(p)
	if have.LastName == placeholder && (have.FirstName == "" || have.FirstName == p.Username) {
		if last != have.LastName {
			values["LastName"] = last
		}
		if first != have.FirstName && (first != "" || last != placeholder) {
			values["FirstName"] = first
		}
	}
	if p.Phone.Known() && have.MobilePhone == "" && !dials(have.phones(), p.Phone) {
		values["MobilePhone"] = p.Phone.E164
	}
	return values
}

// ours adds the fields of our own that are to change. A key that is there stays: two conversations may end in one
// contact that was merged.
func ours(values map[string]any, have contact, p crm.Person, l layout) {
	if have.Key == "" {
		values[contactKey] = string(p.Key)
	}
	if !l.metadata {
		return
	}
	if p.Username != "" && p.Username != have.Username {
		values[contactUsername] = shorten(p.Username, 64)
	}
	if p.Marketing != "" && p.Marketing != have.Marketing {
		values[contactMarketing] = p.Marketing
	}
}

// names makes Salesforce's two names of the one that a profile has: the first word, and the rest.
func names(p crm.Person) (first, last string) {
	switch words := p.NameWords(); {
	case len(words) == 0:
		return shorten(p.Username, 40), placeholder
	case len(words) == 1:
		return "", shorten(words[0], 80)
	default:
		return shorten(words[0], 40), shorten(strings.Join(words[1:], " "), 80)
	}
}

// shorten cuts a text to n UTF-16 units.
func shorten(s string, n int) string {
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return s[:i]
		}
	}
	return s
}

// place returns how the org is set up, and the id of the contact on which something is put.
func (c *Connector) place(ctx context.Context, on crm.ContactRef) (l layout, contact string, err error) {
	if l, err = c.layoutOf(ctx); err != nil {
		return l, "", err
	}
	contact, err = contactID(on)
	return l, contact, err
}

func contactID(ref crm.ContactRef) (string, error) {
	if !isID(string(ref)) {
		return "", fmt.Errorf("read ref: %w", crm.ErrGone)
	}
	return string(ref), nil
}

// whereabouts finds out what an error that a record is gone, or out of reach, means for a contact: deleted, or merged into
// another one. A contact that is there isn't forgotten because something else that a rule of the org's needed is deleted.
// Only the status of an answer tells the caller that it is about one contact, and leaves the others alone.
func (c *Connector) whereabouts(ctx context.Context, id string, err error) error {
	outOfReach := reason(err) == crossReference
	if !errors.Is(err, crm.ErrGone) && !outOfReach {
		return err
	}
	const op = "find deleted contact"
	rows, queryErr := query[struct {
		IsDeleted      bool
		MasterRecordID string
	}](ctx, c, op, "Contact", queryAllPath("SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = "+literal(id)))
	switch {
	case queryErr != nil:
		return queryErr
	case len(rows) > 0 && rows[0].MasterRecordID != "":
		return &crm.Moved{To: crm.ContactRef(long(rows[0].MasterRecordID))}
	case len(rows) > 0 && !rows[0].IsDeleted && outOfReach:
		return err
	case len(rows) > 0 && !rows[0].IsDeleted:
		return &crm.Error{Class: crm.Stopped, Op: op, Status: http.StatusOK, Reason: "ANOTHER_RECORD_IS_DELETED", Scopes: []string{"Contact"}}
	}
	return fmt.Errorf("%s: %w", op, crm.ErrGone)
}
