package crm

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func said(text string) Entry {
	return Entry{Key: "k", At: noon, Messages: []Message{{At: noon, Direction: chat.In, Author: "María", Text: text}}}
}

func TestHeading(t *testing.T) {
	for _, row := range []struct {
		direction    chat.Direction
		author, want string
	}{
		{chat.In, "María", "Received from María"},
		{chat.Out, "Support", "Sent by Support"},
		{chat.In, "", "Received"},
		{chat.Out, " \n", "Sent"},
	} {
		m := Message{At: noon.Add(90 * time.Minute), Direction: row.direction, Author: row.author}
		if got := Heading(Entry{Messages: []Message{m}}, m); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
		if got := Heading(Entry{Messages: []Message{m, m}}, m); got != "13:30 UTC · "+row.want {
			t.Errorf("among several: %q", got)
		}
	}
}

func TestNothingThatPeopleWroteIsMarkup(t *testing.T) {
	e := said("a < b & \"c\" <script>x</script>\r\nline two \x00 *star* _under_ [l](u) # no `code` 1. no\tTab \xff 🙂")
	e.Messages[0].Author, e.Messages[0].Note = "<b>Bold</b>", "is <arriving>"
	html := HTML(e, 0)
	for _, bad := range []string{"<script", "<b>", "\x00", "\r"} {
		if strings.Contains(html, bad) {
			t.Errorf("HTML: %q is in %s", bad, html)
		}
	}
	if want := "a &lt; b &amp; &quot;c&quot; &lt;script&gt;x&lt;/script&gt;<br>line two  *star*"; !strings.Contains(html, want) {
		t.Errorf("HTML: %s", html)
	}
	markdown := Markdown(e, 0)
	for _, want := range []string{`\*star\*`, `\_under\_`, `\[l\]\(u\)`, `\# no`, "\\`code\\`", `1\. no`, "🙂", "\\<script\\>", "  \n"} {
		if !strings.Contains(markdown, want) {
			t.Errorf("Markdown: %q isn't in %s", want, markdown)
		}
	}
	if plain := Plain(e, 0); !strings.Contains(plain, "a < b & \"c\" <script>x</script>\nline two") || !strings.HasPrefix(plain, "Received from <b>Bold</b>\n") {
		t.Errorf("plain: %q", plain)
	}
}

// TestItFits proves that any text fits into any limit, with markup that is still whole, and loses nothing but text.
func TestItFits(t *testing.T) {
	const limit = 65536
	for _, piece := range []string{"a", "<", "&amp;", "🙂", "line\n", "é", "\xffa", "*", "\\"} {
		e := said(strings.Repeat(piece, 70_000))
		e.Messages[0].Note = "a note"
		for name, write := range map[string]func(Entry, int) string{"HTML": HTML, "Markdown": Markdown, "plain": Plain} {
			got := write(e, limit)
			if n := length(got); n > limit || n < limit-40 {
				t.Errorf("%s of %q: %d units, want nearly %d", name, piece, n, limit)
			}
			if !strings.Contains(got, shortened) || !strings.HasSuffix(strings.TrimSuffix(got, "</em></p>"), "a note") || !utf8.ValidString(got) {
				t.Errorf("%s of %q: lost the note, or the hint that it was shortened", name, piece)
			}
		}
		rest := strings.NewReplacer("<p>", "", "</p>", "", "<strong>", "", "</strong>", "", "<em>", "", "</em>", "", "<br>", "",
			"&amp;", "", "&lt;", "", "&gt;", "", "&quot;", "", "&#39;", "").Replace(HTML(e, limit))
		if strings.ContainsAny(rest, "<>&") {
			t.Errorf("%q: cut inside of a tag or an entity", piece)
		}
	}
	several := said(strings.Repeat("x", 5000))
	several.Messages = append(several.Messages, Message{At: noon, Direction: chat.Out, Text: "a short answer"}, several.Messages[0])
	if got := HTML(several, 4000); length(got) > 4000 || !strings.Contains(got, "a short answer") {
		t.Errorf("several: %d units", length(got))
	}
}

func FuzzWords(f *testing.F) {
	f.Add("a <b> & *c*", 50)
	f.Add("🙂\n\\", 12)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 100 + max(limit, 0)%100_000
		for _, write := range []func(Entry, int) string{HTML, Markdown, Plain} {
			if got := write(said(text), limit); length(got) > limit || !utf8.ValidString(got) {
				t.Errorf("%d units of %d", length(got), limit)
			}
		}
	})
}

// TestStatusWord proves that a status is a word of ours, that a doubt is one in plain words, and that fields are long enough.
func TestStatusWord(t *testing.T) {
	for _, s := range []chat.Status{chat.Accepted, chat.Sent, chat.Failed, chat.Delivered, chat.Read, chat.Played} {
		if got := StatusWord(Message{Status: s}); got != string(s) {
			t.Errorf("%s is called %q", s, got)
		}
	}
	const fieldLength = 20 // Salesforce's Status__c
	if got := StatusWord(Message{Status: chat.Unknown}); got != "maybe delivered" || len(got) > fieldLength {
		t.Errorf("unknown is called %q", got)
	}
}
