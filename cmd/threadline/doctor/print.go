package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// width is the terminal's that the output is made for. A word that is longer, such as an address, stays whole.
const width = 80

// margin is where the text begins, right of the level.
const margin = 8

// Printer writes findings as people read them.
type Printer struct {
	Out io.Writer

	section      string
	warns, fails int
}

// Print writes one finding, and its section's name before the first one of the section.
func (p *Printer) Print(f Finding) {
	if f.Section != p.section {
		p.section = f.Section
		fmt.Fprintf(p.Out, "\n%s\n", f.Section)
	}
	switch f.Level {
	case Warn:
		p.warns++
	case Fail:
		p.fails++
	}
	first := fmt.Sprintf("  %-*s", margin-2, f.Level)
	fmt.Fprintln(p.Out, wrap(f.Found, first, strings.Repeat(" ", margin)))
	for _, line := range f.Do {
		fmt.Fprintln(p.Out, wrap(line, strings.Repeat(" ", margin)+"> ", strings.Repeat(" ", margin+2)))
	}
}

// Sum writes the last line.
func (p *Printer) Sum() {
	warnings := plural(p.warns, "warning", "warnings")
	switch {
	case p.fails > 0:
		fmt.Fprintf(p.Out, "\n%s, %s. See the lines that begin with >.\n", plural(p.fails, "failure", "failures"), warnings)
	case p.warns > 0:
		fmt.Fprintf(p.Out, "\nNothing fails; %s.\n", warnings)
	default:
		fmt.Fprintln(p.Out, "\nAll is well.")
	}
}

// wrap breaks a text into lines. The first one begins with first, the others with rest.
func wrap(text, first, rest string) string {
	var b strings.Builder
	b.WriteString(first)
	column, begun := utf8.RuneCountInString(first), false
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case begun && column+1+length > width:
			b.WriteString("\n" + rest)
			column = utf8.RuneCountInString(rest)
		case begun:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column, begun = column+length, true
	}
	return b.String()
}

// Report is what a run found, for scripts.
type Report struct {
	Stack    string    `json:"stack"`
	Region   string    `json:"region"`
	Healthy  bool      `json:"healthy"` // nothing failed
	Findings []Finding `json:"findings"`
}

// WriteJSON writes the report.
func (r Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
