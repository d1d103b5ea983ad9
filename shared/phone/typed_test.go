package phone

import "testing"

func TestSame(t *testing.T) {
	for _, c := range []struct {
		why, typed, digits string
		want               bool
	}{
		{"as one dials it", "+34 600 111 222", "34600111222", true},
		{"WhatsApp's digits", "34600111222", "34600111222", true},
		{"without a country", "600 11 12 22", "34600111222", true},
		{"00 for the plus", "0034600111222", "34600111222", true},
		{"brackets and hyphens", "(+34) 600-111-222", "34600111222", true},
		{"a trunk prefix", "06 12345678", "31612345678", true},
		{"a trunk prefix that isn't 0", "8 (912) 345-67-89", "79123456789", true},
		{"a trunk prefix beside the country", "+44 (0)7911 123456", "447911123456", true},
		{"an Italian 0 belongs to the number", "02 1234 5678", "390212345678", true},
		{"an Italian number without its 0", "2 1234 5678", "390212345678", false},
		{"another country", "+49 600 111 222", "34600111222", false},
		{"a digit more", "+34 600 111 2227", "34600111222", false},
		{"its end", "111 222", "34600111222", false},
		{"an extension", "+1 202 555 0142 ext. 12", "12025550142", false},
		{"no number", "ask at the desk", "34600111222", false},
		{"nothing", "", "34600111222", false},
		{"nothing of nobody", "", "", false},
		{"Mexico, on WhatsApp the old way", "+52 55 1234 5678", "5215512345678", true},
		{"Mexico, typed the old way", "+52 1 55 1234 5678", "525512345678", true},
		{"Mexico, at home", "55 1234 5678", "5215512345678", true},
		{"Mexico, from a landline", "044 55 1234 5678", "5215512345678", true},
		{"Argentina, at home", "011 15-2345-6789", "5491123456789", true},
		{"Argentina, without 9 and 15", "+54 11 2345 6789", "5491123456789", true},
		{"Argentina, with both", "+54 11 15-2345-6789", "5491123456789", true},
		{"Brazil, old on WhatsApp", "+55 11 98765-4321", "551187654321", true},
		{"Brazil, typed without its 9", "(11) 8765-4321", "5511987654321", true},
	} {
		if got := Same(c.typed, c.digits); got != c.want {
			t.Errorf("%s: %q is %s: %v", c.why, c.typed, c.digits, got)
		}
	}
}

func TestWritten(t *testing.T) {
	for _, c := range []struct{ digits, e164, national, country string }{
		{"34600111222", "+34600111222", "600111222", "ES"},
		{"5215512345678", "+525512345678", "15512345678", "MX"},
		{"525512345678", "+525512345678", "5512345678", "MX"},
		{"5491123456789", "+5491123456789", "91123456789", "AR"},
		{"541123456789", "+5491123456789", "1123456789", "AR"},
		{"551187654321", "+5511987654321", "1187654321", "BR"},
		{"390212345678", "+390212345678", "0212345678", "IT"},
		{"12025550142", "+12025550142", "2025550142", "US"},
		{"16045550142", "+16045550142", "6045550142", "CA"},
		{"99900000000", "+99900000000", "99900000000", ""},
	} {
		if e164, national, country := E164(c.digits), National(c.digits), Country(c.digits); e164 != c.e164 || national != c.national || country != c.country {
			t.Errorf("%s: %s, %s, %s", c.digits, e164, national, country)
		}
	}
}

// TestEveryWayIsTheSame: a number is the same as each way to write it.
func TestEveryWayIsTheSame(t *testing.T) {
	for _, digits := range []string{"5511987654321", "541123456789", "5215512345678", "34600111222"} {
		for _, way := range append(Variants(digits), digits) {
			if !Same("+"+way, digits) || !Same(way, digits) {
				t.Errorf("%s isn't %s", way, digits)
			}
		}
	}
}
