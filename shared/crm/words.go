package crm

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"threadline/shared/chat"
)

// What an entry looks like, for CRMs that show HTML, Markdown or plain text. Each writer takes how long its result may
// be, in UTF-16 units (what vendors count; 0: any length), and shortens the messages' texts evenly where it must.

const shortened = "… (shortened)"

// HTML writes an entry as HTML of paragraphs, strong, em and br. What people wrote is escaped.
func HTML(e Entry, limit int) string {
	return write(e, limit, func(m Message, heading string, room int) string {
		var b strings.Builder
		b.WriteString("<p><strong>" + escapeHTML(heading) + "</strong></p>")
		if m.Text != "" {
			b.WriteString("<p>" + cut(escapeHTML(m.Text), room, true) + "</p>")
		}
		if m.Note != "" {
			b.WriteString("<p><em>" + escapeHTML(m.Note) + "</em></p>")
		}
		return b.String()
	})
}

// Markdown writes an entry as Markdown in which nothing that people wrote is a mark.
func Markdown(e Entry, limit int) string {
	return write(e, limit, func(m Message, heading string, room int) string {
		parts := []string{"**" + escapeMarkdown(heading) + "**"}
		if m.Text != "" {
			parts = append(parts, cut(escapeMarkdown(m.Text), room, false))
		}
		if m.Note != "" {
			parts = append(parts, escapeMarkdown(m.Note))
		}
		return strings.Join(parts, "\n\n") + "\n\n"
	})
}

// Plain writes an entry as plain text.
func Plain(e Entry, limit int) string {
	return write(e, limit, func(m Message, heading string, room int) string {
		parts := []string{heading}
		if m.Text != "" {
			parts = append(parts, cut(clean(m.Text), room, false))
		}
		if m.Note != "" {
			parts = append(parts, clean(m.Note))
		}
		return strings.Join(parts, "\n") + "\n\n"
	})
}

// write joins the messages' parts, with as much room for each text as there is.
func write(e Entry, limit int, part func(m Message, heading string, room int) string) string {
	for room := limit; ; {
		var b strings.Builder
		for _, m := range e.Messages {
			b.WriteString(part(m, Heading(e, m), room))
		}
		out := strings.TrimSpace(b.String())
		over := length(out) - limit
		if limit == 0 || over <= 0 || room <= 1 {
			return out
		}
		// What is over comes off the texts; at most halved at a time, so that short ones aren't cut for the long.
		room = max(1, min(room-over, room-1), room/2)
	}
}

// Heading is who wrote a message, in words: a timeline has no other place for the direction. In an entry of several
// messages it begins with the time.
func Heading(e Entry, m Message) string {
	word := "Sent"
	if m.Direction == chat.In {
		word = "Received"
	}
	if author := strings.TrimSpace(clean(m.Author)); author != "" {
		word += map[chat.Direction]string{chat.In: " from ", chat.Out: " by "}[m.Direction] + author
	}
	if len(e.Messages) > 1 {
		word = m.At.UTC().Format("15:04 UTC") + " · " + word
	}
	return word
}

// StatusWord is a message's status for a field that shows nothing else: 20 characters at most.
func StatusWord(m Message) string {
	if m.Status == chat.Unknown {
		return "maybe delivered"
	}
	return string(m.Status)
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;", "\n", "<br>")

func escapeHTML(text string) string { return htmlEscaper.Replace(clean(text)) }

// escapeMarkdown puts a backslash before whatever may be a mark, and makes a line break one.
func escapeMarkdown(text string) string {
	var b strings.Builder
	for _, r := range clean(text) {
		switch {
		case r == '\n':
			b.WriteString("  ")
		case r < 0x80 && unicode.In(r, unicode.Punct, unicode.Symbol):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// clean drops what isn't text: broken characters and controls.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// cut shortens escaped text to n UTF-16 units, never inside of a tag or an entity of HTML, nor between a backslash and what
// it stands before; 0: not at all.
func cut(s string, n int, isHTML bool) string {
	if n == 0 || length(s) <= n {
		return s
	}
	n -= length(shortened)
	end, inTag, inEntity, escaped := 0, false, false, false
	for i, r := range s {
		inTag = inTag || isHTML && r == '<'
		inEntity = inEntity || isHTML && r == '&'
		if n -= utf16.RuneLen(r); n < 0 {
			break
		}
		inTag = inTag && r != '>'
		inEntity = inEntity && r != ';'
		escaped = r == '\\' && !escaped
		if !inTag && !inEntity && !escaped {
			end = i + len(string(r))
		}
	}
	return s[:end] + shortened
}
