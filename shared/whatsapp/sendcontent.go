package whatsapp

import "time"

// TypingLife is how long Meta shows that somebody is writing.
// https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators
const TypingLife = 25 * time.Second

// OutLocation is a place to send.
type OutLocation struct {
	Latitude  float64 `json:"latitude"`  // degrees
	Longitude float64 `json:"longitude"` // degrees
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"` // shown only with a name
}

// OutContact is a visiting card to send.
type OutContact struct {
	Name      OutName      `json:"name"`
	Phones    []OutPhone   `json:"phones,omitempty"`
	Emails    []OutEmail   `json:"emails,omitempty"`
	URLs      []OutURL     `json:"urls,omitempty"`
	Addresses []OutAddress `json:"addresses,omitempty"`
	Org       *OutOrg      `json:"org,omitempty"`
	Birthday  string       `json:"birthday,omitempty"` // 2006-01-02
}

// OutName is the name on a visiting card: the whole, and at least one part.
type OutName struct {
	Formatted string `json:"formatted_name"`
	First     string `json:"first_name,omitempty"`
	Middle    string `json:"middle_name,omitempty"`
	Last      string `json:"last_name,omitempty"`
	Prefix    string `json:"prefix,omitempty"`
	Suffix    string `json:"suffix,omitempty"`
}

// OutPhone is a number on a visiting card.
type OutPhone struct {
	Phone string `json:"phone"`
	Type  string `json:"type,omitempty"`  // such as "WORK"
	WAID  string `json:"wa_id,omitempty"` // lets the customer write to it
}

// OutEmail is an address on a visiting card.
type OutEmail struct {
	Email string `json:"email"`
	Type  string `json:"type,omitempty"`
}

// OutURL is a site on a visiting card.
type OutURL struct {
	URL  string `json:"url"`
	Type string `json:"type,omitempty"`
}

// OutAddress is a postal address on a visiting card.
type OutAddress struct {
	Street      string `json:"street,omitempty"`
	City        string `json:"city,omitempty"`
	State       string `json:"state,omitempty"`
	ZIP         string `json:"zip,omitempty"`
	Country     string `json:"country,omitempty"`
	CountryCode string `json:"country_code,omitempty"` // ISO 3166, two letters
	Type        string `json:"type,omitempty"`
}

// OutOrg is where the person on a visiting card works.
type OutOrg struct {
	Company    string `json:"company,omitempty"`
	Department string `json:"department,omitempty"`
	Title      string `json:"title,omitempty"`
}

// OutReaction puts an emoji on a message of the customer.
type OutReaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"` // empty takes it away again
}
