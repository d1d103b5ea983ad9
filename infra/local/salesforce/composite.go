package salesforce

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// The limits of a composite call.
// https://developer.salesforce.com/docs/platform/api-rest/guide/resources-composite-composite-post.html
const (
	maxSubrequests = 25
	maxQueries     = 5
)

// composite carries out calls one after the other; each is told its own result inside of a 200. All or none isn't
// offered: nothing here asks for it.
func (s *Simulator) composite(r *http.Request) answer {
	in, err := decode(r.Body)
	if err != nil {
		return answerOf(err)
	}
	requests, _ := in["compositeRequest"].([]any)
	if len(requests) == 0 || len(requests) > maxSubrequests {
		return answerOf(refuse(http.StatusBadRequest, "INVALID_INPUT", fmt.Sprintf("1 to %d subrequests are allowed", maxSubrequests)))
	}
	if all, _ := in["allOrNone"].(bool); all {
		return answerOf(refuse(http.StatusNotImplemented, "NOT_IMPLEMENTED", "allOrNone isn't simulated"))
	}
	results := map[string]any{}
	var responses []any
	queries := 0
	for _, raw := range requests {
		sub, _ := raw.(map[string]any)
		name, _ := sub["referenceId"].(string)
		if name == "" || results[name] != nil {
			return answerOf(refuse(http.StatusBadRequest, "INVALID_INPUT", "every subrequest needs a referenceId of its own"))
		}
		if address, _ := sub["url"].(string); strings.HasPrefix(address, dataPath+"query") {
			queries++
		}
		if queries > maxQueries {
			return answerOf(refuse(http.StatusBadRequest, "LIMIT_EXCEEDED", "too many queries"))
		}
		a := s.subrequest(sub, results)
		results[name] = a.body
		responses = append(responses, map[string]any{"body": a.body, "httpHeaders": map[string]any{}, "httpStatusCode": a.status, "referenceId": name})
	}
	return answer{http.StatusOK, map[string]any{"compositeResponse": responses}}
}

func (s *Simulator) subrequest(sub map[string]any, results map[string]any) answer {
	method, _ := sub["method"].(string)
	address, _ := sub["url"].(string)
	fields, _ := sub["body"].(map[string]any)
	header := http.Header{}
	if given, ok := sub["httpHeaders"].(map[string]any); ok {
		for key, value := range given {
			header.Set(key, fmt.Sprint(value))
		}
	}
	address, ok := resolve(address, results)
	resolved := map[string]any{}
	for key, value := range fields {
		if t, isText := value.(string); isText && ok {
			value, ok = resolve(t, results)
		}
		resolved[key] = value
	}
	if !ok {
		return answerOf(refuse(http.StatusBadRequest, "PROCESSING_HALTED", "Invalid reference specified."))
	}
	path, inside := strings.CutPrefix(address, dataPath)
	u, err := url.Parse(path)
	if !inside || err != nil {
		return answerOf(refuse(http.StatusBadRequest, "INVALID_INPUT", "the url of a subrequest is a path below "+dataPath))
	}
	if resource, rest, _ := strings.Cut(u.EscapedPath(), "/"); resource == "query" || resource == "queryAll" {
		return s.getQuery(method, rest, u.Query(), resource == "queryAll")
	}
	if strings.HasSuffix(u.Path, "/VersionData") {
		return answerOf(refuse(http.StatusBadRequest, "INVALID_INPUT", "binary data isn't part of a composite call"))
	}
	return s.rows(call{method: method, path: u.EscapedPath(), query: u.Query(), header: header, fields: resolved})
}

var reference = regexp.MustCompile(`@\{(\w+)\.([^}]+)\}`)

// resolve puts earlier results in the place of references to them; ok is false if there is no such result.
func resolve(s string, results map[string]any) (resolved string, ok bool) {
	ok = true
	resolved = reference.ReplaceAllStringFunc(s, func(match string) string {
		m := reference.FindStringSubmatch(match)
		value := results[m[1]]
		for step := range strings.SplitSeq(strings.NewReplacer("[", ".", "]", "").Replace(m[2]), ".") {
			switch at := value.(type) {
			case map[string]any:
				value = at[step]
			case []any:
				n, err := strconv.Atoi(step)
				if value = nil; err == nil && n < len(at) {
					value = at[n]
				}
			default:
				value = nil
			}
		}
		found, isText := value.(string)
		ok = ok && isText
		return found
	})
	return resolved, ok
}
