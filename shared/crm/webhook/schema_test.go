package webhook_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/webhook"
)

// compiled returns a schema, compiled once.
var compiled = func() func(t *testing.T, name string) *jsonschema.Schema {
	var mu sync.Mutex
	all := map[string]*jsonschema.Schema{}
	return func(t *testing.T, name string) *jsonschema.Schema {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if all[name] != nil {
			return all[name]
		}
		raw, err := webhook.Schema(name)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if err := compiler.AddResource(name, document); err != nil {
			t.Fatal(err)
		}
		s, err := compiler.Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
		return s
	}
}()

// agreed validates JSON, and knows no fields but those that the schema describes.
func agreed(t *testing.T, name string, raw []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = compiled(t, name).Validate(value)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	described(t, name, compiled(t, name), value)
}

func described(t *testing.T, path string, s *jsonschema.Schema, value any) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		for field, inner := range value {
			if s.Properties[field] == nil {
				t.Errorf("%s/%s isn't in the schema", path, field)
				continue
			}
			described(t, path+"/"+field, s.Properties[field], inner)
		}
	case []any:
		for _, inner := range value {
			if items, ok := s.Items2020, s.Items2020 != nil; ok {
				described(t, path, items, inner)
			}
		}
	}
}

// validating checks every document and every answer that passes against the schemas.
func validating(t *testing.T, next http.RoundTripper) http.RoundTripper {
	return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
		document := []byte(r.Header.Get("Threadline-Document"))
		if len(document) == 0 {
			var err error
			if document, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
			_ = r.Body.Close()
			r = r.Clone(r.Context())
			r.Body = io.NopCloser(bytes.NewReader(document))
		}
		var d struct{ Type string }
		if err := json.Unmarshal(document, &d); err != nil {
			t.Errorf("a document that isn't JSON: %v", err)
		}
		agreed(t, d.Type, document)
		if len(document) > 4<<20 {
			t.Errorf("%s has %d bytes", d.Type, len(document))
		}
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
		if name := answerTo(d.Type, res.StatusCode); len(body) > 0 {
			agreed(t, name, body)
		}
		return res, nil
	})
}

func answerTo(kind string, status int) string {
	switch {
	case status >= 400:
		return "answer.error"
	case kind == "contact.find.v1":
		return "answer.find"
	}
	return "answer.put"
}

// Ensure that nobody asks for a schema and gets another file, and that every file says its own name.
func TestSchema(t *testing.T) {
	for _, name := range []string{"", "contact.put.v9", "../sign"} {
		if _, err := webhook.Schema(name); err == nil || !strings.Contains(err.Error(), "no schema") {
			t.Errorf("%q: %v", name, err)
		}
	}
	files, err := os.ReadDir("schema")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".json")
		if s := compiled(t, name); s.Title != name || s.ID != "urn:threadline:webhook:"+name {
			t.Errorf("%s has the title %q and the id %q", f.Name(), s.Title, s.ID)
		}
	}
}

// TestRequiredMeansRequired takes away each field of the smallest document of each type, and expects that it is missed.
func TestRequiredMeansRequired(t *testing.T) {
	for name, least := range map[string]string{
		"ping.v1":           `{"type":"ping.v1"}`,
		"contact.put.v1":    `{"type":"contact.put.v1","contact":{"key":"k"}}`,
		"contact.find.v1":   `{"type":"contact.find.v1","find":{"key":"k"}}`,
		"request.report.v1": `{"type":"request.report.v1","request":{"id":"1","sent":true}}`,
		"answer.find":       `{"contacts":[]}`,
		"answer.requests":   `{"accepted":0}`,
		"requests":          `{"v":1,"requests":[]}`,
	} {
		agreed(t, name, []byte(least))
		var fields map[string]any
		if err := json.Unmarshal([]byte(least), &fields); err != nil {
			t.Fatal(err)
		}
		for field := range fields {
			without := maps.Clone(fields)
			delete(without, field)
			if compiled(t, name).Validate(without) == nil {
				t.Errorf("%s without %s passes", name, field)
			}
		}
		if !slices.Contains([]string{"requests", "answer.find", "answer.requests"}, name) {
			fields["type"] = "another.v1"
			if compiled(t, name).Validate(fields) == nil {
				t.Errorf("%s of another type passes", name)
			}
		}
	}
}
