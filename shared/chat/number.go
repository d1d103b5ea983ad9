package chat

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

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

// TokenWorks is what FactToken says once a message got through, StatusConnected is Meta's word for a number that can send.
const (
	TokenWorks      = "ok"
	StatusConnected = "CONNECTED"
)

// tokenUnpaid is Meta's code for a message that nobody would pay for. Templates cost money; answers cost none up to a
// number each month, and Meta goes on taking them.
// https://developers.facebook.com/docs/whatsapp/pricing
const tokenUnpaid = "131042"

// TokenDoubted tells whether the provider refused the number's token, or the number for what it is, and nothing got
// through since. What is refused to templates alone isn't to answers, and an answer that gets through proves nothing of it.
func (f Facts) TokenDoubted(template bool) bool {
	said := f[FactToken].Value
	return said != "" && said != TokenWorks && (template || said != tokenUnpaid)
}

// TokenRefused tells whether that refusal still counts: one from before a ban was lifted may have been the ban's. If it
// wasn't, the next message says so again.
func (f Facts) TokenRefused(account Facts, template bool) bool {
	return f.TokenDoubted(template) && f[FactToken].since(lifted(f[FactBan], account[FactBan])).Value != ""
}

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

// maxThings is how many things one topic may be about that the provider names as it likes: flows, solutions, ways to pay.
const maxThings = 50

// Trim forgets what was said longest ago of topics that may be about any number of things, so that facts stay of a size
// that one item holds. No fact that stops sending is such a topic's. It returns the names that are gone.
func (f Facts) Trim() (gone []string) {
	topics := map[string][]string{}
	for name := range f {
		topic, _, several := strings.Cut(name, ":")
		own := topic[strings.IndexByte(topic, '/')+1:] // behind the number that an account's fact is about
		if several && (own == FactAlert || own == FactPayment) {
			topics[topic] = append(topics[topic], name)
		}
	}
	for _, names := range topics {
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Or(f[b].Stamp.compare(f[a].Stamp), strings.Compare(a, b))
		})
		for _, name := range names[min(len(names), maxThings):] {
			delete(f, name)
			gone = append(gone, name)
		}
	}
	return gone
}

// Repeats tells whether the fact says the same as another, whenever each was said.
func (f Fact) Repeats(g Fact) bool {
	return f.Value == g.Value && f.Why == g.Why && f.Until.Equal(g.Until)
}

// Clearance says what may leave from a business number.
type Clearance struct {
	Answers   bool      // within the customer-service window
	Templates bool      // business-initiated messages
	Why       string    // the gravest fact that stands in the way: "ban", "restriction:…"; empty if none does
	Until     time.Time // when that one ends by itself, if it does
}

// stop is a fact that keeps messages from leaving.
type stop struct {
	fact               string
	values             map[string]bool       // nil: any
	answers, templates bool                  // what it stops
	ends               func(Facts) time.Time // since when it is no longer so, by what is known otherwise
}

// stops are in order of gravity.
// https://developers.facebook.com/docs/whatsapp/business-management-api/webhooks/reference/account_update
var stops = []stop{
	{FactBan, map[string]bool{"DISABLE": true}, true, true, Facts.sends},
	{FactStatus, map[string]bool{
		"BANNED": true, "DELETED": true, "DISCONNECTED": true, "MIGRATED": true, "UNVERIFIED": true, "PENDING": true,
	}, true, true, Facts.connected},
	{FactHealth, map[string]bool{"BLOCKED": true}, true, true, Facts.sends},
	{FactRestriction + ":RESTRICTED_CUSTOMER_INITIATED_MESSAGING", nil, true, false, Facts.free},
	{FactRestriction + ":RESTRICTED_BIZ_INITIATED_MESSAGING", nil, false, true, Facts.free},
}

