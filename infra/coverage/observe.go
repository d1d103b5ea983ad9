package main

import (
	"cmp"
	"strings"
	"testing"
)

// column is a place that a row is looked for in.
type column string

// The columns.
const (
	in     column = "in"
	stored column = "stored"
	shown  column = "shown"
	crm    column = "CRM"
	out    column = "out"
)

var columns = []column{in, stored, shown, crm, out}

// row is a line of a table.
type row struct {
	group, sample, field string // field is empty for the sample as a whole
	cells                map[column]cell
}

// key names a row where reasons are given.
func (r row) key() string { return strings.TrimSuffix(r.group+"/"+r.sample+"/"+r.field, "/") }

// observation is everything that the tables say, and which Go fields it rests on.
type observation struct {
	rows  []row
	typed map[string]bool // such as "Media.Caption"
}

// observe runs all samples.
func observe(t testing.TB) observation {
	o := observation{typed: map[string]bool{}}
	sent, wires := sending(t)
	for _, g := range groups {
		if g.name != "types" && g.name != "common" {
			wires = nil // what companies send is like what customers write, and not like the rest
		}
		for _, s := range g.samples {
			o.rows = append(o.rows, o.receiving(t, g.name, s, wires)...)
		}
	}
	read := map[string]cell{} // what customers write of the same
	for _, r := range o.rows {
		if name := cmp.Or(r.field, r.sample); r.group == "types" && read[name] != yes {
			read[name] = r.cells[in]
		}
	}
	for _, r := range sent {
		r.cells[in] = cmp.Or(read[cmp.Or(r.field, r.sample)], absent)
		o.rows = append(o.rows, r)
	}
	return o
}

// receiving runs one sample and looks for its fields. wires are the paths that were found in what Meta was sent.
func (o observation) receiving(t testing.TB, group string, s sample, wires map[string]bool) []row {
	fields := s.fields(t)
	read, understood, added := s.run(t, func(string) bool { return false })
	places := map[column]place{in: read, stored: added.stored, shown: added.shown, crm: added.crm}
	control := s.control(t, fields)

	whole := row{group: group, sample: s.name, cells: map[column]cell{in: yes}}
	if !understood {
		whole.cells[in] = raw
	}
	for _, c := range []column{stored, shown, crm} {
		whole.cells[c] = places[c].anything()
	}
	whole.cells[out] = sends(wires, s.name)
	rows := []row{whole}
	for _, l := range fields {
		r := row{group, s.name, s.shown(l.path), map[column]cell{out: sends(wires, s.shown(l.path))}}
		for c, p := range places {
			if l.signs != nil {
				p = p.minus(control[c]) // what shows without it too doesn't show it
			}
			found, proof := p.shows(l)
			r.cells[c] = found
			for _, line := range proof {
				o.typed[p.fields[line]] = true
			}
		}
		rows = append(rows, r)
	}
	return rows
}

// control runs the sample without the fields that are known by signs: those mustn't be there then.
func (s sample) control(t testing.TB, fields []leaf) map[column]place {
	gone := map[string]bool{}
	for _, l := range fields {
		gone[l.path] = l.signs != nil
	}
	if len(s.signs) == 0 {
		return nil
	}
	read, _, added := s.run(t, func(path string) bool { return gone[path] })
	return map[column]place{in: read, stored: added.stored, shown: added.shown, crm: added.crm}
}

// sameAs are rows that are called otherwise where they are sent.
var sameAs = map[string]string{
	"reply: context": "quoting a message", "context.id": "context.message_id", "in a group: group_id": "to a group", "group_id": "to a group",
}

func sends(wires map[string]bool, name string) cell {
	if other, ok := sameAs[name]; ok {
		name = other
	}
	if wires[name] {
		return yes
	}
	return absent
}
