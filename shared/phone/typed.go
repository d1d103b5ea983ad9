package phone

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Same tells whether a number as somebody typed it dials the telephone with these digits (country code first). One
// that was typed without a country is taken for one of the same country, with its trunk prefix or without. A number with
// an extension is another telephone.
func Same(typed, digits string) bool {
	bare, country := onlyDigits(typed), Country(digits)
	if bare == digits && bare != "" {
		return true
	}
	if country == "MX" && len(bare) == 13 && (bare[:3] == "044" || bare[:3] == "045") {
		typed = bare[3:] // how a mobile was dialled at home until 2019
	}
	number, err := phonenumbers.Parse(typed, country)
	if err != nil || number.GetExtension() != "" {
		return false
	}
	full := strings.TrimPrefix(phonenumbers.Format(number, phonenumbers.E164), "+")
	return full == digits || full == E164(digits)[1:] || slices.Contains(Variants(digits), full)
}

// International returns the digits of a number that was typed with its country code (+ or 00); empty if it wasn't, or is no
// number.
func International(typed string) string {
	typed = strings.TrimSpace(typed)
	if rest, ok := strings.CutPrefix(typed, "00"); ok {
		typed = "+" + rest
	}
	number, err := phonenumbers.Parse(typed, "")
	if err != nil || number.GetExtension() != "" {
		return ""
	}
	return strings.TrimPrefix(phonenumbers.Format(number, phonenumbers.E164), "+")
}

// E164 returns a number as one dials it from abroad, with its plus. WhatsApp still writes Mexican mobiles with the 1
// that was given up in 2019, and some Brazilian ones without their 9.
func E164(digits string) string {
	number, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return "+" + digits
	}
	full := phonenumbers.Format(number, phonenumbers.E164)
	for _, way := range Variants(digits) {
		if parsed, err := phonenumbers.Parse("+"+way, ""); err == nil && !mobile(number) && mobile(parsed) {
			return phonenumbers.Format(parsed, phonenumbers.E164)
		}
	}
	return full
}

// National returns a number without its country code and its trunk prefix.
func National(digits string) string {
	number, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return digits
	}
	return strings.TrimPrefix(digits, strconv.Itoa(int(number.GetCountryCode())))
}

// Country returns the ISO 3166 code of a number's country; empty if it isn't known.
func Country(digits string) string {
	number, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return ""
	}
	if region := phonenumbers.GetRegionCodeForNumber(number); region != "" && region != "001" {
		return region
	}
	return phonenumbers.GetRegionCodeForCountryCode(int(number.GetCountryCode()))
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
