package event

import (
	"maps"
	"time"

	"threadline/shared/chat"
)

// NumberHealthV1 is the type of NumberHealth.
const NumberHealthV1 = "number.health.v1"

// NumberHealth is what a business number may send now, published when a webhook changes what is known of it.
type NumberHealth struct {
	Number    chat.NumberID `json:"number"`
	Account   string        `json:"account,omitempty"` // the WhatsApp business account, where it is known
	Display   string        `json:"display,omitempty"` // the number, in digits
	Answers   bool          `json:"answers"`           // may answer within the customer-service window
	Templates bool          `json:"templates"`         // may write first
	Why       string        `json:"why,omitempty"`     // the fact that stands in the way, by its name in Facts
	Until     time.Time     `json:"until,omitzero"`    // when that ends by itself

	// Facts are the number's and its account's, by name; of two with one name the number's own.
	Facts map[string]Fact `json:"facts"`
}

// Fact is one thing that Meta said.
type Fact struct {
	Value string    `json:"value"`
	Why   string    `json:"why,omitempty"` // Meta's reason, for people
	Until time.Time `json:"until,omitzero"`
	At    time.Time `json:"at,omitzero"` // when Meta said it
}

// Type returns NumberHealthV1.
func (NumberHealth) Type() string { return NumberHealthV1 }

// Health judges a number by its facts and its account's.
func Health(n chat.NumberID, account, display string, own, accounts chat.Facts, now time.Time) NumberHealth {
	all := maps.Clone(accounts)
	if all == nil {
		all = chat.Facts{}
	}
	maps.Copy(all, own)
	facts := make(map[string]Fact, len(all))
	for name, f := range all {
		facts[name] = Fact{Value: f.Value, Why: f.Why, Until: f.Until, At: f.Stamp.At}
	}
	c := own.Clearance(accounts, now)
	return NumberHealth{
		Number: n, Account: account, Display: display,
		Answers: c.Answers, Templates: c.Templates, Why: c.Why, Until: c.Until, Facts: facts,
	}
}
