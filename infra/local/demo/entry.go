package demo

import (
	"html"
	"regexp"
	"strings"
	"time"
)

// Entry is something on a record's timeline.
type Entry struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"` // what it is in the CRM's words, such as "Note"
	HTML  string    `json:"html"` // safe to show
	Files []File    `json:"files"`

	// What the CRM has no place for stays empty: it is read from the words then, as people do.
	From    Side   `json:"from,omitempty"`
	Heading string `json:"heading,omitempty"` // the line of HTML that says who wrote it
	Status  string `json:"status,omitempty"`  // in the CRM's words, such as "delivered"
	Problem string `json:"problem,omitempty"` // what went wrong, as a sentence: "Not delivered: …"
}

// Side is who wrote in WhatsApp.
type Side string

// The sides.
const (
	Customer Side = "customer"
	Company  Side = "company"
	Both     Side = "both" // an entry of several messages
)

// File is attached to an entry.
type File struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	MIME    string    `json:"mime"`
	Size    int64     `json:"size"`
	Private bool      `json:"private"`
	Changed time.Time `json:"-"`
}

var (
	// A message of ours begins with such a line, behind its time if the entry has several.
	heading = regexp.MustCompile(`^(?:[^\n]{1,30} · )?(Received|Sent)(?: (?:from|by) [^\n]*)?(?:\n|$)`)
	failure = regexp.MustCompile(`(?:^|\n)(?:WhatsApp · )?((?:Not (?:all of it was )?(?:sent|delivered)|May have been delivered)[.:][^\n]*)$`)

	strong = regexp.MustCompile(`<strong[^>]*>([^<]*)</strong>`)
	remark = regexp.MustCompile(`<em[^>]*>(.*?)</em>`)
)

// Heading returns the first line of a text of Threadline's, and whose words follow. It is empty if the text doesn't begin
// with one.
func Heading(text string) (line string, from Side) {
	m := heading.FindStringSubmatch(text)
	if m == nil {
		return "", ""
	}
	return strings.TrimSuffix(m[0], "\n"), map[string]Side{"Received": Customer, "Sent": Company}[m[1]]
}

// Failure returns the last line of a text if it says that a message wasn't sent or delivered, or may not have been. It is
// empty if it says something else.
func Failure(text string) string {
	if m := failure.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// NotSent is why a request wasn't sent, as a sentence that says so.
func NotSent(reason string) string {
	if reason == "" || Failure(reason) != "" {
		return reason
	}
	return "Not sent: " + reason
}

// Text returns the text of a line or paragraph of HTML that has no other tags than br.
func Text(shown string) string {
	return html.UnescapeString(strings.ReplaceAll(shown, "<br>", "\n"))
}

// read fills in what the CRM has no place for. Threadline's headings are bold and its remarks are in italics; what people
// wrote is neither.
func (e Entry) read() Entry {
	var lines []string
	from := e.From
	for _, m := range strong.FindAllStringSubmatch(e.HTML, -1) {
		line, side := Heading(Text(m[1]))
		switch {
		case side == "":
			continue
		case from != "" && from != side:
			from = Both
		default:
			from = side
		}
		lines = append(lines, line)
	}
	if e.From == "" {
		e.From = from
	}
	if len(lines) == 1 && e.Heading == "" {
		e.Heading = lines[0]
	}
	for _, m := range remark.FindAllStringSubmatch(e.HTML, -1) {
		if e.Problem == "" {
			e.Problem = Failure(Text(m[1]))
		}
	}
	if e.From == Customer {
		e.Problem = "" // the words are the customer's
	}
	if e.Status == "" && e.Problem != "" {
		e.Status, _, _ = strings.Cut(strings.TrimSuffix(e.Problem, "."), ":")
	}
	return e
}
