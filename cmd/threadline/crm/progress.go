package crm

import (
	"fmt"
	"io"
	"strings"
)

// Progress shows how far a backfill is: on a terminal as a bar that stays in its line, elsewhere as a line whenever
// something has changed.
type Progress struct {
	Out      io.Writer
	Terminal bool

	last string
}

// width of the bar, in characters.
const width = 30

// Show shows a backfill.
func (p *Progress) Show(b Backfill) {
	text := b.text()
	if text == p.last {
		return
	}
	if !p.Terminal {
		p.last = text
		fmt.Fprintln(p.Out, text)
		return
	}
	full := 0
	if found := b.Conversations.Found; found > 0 {
		full = min(width, width*b.Conversations.Done/found)
	}
	line := "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] " + text
	pad := max(0, len(p.last)-len(text)) // over what was longer
	fmt.Fprint(p.Out, "\r"+line+strings.Repeat(" ", pad))
	p.last = text
}

// End leaves the line of the bar.
func (p *Progress) End() {
	if p.Terminal && p.last != "" {
		fmt.Fprintln(p.Out)
	}
}

func (b Backfill) text() string {
	c := b.Conversations
	if b.State == "counting" {
		return fmt.Sprintf("counting conversations: %d", c.Found)
	}
	percent := 100
	if c.Found > 0 {
		percent = 100 * c.Done / c.Found
	}
	return fmt.Sprintf("%d of %d conversations (%d %%), %d messages", c.Done, c.Found, percent, b.Messages)
}
