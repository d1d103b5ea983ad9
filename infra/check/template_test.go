package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// template is what SAM makes of template.yaml.
type template struct {
	Metadata   map[string]any
	Parameters map[string]parameter
	Rules      map[string]assertions
	Resources  map[string]resource
	Outputs    map[string]any
}

type parameter struct {
	Type                  string
	Description           string
	Default               any
	NoEcho                bool
	AllowedPattern        string
	AllowedValues         []any
	MinValue              any
	ConstraintDescription string
}

// assertions are a rule of CloudFormation's about parameters.
type assertions struct {
	RuleCondition any
	Assertions    []struct {
		Assert            any
		AssertDescription string
	}
}

type resource struct {
	Type                string
	Condition           string
	DeletionPolicy      string
	UpdateReplacePolicy string
	Metadata            map[string]any
	Properties          map[string]any
}

// of returns the logical names of the resources of a type, sorted.
func (t *template) of(kind string) []string {
	var names []string
	for name, r := range t.Resources {
		if r.Type == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// at walks from a resource's properties down the keys; nil when something is missing.
func (t *template) at(name string, keys ...string) any {
	var v any = t.Resources[name].Properties
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

// number is at for numbers; 0 when missing.
func (t *template) number(name string, keys ...string) int {
	n, _ := t.at(name, keys...).(float64)
	return int(n)
}

// target returns the logical name that a Ref or a GetAtt points to; "" for anything else.
func target(v any) string {
	object, _ := v.(map[string]any)
	if name, ok := object["Ref"].(string); ok {
		return name
	}
	switch get := object["Fn::GetAtt"].(type) {
	case []any:
		name, _ := get[0].(string)
		return name
	case string:
		name, _, _ := strings.Cut(get, ".")
		return name
	}
	return ""
}

// list returns v as a list: a single value is a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// text returns v as JSON, to search in and to show.
func text(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(body)
}

// root returns the repository's directory.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// source returns template.yaml as it is written.
func source(t *testing.T) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(root(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// tool returns the path of a program of `make setup`. A missing one skips the test, except in CI.
func tool(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("THREADLINE_VENV")
	if dir == "" {
		dir = filepath.Join(root(t), ".venv", "tools")
	}
	path := filepath.Join(dir, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if name != "python" { // any Python is no use: it needs the packages
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: run `make setup`", name)
	}
	t.Skipf("%s is missing: run `make setup`", name)
	return ""
}

// run returns what a tool prints, both streams in one when it fails. It runs with no account: nothing here asks AWS.
func run(t *testing.T, stdin []byte, path string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION=eu-central-1", "AWS_EC2_METADATA_DISABLED=true",
		"SAM_CLI_TELEMETRY=0", "HOME="+t.TempDir())
	var out, diagnostics bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diagnostics
	if err := cmd.Run(); err != nil {
		return append(out.Bytes(), diagnostics.Bytes()...), err
	}
	return out.Bytes(), nil
}

// expand transforms templates, several at once because starting the translator is what takes time.
func expand(t *testing.T, sources ...string) []*template {
	t.Helper()
	python := tool(t, "python")
	in, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(t, in, python, filepath.Join(root(t), "infra", "check", "transform.py"))
	if err != nil {
		t.Fatalf("transform: %v\n%s", err, out)
	}
	var expanded []*template
	if err := json.Unmarshal(out, &expanded); err != nil {
		t.Fatal(err)
	}
	return expanded
}
