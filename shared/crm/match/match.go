// Package match finds out which of a CRM's records is a person.
//
// It guarantees that no record is taken for a person's because a search showed it: every telephone number on it is
// compared. A record that is known to be somebody else's is left alone, and so are several that it may be: then the
// person gets a record of their own, and the caller is told of the others.
package match

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/phone"
)

// Phone returns a number of WhatsApp's in all the ways in which a CRM may have it; the zero Phone for no digits.
func Phone(digits string) crm.Phone {
	if digits == "" {
		return crm.Phone{}
	}
	p := crm.Phone{Digits: digits, E164: phone.E164(digits), Country: phone.Country(digits)}
	p.Ways = append([]string{digits}, phone.Variants(digits)...)
	if dialled := p.E164[1:]; !slices.Contains(p.Ways, dialled) {
		p.Ways = append(p.Ways, dialled)
	}
	for _, way := range p.Ways {
		if n := phone.National(way); !slices.Contains(p.National, n) {
			p.National = append(p.National, n)
		}
	}
	return p
}

// Owner tells whose a record is known to be; empty: nobody's.
type Owner func(context.Context, crm.ContactRef) (chat.ContactID, error)

// Found is a person's record.
type Found struct {
	Ref    crm.ContactRef
	Others []crm.ContactRef // that have the number too, none of which was chosen
}

// Contact finds the person's record, takes one over, or makes one. What a search still shows although it was deleted is
// nobody's.
func Contact(ctx context.Context, c crm.Connector, p crm.Person, owner Owner) (Found, error) {
	known, ok, err := c.ContactByKey(ctx, p.Key)
	if err != nil {
		return Found{}, fmt.Errorf("look for the key: %w", err)
	}
	if ok {
		if err := c.FillContact(ctx, known.Ref, p); !errors.Is(err, crm.ErrGone) {
			return Found{Ref: known.Ref}, err
		}
	}
	matches, err := candidates(ctx, c, p, owner)
	if err != nil {
		return Found{}, err
	}
	if len(matches) == 1 {
		if err := c.FillContact(ctx, matches[0], p); !errors.Is(err, crm.ErrGone) {
			return Found{Ref: matches[0]}, err
		}
		matches = nil
	}
	ref, err := c.CreateContact(ctx, p)
	return Found{Ref: ref, Others: matches}, err
}

// candidates returns the records that have the person's number and are nobody else's.
func candidates(ctx context.Context, c crm.Connector, p crm.Person, owner Owner) ([]crm.ContactRef, error) {
	if !p.Phone.Known() {
		return nil, nil
	}
	hits, err := c.SearchContacts(ctx, p.Phone)
	if err != nil {
		return nil, fmt.Errorf("look for the number: %w", err)
	}
	var matches []crm.ContactRef
	for _, hit := range hits {
		same := slices.ContainsFunc(hit.Phones, func(typed string) bool { return phone.Same(typed, p.Phone.Digits) })
		if !same || slices.Contains(matches, hit.Ref) || hit.Key != "" && hit.Key != p.Key {
			continue
		}
		whose, err := owner(ctx, hit.Ref)
		if err != nil {
			return nil, err
		}
		if hit.Key == p.Key || whose == p.Key {
			return []crm.ContactRef{hit.Ref}, nil
		}
		if whose == "" {
			matches = append(matches, hit.Ref)
		}
	}
	return matches, nil
}
