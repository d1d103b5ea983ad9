package whatsapp

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// fields is a JSON object read with tolerance: Meta's samples disagree on what
// is a string and what a number, and what is an object today may be missing
// tomorrow. A getter returns the zero value for whatever it cannot use, so a
// strange field costs that field and nothing else. Reading a nil map is fine.
type fields map[string]json.RawMessage

// read returns the fields of an object, and false for any other value.
func read(raw []byte) (fields, bool) {
	var f fields
	if err := json.Unmarshal(raw, &f); err != nil || f == nil {
		return nil, false
	}
	return f, true
}

// text reads a string, or a number as it was written.
func (f fields) text(key string) string {
	raw := f[key]
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
		return string(raw)
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// integer reads a number or a string of digits; fractions are cut off.
func (f fields) integer(key string) int64 {
	s := strings.TrimSpace(f.text(key))
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	// float64 represents every whole number up to 2^53 exactly.
	if x := f.float(key); math.Abs(x) < 1<<53 {
		return int64(x)
	}
	return 0
}

// float reads a number or a string that holds one.
func (f fields) float(key string) float64 {
	x, _ := f.number(key)
	return x
}

// number is float where 0 must be told from nothing.
func (f fields) number(key string) (x float64, ok bool) {
	x, err := strconv.ParseFloat(strings.TrimSpace(f.text(key)), 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false
	}
	return x, true
}

// flag reads a boolean, also as the word "true" or the number 1.
func (f fields) flag(key string) bool {
	switch string(f[key]) {
	case `true`, `"true"`, `1`, `"1"`:
		return true
	}
	return false
}

// object reads an object; nil where there is none.
func (f fields) object(key string) fields {
	o, _ := read(f[key])
	return o
}

// list reads an array; nil where there is none.
func (f fields) list(key string) []json.RawMessage {
	var l []json.RawMessage
	if json.Unmarshal(f[key], &l) != nil {
		return nil
	}
	return l
}

// texts reads an array of strings.
func (f fields) texts(key string) []string {
	var all []string
	for _, raw := range f.list(key) {
		if s := (fields{"": raw}).text(""); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// objects reads the objects of an array and leaves out what isn't one.
func (f fields) objects(key string) []fields {
	var all []fields
	for _, raw := range f.list(key) {
		if o, ok := read(raw); ok {
			all = append(all, o)
		}
	}
	return all
}

// time reads a moment in seconds since 1970; the zero time where there is none.
func (f fields) time(key string) time.Time {
	s := seconds(f.integer(key))
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// seconds normalises a timestamp that may be in milliseconds, as those of
// Meta's other channels are. What is neither is 0.
func seconds(n int64) int64 {
	const limit = 100_000_000_000 // the year 5138 in seconds, 1973 in milliseconds
	if n >= limit {
		n /= 1000
	}
	if n < 0 || n >= limit {
		return 0
	}
	return n
}

// digits strips everything but digits, such as the signs in "+1 (631) 555-1234".
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// firstOf returns the first text that isn't empty.
func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
