package odoo

import (
	"html"
	"regexp"
	"strings"
)

// What Odoo's own sanitizer keeps is more than this; what it drops, this drops too: scripts with their content, handlers,
// addresses that run something. https://github.com/odoo/odoo/blob/19.0/odoo/tools/mail.py html_sanitize

var (
	harmful = regexp.MustCompile(`(?is)<(script|style|title|head|object|embed|iframe|noscript)\b.*?(</(script|style|title|head|object|embed|iframe|noscript)\s*>|\z)|<!--.*?(-->|\z)`)
	markup  = regexp.MustCompile(`(?s)<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>|[<>]`)
	address = regexp.MustCompile(`(?is)\b(href|src)\s*=\s*("[^"]*"|'[^']*')`)
	class   = regexp.MustCompile(`(?is)\bclass\s*=\s*"([^"]*)"`)
)

var kept = map[string]bool{
	"p": true, "br": true, "strong": true, "em": true, "b": true, "i": true, "u": true, "s": true, "a": true, "ul": true, "ol": true,
	"li": true, "div": true, "span": true, "blockquote": true, "pre": true, "code": true, "img": true, "table": true, "tbody": true,
	"tr": true, "td": true, "th": true, "h1": true, "h2": true, "h3": true, "h4": true, "hr": true,
}

// sanitize returns HTML that is safe to show.
func sanitize(body string) string {
	return markup.ReplaceAllStringFunc(harmful.ReplaceAllString(body, ""), func(tag string) string {
		parts := markup.FindStringSubmatch(tag)
		name := strings.ToLower(parts[2])
		switch {
		case name == "":
			return html.EscapeString(tag)
		case !kept[name]:
			return ""
		case parts[1] == "/":
			return "</" + name + ">"
		}
		if c := class.FindStringSubmatch(parts[3]); c != nil {
			name += ` class="` + c[1] + `"`
		}
		for _, a := range address.FindAllStringSubmatch(parts[3], -1) {
			to := html.UnescapeString(strings.Trim(a[2], `"'`))
			if strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "/") {
				return "<" + name + " " + strings.ToLower(a[1]) + `="` + html.EscapeString(to) + `">`
			}
		}
		return "<" + name + ">"
	})
}
