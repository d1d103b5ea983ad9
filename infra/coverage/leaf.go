package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadline/infra/sim"
)

// leaf is a field of a sample: a value that isn't an object.
type leaf struct {
	path  string   // without array indexes, such as "messages.text.body"
	value string   // as it was written
	signs []string // what shows it where the value itself doesn't, as part of a line
}

func (l leaf) key() string { return l.path[strings.LastIndexByte(l.path, '.')+1:] }

// leaves lists the fields of JSON, in order.
func leaves(path string, v any) []leaf {
	switch v := v.(type) {
	case map[string]any:
		var all []leaf
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, leaves(strings.TrimPrefix(path+"."+key, "."), v[key])...)
		}
		return all
	case []any:
		var all []leaf
		for _, e := range v {
			all = append(all, leaves(path, e)...)
		}
		return all
	}
	return []leaf{{path: path, value: fmt.Sprint(v)}}
}

// in tells whether a line shows the field. A value that many things may have has to stand under the field's name.
func (l leaf) in(line string) bool {
	_, fact, _ := strings.Cut(strings.ToLower(line), "\t")
	looked := l.signs
	switch {
	case looked != nil:
	case !l.distinct():
		return l.is(line)
	default:
		looked = forms(l.value)
	}
	return slices.ContainsFunc(looked, func(s string) bool { return strings.Contains(fact, strings.ToLower(s)) })
}

// is tells whether a line has the value and nothing else, and if others may have it too under Meta's name for it.
func (l leaf) is(line string) bool {
	fact := "=" + l.value
	if !l.distinct() {
		fact = "." + l.key() + fact
	}
	return strings.HasSuffix(strings.ToLower(line), strings.ToLower(fact))
}

// distinct tells whether a value is unlikely to be another field's.
func (l leaf) distinct() bool { return len(l.value) >= 5 }

// forms are the ways to write a value: a moment can be a number, a date, or words.
func forms(value string) []string {
	all := []string{value}
	if number, ok := strings.CutPrefix(value, "+"); ok {
		all = append(all, number)
	}
	s, err := strconv.ParseInt(value, 10, 64)
	if err != nil || len(value) != 10 {
		return all
	}
	at := time.Unix(s, 0).UTC()
	all = append(all, at.Format(time.RFC3339))
	if day := at.Format(time.DateOnly); day != sim.Start.Format(time.DateOnly) { // on which everything else happens
		all = append(all, day, at.Format("2 January 2006"))
	}
	return all
}

// without is JSON that lacks some of its fields.
func without(path string, v any, gone func(path string) bool) any {
	switch v := v.(type) {
	case map[string]any:
		kept := map[string]any{}
		for key, e := range v {
			if inner := strings.TrimPrefix(path+"."+key, "."); !gone(inner) {
				kept[key] = without(inner, e, gone)
			}
		}
		return kept
	case []any:
		var kept []any
		for _, e := range v {
			kept = append(kept, without(path, e, gone))
		}
		return kept
	}
	return v
}
