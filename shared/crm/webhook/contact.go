package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// ContactByKey asks the receiver. One that doesn't look finds nobody, and is then sent the contact by its key.
func (c *Connector) ContactByKey(ctx context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	found, err := c.find(ctx, "find contact by key", findPart{Key: key})
	if err != nil {
		return crm.Contact{}, false, err
	}
	for _, one := range found {
		if one.Key == key {
			return one, true, nil
		}
	}
	return crm.Contact{}, false, nil
}

// SearchContacts asks the receiver for who may have a number.
func (c *Connector) SearchContacts(ctx context.Context, p crm.Phone) ([]crm.Contact, error) {
	return c.find(ctx, "find contact by phone", findPart{Phone: &phonePart{
		E164: p.E164, Ways: orEmpty(p.Ways), National: orEmpty(p.National), Country: p.Country,
	}})
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// findAnswer is what a receiver that looks says.
type findAnswer struct {
	Contacts []struct {
		Ref    string         `json:"ref"`
		Key    chat.ContactID `json:"key"`
		Phones []string       `json:"phones"`
	} `json:"contacts"`
}

func (c *Connector) find(ctx context.Context, op string, what findPart) ([]crm.Contact, error) {
	a, err := c.send(ctx, op, document{Type: typeFind, Find: &what}, c.sealed)
	if rest.HasStatus(err, http.StatusNotFound) || err == nil && a.Status == http.StatusNoContent {
		return nil, nil // nobody, or it doesn't look
	}
	if err != nil {
		return nil, err
	}
	var said findAnswer
	if json.Unmarshal(a.Body, &said) != nil || said.Contacts == nil {
		return nil, notAgreed(op, a)
	}
	var list []crm.Contact
	for _, one := range said.Contacts {
		if !aRef.MatchString(one.Ref) {
			return nil, notAgreed(op, a)
		}
		list = append(list, crm.Contact{Ref: crm.ContactRef(one.Ref), Key: one.Key, Phones: one.Phones})
	}
	return list, nil
}

// CreateContact sends the person. Without an answer of the receiver's own, our key is the ref.
func (c *Connector) CreateContact(ctx context.Context, p crm.Person) (crm.ContactRef, error) {
	ref, err := c.put(ctx, "create contact", document{Type: typeContact, Contact: known(p)})
	if err != nil {
		return "", err
	}
	return crm.ContactRef(cmp.Or(ref, string(p.Key))), nil
}

// FillContact sends what is known now; the receiver fills gaps with it.
func (c *Connector) FillContact(ctx context.Context, on crm.ContactRef, p crm.Person) error {
	contact := known(p)
	contact.Ref = on
	_, err := c.put(ctx, "fill contact", document{Type: typeContact, Contact: contact})
	return err
}

func known(p crm.Person) *contactPart {
	return &contactPart{
		Key: p.Key, Name: p.Name, Phone: p.Phone.E164, Digits: p.Phone.Digits, Country: p.Phone.Country,
		Username: p.Username, BSUID: p.BSUID, Marketing: p.Marketing,
	}
}
