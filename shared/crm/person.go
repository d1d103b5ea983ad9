package crm

import (
	"strings"
	"unicode"
)

// Digits leaves nothing but the digits of a number that somebody typed.
func Digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, typed)
}

// NameWords are the words of the person's name. What controls a screen, such as a line break, parts words.
func (p Person) NameWords() []string {
	return strings.FieldsFunc(p.Name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
