package espocrm

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// ContactByKey looks in the custom field, or else in the descriptions of contacts that we made.
func (c *Connector) ContactByKey(ctx context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	has, err := c.schema(ctx)
	if err != nil {
		return crm.Contact{}, false, err
	}
	q := where(idField, "equals", string(key))
	if !has.contact[idField] {
		q = where("description", "contains", keyWords+string(key))
	}
	found, _, err := c.list(ctx, opFindContact, path(contactType), q.attributes("id").oldestFirst(1))
	if err != nil || len(found) == 0 {
		return crm.Contact{}, false, err
	}
	return crm.Contact{Ref: crm.ContactRef(found[0].id()), Key: key}, true, nil
}

const (
	tail    = 8  // digits of a number's end that are searched for
	maxHits = 20 // contacts that are looked at for one number
)

// SearchContacts looks for the number as EspoCRM stores it since version 8, and for whatever ends like it, which finds
// data that was imported before. A list shows the primary number only, so that each hit is read again.
func (c *Connector) SearchContacts(ctx context.Context, p crm.Phone) ([]crm.Contact, error) {
	searches := []*query{where("phoneNumber", "equals", p.E164)}
	var ends []string
	for _, number := range p.National {
		if end := number[max(0, len(number)-tail):]; !slices.Contains(ends, end) {
			ends = append(ends, end)
			searches = append(searches, where("phoneNumberNumeric", "endsWith", end))
		}
	}
	var ids []string
	for _, q := range searches {
		found, _, err := c.list(ctx, opFindContact, path(contactType), q.attributes("id").oldestFirst(maxHits))
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if !slices.Contains(ids, r.id()) {
				ids = append(ids, r.id())
			}
		}
	}
	var contacts []crm.Contact
	for _, id := range ids {
		r, err := c.read(ctx, opReadContact, contactType, id)
		if missing(err) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		contacts = append(contacts, contactOf(r))
	}
	return contacts, nil
}

// CreateContact makes a contact. EspoCRM takes a contact of the same name for a duplicate: those are looked at for our
// key, and if none has it this is somebody else.
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	has, err := c.schema(ctx)
	if err != nil {
		return "", err
	}
	in := has.newContact(p, false)
	skipCheck := p.Name == "" // a name of ours says nothing about who somebody is
	a, err := c.postContact(ctx, in, skipCheck)
	if refusedPhone(err) {
		in = has.newContact(p, true)
		a, err = c.postContact(ctx, in, skipCheck)
	}
	if rest.HasStatus(err, http.StatusConflict) {
		var ref crm.ContactRef
		if ref, err = c.alreadyThere(ctx, a.Body, p.Key); ref != "" || err != nil {
			return ref, err
		}
		a, err = c.postContact(ctx, in, true)
	}
	if err != nil {
		return "", err
	}
	var r record
	if err := rest.Decode(opCreateContact, a, &r); err != nil {
		return "", err
	}
	if r.id() == "" {
		return "", unreadable(opCreateContact)
	}
	return crm.ContactRef(r.id()), nil
}

// postContact may skip EspoCRM's check for duplicates. https://docs.espocrm.com/development/api/crud/#create
func (c *Connector) postContact(ctx context.Context, in map[string]any, skipCheck bool) (rest.Answer, error) {
	return c.sendContact(ctx, opCreateContact, http.MethodPost, path(contactType), in, skipCheck)
}

func (c *Connector) sendContact(ctx context.Context, op, method, path string, in map[string]any, skipCheck bool) (rest.Answer, error) {
	r, err := rest.Request{Op: op, Method: method, Path: path, Header: http.Header{}}.WithJSON(in)
	if err != nil {
		return rest.Answer{}, err
	}
	if skipCheck {
		r.Header.Set("X-Skip-Duplicate-Check", "true")
	}
	return c.rest.Do(ctx, r)
}

// alreadyThere looks at the contacts that an answer 409 lists for one that has our key.
func (c *Connector) alreadyThere(ctx context.Context, body []byte, key chat.ContactID) (crm.ContactRef, error) {
	var matches []record
	_ = json.Unmarshal(body, &matches) // without a list there is nothing to look at
	for _, match := range matches[:min(len(matches), maxHits)] {
		r, err := c.read(ctx, opReadContact, contactType, match.id())
		if missing(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		if keyOf(r) == key {
			return crm.ContactRef(r.id()), nil
		}
	}
	return "", nil
}

// FillContact fills what is empty, and the fields of ours.
func (c *Connector) FillContact(ctx context.Context, ref crm.ContactRef, p crm.Person) error {
	has, err := c.schema(ctx)
	if err != nil {
		return err
	}
	r, err := c.read(ctx, opReadContact, contactType, string(ref))
	if err != nil {
		return gone(err)
	}
	in := map[string]any{}
	if p.Name != "" && !hasName(r) {
		setName(in, p)
	}
	for name, value := range has.ours(p) {
		if r.text(name) != value {
			in[name] = value
		}
	}
	if p.Phone.Known() && len(contactOf(r).Phones) == 0 {
		in["phoneNumber"] = p.Phone.E164
	}
	err = c.patchContact(ctx, r.id(), in)
	if refusedPhone(err) {
		delete(in, "phoneNumber")
		err = c.patchContact(ctx, r.id(), in)
	}
	return gone(err)
}

func (c *Connector) patchContact(ctx context.Context, id string, in map[string]any) error {
	if len(in) == 0 {
		return nil
	}
	_, err := c.sendContact(ctx, opFillContact, http.MethodPatch, path(contactType, id), in, true)
	return err
}
