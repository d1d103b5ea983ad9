package whatsapp

import (
	"encoding/json"
	"time"
)

// Status says what became of a message of ours. Statuses come in any order,
// and some never come.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status
type Status struct {
	ID           string // wamid of the message
	Type         string // empty for messages; "payment" and the like otherwise
	State        string // "sent", "delivered", "read", "played" or "failed"
	Timestamp    time.Time
	CallbackData string   // biz_opaque_callback_data, as set by [Client.Send]
	Recipient    Identity // empty in a group chat
	GroupID      string
	Participant  Identity // who in the group chat
	Errors       []Error  // why it failed
	Pricing      *Pricing
	Conversation *Conversation
	Raw          json.RawMessage
}

// Pricing says what Meta charges for a message.
type Pricing struct {
	Billable bool   // being deprecated by Meta: Type and Category tell
	Model    string // "PMP"
	Type     string // "regular", "free_customer_service", "free_entry_point", …
	Category string // "service", "utility", "marketing", …
}

// Conversation is Meta's billing window; since v24.0 of the API only those
// that an ad opened are reported.
type Conversation struct {
	ID      string
	Origin  string
	Expires time.Time
}

// ParseStatus reads the status in an update of [KindStatus]. What has an
// unexpected shape leaves its field empty; the only error is [ErrNotObject].
func ParseStatus(u Update) (Status, error) {
	f, ok := read(u.Body)
	if !ok {
		return Status{}, ErrNotObject
	}
	s := Status{
		ID: f.text("id"), Type: f.text("type"), State: f.text("status"), Timestamp: f.time("timestamp"),
		CallbackData: f.text("biz_opaque_callback_data"), GroupID: statusGroup(f),
		Errors: parseErrors(f), Raw: u.Body,
	}
	contact, _ := read(u.Contact)
	who := recipientIdentity(f).completedBy(contactIdentity(contact))
	if s.GroupID != "" {
		s.Participant = who
	} else {
		s.Recipient = who
	}
	if p := f.object("pricing"); p != nil {
		s.Pricing = &Pricing{
			Billable: p.flag("billable"), Model: p.text("pricing_model"), Type: p.text("type"), Category: p.text("category"),
		}
	}
	if c := f.object("conversation"); c != nil {
		s.Conversation = &Conversation{
			ID: c.text("id"), Origin: c.object("origin").text("type"), Expires: c.time("expiration_timestamp"),
		}
	}
	return s, nil
}
