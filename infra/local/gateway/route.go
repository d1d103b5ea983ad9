package gateway

import (
	"strings"
)

// Route is one route of the API.
type Route struct {
	Key      string // "GET /messages/{id}", "ANY /api/{proxy+}" or "$default"
	Function string // name of the function that answers
}

// match finds the route for a request: a full match before a greedy one, more literal segments
// before fewer, a method before ANY, $default last.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func match(routes []Route, method, path string) (best Route, parameters map[string]string, ok bool) {
	bestRank := -1
	for _, route := range routes {
		if got, rank, matches := route.match(method, path); matches && rank > bestRank {
			best, parameters, bestRank = route, got, rank
		}
	}
	return best, parameters, bestRank >= 0
}

// match reports whether the route takes the request, and its rank among those that do.
func (r Route) match(method, path string) (parameters map[string]string, rank int, ok bool) {
	if r.Key == "$default" {
		return nil, 0, true
	}
	wantMethod, pattern, _ := strings.Cut(r.Key, " ")
	if wantMethod != "ANY" && wantMethod != method {
		return nil, 0, false
	}
	if wantMethod != "ANY" {
		rank = 1
	}
	wanted, given := segments(pattern), segments(path)
	greedy := len(wanted) > 0 && strings.HasSuffix(wanted[len(wanted)-1], "+}")
	if !greedy {
		rank += 10000
	}
	if len(given) < len(wanted) || (!greedy && len(given) > len(wanted)) {
		return nil, 0, false
	}
	for i, want := range wanted {
		if !strings.HasPrefix(want, "{") {
			if want != given[i] {
				return nil, 0, false
			}
			rank += 2
			continue
		}
		if parameters == nil {
			parameters = make(map[string]string)
		}
		name := strings.Trim(want, "{}")
		if greedy && i == len(wanted)-1 {
			parameters[strings.TrimSuffix(name, "+")] = strings.Join(given[i:], "/")
			break
		}
		parameters[name] = given[i]
	}
	return parameters, rank + 2, true
}

// segments splits a path; "/" has one empty segment, so that a greedy variable needs something to match.
func segments(path string) []string {
	return strings.Split(strings.TrimPrefix(path, "/"), "/")
}
