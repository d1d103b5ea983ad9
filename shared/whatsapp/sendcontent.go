package whatsapp

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of what may be sent, in characters but for MaxContacts.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
const (
	MaxText         = 4096
	MaxCaption      = 1024
	MaxCallbackData = 512
	MaxContacts     = 257 // visiting cards in one message
)

// TypingLife is how long Meta shows that somebody is writing.
// https://developers.facebook.com/docs/whatsapp/cloud-api/typing-indicators
const TypingLife = 25 * time.Second

// OutText is free text.
type OutText struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url,omitempty"` // show a preview of the first link
}

func (t *OutText) check() error {
	if strings.TrimSpace(t.Body) == "" {
		return invalid("text is empty")
	}
	return atMost("text.body", t.Body, MaxText)
}

func atMost(field, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return limit(field, most, n, "characters")
	}
	return nil
}

// OutMedia is a file: one that was uploaded, or one that Meta fetches itself
// and keeps for ten minutes under its exact address.
type OutMedia struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`     // http or https
	Caption  string `json:"caption,omitempty"`  // image, video, document
	Filename string `json:"filename,omitempty"` // document
	Voice    bool   `json:"voice,omitempty"`    // audio: a voice note, OGG with Opus
}

// What a kind of file may carry.
const (
	allowCaption = 1 << iota
	allowFilename
	allowVoice
)

func (f *OutMedia) check(kind string, allowed int) error {
	switch {
	case (f.ID == "") == (f.Link == ""):
		return invalid("file needs either an id or a link")
	case f.Link != "" && !isLink(f.Link):
		return invalid("file link is not http or https")
	case f.Caption != "" && allowed&allowCaption == 0:
		return invalid("this kind of file has no caption")
	case f.Filename != "" && allowed&allowFilename == 0:
		return invalid("this kind of file has no file name")
	case f.Voice && allowed&allowVoice == 0:
		return invalid("this kind of file is no voice note")
	}
	return atMost(kind+".caption", f.Caption, MaxCaption)
}

// OutLocation is a place to send.
type OutLocation struct {
	Latitude  float64 `json:"latitude"`  // degrees
	Longitude float64 `json:"longitude"` // degrees
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"` // shown only with a name
}

func (l *OutLocation) check() error {
	if !(math.Abs(l.Latitude) <= 90) { // NaN compares false
		return invalid("location.latitude: not between -90 and 90 degrees")
	}
	if !(math.Abs(l.Longitude) <= 180) {
		return invalid("location.longitude: not between -180 and 180 degrees")
	}
	return nil
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

func checkContacts(all []OutContact) error {
	if n := len(all); n == 0 {
		return limit("contacts", 1, n, "contacts")
	} else if n > MaxContacts {
		return limit("contacts", MaxContacts, n, "contacts")
	}
	for i := range all {
		if err := all[i].check(fmt.Sprintf("contacts[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *OutContact) check(path string) error {
	n := c.Name
	switch {
	case strings.TrimSpace(n.Formatted) == "":
		return invalid("%s.name.formatted_name: missing", path)
	case n.First+n.Middle+n.Last+n.Prefix+n.Suffix == "":
		return invalid("%s.name: needs one of first_name, middle_name, last_name, prefix, suffix too", path)
	}
	if _, err := time.Parse(time.DateOnly, c.Birthday); c.Birthday != "" && err != nil {
		return invalid("%s.birthday: not a date such as 2006-01-02", path)
	}
	for i, p := range c.Phones {
		if strings.TrimSpace(p.Phone) == "" {
			return invalid("%s.phones[%d].phone: missing", path, i)
		}
	}
	for i, a := range c.Addresses {
		if a.CountryCode != "" && !countryCode.MatchString(a.CountryCode) {
			return invalid("%s.addresses[%d].country_code: not two letters", path, i)
		}
	}
	return nil
}

var countryCode = regexp.MustCompile(`^[A-Za-z]{2}$`)

// OutReaction puts an emoji on a message of the customer.
type OutReaction struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"` // empty takes it away again
}

func (r *OutReaction) check() error {
	if r.MessageID == "" {
		return invalid("reaction.message_id: missing")
	}
	return nil
}
