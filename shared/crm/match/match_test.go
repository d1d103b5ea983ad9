package match

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// book is a CRM whose search shows everything.
type book struct {
	crm.Connector // what isn't overridden isn't called
	records       []crm.Contact
	lagging       bool
	calls         []string
	fail          string
}

func (b *book) call(name string) error {
	b.calls = append(b.calls, name)
	if b.fail == name {
		return &crm.Error{Class: crm.Transient, Op: name}
	}
	return nil
}

func (b *book) ContactByKey(_ context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	i := slices.IndexFunc(b.records, func(c crm.Contact) bool { return c.Key == key })
	if err := b.call("key"); err != nil || i < 0 || b.lagging {
		return crm.Contact{}, false, err
	}
	return b.records[i], true, nil
}

func (b *book) SearchContacts(context.Context, crm.Phone) ([]crm.Contact, error) {
	return b.records, b.call("search")
}

func (b *book) CreateContact(context.Context, crm.Person) (crm.ContactRef, error) {
	return "new", b.call("create")
}

func (b *book) FillContact(_ context.Context, ref crm.ContactRef, _ crm.Person) error {
	return b.call("fill " + string(ref))
}

func TestContact(t *testing.T) {
	ana := crm.Person{Key: "ana", Phone: Phone("34600111222")}
	for _, c := range []struct {
		name    string
		records []crm.Contact
		person  crm.Person
		owners  map[crm.ContactRef]chat.ContactID
		lagging bool
		calls   string
		others  int
	}{
		{name: "nobody", person: ana, calls: "[key search create]"},
		{name: "by key", person: ana, records: []crm.Contact{{Ref: "1", Key: "ana"}}, calls: "[key fill 1]"},
		{name: "by key, which the CRM can't look up", person: ana, lagging: true,
			records: []crm.Contact{{Ref: "1", Phones: []string{"600111222"}}, {Ref: "2", Key: "ana", Phones: []string{"600 111 222"}}}, calls: "[key search fill 2]"},
		{name: "by number", person: ana, records: []crm.Contact{{Ref: "1", Phones: []string{"", "911 00 00 00", "(+34) 600 111 222"}}}, calls: "[key search fill 1]"},
		{name: "the search showed too much", person: ana, records: []crm.Contact{{Ref: "1", Phones: []string{"+49600111222"}}}, calls: "[key search create]"},
		{name: "shown twice", person: ana, records: []crm.Contact{{Ref: "1", Phones: []string{"600111222"}}, {Ref: "1", Phones: []string{"600111222"}}}, calls: "[key search fill 1]"},
		{name: "several", person: ana, records: []crm.Contact{{Ref: "1", Phones: []string{"600111222"}}, {Ref: "2", Phones: []string{"+34600111222"}}}, calls: "[key search create]", others: 2},
		{name: "one of several is somebody else's", person: ana, owners: map[crm.ContactRef]chat.ContactID{"1": "eva"},
			records: []crm.Contact{{Ref: "1", Phones: []string{"600111222"}}, {Ref: "2", Phones: []string{"600111222"}}}, calls: "[key search fill 2]"},
		{name: "one of several is known to be hers", person: ana, owners: map[crm.ContactRef]chat.ContactID{"2": "ana"},
			records: []crm.Contact{{Ref: "1", Phones: []string{"600111222"}}, {Ref: "2", Phones: []string{"600111222"}}}, calls: "[key search fill 2]"},
		{name: "somebody else's key", person: ana, records: []crm.Contact{{Ref: "1", Key: "eva", Phones: []string{"600111222"}}}, calls: "[key search create]"},
		{name: "no number", person: crm.Person{Key: "ana"}, records: []crm.Contact{{Ref: "1", Phones: []string{""}}}, calls: "[key create]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &book{records: c.records, lagging: c.lagging}
			owner := func(_ context.Context, ref crm.ContactRef) (chat.ContactID, error) { return c.owners[ref], nil }
			found, err := Contact(t.Context(), b, c.person, owner)
			if err != nil || fmt.Sprint(b.calls) != c.calls || len(found.Others) != c.others {
				t.Errorf("%v, %+v (%v), want %s", b.calls, found, err, c.calls)
			}
			for _, fail := range b.calls {
				b.calls, b.fail = nil, fail
				if _, err := Contact(t.Context(), b, c.person, owner); err == nil {
					t.Errorf("%s failed, and nobody knows", fail)
				}
			}
			unknown := func(context.Context, crm.ContactRef) (chat.ContactID, error) { return "", errors.New("table") }
			if _, err := Contact(t.Context(), &book{records: []crm.Contact{{Ref: "1", Phones: []string{"600111222"}}}}, ana, unknown); err == nil {
				t.Error("taken over although nobody knows whose it is")
			}
		})
	}
}

func TestPhone(t *testing.T) {
	for _, c := range []struct{ digits, e164, national, country string }{
		{"", "", "[]", ""},
		{"34600111222", "+34600111222", "[600111222]", "ES"},
		{"5215512345678", "+525512345678", "[15512345678 5512345678]", "MX"},
		{"551187654321", "+5511987654321", "[1187654321 11987654321]", "BR"},
		{"5491123456789", "+5491123456789", "[91123456789 1123456789 111523456789]", "AR"},
	} {
		p := Phone(c.digits)
		if p.E164 != c.e164 || fmt.Sprint(p.National) != c.national || p.Country != c.country || p.Known() != (c.digits != "") {
			t.Errorf("%s: %+v", c.digits, p)
		}
		if p.Known() && !slices.Contains(p.Ways, c.digits) {
			t.Errorf("%s isn't among its ways %q", c.digits, p.Ways)
		}
	}
}
