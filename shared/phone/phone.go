// Package phone knows that one telephone is written in several ways in a few countries.
//
// Brazil put a 9 before its mobile numbers, Argentina writes a mobile with a 9 or with a 15 or with neither, and Mexico
// gave up its 1: WhatsApp kept what it knew, people write what they dial, and CRMs hold both. It guarantees that the ways
// to write a number find each other, whichever of them one begins with.
//
// The ways are for finding somebody who is known. An answer goes to the number that the person wrote from.
package phone

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Variants returns the other ways to write the number of the same subscriber, or none: outside of Brazil, Argentina and
// Mexico there is one way. digits is a number with its country code and nothing else, and so is what it returns. In
// Argentina and Mexico the digits alone don't tell a mobile from a landline, so that both have variants there.
func Variants(digits string) []string {
	for _, full := range readings(digits) {
		if ways := waysToWrite(full); slices.Contains(ways, digits) {
			return slices.DeleteFunc(ways, func(w string) bool { return w == digits })
		}
	}
	return nil
}

// readings returns what a number may be in full, as one calls it from abroad.
func readings(digits string) []string {
	if len(digits) < 12 || strings.Trim(digits, "0123456789") != "" {
		return nil
	}
	country, n := digits[:2], digits[2:]
	switch {
	case country == "55" && len(n) == 10:
		return []string{"55" + n[:2] + "9" + n[2:]}
	case country == "54" && len(n) == 10:
		return []string{"549" + n}
	case country == "54" && len(n) == 12:
		return with15(n)
	case country == "52" && len(n) == 11 && n[0] == '1':
		return []string{"52" + n[1:]}
	}
	return []string{digits}
}

// with15 reads an Argentine number that has a 15 after its area code, which is of two to four digits.
func with15(n string) []string {
	var out []string
	for area := 2; area <= 4; area++ {
		if n[area:area+2] == "15" {
			out = append(out, "549"+n[:area]+n[area+2:])
		}
	}
	return out
}

// waysToWrite returns all ways to write a number that is given in full, itself included; none if it isn't a mobile's.
func waysToWrite(full string) []string {
	number, err := phonenumbers.Parse("+"+full, "")
	if err != nil || !mobile(number) {
		return nil
	}
	switch n := full[2:]; phonenumbers.GetRegionCodeForNumber(number) {
	case "BR":
		// A mobile that had eight digits began with 6 to 9. Without its 9 any other is somebody's landline.
		if len(n) == 11 && n[2] == '9' && n[3] >= '6' {
			return []string{full, "55" + n[:2] + n[3:]}
		}
	case "AR":
		if parts := strings.Fields(phonenumbers.Format(number, phonenumbers.INTERNATIONAL)); len(parts) == 4 { // +54 9 11 2345-6789
			area, subscriber := n[1:1+len(parts[2])], n[1+len(parts[2]):]
			return []string{full, "54" + area + subscriber, "54" + area + "15" + subscriber}
		}
	case "MX":
		if len(n) == 10 {
			return []string{full, "521" + n}
		}
	}
	return nil
}

func mobile(number *phonenumbers.PhoneNumber) bool {
	switch phonenumbers.GetNumberType(number) { // of valid numbers only
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return true
	}
	return false
}
