package salesforce

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// search answers a search with parameters. It knows words, which spaces, punctuation and the change from letters to
// digits end, and shows nothing younger than the index.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_search_parameterized_get.htm
func (s *Simulator) search(values url.Values) answer {
	o := s.schema[values.Get("sobject")]
	if len(strings.TrimSpace(values.Get("q"))) < 2 {
		return answerOf(refuse(http.StatusBadRequest, "MALFORMED_SEARCH", "search term must be longer than one character"))
	}
	if o == nil || !o.read {
		return answerOf(refuse(http.StatusBadRequest, "INVALID_TYPE", fmt.Sprintf("sObject type '%s' is not supported.", values.Get("sobject"))))
	}
	if values.Get("in") != "PHONE" {
		return answerOf(refuse(http.StatusBadRequest, "INVALID_SEARCH_SCOPE", "only PHONE is simulated"))
	}
	names := strings.Split(values.Get(o.name+".fields"), ",")
	if names[0] == "" {
		names = []string{"Id"}
	}
	for _, name := range names {
		if err := s.checkField(o, name, false); err != nil {
			return answerOf(err)
		}
	}
	limit := 2000
	if given := values.Get(o.name + ".limit"); given != "" {
		limit, _ = strconv.Atoi(given)
	}
	found := []any{}
	indexed := s.options.Now().Add(-s.options.SearchLag)
	for _, r := range s.all(o.name) {
		if !r.Deleted && !r.Changed.After(indexed) && s.hasWords(o, r, values.Get("q")) && len(found) < limit {
			found = append(found, s.selected(r, names))
		}
	}
	return answer{http.StatusOK, map[string]any{"searchRecords": found}}
}

// hasWords tells whether a telephone number on the record has all the words of one of the terms.
func (s *Simulator) hasWords(o *object, r *record, q string) bool {
	for term := range strings.SplitSeq(q, " OR ") {
		want := words(term)
		for name, f := range o.fields {
			if f.kind != "phone" || !f.visible {
				continue
			}
			have := words(r.Values[name])
			missing := func(w string) bool { return !slices.Contains(have, w) }
			if len(want) > 0 && !slices.ContainsFunc(want, missing) {
				return true
			}
		}
	}
	return false
}

func words(s string) []string {
	var list []string
	var last func(rune) bool
	for _, c := range s {
		kind := map[bool]func(rune) bool{true: unicode.IsDigit, false: unicode.IsLetter}[unicode.IsDigit(c)]
		switch {
		case !kind(c):
			last = nil
		case last != nil && last(c):
			list[len(list)-1] += string(unicode.ToLower(c))
		default:
			list, last = append(list, string(unicode.ToLower(c))), kind
		}
	}
	return list
}
