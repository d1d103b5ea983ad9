package hubspot_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"threadline/shared/crm"
	"threadline/shared/crm/match"
)

// onlyLetters is a rule of an account for names.
func onlyLetters(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' }) < 0
}

// nothing is a rule that no value keeps.
func nothing(string) bool { return false }

// TestRefusedValue proves that a value which the account refuses is left out: the person has a record with all the rest.
func TestRefusedValue(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	a.sim.Rule("contacts", "firstname", onlyLetters)
	a.sim.Rule("contacts", "threadline_marketing", nothing)
	p := crm.Person{Key: "k1", Name: "www.example.com Shop", Phone: match.Phone("34600111222"), Username: "shop.1", Marketing: "granted"}
	ref := contact(t, c, p)
	want := map[string]string{
		"threadline_id": "k1", "phone": "+34600111222", "firstname": "WhatsApp customer", "lastname": "Shop",
		"threadline_username": "shop.1", "threadline_marketing": "",
	}
	check := func() {
		t.Helper()
		all := a.sim.Contacts()
		if len(all) != 1 || all[0].ID != string(ref) {
			t.Fatalf("%+v, want the contact %s alone", all, ref)
		}
		for name, value := range want {
			if got := all[0].Properties[name]; got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	}
	check()
	p.Username, p.Marketing = "shop.2", "withdrawn"
	if err := c.FillContact(t.Context(), ref, p); err != nil {
		t.Fatal(err)
	}
	want["threadline_username"] = "shop.2"
	check()
	if _, err := c.PutMessage(t.Context(), ref, entry(a, "m1", "hello"), nil); err != nil {
		t.Error(err)
	}
}

// TestRefusedContact proves that an account which takes no contact at all waits for a person, and loses nothing.
func TestRefusedContact(t *testing.T) {
	a := newAccount(t)
	c := ready(t, a)
	a.sim.Rule("contacts", "firstname", nothing)
	_, err := c.CreateContact(t.Context(), crm.Person{Key: "k1"})
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped || e.Status != http.StatusBadRequest {
		t.Errorf("%v, want Stopped", err)
	}
}

// TestAccountWithoutAPropertyToSearchBy proves that somebody whose number is on a record is found there too, and that no
// message is given up for a search that HubSpot refuses.
func TestAccountWithoutAPropertyToSearchBy(t *testing.T) {
	for _, property := range []string{"hs_whatsapp_phone_number", "hs_searchable_calculated_mobile_number"} {
		a := lacking(t, "contacts."+property)
		c := ready(t, a)
		id, _ := a.AddContact("Mrs Garcia", "+34600111222")
		found, err := c.SearchContacts(t.Context(), match.Phone("34600111222"))
		if err != nil || len(found) != 1 || string(found[0].Ref) != id {
			t.Errorf("without %s: %+v, %v, want %s", property, found, err, id)
		}
	}
	_, err := ready(t, lacking(t, "contacts.phone")).SearchContacts(t.Context(), match.Phone("34600111222"))
	if e, ok := errors.AsType[*crm.Error](err); !ok || e.Class != crm.Stopped {
		t.Errorf("without phone: %v, want Stopped", err)
	}
}
