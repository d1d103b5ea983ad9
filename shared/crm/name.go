package crm

import (
	"strings"
	"unicode"
)

// NameWords are the words of the person's name. What controls a screen, such as a line break, parts words.
func (p Person) NameWords() []string {
	return strings.FieldsFunc(p.Name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
