package pipedrive

import (
	"regexp"
	"slices"
	"strings"
)

// Pipedrive says that a note's HTML is "subject to sanitization" and not how. Here nothing survives but plain text and
// the simplest tags without attributes: comments, hidden elements and data attributes are gone, and with them every
// place to hide something.

var (
	comment = regexp.MustCompile(`(?s)<!--.*?(-->|$)`)
	active  = regexp.MustCompile(`(?is)<(script|style|iframe|object)\b.*?(</(script|style|iframe|object)\s*>|$)`)
	anyTag  = regexp.MustCompile(`(?s)<(/?)([A-Za-z][A-Za-z0-9]*)[^>]*>`)
	kind    = []string{"p", "br", "div", "b", "strong", "i", "em", "u", "ul", "ol", "li"}
)

func sanitise(html string) string {
	html = comment.ReplaceAllString(html, "")
	html = active.ReplaceAllString(html, "")
	return anyTag.ReplaceAllStringFunc(html, func(tag string) string {
		part := anyTag.FindStringSubmatch(tag)
		name := strings.ToLower(part[2])
		if !slices.Contains(kind, name) {
			return ""
		}
		return "<" + part[1] + name + ">"
	})
}
