package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// place is somewhere that a field can be found: facts, one a line, as
// "path=value" behind what it belongs to. Apart from them is what stands there
// only in a copy of Meta's own JSON.
type place struct {
	own, copied map[string]bool
	fields      map[string]string // which field of which type an own line is; only of what was parsed
}

func newPlace() place {
	return place{own: map[string]bool{}, copied: map[string]bool{}, fields: map[string]string{}}
}

// minus is what is in p and wasn't in q.
func (p place) minus(q place) place {
	d := newPlace()
	d.fields = p.fields
	for l := range p.own {
		if !q.own[l] {
			d.own[l] = true
		}
	}
	for l := range p.copied {
		if !q.copied[l] {
			d.copied[l] = true
		}
	}
	return d
}

// copies are the names under which Meta's JSON is kept as it is.
var copies = map[string]bool{"raw": true, "content": true}

// add notes a value as JSON or the table has it; item is what it belongs to.
func (p place) add(item, path string, v any, isCopy bool) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		if id, named := v["id"].(string); named {
			item += "/" + id
		}
		for key, e := range v {
			p.add(item, path+"."+key, e, isCopy || copies[key])
		}
	case []any:
		for _, e := range v {
			p.add(item, path, e, isCopy)
		}
	case []byte:
		if inner, err := decode(v); err == nil {
			p.add(item, path, inner, isCopy)
			return
		}
		p.put(item, path, string(v), isCopy)
	case float64:
		p.put(item, path, strconv.FormatFloat(v, 'f', -1, 64), isCopy)
	default:
		p.put(item, path, fmt.Sprint(v), isCopy)
	}
}

func (p place) put(item, path, value string, isCopy bool) {
	line := item + "\t" + path + "=" + value
	if isCopy {
		p.copied[line] = true
	} else {
		p.own[line] = true
	}
}

func decode(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// addParsed notes what isn't zero in a Go value.
func (p place) addParsed(path string, v reflect.Value, field string) {
	switch x := v.Interface().(type) {
	case json.RawMessage:
		if len(x) > 0 {
			p.add("", path, []byte(x), true)
		}
		return
	case time.Time:
		if !x.IsZero() {
			p.note(path, x.UTC().Format(time.RFC3339), field)
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			p.addParsed(path, v.Elem(), field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			p.addParsed(path, v.Index(i), field)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() {
				p.addParsed(path+"."+f.Name, v.Field(i), v.Type().Name()+"."+f.Name)
			}
		}
	default:
		if !v.IsZero() {
			p.note(path, fmt.Sprint(v.Interface()), field)
		}
	}
}

func (p place) note(path, value, field string) {
	p.put("", path, value, false)
	p.fields["\t"+path+"="+value] = field
}

// cell is how a field shows in a place.
type cell string

// A field is there in words or in a field of its own, or only within Meta's JSON, or not at all.
const (
	yes    cell = "yes"
	raw    cell = "raw"
	absent cell = "—"
)

// shows looks for a field. The lines that prove it are returned for those who count what is proven.
func (p place) shows(l leaf) (cell, []string) {
	var proof []string
	for line := range p.own {
		if l.in(line) {
			proof = append(proof, line)
		}
	}
	if len(proof) > 0 {
		slices.Sort(proof)
		return yes, proof
	}
	for line := range p.copied {
		if l.is(line) {
			return raw, nil
		}
	}
	return absent, nil
}

// anything tells whether there is something in the place at all.
func (p place) anything() cell {
	switch {
	case len(p.own) > 0:
		return yes
	case len(p.copied) > 0:
		return raw
	}
	return absent
}
