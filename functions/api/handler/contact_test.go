package handler

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
)

func (r *rig) contact(id chat.ContactID) contactView {
	r.Helper()
	var c contactView
	r.get("/api/v1/contacts/"+string(id)).want(http.StatusOK, &c)
	return c
}

// TestAContactsRecords: where a person is in the CRMs, and which other records have the number.
func TestAContactsRecords(t *testing.T) {
	r := newRig(t)
	who, err := r.store.Person(t.Context(), chat.Seen{Phone: ana, At: noon, Source: chat.SourceMessage})
	if err != nil {
		t.Fatal(err)
	}
	for connector, l := range map[string]store.Link{"odoo": {Ref: "7"}, "hubspot": {Ref: "8", Others: []string{"1", "2"}}, "espocrm": {Tried: noon}} {
		if err := r.store.SetLink(t.Context(), who.ID, connector, l); err != nil {
			t.Fatal(err)
		}
	}
	got := r.get("/api/v1/contacts/" + string(who.ID))
	if want := `"crm":{"hubspot":{"ref":"8","others":["1","2"]},"odoo":{"ref":"7"}}`; !strings.Contains(string(got.body), want) {
		t.Errorf("%s\nwant %s", got.body, want)
	}
}

func TestConsent(t *testing.T) {
	r := newRig(t)
	id := r.receive("w1", chat.Seen{Phone: ana}, nil).Contact
	if c := r.contact(id); c.Consent != nil {
		t.Errorf("nothing was said: %+v", c.Consent)
	}
	for i, given := range []bool{true, false} {
		at := noon.Add(time.Duration(i) * time.Hour)
		said := chat.Consent{Given: given, Source: "user_preferences", Value: "x", Detail: "signup 5", Stamp: chat.Stamp{At: at, ID: "p"}}
		if _, err := r.store.Prefer(t.Context(), chat.Seen{Phone: ana, At: at, ID: "p", Source: chat.SourceMessage}, "marketing", said); err != nil {
			t.Fatal(err)
		}
		if got, want := r.contact(id).Consent["marketing"], (consentView{given, "user_preferences", "x", "signup 5", at}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestNamesAndFlags(t *testing.T) {
	r := newRig(t)
	saved := "Ana from the gym"
	m := r.receive("w1", chat.Seen{Phone: ana, BSUID: "ES.1", Parent: "ES.ENT.1", Name: "Ana", Username: "ana.b", KeyHash: "1"}, nil)
	if c := r.contact(m.Contact); c.Name != "Ana" || c.Username != "ana.b" || len(c.Flags) > 0 {
		t.Errorf("%+v", c)
	}
	want := []store.Identity{{Kind: "wa_id", Value: ana}, {Kind: "bsuid", Value: "ES.1"}, {Kind: "parent_bsuid", Value: "ES.ENT.1"}}
	if c := r.contact(m.Contact); !slices.Equal(c.Identities, want) {
		t.Errorf("%+v", c.Identities)
	}
	r.receive("w2", chat.Seen{Phone: ana, BSUID: "ES.1", Saved: &saved, KeyHash: "2", At: noon.Add(time.Second)}, nil)
	if c := r.contact(m.Contact); c.Name != saved || !slices.Equal(c.Flags, []string{"new-identity"}) {
		t.Errorf("%+v", c)
	}
	var v conversationView
	r.get("/api/v1/conversations/"+string(m.Conversation)).want(http.StatusOK, &v)
	if v.Contact.Name != saved {
		t.Errorf("the conversation is with %s", v.Contact.Name)
	}
	nameless := r.receive("w3", chat.Seen{BSUID: "ES.2", Username: "bo"}, nil)
	r.get("/api/v1/conversations/"+string(nameless.Conversation)).want(http.StatusOK, &v)
	if c := r.contact(nameless.Contact); c.Name != "" || c.Username != "bo" || v.Contact.Name != "@bo" {
		t.Errorf("%+v, %+v", c, v.Contact)
	}
}
