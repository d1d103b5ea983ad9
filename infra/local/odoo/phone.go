package odoo

import (
	"regexp"
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

// separators are what a search by number looks past.
var separators = regexp.MustCompile(`[\s\\./()\-]`)

// shortestPhone is what phone_mobile_search wants at least.
const shortestPhone = 3

// phoneSearch compares every number of a contact as it was typed, without its separators. A plus and 00 are the same.
func (t *tx) phoneSearch(operator string, wanted any) (test, error) {
	term, _ := wanted.(string)
	if len(term) < shortestPhone {
		return nil, raise(422, "odoo.exceptions.UserError", "Please enter at least 3 characters when searching a Phone/Mobile number.")
	}
	plain := separators.ReplaceAllString(term, "")
	forms := []string{plain}
	if abroad, ok := strings.CutPrefix(plain, "+"); ok {
		forms = []string{plain, "00" + abroad}
	} else if abroad, ok := strings.CutPrefix(plain, "00"); ok {
		forms = []string{plain, "+" + abroad}
	}
	return func(r *record) (bool, error) {
		for _, name := range []string{"phone", "mobile"} {
			typed := separators.ReplaceAllString(r.text(name), "")
			for _, form := range forms {
				holds, err := comparison(operator, form)
				if err != nil {
					return false, err
				}
				if typed != "" && holds(typed) {
					return true, nil
				}
			}
		}
		return false, nil
	}, nil
}
