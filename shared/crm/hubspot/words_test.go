package hubspot

import (
	"strings"
	"testing"
	"unicode/utf8"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

func TestSplitName(t *testing.T) {
	for _, row := range []struct{ name, username, first, last string }{
		{"María García López", "", "María", "García López"},
		{"  Li\u0000\n ", "", "Li", ""},
		{"", "maria.g", "maria.g", ""},
		{" ", "", nameless, ""},
	} {
		first, last := splitName(crm.Person{Name: row.name, Username: row.username})
		if first != row.first || last != row.last {
			t.Errorf("%q: %q and %q, want %q and %q", row.name, first, last, row.first, row.last)
		}
	}
}

func TestHeading(t *testing.T) {
	for _, row := range []struct {
		direction    chat.Direction
		author, want string
	}{
		{chat.In, "María", "Received from María"},
		{chat.Out, "Support", "Sent by Support"},
		{chat.In, "", "Received"},
		{chat.Out, " ", "Sent"},
	} {
		if got := heading(crm.Entry{Direction: row.direction, Author: row.author}); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

// TestBodyFits proves that any text fits into HubSpot's limit, as HTML that is still whole.
func TestBodyFits(t *testing.T) {
	c := New(Config{})
	c.marked[communications] = true
	for _, piece := range []string{"a", "<", "&amp;", "🙂", "line\n", "é", "\xffa"} {
		e := crm.Entry{Key: "m1", Direction: chat.In, Author: "María", Text: strings.Repeat(piece, 70_000), Note: "a note"}
		got := c.html(communications, e)
		if n := length(got); n > maxBody || n < maxBody-len("<p></p>")-2*len("&amp;") {
			t.Errorf("%q: %d units, want nearly %d", piece, n, maxBody)
		}
		rest := strings.NewReplacer("<p>", "", "</p>", "", "<strong>", "", "</strong>", "", "<em>", "", "</em>", "", "<br>", "",
			"&amp;", "", "&lt;", "", "&gt;", "").Replace(got)
		if strings.ContainsAny(rest, "<>&") || !utf8.ValidString(got) {
			t.Errorf("%q: cut inside of a tag, an entity or a character", piece)
		}
		if !strings.Contains(got, shortened) || !strings.Contains(got, "a note") || !strings.HasSuffix(got, marker("m1")+"</p>") {
			t.Errorf("%q: lost the note, the marker or the hint that it was shortened", piece)
		}
	}
}

func TestPhones(t *testing.T) {
	for digits, want := range map[string]string{
		"34600111222": "+34600111222", "5215512345678": "+525512345678", "5491123456789": "+5491123456789", "1": "+1",
	} {
		if got := e164(digits); got != want {
			t.Errorf("%s: %s, want %s", digits, got, want)
		}
	}
	for _, row := range []struct {
		typed, digits string
		same          bool
	}{
		{"+1 (415) 555-0100", "14155550100", true},
		{"415-555-0100", "14155550100", true},
		{"415-555-0100 ext. 7", "14155550100", false},
		{"+44 20 7946 0000", "442079460000", true},
		{"020 7946 0000", "442079460000", true},
		{"+351 912 345 678", "351912345678", true},
		{"", "34600111222", false},
		{"no number", "34600111222", false},
		{"5512345678", "5215512345678", true},
		{"+1 551 234 5678", "5215512345678", false},
	} {
		if got := sameLine(row.typed, row.digits); got != row.same {
			t.Errorf("%q and %s: %v, want %v", row.typed, row.digits, got, row.same)
		}
	}
}

func TestFileNames(t *testing.T) {
	for _, row := range []struct{ name, mime, want string }{
		{"Invoice 2026/11.PDF", "application/pdf", "Invoice-2026-11_k.pdf"},
		{"", "image/jpeg", "k.jpg"},
		{"фактура.xlsx", "", "k.xlsx"},
		{"a.b.c", "audio/ogg; codecs=opus", "a-b_k.c"},
		{"voice", "audio/ogg; codecs=opus", "voice_k.ogg"},
		{"evil.ht\"ml", "text/whatever", "evil_k.bin"},
	} {
		f := crm.File{Key: "k", Name: row.name, MIME: row.mime}
		if got := stemOf(f) + extensionOf(f); got != row.want {
			t.Errorf("%q: %q, want %q", row.name, got, row.want)
		}
	}
}
