// Package redact cleans error texts for the log.
//
// Error is a filter, not a proof: it removes what the errors of other people's libraries are known to quote. Our own
// errors don't quote, and the types that hold what customers are and say (package chat) hide themselves when logged.
package redact

import (
	"net/netip"
	"net/url"
	"regexp"
)

// What foreign errors quote: addresses they called (media URLs carry a signature, send URLs a number), values they
// could not parse, and the identifiers themselves.
var (
	address = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]+`)
	quoted  = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	bearer  = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+`)
	// Longer than any word, AWS request id (36 with hyphens) or Go type name without a dot; shorter than any token.
	token = regexp.MustCompile(`[A-Za-z0-9_+/=]{40,}`)
	// A business-scoped user id: https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids
	bsuid = regexp.MustCompile(`\b[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{5,128}\b`)
	// E.164 has at most 15 digits; anything longer is redacted as well. "%2B" is a plus sign in a URL.
	phone = regexp.MustCompile(`(?:%2[Bb]|\+)?\(?\d(?:[ ./()-]{0,2}\d){6,}`)
)

// Error returns err's text for a log line, without what could be personal or secret: of a URL only scheme and host
// remain; quoted text, bearer tokens, long opaque strings, business-scoped user ids and runs of seven digits or more
// (with the separators that people use; IP addresses stay) are replaced. A nil error gives "".
func Error(err error) string {
	if err == nil {
		return ""
	}
	s := address.ReplaceAllStringFunc(err.Error(), hostOnly)
	s = quoted.ReplaceAllStringFunc(s, unquote)
	s = bearer.ReplaceAllString(s, "$1 […]")
	s = token.ReplaceAllString(s, "[…]")
	s = bsuid.ReplaceAllString(s, "[user]")
	return phone.ReplaceAllStringFunc(s, number)
}

func hostOnly(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "[url]"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// keptURL is what hostOnly left behind between quotes.
var keptURL = regexp.MustCompile(`^"[a-zA-Z0-9+.-]+://[^"/]*/…"$`)

func unquote(s string) string {
	if keptURL.MatchString(s) {
		return s
	}
	return s[:1] + "…" + s[:1]
}

func number(s string) string {
	if _, err := netip.ParseAddr(s); err == nil {
		return s
	}
	return "[number]"
}
