package chat

import (
	"path"
	"strings"
	"unicode"
)

// How long a file's name and its extension may be, in characters.
const (
	maxName      = 120
	maxExtension = 10
)

// SafeName is the sender's name for the file as one element of a path: without what separates, hides or turns round its
// parts. It may be empty.
func (a Attachment) SafeName() string {
	name := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || strings.ContainsRune(`/\:*?"<>|`, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, a.Name)
	name = strings.Trim(name, ". ")
	r := []rune(name)
	if len(r) <= maxName {
		return name
	}
	ext := []rune(path.Ext(name))
	if len(ext) > maxExtension {
		ext = nil
	}
	return string(r[:maxName-len(ext)]) + string(ext)
}
