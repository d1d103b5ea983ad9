package pipedrive

import (
	"html"
	"regexp"
	"strings"
)

var (
	lineBreak = regexp.MustCompile(`(?i)<br[^>]*>|</(p|div|li|h[1-6]|tr)\s*>`)
	item      = regexp.MustCompile(`(?i)<li[^>]*>`)
	anyTag    = regexp.MustCompile(`(?s)<[^>]*>`)
	space     = regexp.MustCompile(`[ \t]*\n`)
	outcomes  = regexp.MustCompile(`(?m)WhatsApp: .*Ref\. tl[0-9a-f]{16}$`)
)

// plain is a note's text as its writer saw it, without what we said on it, or on another note that it was copied from.
func plain(content string) string {
	content = strings.NewReplacer("\r", "", "\n", " ").Replace(content)
	content = lineBreak.ReplaceAllString(content, "\n")
	content = item.ReplaceAllString(content, "- ")
	content = html.UnescapeString(anyTag.ReplaceAllString(content, ""))
	content = strings.ReplaceAll(content, "\u00a0", " ")
	content = space.ReplaceAllString(content, "\n")
	return strings.TrimSpace(outcomes.ReplaceAllString(content, ""))
}

// withOutcome puts a line of ours at the end of somebody's note, in place of the last one.
func withOutcome(content string, noteID int64, words string) string {
	line := `(?s)<(p|div)>WhatsApp: [^<]*` + regexp.QuoteMeta(asked(noteID)) + `</(p|div)>`
	content = regexp.MustCompile(line).ReplaceAllString(content, "")
	return content + "<p>WhatsApp: " + html.EscapeString(strings.Join(strings.Fields(words), " ")) + " " + asked(noteID) + "</p>"
}
