package odoo

import (
	"html"
	"regexp"
	"slices"
	"strings"
)

// What a user types into the chatter is HTML; WhatsApp takes text.

var (
	unseen = regexp.MustCompile(`(?is)<(script|style|head|title)\b.*?</(script|style|head|title)\s*>|<!--.*?-->`)
	tags   = regexp.MustCompile(`(?s)<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>`)
	href   = regexp.MustCompile(`(?i)\bhref="(https?://[^"]*)"`)
	spaces = regexp.MustCompile(`[ \t\r\n\f]+`)
	// Odoo's own links, such as the mention of a colleague, aren't the customer's.
	internal = regexp.MustCompile(`(?i)\bdata-oe-`)
)

// What Odoo's large composer puts below a message: the user's signature for e-mails, and what is answered or passed on.
// https://github.com/odoo/odoo/blob/19.0/addons/mail/static/src/core/web/message_patch.xml
var (
	signature = regexp.MustCompile(`(?s)<[a-z]+ [^<>]*\bo-signature-container\b.*\z`) // until 18 it is a line of dashes alone
	reply     = regexp.MustCompile(`<[a-z]+ [^<>]*\bo_mail_reply_container\b`)
	forward   = regexp.MustCompile(`(?m)^-{5,}[^-\n][^\n]*-{5,}(\n[^\n:：]+[:：][^\n]+){3}`) // date, sender, subject, in the user's language
)

// quotes tells whether a message answers an e-mail or passes a message on: it is for others, and tells what the customer
// wrote.
func quotes(body string) bool { return reply.MatchString(body) || forward.MatchString(plainText(body)) }

// blocks begin a new line, and end one.
var blocks = map[string]bool{
	"p": true, "div": true, "li": true, "ul": true, "ol": true, "tr": true, "table": true, "blockquote": true, "pre": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "hr": true,
}

// plainText returns what HTML shows, without a signature: paragraphs and line breaks as lines, a link with its address where
// that isn't what it shows.
func plainText(body string) string {
	body = signature.ReplaceAllString(unseen.ReplaceAllString(body, ""), "")
	var out strings.Builder
	var link string // the address of the link that we are in
	var linkAt int  // where its words begin
	at := 0
	for _, m := range tags.FindAllStringSubmatchIndex(body, -1) {
		write(&out, body[at:m[0]])
		at = m[1]
		closing, name, attributes := m[2] < m[3], strings.ToLower(body[m[4]:m[5]]), body[m[6]:m[7]]
		switch {
		case name == "br":
			out.WriteByte('\n')
		case name == "a" && !closing:
			link, linkAt = "", out.Len()
			if found := href.FindStringSubmatch(attributes); found != nil && !internal.MatchString(attributes) {
				link = html.UnescapeString(found[1])
			}
		case name == "a":
			if shown := strings.TrimSpace(out.String()[linkAt:]); link != "" && shown != link && "http://"+shown != link && "https://"+shown != link {
				out.WriteString(" (" + link + ")")
			}
			link = ""
		case blocks[name]:
			newLine(&out)
			if name == "li" && !closing {
				out.WriteString("- ")
			}
		}
	}
	write(&out, body[at:])
	lines := strings.Split(out.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	if at := slices.Index(lines, "--"); at >= 0 {
		lines = lines[:at]
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// write adds text between tags, in which a line break is a space and several spaces are one.
func write(out *strings.Builder, text string) {
	text = spaces.ReplaceAllString(text, " ")
	text = strings.ReplaceAll(html.UnescapeString(text), "\u00a0", " ")
	if s := out.String(); strings.HasSuffix(s, " ") || strings.HasSuffix(s, "\n") || s == "" {
		text = strings.TrimLeft(text, " ")
	}
	out.WriteString(text)
}

func newLine(out *strings.Builder) {
	if s := out.String(); s != "" && !strings.HasSuffix(s, "\n") {
		out.WriteByte('\n')
	}
}
