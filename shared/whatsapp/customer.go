package whatsapp

import (
	"encoding/json"
	"strings"
	"time"
)

// Preference is what a customer chose to be sent, or not any longer.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/user_preferences
type Preference struct {
	Who       Identity
	Category  string // "marketing_messages"
	Value     string // "stop", "resume" or "signup"
	Detail    string // Meta's words
	SignupID  string // of what the customer signed up by
	Timestamp time.Time
}

// ParsePreference reads an update of [KindPreference]. What has an unexpected
// shape leaves its field empty; the only error is [ErrNotObject].
func ParsePreference(u Update) (Preference, error) {
	f, ok := read(u.Body)
	if !ok {
		return Preference{}, ErrNotObject
	}
	contact, _ := read(u.Contact)
	return Preference{
		Who: preferenceIdentity(f).completedBy(contactIdentity(contact)), Category: f.text("category"),
		Value: strings.ToLower(f.text("value")), Detail: f.text("detail"), SignupID: f.text("signup_id"), Timestamp: f.time("timestamp"),
	}, nil
}

func preferenceIdentity(f fields) Identity {
	id := identify(f.text("wa_id"), f.text("user_id"))
	id.ParentBSUID = userID(f.text("parent_user_id"))
	return id
}

// SavedContact is an entry of the address book of a phone that is used beside
// this API.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/smb_app_state_sync
type SavedContact struct {
	Phone     string // digits with country code
	BSUID     string // where Meta names it
	Name      string // as the business saved it
	Removed   bool   // no longer there; otherwise added or changed
	Timestamp time.Time
}

// ParseSavedContact reads an update of [KindContact]. What has an unexpected
// shape leaves its field empty; the only error is [ErrNotObject].
func ParseSavedContact(u Update) (SavedContact, error) {
	f, ok := read(u.Body)
	if !ok {
		return SavedContact{}, ErrNotObject
	}
	o, id := f.object("contact"), savedIdentity(f)
	c := SavedContact{
		Phone: id.WAID, BSUID: id.BSUID, Name: firstOf(o.text("full_name"), o.text("first_name")),
		Removed: f.text("action") == "remove", Timestamp: f.object("metadata").time("timestamp"),
	}
	if c.Timestamp.IsZero() {
		c.Timestamp = f.time("timestamp")
	}
	return c, nil
}

func savedIdentity(f fields) Identity {
	o := f.object("contact")
	id := identify(firstOf(o.text("phone_number"), o.text("wa_id")), o.text("user_id"))
	id.WAID = digits(id.WAID)
	return id
}

// Handover says that somebody else answers a customer from now on: this API or
// Meta's own agent.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/messaging_handovers
type Handover struct {
	Customer  Identity
	Type      string // "control_passed" or "control_taken"
	From, To  string // roles, such as "ai_agent" and "escalation"; may be empty
	Metadata  string // what the one who passed it on said
	Timestamp time.Time
	Content   json.RawMessage // the handover as received
}

// ParseHandover reads an update of [KindHandover]. What has an unexpected shape
// leaves its field empty; the only error is [ErrNotObject].
func ParseHandover(u Update) (Handover, error) {
	f, ok := read(u.Body)
	if !ok {
		return Handover{}, ErrNotObject
	}
	contact, _ := read(u.Contact)
	h := Handover{
		Customer: handoverIdentity(f).completedBy(contactIdentity(contact)),
		Type:     f.text("type"), Timestamp: f.time("timestamp"), Content: u.Body,
	}
	var o fields
	for _, key := range []string{h.Type, "control_passed", "control_taken"} {
		if o = f.object(key); o != nil {
			h.Type = key
			break
		}
	}
	h.From = firstOf(o.text("previous_owner_role"), o.text("previous_owner_app_role"), o.object("previous_owner").text("app_role"))
	h.To = firstOf(o.text("new_owner_role"), o.text("new_owner_app_role"), o.object("new_owner").text("app_role"))
	h.Metadata = firstOf(o.text("metadata"), f.text("metadata"))
	return h, nil
}

func handoverIdentity(f fields) Identity {
	o := f.object("sender")
	id := identify(firstOf(o.text("wa_id"), o.text("phone_number")), o.text("user_id"))
	id.ParentBSUID = userID(o.text("parent_user_id"))
	return id
}

// Signal is what Meta concluded from a message, for the ad that it came from.
// https://developers.facebook.com/docs/whatsapp/embedded-signup/automatic-events-api
type Signal struct {
	MessageID       string // wamid of the message
	Name            string // "LeadSubmitted" or "Purchase"
	ClickID         string // ctwa_clid
	Currency, Value string // of a purchase; the value as written by Meta
	Timestamp       time.Time
}

// ParseSignal reads an update of [KindSignal]. What has an unexpected shape
// leaves its field empty; the only error is [ErrNotObject].
func ParseSignal(u Update) (Signal, error) {
	f, ok := read(u.Body)
	if !ok {
		return Signal{}, ErrNotObject
	}
	custom := f.object("custom_data")
	return Signal{
		MessageID: f.text("id"), Name: f.text("event_name"), ClickID: f.text("ctwa_clid"),
		Currency: custom.text("currency"), Value: custom.text("value"), Timestamp: f.time("timestamp"),
	}, nil
}
