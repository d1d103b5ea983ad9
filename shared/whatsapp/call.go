package whatsapp

import (
	"encoding/json"
	"strings"
	"time"
)

// The directions of a call.
const (
	FromUser     = "USER_INITIATED"
	FromBusiness = "BUSINESS_INITIATED"
)

// Call is one step of a call. Those of one call share its ID and come in any
// order.
// https://developers.facebook.com/docs/whatsapp/cloud-api/calling/webhooks
type Call struct {
	ID        string // wacid
	Event     string // "connect", "terminate", "call_created", …; empty where there is only a Status
	Direction string // FromUser or FromBusiness
	Status    string // COMPLETED or FAILED at the end; RINGING, ACCEPTED or REJECTED before
	From, To  Identity
	Started   time.Time // when it was picked up; zero where it wasn't
	Ended     time.Time
	Timestamp time.Time // of this step
	Duration  int64     // s
	Errors    []Error
	Content   json.RawMessage // the step as received
}

// Customer returns the side that is not the business.
func (c Call) Customer() Identity {
	if c.Direction == FromBusiness {
		return c.To
	}
	return c.From
}

// ParseCall reads an update of [KindCall]. What has an unexpected shape leaves
// its field empty; the only error is [ErrNotObject].
func ParseCall(u Update) (Call, error) {
	f, ok := read(u.Body)
	if !ok {
		return Call{}, ErrNotObject
	}
	business := digits(u.Display)
	c := Call{
		ID: f.text("id"), Event: f.text("event"), Direction: callDirection(f, business), Status: strings.ToUpper(f.text("status")),
		From: senderIdentity(f), To: callee(f), Started: f.time("start_time"), Ended: f.time("end_time"),
		Timestamp: f.time("timestamp"), Duration: f.integer("duration"), Errors: parseErrors(f), Content: u.Body,
	}
	contact, _ := read(u.Contact)
	customer := &c.From
	if c.Direction == FromBusiness {
		customer = &c.To
	}
	*customer = customer.completedBy(contactIdentity(contact))
	return c, nil
}

// callDirection reads who called. Only calls of the business have statuses,
// which name the recipient and no direction.
func callDirection(f fields, business string) string {
	direction := strings.ToUpper(f.text("direction"))
	switch {
	case strings.Contains(direction, "BUSINESS"):
		return FromBusiness
	case strings.Contains(direction, "USER"):
		return FromUser
	case recipientIdentity(f).Known():
		return FromBusiness
	}
	from := senderIdentity(f)
	if from.BSUID == "" && (from.WAID == "" && callee(f).Known() || from.WAID != "" && digits(from.WAID) == business) {
		return FromBusiness
	}
	return FromUser
}

// callee reads who was called.
func callee(f fields) Identity {
	if id := echoIdentity(f); id.Known() {
		return id
	}
	return recipientIdentity(f)
}

// callIdentity reads with which customer a call is.
func callIdentity(f fields, business string) Identity {
	if callDirection(f, business) == FromBusiness {
		return callee(f)
	}
	return senderIdentity(f)
}
