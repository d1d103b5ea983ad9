package whatsapp

import (
	"strings"
	"time"
)

// System is WhatsApp's own notice about a customer, such as a new number.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/system
type System struct {
	Type                 string // "user_changed_number", "user_changed_user_id", "customer_identity_changed"
	Body                 string // for people; names both numbers
	WAID                 string // the new WhatsApp id (also read from new_wa_id)
	UserID               string // the new BSUID
	PreviousUserID       string
	ParentUserID         string
	PreviousParentUserID string
	Customer             string // the old WhatsApp id, on old webhooks
}

func system(f fields) *System {
	o := f.object("system")
	if o == nil {
		return nil
	}
	s := &System{
		Type: o.text("type"), Body: o.text("body"), WAID: waID(o.text("wa_id")),
		UserID: userID(o.text("user_id")), PreviousUserID: userID(o.text("previous_user_id")),
		ParentUserID: userID(o.text("parent_user_id")), PreviousParentUserID: userID(o.text("previous_parent_user_id")),
		Customer: waID(o.text("customer")),
	}
	if s.WAID == "" {
		s.WAID = waID(o.text("new_wa_id"))
	}
	return s
}

// IdentityKey says that the key of a customer's phone changed: a new phone, or
// WhatsApp installed again.
// https://developers.facebook.com/docs/whatsapp/cloud-api/identity-change
type IdentityKey struct {
	Acknowledged bool
	Created      time.Time
	Hash         string // what identity_key_hash says from now on
}

func identityKey(f fields) *IdentityKey {
	o := f.object("identity")
	if o == nil {
		return nil
	}
	return &IdentityKey{Acknowledged: o.flag("acknowledged"), Created: o.time("created_timestamp"), Hash: o.text("hash")}
}

// IdentityChange tells which identity became which, for a system message that
// announces it. Since August 2026 such a message names both BSUIDs, and From
// may be either number; before, From is the old number and nothing else is.
func (m Message) IdentityChange() (previous, current Identity, ok bool) {
	s := m.System
	if s == nil {
		return Identity{}, Identity{}, false
	}
	current = Identity{WAID: s.WAID, BSUID: s.UserID, ParentBSUID: s.ParentUserID}
	previous = Identity{WAID: s.Customer, BSUID: s.PreviousUserID, ParentBSUID: s.PreviousParentUserID}
	announced := strings.Contains(s.Type, "changed_number") || strings.Contains(s.Type, "changed_user_id")
	if previous.BSUID == "" && previous.WAID == "" && announced {
		previous.WAID = m.From.WAID
	}
	if previous.WAID == current.WAID {
		previous.WAID = ""
	}
	if previous.BSUID == current.BSUID {
		previous.BSUID = ""
	}
	return previous, current, previous.Known() && current.Known()
}
