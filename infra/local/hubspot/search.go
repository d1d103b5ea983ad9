package hubspot

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The limits of a search. https://developers.hubspot.com/docs/api-reference/search/guide#limitations
const (
	maxGroups  = 5
	maxFilters = 6
	maxPage    = 200
	maxSearch  = 3000 // characters of a request's body
)

type searchInput struct {
	FilterGroups []struct {
		Filters []filterInput `json:"filters"`
	} `json:"filterGroups"`
	Properties []string `json:"properties"`
	Sorts      []string `json:"sorts"`
	Query      string   `json:"query"`
	Limit      int      `json:"limit"`
	After      string   `json:"after"`
}

type filterInput struct {
	PropertyName string   `json:"propertyName"`
	Operator     string   `json:"operator"`
	Value        string   `json:"value"`
	HighValue    string   `json:"highValue"`
	Values       []string `json:"values"`
}

func (s *Simulator) searchObjects(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	in := searchInput{Limit: 10}
	if r.ContentLength > maxSearch {
		return 0, nil, invalid("the request is longer than %d characters", maxSearch)
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if err := s.checkSearch(kind, in); err != nil {
		return 0, nil, err
	}
	after := 0
	if in.After != "" {
		n, err := strconv.Atoi(in.After)
		if err != nil || n < 0 {
			return 0, nil, invalid("Invalid paging cursor")
		}
		after = n
	}
	hits := []any{}
	at := s.options.Now().Add(-s.options.SearchLag)
	for _, o := range s.sorted(kind) {
		known := o.indexed(at)
		if known != nil && o.Merged == "" && matches(known, in) {
			hits = append(hits, render(o, known, in.Properties))
		}
	}
	body := map[string]any{"total": len(hits)}
	page := hits[min(after, len(hits)):min(after+in.Limit, len(hits))]
	if end := after + len(page); end < len(hits) {
		body["paging"] = map[string]any{"next": map[string]any{"after": strconv.Itoa(end)}}
	}
	body["results"] = page
	return http.StatusOK, body, nil
}

func (s *Simulator) checkSearch(kind string, in searchInput) error {
	if in.Limit < 1 || in.Limit > maxPage {
		return invalid("limit must be from 1 to %d", maxPage)
	}
	if len(in.FilterGroups) > maxGroups {
		return invalid("too many filterGroups: the limit is %d", maxGroups)
	}
	for _, g := range in.FilterGroups {
		if len(g.Filters) == 0 || len(g.Filters) > maxFilters {
			return invalid("filters must have 1 to %d elements", maxFilters)
		}
		for _, f := range g.Filters {
			if s.properties[kind][f.PropertyName] == nil || s.faults.forbidden[kind+"."+f.PropertyName] {
				return invalid("There was a problem with the request: property %s does not exist", f.PropertyName)
			}
			if !slices.Contains(operators, f.Operator) {
				return invalid("operator %s is not supported by the simulator", f.Operator)
			}
		}
	}
	return nil
}

var operators = []string{"EQ", "NEQ", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}

func matches(values map[string]string, in searchInput) bool {
	if len(in.FilterGroups) == 0 {
		return true
	}
	for _, g := range in.FilterGroups {
		every := true
		for _, f := range g.Filters {
			every = every && f.matches(values[f.PropertyName])
		}
		if every {
			return true
		}
	}
	return false
}

func (f filterInput) matches(value string) bool {
	switch f.Operator {
	case "EQ":
		return value != "" && strings.EqualFold(value, f.Value)
	case "NEQ":
		return !strings.EqualFold(value, f.Value)
	case "IN":
		return value != "" && slices.Contains(f.Values, strings.ToLower(value))
	case "NOT_IN":
		return !slices.Contains(f.Values, strings.ToLower(value))
	case "HAS_PROPERTY":
		return value != ""
	case "NOT_HAS_PROPERTY":
		return value == ""
	case "CONTAINS_TOKEN":
		return containsToken(value, f.Value)
	default:
		return !containsToken(value, f.Value)
	}
}

// containsToken compares whole words; a star stands for the rest of a word at either end.
func containsToken(value, token string) bool {
	token = strings.ToLower(token)
	word := strings.Trim(token, "*")
	for _, w := range strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		front, back := strings.HasPrefix(token, "*"), strings.HasSuffix(token, "*")
		switch {
		case w == word, front && back && strings.Contains(w, word):
			return true
		case front && strings.HasSuffix(w, word), back && strings.HasPrefix(w, word):
			return true
		}
	}
	return false
}
