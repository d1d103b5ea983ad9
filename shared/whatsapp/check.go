package whatsapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Check tells whether [Client.Send] would refuse the message as malformed. The
// error wraps [ErrInvalid], names the place as a JSON path, and quotes nothing
// of the message; where a length or a number is wrong it is a [*LimitError].
func (m Outgoing) Check() error {
	_, err := m.body()
	return err
}

// part is a piece of a message under check, and its place. What is found wrong
// first is kept, and a part that isn't there fails no further: that way a
// check reads as a list of what has to hold.
type part struct {
	path  string
	value any // as encoding/json decodes it, numbers as json.Number; nil where there is none
	err   *error
}

// checked decodes a message's content and runs a check on it. ok is false for
// what isn't JSON.
func checked(path string, raw []byte, check func(part)) (ok bool, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	p := part{path: path, err: &err}
	if !json.Valid(raw) || d.Decode(&p.value) != nil { // Decode stops after the first value
		return false, nil
	}
	check(p)
	return true, err
}

// fail records what is wrong with the part, unless something was already.
func (p part) fail(format string, args ...any) {
	if *p.err == nil {
		*p.err = invalid("%s: %s", p.path, fmt.Sprintf(format, args...))
	}
}

// limit records a length or number that is out of bounds.
func (p part) limit(actual, least, most int, unit string) {
	switch {
	case *p.err != nil:
	case actual < least:
		*p.err = limit(p.path, least, actual, unit)
	case actual > most:
		*p.err = limit(p.path, most, actual, unit)
	}
}

func limit(field string, limit, actual int, unit string) error {
	return fmt.Errorf("%w: %w", ErrInvalid, &LimitError{Field: field, Limit: limit, Actual: actual, Unit: unit})
}

// at returns the part below a path such as "action.parameters".
func (p part) at(path string) part {
	for key := range strings.SplitSeq(path, ".") {
		object, _ := p.value.(map[string]any)
		p.path, p.value = p.path+"."+key, object[key]
	}
	return p
}

// has tells whether there is something below a path.
func (p part) has(path string) bool { return p.at(path).value != nil }

// object fails unless the part is one.
func (p part) object() (ok bool) {
	if p.value == nil {
		p.fail("missing")
		return false
	}
	if _, ok = p.value.(map[string]any); !ok {
		p.fail("not an object")
	}
	return ok
}

// text reads a text of so many characters; with least 0 it may be missing.
func (p part) text(least, most int) string {
	if p.value == nil {
		if least > 0 {
			p.fail("missing")
		}
		return ""
	}
	s, ok := p.value.(string)
	if !ok {
		p.fail("not a text")
		return ""
	}
	n := utf8.RuneCountInString(s)
	if visible := utf8.RuneCountInString(strings.TrimSpace(s)); visible < least {
		n = visible
	}
	p.limit(n, least, most, "characters")
	return s
}

// unbounded is for what Meta documents no limit of.
const unbounded = math.MaxInt

// id fails unless the part is a text, of any length.
func (p part) id() string { return p.text(1, unbounded) }

// choice reads one of a few words; "" where it is none or may be missing.
func (p part) choice(required bool, words ...string) string {
	if p.value == nil && !required {
		return ""
	}
	s := p.text(1, unbounded)
	if *p.err == nil && !slices.Contains(words, s) {
		p.fail("use %s", strings.Join(words, ", "))
		return ""
	}
	return s
}

// list reads an array of so many elements, in the unit's plural.
func (p part) list(least, most int, unit string) []part {
	if p.value == nil {
		if least > 0 {
			p.fail("missing")
		}
		return nil
	}
	values, ok := p.value.([]any)
	if !ok {
		p.fail("not an array")
		return nil
	}
	p.limit(len(values), least, most, unit)
	all := make([]part, len(values))
	for i, v := range values {
		all[i] = part{fmt.Sprintf("%s[%d]", p.path, i), v, p.err}
	}
	return all
}

// number reads a whole number, or one written as a text, in the unit's plural.
func (p part) number(least, most int, unit string) int {
	if p.value == nil {
		p.fail("missing")
		return 0
	}
	n, err := strconv.Atoi(fmt.Sprint(p.value))
	if err != nil {
		p.fail("not a whole number")
		return 0
	}
	p.limit(n, least, most, unit)
	return n
}

// link fails unless the part is an http or https address.
func (p part) link() {
	if s := p.id(); *p.err == nil && !isLink(s) {
		p.fail("not an http or https address")
	}
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// forbid fails if the part is there.
func (p part) forbid(why string) {
	if p.value != nil {
		p.fail("%s", why)
	}
}

// unique fails at the first of the parts whose text below a path another has too.
func unique(parts []part, path string) {
	seen := map[string]bool{}
	for _, p := range parts {
		s, _ := p.at(path).value.(string)
		if s != "" && seen[s] {
			p.at(path).fail("the same as another")
		}
		seen[s] = true
	}
}
