// Package env turns environment variables into a struct, once, at the start of a function.
//
//	var c struct {
//		Table   string        `env:"TABLE"`
//		Wait    time.Duration `env:"AMBIGUOUS_SEND_AFTER,default=2m"`
//		Numbers []string      `env:"PHONE_NUMBER_ID,optional"`
//	}
//	env.Must(&c)
//
// It guarantees that whoever deploys reads every mistake at once, each naming its variable and what is expected, and
// that no value is ever printed: a token pasted into the wrong variable stays out of the log. An empty variable counts
// as unset, because that is what an empty template parameter becomes.
package env

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Decode fills the struct that target points to from its `env:"NAME"` tags with this process's environment. A field
// without the tag is left alone.
//
// A variable is required unless the tag says `optional` (the field keeps its value) or `default=…` (the rest of the
// tag, commas included). Fields are of kind string, int or bool, time.Duration ("90s"), []string (comma-separated,
// trimmed, empty entries dropped), url.URL or *url.URL (absolute). The error joins one line per problem.
func Decode(target any) error { return From(os.Getenv, target) }

// From is Decode for variables that are kept elsewhere. A field whose variable is missing or malformed stays empty; the
// others are filled.
func From(lookup func(name string) string, target any) error {
	p := reflect.ValueOf(target)
	if p.Kind() != reflect.Pointer || p.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("decode environment: want a pointer to a struct, got %T", target)
	}
	var problems []error
	for field, value := range p.Elem().Fields() {
		tag, ok := field.Tag.Lookup("env")
		if !ok {
			continue
		}
		if err := decodeField(lookup, parseTag(tag), value); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// Must is Decode for main: it logs each problem of all targets, and ends the process with code 1 if there is any.
func Must(targets ...any) {
	var problems []error
	for _, target := range targets {
		problems = append(problems, Decode(target))
	}
	err := errors.Join(problems...)
	if err == nil {
		return
	}
	for line := range strings.Lines(err.Error()) {
		slog.Error("environment", "problem", strings.TrimSuffix(line, "\n"))
	}
	os.Exit(1)
}

// variable is one parsed tag.
type variable struct {
	name     string
	fallback string
	optional bool
	options  string // what is neither default nor optional, to be refused
}

func parseTag(tag string) variable {
	name, options, _ := strings.Cut(tag, ",")
	v := variable{name: name}
	if fallback, ok := strings.CutPrefix(options, "default="); ok {
		v.fallback, v.optional = fallback, true
		return v
	}
	if options == "optional" {
		v.optional = true
		return v
	}
	v.options = options
	return v
}

func decodeField(lookup func(string) string, v variable, field reflect.Value) error {
	if v.name == "" || v.options != "" {
		return fmt.Errorf("%s: tag must read `NAME`, `NAME,optional` or `NAME,default=…`", v.name)
	}
	if !field.CanSet() {
		return fmt.Errorf("%s: field must be exported", v.name)
	}
	text := lookup(v.name)
	if text == "" {
		text = v.fallback
	}
	if text == "" {
		if v.optional {
			return nil
		}
		return fmt.Errorf("%s: missing, want %s", v.name, expected(field.Type()))
	}
	if !set(field, text) {
		return fmt.Errorf("%s: malformed, want %s", v.name, expected(field.Type()))
	}
	return nil
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	stringsType  = reflect.TypeFor[[]string]()
	urlType      = reflect.TypeFor[url.URL]()
	urlPointer   = reflect.TypeFor[*url.URL]()
)

// set parses text into field and reports whether it could. Parse errors are dropped on purpose: they quote the value.
func set(field reflect.Value, text string) bool {
	switch field.Type() {
	case durationType:
		d, err := time.ParseDuration(text)
		field.SetInt(int64(d))
		return err == nil
	case stringsType:
		list := split(text)
		field.Set(reflect.ValueOf(list))
		return len(list) > 0
	case urlType, urlPointer:
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || u.Host == "" {
			return false
		}
		if field.Type() == urlType {
			field.Set(reflect.ValueOf(*u))
			return true
		}
		field.Set(reflect.ValueOf(u))
		return true
	}
	return setKind(field, text)
}

func setKind(field reflect.Value, text string) bool {
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
		return true
	case reflect.Int:
		n, err := strconv.Atoi(text)
		field.SetInt(int64(n))
		return err == nil
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		field.SetBool(b)
		return err == nil
	}
	return false
}

func split(text string) []string {
	var list []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func expected(t reflect.Type) string {
	switch t {
	case durationType:
		return "a duration such as 90s or 5m"
	case stringsType:
		return "a comma-separated list"
	case urlType, urlPointer:
		return "an absolute URL such as https://host"
	}
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	}
	return "a field type that env supports, not " + t.String()
}
