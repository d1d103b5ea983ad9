package handler

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"net/http"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// What a conversation looks like beside its record in the CRM.
//
// The page is written without html/template, which calls methods by their names: for that the linker keeps every method of
// the AWS SDK (ADR 30).

var (
	//go:embed panel.html
	panelHTML string
	//go:embed panel.css
	panelStyle string
)

// panel is what the page shows.
type panel struct {
	Say   string // a sentence instead of messages
	Lines []panelLine
	Older bool // there are more than these
}

// write answers with the page. Its policy lets nothing run but the CRM's own script and what begins that.
func (p panel) write(w http.ResponseWriter, status int, in crm.Frame, images string) error {
	w.Header().Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'", "script-src " + in.Script + " " + hashed(in.Start), "style-src " + hashed(panelStyle),
		strings.TrimSpace("img-src 'self' " + images), "frame-ancestors " + in.Ancestors, "base-uri 'none'", "form-action 'none'",
	}, "; "))
	w.WriteHeader(status)
	_, err := w.Write([]byte(p.page(in)))
	return err
}

// page is the whole of it. What the CRM's connector gives is code of ours; everything else is escaped.
func (p panel) page(in crm.Frame) string {
	return strings.NewReplacer("{style}", panelStyle, "{content}", p.content(), "{script}", html.EscapeString(in.Script),
		"{integrity}", html.EscapeString(in.Integrity), "{start}", in.Start).Replace(panelHTML)
}

func (p panel) content() string {
	if len(p.Lines) == 0 {
		return element(`p class="say"`, p.Say)
	}
	older := ""
	if p.Older {
		older = "Older messages are on the record."
	}
	var lines strings.Builder
	for _, l := range p.Lines {
		lines.WriteString(l.html())
	}
	return "<div>" + element(`p class="say"`, older) + "<ol>" + lines.String() + "</ol></div>"
}

// hashed is the source of a policy that lets this text run, and no other.
func hashed(inline string) string {
	sum := sha256.Sum256([]byte(inline))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// panelLine is a message on the page.
type panelLine struct {
	Out         bool
	Who         string
	At          time.Time
	Quote, Text string
	Image, File *panelFile // one of them at most
	Notes       []string
}

type panelFile struct{ URL, Name string }

func (l panelLine) html() string {
	side := "<li>"
	if l.Out {
		side = `<li class="out">`
	}
	var b strings.Builder
	b.WriteString(side + `<p class="head">` + element(`b dir="auto"`, l.Who) + " " +
		element(`time datetime="`+l.At.Format(time.RFC3339)+`"`, l.At.Format("2 Jan 2006, 15:04 UTC")) + "</p>")
	b.WriteString(element(`blockquote dir="auto"`, l.Quote))
	if f := l.Image; f != nil {
		b.WriteString(f.link(`<img src="` + html.EscapeString(f.URL) + `" alt="` + html.EscapeString(f.Name) + `" loading="lazy">`))
	}
	if f := l.File; f != nil {
		b.WriteString("<p>" + f.link(html.EscapeString(f.Name)) + "</p>")
	}
	b.WriteString(element(`p class="text" dir="auto"`, l.Text))
	for _, n := range l.Notes {
		b.WriteString(element(`p class="note" dir="auto"`, n))
	}
	return b.String() + "</li>"
}

// link leads to the file; what it shows is HTML.
func (f panelFile) link(shows string) string {
	return `<a href="` + html.EscapeString(f.URL) + `" target="_blank" rel="noopener noreferrer">` + shows + "</a>"
}

// element is a text in an element; nothing if there is none. The tag, with its attributes, is ours.
func element(tag, text string) string {
	if text == "" {
		return ""
	}
	name, _, _ := strings.Cut(tag, " ")
	return "<" + tag + ">" + html.EscapeString(text) + "</" + name + ">"
}

func viewLine(v messageView, who chat.Contact) panelLine {
	l := panelLine{Out: v.Direction == chat.Out, Who: cmp.Or(who.Shown(), "Customer"), At: v.At.UTC(), Text: v.Text}
	if l.Out {
		l.Who = "Company"
	}
	if v.Quotes != nil {
		l.Quote = cmp.Or(v.Quotes.Text, kindWords(v.Quotes.Kind))
	}
	if f := v.Attachment; f != nil && f.URL != "" {
		file := &panelFile{f.URL, cmp.Or(f.Name, kindWords(v.Kind))}
		if kind, _, _ := strings.Cut(f.MIME, "/"); kind == "image" && inline[f.MIME] {
			l.Image = file
		} else {
			l.File = file
		}
	}
	if l.Text == "" && l.Image == nil && l.File == nil {
		l.Text = kindWords(v.Kind)
	}
	l.Notes = panelNotes(v)
	return l
}

// kindWords stand for a message that has no text.
func kindWords(k chat.Kind) string {
	words := cmp.Or(strings.ReplaceAll(string(k), "_", " "), string(chat.KindUnknown))
	return strings.ToUpper(words[:1]) + words[1:]
}

// panelNotes are what a reader would otherwise miss.
func panelNotes(v messageView) (notes []string) {
	if f := v.Attachment; f != nil {
		switch f.State {
		case chat.Pending:
			notes = append(notes, "The file is arriving.")
		case chat.FileFailed:
			notes = append(notes, "The file could not be fetched.")
		case chat.Unverified:
			notes = append(notes, "The file may not be what was sent.")
		case chat.Remote:
			notes = append(notes, strings.TrimSpace("A file is with it. "+f.Name))
		}
	}
	if len(v.Edits) > 0 {
		notes = append(notes, "Edited.")
	}
	if v.RevokedAt != nil {
		notes = append(notes, "Deleted by who wrote it.")
	}
	for _, r := range v.Reactions {
		by := "the customer"
		if r.Direction == chat.Out {
			by = "the company"
		}
		notes = append(notes, r.Emoji+" by "+by)
	}
	switch {
	case v.Direction == chat.Out && v.Status == chat.Failed:
		notes = append(notes, "Not delivered.")
	case v.Direction == chat.Out && v.Status == chat.Unknown:
		notes = append(notes, "May have been delivered.")
	}
	return notes
}
