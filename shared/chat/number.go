package chat

import "time"

// Fact is one thing that the provider said of a business number or of its account. The newest word counts.
type Fact struct {
	Value string    `json:"value"`
	Why   string    `json:"why,omitempty"`  // the provider's reason, for people
	Until time.Time `json:"until,omitzero"` // when it stops being so by itself
	Stamp Stamp     `json:"stamp"`
}

// Facts is what is known, by name: one of the Fact… names, those that are about one of several things with that thing's
// name behind a colon.
type Facts map[string]Fact

// The names of facts. A number has those of its own, and those of its account.
const (
	FactName         = "name"         // the display name, Why its review
	FactQuality      = "quality"      // GREEN, YELLOW, RED
	FactLimit        = "limit"        // TIER_2K: customers a day that may be written to first
	FactThroughput   = "throughput"   // STANDARD, HIGH
	FactStatus       = "status"       // CONNECTED, or why not
	FactHealth       = "health"       // AVAILABLE, LIMITED, BLOCKED
	FactUsername     = "username"     // of the business
	FactSecurity     = "security"     // the last event about the two-step PIN
	FactToken        = "token"        // ok, or Meta's code of refusal
	FactBan          = "ban"          // of the account: DISABLE, SCHEDULE_FOR_DISABLE, REINSTATE
	FactRestriction  = "restriction"  // restriction:<type>
	FactViolation    = "violation"    // the policy violated
	FactReview       = "review"       // of the account: APPROVED, …
	FactVerification = "verification" // of the business
	FactOfficial     = "official"     // official business account: OBA_APPROVED, …
	FactPayment      = "payment"      // payment:<configuration>
	FactAlert        = "alert"        // alert:<type>
	FactHistory      = "history"      // how far the import of the phone's history is
)

// Learn adds a fact and tells whether it says anything new.
func (f *Facts) Learn(name string, fact Fact) (changed bool) {
	old, known := (*f)[name]
	if known && !fact.Stamp.Newer(old.Stamp) {
		return false
	}
	if *f == nil {
		*f = Facts{}
	}
	(*f)[name] = fact
	return true
}

// Repeats tells whether the fact says the same as another, whenever each was said.
func (f Fact) Repeats(g Fact) bool {
	return f.Value == g.Value && f.Why == g.Why && f.Until.Equal(g.Until)
}

// Clearance says what may leave from a business number.
type Clearance struct {
	Answers   bool      // within the customer-service window
	Templates bool      // business-initiated messages
	Why       string    // why not, by fact: "token", "restriction:…"; empty if nothing stands in the way
	Until     time.Time // when it ends by itself, if it does
}

// stops are the facts that stop everything, by value.
var stops = map[string]map[string]bool{
	FactStatus: {"BANNED": true, "DELETED": true, "DISCONNECTED": true, "MIGRATED": true, "UNVERIFIED": true, "PENDING": true},
	FactBan:    {"DISABLE": true},
	FactHealth: {"BLOCKED": true},
}

// Restrictions of what a business may begin, and of what it may answer.
// https://developers.facebook.com/docs/whatsapp/business-management-api/webhooks/reference/account_update
const (
	restrictedFirst   = FactRestriction + ":RESTRICTED_BIZ_INITIATED_MESSAGING"
	restrictedAnswers = FactRestriction + ":RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
)

// Clearance judges a number by its own facts and its account's. A token that Meta refused doesn't count: only the next
// attempt can tell that it works again.
func (f Facts) Clearance(account Facts, now time.Time) Clearance {
	s := Clearance{Answers: true, Templates: true}
	for _, facts := range []Facts{f, account} {
		for _, name := range []string{FactStatus, FactBan, FactHealth} {
			if fact, known := facts[name]; known && stops[name][fact.Value] && fact.holds(now) {
				return Clearance{Why: name, Until: fact.Until}
			}
		}
		if fact, known := facts[restrictedAnswers]; known && fact.holds(now) {
			s.Answers, s.Why, s.Until = false, restrictedAnswers, fact.Until
		}
		if fact, known := facts[restrictedFirst]; known && fact.holds(now) {
			s.Templates, s.Why, s.Until = false, restrictedFirst, fact.Until
		}
	}
	return s
}

// holds tells whether the fact is still so.
func (f Fact) holds(now time.Time) bool {
	return f.Value != "" && (f.Until.IsZero() || now.Before(f.Until))
}