// Clearance judges a number by its own facts and its account's. A token that Meta refused doesn't count: only the next
// attempt can tell that it works again. Newer evidence that the number sends outdates a stop, whichever of the two was
// told: what takes a stop back may get lost, or name the other.
func (f Facts) Clearance(account Facts, now time.Time) Clearance {
	c := Clearance{Answers: true, Templates: true}
	lifted := lifted(f[FactBan], account[FactBan])
	for _, s := range stops {
		var facts []Fact
		for _, known := range []Fact{f[s.fact], account[s.fact]} {
			if endsItself := !known.Until.IsZero() && !isState(s.fact); endsItself || !known.outdated(s.ends(f), s.ends(account)) {
				if isState(s.fact) {
					known = known.since(lifted)
				}
				facts = append(facts, known)
			}
		}
		until, stands := s.stands(now, facts...)
		if !stands {
			continue
		}
		if c.Why == "" {
			c.Why, c.Until = s.fact, until
		}
		c.Answers, c.Templates = c.Answers && !s.answers, c.Templates && !s.templates
	}
	return c
}

// free is when the number was last known to send whatever it likes; zero: never.
func (f Facts) free() time.Time {
	return latest(f[FactHealth].when("AVAILABLE"), f[FactStatus].when(StatusConnected).proved())
}

// sends is when the number was last known to send at all.
func (f Facts) sends() time.Time {
	return latest(f[FactHealth].when("AVAILABLE", "LIMITED"), f[FactStatus].when(StatusConnected).proved(), f[FactToken].when(TokenWorks).proved())
}

// connected is when the number was last known to be connected.
func (f Facts) connected() time.Time {
	at := f.sends()
	if said := latest(f[FactStatus].when(StatusConnected)); said.After(at) {
		at = said
	}
	return at
}

// when returns the fact if it has one of the values.
func (f Fact) when(values ...string) Fact {
	if slices.Contains(values, f.Value) {
		return f
	}
	return Fact{}
}

// proved returns the fact if it is from a message of ours that the provider took, and not what was said of the number:
// such a fact is stamped with the message's id.
func (f Fact) proved() Fact {
	if strings.HasPrefix(f.Stamp.ID, "m_") {
		return f
	}
	return Fact{}
}

// latest is when the last of the facts was said.
func latest(facts ...Fact) (at time.Time) {
	for _, f := range facts {
		if f.Stamp.At.After(at) {
			at = f.Stamp.At
		}
	}
	return at
}

// outdated tells whether any evidence is newer than the fact. Of the provider's times only the seconds are known.
func (f Fact) outdated(evidence ...time.Time) bool {
	said := f.Stamp.At.Truncate(time.Second)
	return slices.ContainsFunc(evidence, func(at time.Time) bool { return at.Truncate(time.Second).After(said) })
}

// isState tells a fact that describes the number's state, which we also ask for, from what was decided about it.
func isState(name string) bool { return name == FactStatus || name == FactHealth }

// lifted is when the provider last lifted a ban; zero if it never did.
func lifted(bans ...Fact) (at time.Time) {
	for _, f := range bans {
		if f.Value == "REINSTATE" && f.Stamp.At.After(at) {
			at = f.Stamp.At
		}
	}
	return at
}

// since returns the fact unless it is from before a ban was lifted: it was the ban that it described, and nobody tells
// that this has passed. Of the provider's times only the seconds are known.
func (f Fact) since(lifted time.Time) Fact {
	if !lifted.IsZero() && !f.Stamp.At.Truncate(time.Second).After(lifted) {
		return Fact{}
	}
	return f
}

// stands tells whether any of the facts is in the way, and when the last of them ends; zero: not by itself.
func (s stop) stands(now time.Time, facts ...Fact) (until time.Time, stands bool) {
	for _, f := range facts {
		if !f.holds(now) || (s.values != nil && !s.values[f.Value]) {
			continue
		}
		if forGood := f.Until.IsZero() || (stands && until.IsZero()); forGood {
			until = time.Time{}
		} else if f.Until.After(until) {
			until = f.Until
		}
		stands = true
	}
	return until, stands
}

// holds tells whether the fact is still so.
func (f Fact) holds(now time.Time) bool {
	return f.Value != "" && (f.Until.IsZero() || now.Before(f.Until))
}
