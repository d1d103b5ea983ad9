package espocrm_test

import (
	"testing"

	sim "threadline/infra/local/espocrm"
	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// TestSameName proves that somebody of the same name gets a contact of their own, and that a contact of ours which
// EspoCRM calls a duplicate is taken for what it is.
func TestSameName(t *testing.T) {
	for name, o := range map[string]sim.Options{"with a field": {SetUp: true}, "as it comes": {}} {
		t.Run(name, func(t *testing.T) {
			s := newSimulated(t, o)
			c := s.connector(nil)
			typed, _ := s.AddContact("María García López", "+34600999888")
			first := contactOf(t, c)
			if string(first) == typed {
				t.Error("another person of that name was taken for her")
			}
			if again := contactOf(t, c); again != first {
				t.Errorf("made twice: %s and %s", first, again)
			}
			if n := len(s.Contacts()); n != 2 {
				t.Errorf("%d contacts, want 2", n)
			}
		})
	}
}

// TestSecondaryNumber proves that any of a contact's numbers is found, and that all of them are told.
func TestSecondaryNumber(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	id, _ := s.AddContact("Doctor Garcia", "91 555 00 11")
	if status, _ := s.call("PATCH", "Contact/"+id, map[string]any{"phoneNumber": "+34600111222"}); status != 200 {
		t.Fatalf("status %d", status)
	}
	for _, digits := range []string{"34600111222", "34915550011"} {
		found := must(s.connector(nil).SearchContacts(t.Context(), match.Phone(digits)))(t)
		if len(found) != 1 || len(found[0].Phones) != 2 {
			t.Errorf("%s: %+v, want one contact with both numbers", digits, found)
		}
	}
}

// TestImpossibleNumber proves that a number which EspoCRM refuses costs nobody their contact.
func TestImpossibleNumber(t *testing.T) {
	s := newSimulated(t, sim.Options{})
	p := person()
	p.Phone = crm.Phone{Digits: "99912", E164: "+99912"}
	ref := must(s.connector(nil).CreateContact(t.Context(), p))(t)
	_, c := s.call("GET", "Contact/"+string(ref), nil)
	if str(c, "phoneNumber") != "" || str(c, "description") != "WhatsApp number +99912\nThreadline contact "+personKey {
		t.Errorf("phone %q, description %q", str(c, "phoneNumber"), str(c, "description"))
	}
	p.Name, p.Key = "", anotherKey
	ref = must(s.connector(nil).CreateContact(t.Context(), crm.Person{Key: anotherKey, Name: "Ana"}))(t)
	if err := s.connector(nil).FillContact(t.Context(), ref, p); err != nil {
		t.Errorf("fill: %v", err)
	}
}

// TestCustomFields proves that what an administrator has made fields for is in them, and that fields of others stay.
func TestCustomFields(t *testing.T) {
	s := newSimulated(t, sim.Options{SetUp: true})
	c := s.connector(nil)
	id, _ := s.AddContact("Doctor Garcia", "+34600111222")
	if status, _ := s.call("PATCH", "Contact/"+id, map[string]any{"description": "prefers mornings"}); status != 200 {
		t.Fatalf("status %d", status)
	}
	p := person()
	p.Username, p.BSUID, p.Marketing = "maria.g", "ES.1234567890", "withdrawn"
	if err := c.FillContact(t.Context(), crm.ContactRef(id), p); err != nil {
		t.Fatal(err)
	}
	_, got := s.call("GET", "Contact/"+id, nil)
	for name, want := range map[string]string{
		"cThreadlineId": personKey, "cWhatsappUsername": "maria.g", "cWhatsappUserId": "ES.1234567890", "cWhatsappMarketing": "withdrawn",
		"name": "Doctor Garcia", "description": "prefers mornings",
	} {
		if str(got, name) != want {
			t.Errorf("%s is %q, want %q", name, str(got, name), want)
		}
	}
	found, ok, err := c.ContactByKey(t.Context(), personKey)
	if err != nil || !ok || string(found.Ref) != id {
		t.Errorf("by key: %v %v %v", found, ok, err)
	}
}
