package hubspot

import "strings"

// A number's country calling code has one digit (1, 7), two (these) or else three.
// https://www.itu.int/rec/T-REC-E.164
const twoDigitCodes = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58" +
	" 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "

func splitCountry(digits string) (country, national string) {
	n := 3
	switch {
	case len(digits) < 4:
		return "", digits
	case digits[0] == '1' || digits[0] == '7':
		n = 1
	case strings.Contains(twoDigitCodes, " "+digits[:2]+" "):
		n = 2
	}
	return digits[:n], digits[n:]
}

// e164 returns a number as one dials it. WhatsApp still writes Mexican mobiles with the 1 that was abolished in 2019.
func e164(digits string) string {
	if country, national := splitCountry(digits); country == "52" && len(national) == 11 && national[0] == '1' {
		return "+52" + national[1:]
	}
	return "+" + digits
}

// variants returns the ways in which the same line is written: Mexico's 1, Argentina's 9 and Brazil's ninth digit come
// and go.
func variants(digits string) []string {
	country, national := splitCountry(digits)
	all := []string{digits}
	switch n := len(national); country {
	case "52":
		if n == 11 && national[0] == '1' {
			all = append(all, "52"+national[1:])
		} else if n == 10 {
			all = append(all, "521"+national)
		}
	case "54":
		if n == 11 && national[0] == '9' {
			all = append(all, "54"+national[1:])
		} else if n == 10 {
			all = append(all, "549"+national)
		}
	case "55":
		if n == 11 && national[2] == '9' {
			all = append(all, "55"+national[:2]+national[3:])
		} else if n == 10 {
			all = append(all, "55"+national[:2]+"9"+national[2:])
		}
	}
	return all
}

// sameLine tells whether a number as somebody typed it is the line with these digits. A typed number with a country
// must agree in full; one without may carry the trunk prefix 0.
func sameLine(typed, digits string) bool {
	typed = strings.TrimSpace(typed)
	if i := strings.IndexAny(strings.ToLower(typed), "ex#;,"); i > 0 { // "ext. 12" is another telephone
		return false
	}
	bare := digitsOf(typed)
	international := strings.HasPrefix(typed, "+")
	if !international && strings.HasPrefix(bare, "00") {
		bare, international = bare[2:], true
	}
	for _, v := range variants(digits) {
		if bare == v {
			return true
		}
		_, national := splitCountry(v)
		if !international && len(national) >= 7 && strings.TrimPrefix(bare, "0") == national {
			return true
		}
	}
	return false
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
