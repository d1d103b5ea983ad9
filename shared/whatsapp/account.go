package whatsapp

import "time"

// The topics of what Meta says of a business number or account. Those about
// one of several things have that thing's name behind a colon.
const (
	TopicName         = "name"
	TopicQuality      = "quality"
	TopicLimit        = "limit"
	TopicThroughput   = "throughput"
	TopicStatus       = "status"
	TopicUsername     = "username"
	TopicSecurity     = "security"
	TopicToken        = "token"
	TopicBan          = "ban"
	TopicRestriction  = "restriction"
	TopicViolation    = "violation"
	TopicReview       = "review"
	TopicVerification = "verification"
	TopicOfficial     = "official"
	TopicPayment      = "payment"
	TopicAlert        = "alert"
	TopicHistory      = "history"
)

// AccountEvent is what Meta says of a business account or one of its numbers.
type AccountEvent struct {
	Field     string
	Event     string
	WABA      string // the account that it is about; some events come from the entry of a partner
	Number    string // phone_number_id, where it is about a number
	Display   string // digits of the number that it is about, where it isn't named otherwise
	Timestamp time.Time
	Changes   []AccountChange
	Template  *TemplateEvent
}

// AccountChange is one thing that is so from now on.
type AccountChange struct {
	Topic string // one of the topics
	Value string // empty: not any longer
	Why   string // Meta's reason, for people
	Until time.Time
}

// TemplateEvent is what Meta says of a template. What it doesn't mention is
// empty.
type TemplateEvent struct {
	Name, Language, ID string
	Event              string // APPROVED, REJECTED, PAUSED, …
	Reason             string
	Category           string // UTILITY, MARKETING, AUTHENTICATION
	Quality            string // GREEN, YELLOW, RED
}

// ParseAccountEvent reads an update of [KindEvent].
func ParseAccountEvent(u Update) (AccountEvent, error) {
	f, ok := read(u.Body)
	if !ok {
		return AccountEvent{}, ErrNotObject
	}
	return AccountEvent{Field: u.Field, Event: f.text("event")}, nil
}
