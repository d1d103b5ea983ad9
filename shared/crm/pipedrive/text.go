package pipedrive

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	lineBreak = regexp.MustCompile(`(?i)<br[^>]*>|</(p|div|li|h[1-6]|tr)\s*>`)
	item      = regexp.MustCompile(`(?i)<li[^>]*>`)
	anyTag    = regexp.MustCompile(`(?s)<[^>]*>`)
	space     = regexp.MustCompile(`[ \t]*\n`)
	link      = regexp.MustCompile(`(?is)<a\b[^>]*?\bhref\s*=\s*["']?(https?://[^"'\s>]*)[^>]*>(.*?)</a\s*>`)
	outcomes  = regexp.MustCompile(`(?m)WhatsApp: .*Ref\. tl[0-9a-f]{16}$`)

	anyMark = regexp.MustCompile(`Ref\. tl[0-9a-f]{16}`) // at the end of an entry of ours, or of what we said
)

// plain is a note's text as its writer saw it, without what we said on it, or on another note that it was copied from. A link
// is followed by its address where that isn't what it shows.
func plain(content string) string {
	content = strings.NewReplacer("\r", "", "\n", " ").Replace(content)
	content = link.ReplaceAllStringFunc(content, withAddress)
	content = lineBreak.ReplaceAllString(content, "\n")
	content = item.ReplaceAllString(content, "- ")
	content = html.UnescapeString(anyTag.ReplaceAllString(content, ""))
	content = strings.ReplaceAll(content, "\u00a0", " ")
	content = space.ReplaceAllString(content, "\n")
	return strings.TrimSpace(outcomes.ReplaceAllString(content, ""))
}

// withAddress is what a link shows, and where it leads. Pipedrive's own addresses, such as a colleague's who is mentioned,
// are no matter of the customer's.
func withAddress(whole string) string {
	part := link.FindStringSubmatch(whole)
	to, err := url.Parse(html.UnescapeString(part[1]))
	if err != nil || strings.HasSuffix("."+to.Hostname(), ".pipedrive.com") {
		return part[2]
	}
	shown := strings.TrimSpace(html.UnescapeString(anyTag.ReplaceAllString(part[2], "")))
	if bare(shown) == bare(to.String()) {
		return part[2]
	}
	return part[2] + " (" + part[1] + ")"
}

// bare is an address as people write it.
func bare(address string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://"), "/")
}

// withOutcome puts a line of ours at the end of somebody's note, in place of the last one.
func withOutcome(content string, noteID int64, words string) string {
	line := `(?s)<(p|div)>WhatsApp: [^<]*` + regexp.QuoteMeta(asked(noteID)) + `</(p|div)>`
	content = regexp.MustCompile(line).ReplaceAllString(content, "")
	return content + "<p>WhatsApp: " + html.EscapeString(strings.Join(strings.Fields(words), " ")) + " " + asked(noteID) + "</p>"
}
