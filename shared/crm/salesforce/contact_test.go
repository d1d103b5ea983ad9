package salesforce_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/match"
)

// TestMerged proves that a conversation follows its contact when somebody merges it into another one.
func TestMerged(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		o := newOrg(t, metadata)
		c := o.connector()
		loser := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), loser, entry("hello"), nil))
		winner := o.add("Contact", map[string]string{"LastName": "Garcia"})
		if err := o.sim.Merge(winner, string(loser)); err != nil {
			t.Fatal(err)
		}
		next := entry("again")
		next.Key = next.Key[:38] + "ff"
		_, put := c.PutMessage(t.Context(), loser, next, nil)
		_, upload := c.PutFile(t.Context(), loser, message, photo())
		for what, err := range map[string]error{
			"put message": put, "put file": upload, "fill contact": c.FillContact(t.Context(), loser, person()),
		} {
			if moved, ok := errors.AsType[*crm.Moved](err); !ok || string(moved.To) != winner {
				t.Errorf("%s: %v, want moved to %s", what, err, winner)
			}
		}
		if err := c.UpdateMessage(t.Context(), crm.ContactRef(winner), message, entry("hello"), nil); err != nil {
			t.Errorf("the message moved with the contact: %v", err)
		}
		if n := len(o.Entries(winner)); n != 1 {
			t.Errorf("%d entries on the contact that is left, want 1", n)
		}
	}
}

// TestOutOfReach proves that a contact is looked for also where Salesforce says of a record that was merged or deleted that
// the user may not reach it, that one which is there isn't forgotten for that, and that all others go on meanwhile.
func TestOutOfReach(t *testing.T) {
	answered := func(code string) func(http.RoundTripper) http.RoundTripper {
		return func(next http.RoundTripper) http.RoundTripper {
			return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodPatch {
					return next.RoundTrip(r)
				}
				_ = r.Body.Close()
				body := `[{"message":"no","errorCode":"` + code + `"}]`
				return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
			})
		}
	}
	const outOfReach, gone = "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INVALID_CROSS_REFERENCE_KEY"
	o := newOrg(t, true)
	contact := must[crm.ContactRef](t)(o.connector().CreateContact(t.Context(), person()))
	for code, reason := range map[string]string{outOfReach: outOfReach, gone: "ANOTHER_RECORD_IS_DELETED"} {
		_, err := o.connect(answered(code)).PutMessage(t.Context(), contact, entry("hello"), nil)
		if e := wantError(t, err, crm.Stopped, reason); e.Status == 0 {
			t.Errorf("%s: without a status it is about the whole org", code)
		}
	}
	winner := o.add("Contact", map[string]string{"LastName": "Garcia"})
	if err := o.sim.Merge(winner, string(contact)); err != nil {
		t.Fatal(err)
	}
	_, err := o.connect(answered(outOfReach)).PutMessage(t.Context(), contact, entry("hello"), nil)
	if moved, ok := errors.AsType[*crm.Moved](err); !ok || string(moved.To) != winner {
		t.Errorf("merged: %v, want moved to %s", err, winner)
	}
	o.DeleteContact(winner)
	if _, err := o.connect(answered(outOfReach)).PutMessage(t.Context(), crm.ContactRef(winner), entry("hello"), nil); !errors.Is(err, crm.ErrGone) {
		t.Errorf("deleted: %v, want ErrGone", err)
	}
}

// TestFill proves which gaps are filled, and that nothing else changes.
func TestFill(t *testing.T) {
	for _, row := range []struct {
		name       string
		have, want map[string]string
	}{
		{"a landline stays, the mobile is added",
			map[string]string{"LastName": "Garcia", "Phone": "+34 912 345 678"},
			map[string]string{"LastName": "Garcia", "Phone": "+34 912 345 678", "MobilePhone": "+34600111222"}},
		{"the number is there, otherwise written",
			map[string]string{"LastName": "Garcia", "OtherPhone": "600 111 222"},
			map[string]string{"LastName": "Garcia", "OtherPhone": "600 111 222", "MobilePhone": ""}},
		{"another mobile stays",
			map[string]string{"FirstName": "Ana", "LastName": "Garcia", "MobilePhone": "+34 699 000 000"},
			map[string]string{"FirstName": "Ana", "LastName": "Garcia", "MobilePhone": "+34 699 000 000"}},
		{"a key of somebody else stays",
			map[string]string{"LastName": "Garcia", "WA_Id__c": "another"},
			map[string]string{"WA_Id__c": "another"}},
		{"the placeholder is no name",
			map[string]string{"LastName": "(WhatsApp)", "FirstName": "maria.g"},
			map[string]string{"LastName": "García López", "FirstName": "María"}},
		{"somebody typed a first name",
			map[string]string{"LastName": "(WhatsApp)", "FirstName": "Mrs G"},
			map[string]string{"LastName": "(WhatsApp)", "FirstName": "Mrs G"}},
	} {
		o := newOrg(t, true)
		c := o.connector()
		id := o.add("Contact", row.have)
		p := person()
		p.Username, p.Marketing = "maria.g", "granted"
		if err := c.FillContact(t.Context(), crm.ContactRef(id), p); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		got := o.sim.Rows("Contact")[0].Values
		row.want["WA_Username__c"], row.want["WA_Marketing__c"] = "maria.g", "granted"
		for field, want := range row.want {
			if got[field] != want {
				t.Errorf("%s: %s is %q, want %q", row.name, field, got[field], want)
			}
		}
		if n := o.calls(func() { _ = c.FillContact(t.Context(), crm.ContactRef(id), p) }); n != 1 {
			t.Errorf("%s: %d calls to find that nothing lacks, want 1", row.name, n)
		}
	}
}

// TestFoundInEveryField proves that each of the telephone fields is looked at, at once and by the index.
func TestFoundInEveryField(t *testing.T) {
	for _, field := range []string{"Phone", "MobilePhone", "HomePhone", "OtherPhone"} {
		for _, typed := range []string{"+34600111222", "600.11.12.22"} {
			o := newOrg(t, true)
			id := o.add("Contact", map[string]string{"LastName": "Garcia", field: typed})
			found, err := match.Contact(t.Context(), o.connector(), person(), noOwner)
			if err != nil || string(found.Ref) != id {
				t.Errorf("%s in %s: %q %v, want %s", typed, field, found.Ref, err, id)
			}
		}
	}
}
