package hubspot

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// maxBody is how long the HTML of a communication may be, in UTF-16 units; that of a note is the same.
// https://developers.hubspot.com/docs/api-reference/crm-notes-v3/guide#properties
const maxBody = 65536

const shortened = "… (shortened)"

// html shows an entry as HubSpot's timeline does: who, what, and our line below. In marked mode the marker follows.
func (c *Connector) html(kind string, e crm.Entry) string {
	var foot string
	if e.Note != "" {
		foot = "<p><em>" + escape(e.Note) + "</em></p>"
	}
	if c.isMarked(kind) {
		foot += "<p>Ref. " + marker(e.Key) + "</p>"
	}
	head := "<p><strong>" + escape(heading(e)) + "</strong></p>"
	if e.Text == "" {
		return head + foot
	}
	room := maxBody - length(head) - length(foot) - length("<p></p>")
	return head + "<p>" + cut(escape(e.Text), room) + "</p>" + foot
}

// heading tells the direction in words: a communication has no property for it.
func heading(e crm.Entry) string {
	word := "Sent by"
	if e.Direction == chat.In {
		word = "Received from"
	}
	if strings.TrimSpace(e.Author) == "" {
		return strings.Fields(word)[0]
	}
	return word + " " + e.Author
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "<br>")

// escape makes text into HTML that shows it as it was written.
func escape(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
	return escaper.Replace(text)
}

func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// cut shortens escaped text to n UTF-16 units, never inside of a tag or an entity.
func cut(s string, n int) string {
	if length(s) <= n {
		return s
	}
	n -= length(shortened)
	end, open := 0, false
	for i, r := range s {
		if r == '<' || r == '&' {
			open = true
		}
		if n -= utf16.RuneLen(r); n < 0 {
			break
		}
		if r == '>' || r == ';' {
			open = false
		}
		if !open {
			end = i + len(string(r))
		}
	}
	return s[:end] + shortened
}
