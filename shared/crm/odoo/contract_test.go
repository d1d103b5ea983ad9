package odoo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/crmtest/contract"
)

// What a running Odoo 19 says of its models: fields, and methods with their arguments. Nothing describes older versions;
// what the connector asks of them is the same, but for the fields that it looks for first.

type document struct {
	Fields map[string]struct {
		Type      string  `json:"type"`
		Relation  string  `json:"relation"`
		Selection [][]any `json:"selection"`
	} `json:"fields"`
	Methods map[string]struct {
		Parameters map[string]struct {
			Default any    `json:"default"`
			Kind    string `json:"kind"`
		} `json:"parameters"`
		API []string `json:"api"`
	} `json:"methods"`
}

// maxValidated is the largest body that is compared with a document: larger ones must not be held in memory.
const maxValidated = 8 << 20

var documents = sync.OnceValues(func() (map[string]document, error) {
	dir, err := contract.Folder("odoo19")
	if dir == "" || err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "doc-*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]document{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var d document
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "doc-"), ".json")] = d
	}
	return all, nil
})

// validating compares every call of a method through /json/2 with what Odoo documents.
func validating(t *testing.T, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	return crmtest.Transport(func(r *http.Request) (*http.Response, error) {
		path, ok := strings.CutPrefix(r.URL.Path, "/json/2/")
		if !ok || all == nil || r.ContentLength > maxValidated {
			return next.RoundTrip(r)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		model, method, _ := strings.Cut(path, "/")
		if err := validCall(all, model, method, body); err != nil {
			t.Errorf("%s isn't what Odoo documents: %v", path, err)
		}
		return next.RoundTrip(r)
	})
}

// undocumented is what has no document: see find in the connector.
const undocumented = "ir.model.data/check_object_reference"

func validCall(all map[string]document, model, method string, body []byte) error {
	if model+"/"+method == undocumented {
		return nil
	}
	d, ok := all[model]
	if !ok {
		return fmt.Errorf("no document of the model")
	}
	m, ok := d.Methods[method]
	if !ok {
		return fmt.Errorf("no such method")
	}
	var args map[string]json.RawMessage
	if err := json.Unmarshal(body, &args); err != nil {
		return err
	}
	if _, ids := args["ids"]; ids && slices.Contains(m.API, "model") {
		return fmt.Errorf("ids for a method of the model")
	}
	delete(args, "ids")
	delete(args, "context")
	for name := range args {
		if _, ok := m.Parameters[name]; !ok {
			return fmt.Errorf("no argument %s", name)
		}
	}
	return validFields(all, d, method, args)
}

// validFields checks the names and selections in what load, write, read and searches are given.
func validFields(all map[string]document, d document, method string, args map[string]json.RawMessage) error {
	var columns []string
	var rows [][]any
	vals := map[string]any{}
	var domain []any
	for name, into := range map[string]any{"fields": &columns, "data": &rows, "vals": &vals, "domain": &domain} {
		if raw, ok := args[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for i, column := range columns {
		name, part, _ := strings.Cut(column, "/")
		f, ok := d.Fields[name]
		if !ok {
			return fmt.Errorf("no field %s", name)
		}
		if part != "" && f.Relation == "" {
			return fmt.Errorf("%s is no relation", name)
		}
		if method == "load" {
			for _, row := range rows {
				cell, ok := row[i].(string)
				if !ok {
					return fmt.Errorf("the cell of %s isn't a text", column)
				}
				if f.Type == "selection" && !slices.ContainsFunc(f.Selection, func(s []any) bool { return s[0] == cell }) {
					return fmt.Errorf("%s has no %q", name, cell)
				}
			}
		}
	}
	for name := range vals {
		if _, ok := d.Fields[name]; !ok {
			return fmt.Errorf("no field %s", name)
		}
	}
	for _, term := range domain {
		leaf, ok := term.([]any)
		if !ok {
			continue
		}
		first, rest, _ := strings.Cut(leaf[0].(string), ".")
		f, ok := d.Fields[first]
		if !ok {
			return fmt.Errorf("no field %s", first)
		}
		if to, documented := all[f.Relation]; rest != "" && documented {
			if _, ok := to.Fields[rest]; !ok {
				return fmt.Errorf("no field %s", leaf[0])
			}
		}
	}
	return nil
}

// TestSpecification fails where the contract must be tested and can't be, proves that the validation sees mistakes, and
// that the simulator has no field which Odoo hasn't.
func TestSpecification(t *testing.T) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	if all == nil {
		t.Skip("Odoo's documents are not here: set THREADLINE_SHARED")
	}
	for name, c := range map[string][3]string{
		"no such field":  {"mail.message", "load", `{"fields":["txt"],"data":[["x"]]}`},
		"no such value":  {"mail.message", "load", `{"fields":["message_type"],"data":[["remark"]]}`},
		"not a text":     {"mail.message", "load", `{"fields":["res_id"],"data":[[6]]}`},
		"no such method": {"mail.message", "message_post", `{}`},
		"no argument":    {"res.partner", "load", `{"columns":[]}`},
		"ids":            {"res.partner", "load", `{"ids":[1],"fields":[],"data":[]}`},
		"domain":         {"res.partner", "search_read", `{"domain":[["mobile","=","1"]]}`},
	} {
		if validCall(all, c[0], c[1], []byte(c[2])) == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
	a := newAccount(t, sim.Options{Version: 19, Admin: true})
	for model, d := range all {
		if model == "crm.lead" {
			continue // not simulated
		}
		var fields map[string]struct{ Type, Relation string }
		a.call(model, "fields_get", []any{}, nil, &fields)
		for name, got := range fields {
			want, ok := d.Fields[name]
			if !ok || got.Type != want.Type || got.Relation != want.Relation {
				t.Errorf("the simulator has %s.%s, a %s %s; Odoo: %+v", model, name, got.Type, got.Relation, want)
			}
		}
	}
}
