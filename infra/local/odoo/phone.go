package odoo

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// sanitized is what phone_validation makes of a contact's number: of the mobile if there is one, until 19 did away with
// it. A number of no country is none, unless the contact has a country.
func (s *Simulator) sanitized(partner *record) any {
	country := ""
	if c := s.records["res.country"][partner.number("country_id")]; c != nil {
		country = c.text("code")
	}
	for _, name := range []string{"mobile", "phone"} {
		if full := e164(partner.text(name), country); full != "" {
			return full
		}
	}
	return nil
}

// e164 returns a number as one dials it; empty if it can't be one. Mexico's 1 of mobiles is left out, as Odoo does.
func e164(typed, country string) string {
	typed = strings.TrimSpace(typed)
	if strings.HasPrefix(typed, "+521") {
		typed = "+52" + strings.TrimPrefix(typed, "+521")
	}
	n, err := phonenumbers.Parse(typed, country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return ""
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}
