package contract

import (
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// Find finds what a document says about a path, which is escaped as in a URL; nil if it says nothing. A path without
// parameters wins. (The routers of kin-openapi refuse documents of which two paths differ in the name of a parameter only.)
func Find(doc *openapi3.T, method, path string) (found *routers.Route, params map[string]string) {
	for template, item := range doc.Paths.Map() {
		operation := item.GetOperation(method)
		got, ok := fits(template, path)
		if operation == nil || !ok || found != nil && len(got) > len(params) {
			continue
		}
		found, params = &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: operation}, got
	}
	return found, params
}

func fits(template, path string) (map[string]string, bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, part := range want {
		value, err := url.PathUnescape(got[i])
		if err != nil {
			return nil, false
		}
		if strings.HasPrefix(part, "{") {
			params[strings.Trim(part, "{}")] = value
		} else if part != value {
			return nil, false
		}
	}
	return params, true
}
