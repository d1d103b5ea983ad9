package espocrm

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

func personName(rec *record) string {
	return strings.TrimSpace(rec.text("firstName") + " " + rec.text("lastName"))
}

// maxDuplicates is how many an answer lists.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Core/Duplicate/Finder.php
const maxDuplicates = 10

// refuseDuplicate answers 409 with the contacts that have the name. The telephone number makes no duplicate.
func (s *Simulator) refuseDuplicate(r *request, rec *record) error {
	if r.Header.Get("X-Skip-Duplicate-Check") == "true" {
		return nil
	}
	var matches []any
	s.each(contacts, func(other *record) {
		if other.text("firstName") == rec.text("firstName") && other.text("lastName") == rec.text("lastName") {
			matches = append(matches, s.render(s.entities[contacts], other, true))
		}
	})
	if matches == nil {
		return nil
	}
	return &refusal{Status: http.StatusConflict, Reason: "duplicate", Body: matches[:min(len(matches), maxDuplicates)]}
}

// oldMexican is a mobile with the 1 that was given up in 2019: EspoCRM stores it without.
var oldMexican = regexp.MustCompile(`^\+521(\d{10})$`)

// setPhone makes a number the primary one. EspoCRM 8 and later keep international numbers only, without spaces.
func setPhone(rec *record, value any) error {
	typed, ok := value.(string)
	if value != nil && !ok {
		return invalid(&entity{Name: rec.Type}, "phoneNumber", "valid")
	}
	if typed == "" {
		rec.Attr["phoneNumber"], rec.Attr["phoneNumberData"] = nil, []any{}
		return nil
	}
	if m := oldMexican.FindStringSubmatch(typed); m != nil {
		typed = "+52" + m[1]
	}
	number, err := phonenumbers.Parse(typed, "")
	if err != nil || !strings.HasPrefix(typed, "+") || !phonenumbers.IsPossibleNumber(number) {
		return invalid(&entity{Name: rec.Type}, "phoneNumber", "valid")
	}
	putPhones(rec, append([]string{phonenumbers.Format(number, phonenumbers.E164)}, phones(rec)...)...)
	return nil
}

// putPhones sets a contact's numbers, the first of them primary; one that is there twice counts once.
func putPhones(rec *record, numbers ...string) {
	var data []any
	seen := map[string]bool{}
	for _, n := range numbers {
		if !seen[n] {
			data = append(data, map[string]any{"phoneNumber": n, "primary": len(data) == 0, "type": "Mobile", "optOut": false, "invalid": false})
			seen[n] = true
		}
	}
	rec.Attr["phoneNumber"], rec.Attr["phoneNumberData"] = numbers[0], data
}

// phones are the numbers of a contact, the primary one first.
func phones(rec *record) []string {
	var all []string
	data, _ := rec.Attr["phoneNumberData"].([]any)
	for _, d := range data {
		if m, ok := d.(map[string]any); ok {
			if n, ok := m["phoneNumber"].(string); ok {
				all = append(all, n)
			}
		}
	}
	return all
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
