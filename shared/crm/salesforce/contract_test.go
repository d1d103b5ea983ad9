package salesforce_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// No document of Salesforce's describes its API for machines. This table was written by hand from its REST guide; every
// request of every test is compared with it. https://developer.salesforce.com/docs/platform/api-rest/guide/intro-rest.html

// shape is a request that the guide knows.
type shape struct {
	method string
	path   string   // below /services/, as an expression
	query  []string // parameters that it must have, and no others
	kind   string   // of the body; empty: it has none
	inside bool     // may be a step of a composite call
}

const (
	data   = `data/v62\.0/`
	record = `[A-Za-z0-9]{18}`
	value  = `[^/?]+` // escaped
)

var shapes = []shape{
	{"POST", `oauth2/token`, nil, "application/x-www-form-urlencoded", false},
	{"GET", data + `query`, []string{"q"}, "", true},
	{"GET", data + `queryAll`, []string{"q"}, "", true},
	{"GET", data + `query/.+`, nil, "", false},
	{"GET", data + `parameterizedSearch`, []string{"q", "in", "sobject", "Contact.fields", "Contact.limit"}, "", false},
	{"GET", data + `sobjects/\w+/describe`, nil, "", true},
	{"GET", data + `sobjects/\w+/` + record, []string{"fields"}, "", true},
	{"GET", data + `sobjects/ContentVersion/` + record + `/VersionData`, nil, "", false},
	{"POST", data + `sobjects/(Contact|Task|ContentDocumentLink)`, nil, "application/json", true},
	{"POST", data + `sobjects/ContentVersion`, nil, "multipart/form-data", false},
	{"PATCH", data + `sobjects/Contact/WA_Id__c/` + value, nil, "application/json", true},
	{"PATCH", data + `sobjects/WA_Message__c/WAMID__c/` + value, nil, "application/json", true},
	{"PATCH", data + `sobjects/\w+/` + record, nil, "application/json", true},
	{"DELETE", data + `sobjects/Contact/` + record, nil, "", false},
	{"POST", data + `composite`, nil, "application/json", false},
}

type checked struct {
	t    *testing.T
	next http.RoundTripper
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	c.t.Helper()
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	known := slices.ContainsFunc(shapes, func(s shape) bool {
		return s.kind == kind && s.method == r.Method && s.matches(r.URL.EscapedPath(), r.URL.Query())
	})
	if !known {
		c.t.Errorf("%s %s with %q isn't in the guide", r.Method, r.URL.EscapedPath(), kind)
	}
	token := strings.HasSuffix(r.URL.Path, "/token")
	if bearer := strings.HasPrefix(r.Header.Get("Authorization"), "Bearer "); bearer == token {
		c.t.Errorf("%s %s: a session's token is there: %v", r.Method, r.URL.Path, bearer)
	}
	if kind != "" && r.ContentLength <= 0 {
		c.t.Errorf("%s %s: a body of unknown length", r.Method, r.URL.Path)
	}
	if strings.HasSuffix(r.URL.Path, "/composite") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.checkSteps(body)
	}
	return c.next.RoundTrip(r)
}

func (s shape) matches(path string, query map[string][]string) bool {
	path, ok := strings.CutPrefix(path, "/services/")
	for name := range query {
		ok = ok && slices.Contains(s.query, name)
	}
	return ok && len(query) == len(s.query) && regexp.MustCompile(`^`+s.path+`$`).MatchString(path)
}

// checkSteps looks at what a composite call holds: at most 25 steps, 5 queries, each with a name of its own.
func (c checked) checkSteps(body []byte) {
	c.t.Helper()
	var in struct {
		All   *bool `json:"allOrNone"`
		Steps []struct {
			Method string          `json:"method"`
			URL    string          `json:"url"`
			ID     string          `json:"referenceId"`
			Body   json.RawMessage `json:"body"`
		} `json:"compositeRequest"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || len(in.Steps) == 0 || len(in.Steps) > 25 {
		c.t.Errorf("composite call: %d steps, %v", len(in.Steps), err)
	}
	queries, names := 0, map[string]bool{}
	for _, step := range in.Steps {
		if strings.Contains(step.URL, "/query") {
			queries++
		}
		r, err := http.NewRequest(step.Method, "https://example.com"+step.URL, nil)
		if err != nil {
			c.t.Error(err)
			continue
		}
		known := slices.ContainsFunc(shapes, func(s shape) bool {
			return s.inside && (s.kind != "") == (step.Body != nil) && s.method == step.Method && s.matches(r.URL.EscapedPath(), r.URL.Query())
		})
		if !known || step.ID == "" || names[step.ID] {
			c.t.Errorf("step %s %s %q isn't in the guide", step.Method, step.URL, step.ID)
		}
		names[step.ID] = true
	}
	if queries > 5 {
		c.t.Errorf("%d queries in a composite call", queries)
	}
}
