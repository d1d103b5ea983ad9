package main

import (
	"fmt"
	"slices"
	"strings"
)

const preface = `# WhatsApp: what is covered

Everything that Meta's Cloud API can tell and everything that it can be told, and what becomes of it here. The tables are
written by a program, which puts a sample of each row through the whole pipeline in memory and looks for every field.

| column | a field counts as there when |
|---|---|
| in | it was read into a field of its own |
| stored | it is on the table |
| shown | the [REST API](api.md) answers with it |
| CRM | it is on the customer's record, in the simulated HubSpot |
| out | the simulated Meta was sent it, after a request of the REST API |

**yes** stands for a field of its own, or for words that people read. **raw** is a field that is there in Meta's JSON only,
which is kept as it came. A dash means that it isn't there, and its number why. Bold rows are about a type or an event as
a whole; the fields below one are its own.
`

const ending = "\n---\n\nWritten by `go run ./infra/coverage > docs/whatsapp.md`; a test compares.\n"

// document writes the tables.
func document(o observation) string {
	var b strings.Builder
	b.WriteString(preface)
	for _, g := range append(slices.Clone(groups), group{name: "sending", title: "Sending", about: "What a company can send. The names are those of Meta's format."}) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", g.title, g.about)
		t := table{group: g.name}
		for _, r := range o.rows {
			if r.group == g.name {
				t.add(r)
			}
		}
		b.WriteString(t.String())
	}
	return b.String() + ending
}

// table is the rows of one group. Fields of one sample that fared alike share a line.
type table struct {
	group   string
	lines   []tableLine
	reasons []int // those that occur, in the order of their numbers
}

type tableLine struct{ sample, name, cells string }

// wide is how long the name of a line may get by joining fields, in bytes.
const wide = 90

func (t *table) add(r row) {
	var cells strings.Builder
	for _, c := range columns {
		cells.WriteString(" " + string(r.cells[c]) + t.number(r, c) + " |")
	}
	line := tableLine{r.sample, "**" + r.sample + "**", cells.String()}
	if r.field != "" {
		line.name = "`" + r.field + "`"
		if last := len(t.lines) - 1; t.lines[last].joins(line) {
			t.lines[last].name += " " + line.name
			return
		}
	}
	t.lines = append(t.lines, line)
}

func (l tableLine) joins(next tableLine) bool {
	return l.sample == next.sample && l.cells == next.cells && !strings.HasPrefix(l.name, "**") && len(l.name)+len(next.name) < wide
}

// number is a reason's number in this table, raised.
func (t *table) number(r row, c column) string {
	i, ok := whyEmpty(r.key(), c)
	if r.cells[c] != absent || !ok {
		return ""
	}
	n := slices.Index(t.reasons, i)
	if n < 0 {
		n, t.reasons = len(t.reasons), append(t.reasons, i)
	}
	return strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").
		Replace(fmt.Sprint(n + 1))
}

func (t *table) String() string {
	var b strings.Builder
	b.WriteString("| | in | stored | shown | CRM | out |\n|---|---|---|---|---|---|\n")
	for _, l := range t.lines {
		fmt.Fprintf(&b, "| %s |%s\n", l.name, l.cells)
	}
	b.WriteString("\n")
	for n, i := range t.reasons {
		fmt.Fprintf(&b, "%d. %s\n", n+1, reasons[i].why)
	}
	return b.String()
}
