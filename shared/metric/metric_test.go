package metric

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func count(t *testing.T, name string, n int, dims ...string) map[string]any {
	t.Helper()
	var out bytes.Buffer
	m := Metrics{Out: &out, Now: func() time.Time { return time.UnixMilli(1_700_000_000_123) }}
	m.Count(context.Background(), name, n, dims...)
	if strings.Count(out.String(), "\n") != 1 || !strings.HasSuffix(out.String(), "\n") {
		t.Fatalf("want one line, got %q", out.String())
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return line
}

func TestCountWritesTheEmbeddedMetricFormat(t *testing.T) {
	directives := func(dims ...any) map[string]any {
		return map[string]any{
			"Timestamp": 1_700_000_000_123.0,
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  "Threadline",
				"Dimensions": []any{append([]any{}, dims...)},
				"Metrics":    []any{map[string]any{"Name": "Parked", "Unit": "Count"}},
			}},
		}
	}
	for _, row := range []struct {
		dims []string
		want map[string]any
	}{
		{nil, map[string]any{"_aws": directives(), "Parked": 2.0}},
		{[]string{"Source", "crm"}, map[string]any{"_aws": directives("Source"), "Parked": 2.0, "Source": "crm"}},
		{[]string{"A", "1", "B", "2"}, map[string]any{"_aws": directives("A", "B"), "Parked": 2.0, "A": "1", "B": "2"}},
		{[]string{"A", "", "", "x", "Parked", "y", "odd"}, map[string]any{"_aws": directives(), "Parked": 2.0}},
	} {
		if got := count(t, Parked, 2, row.dims...); !reflect.DeepEqual(got, row.want) {
			t.Errorf("dims %q:\ngot  %v\nwant %v", row.dims, got, row.want)
		}
	}
}

// Ensure that lines of parallel handlers don't mix.
func TestCountInParallel(t *testing.T) {
	var out bytes.Buffer
	m := Metrics{Out: &out}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { m.Count(context.Background(), MessageSent, 1) })
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 50 {
		t.Fatalf("got %d lines", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %s", line)
		}
	}
}

// Ensure that the names stay few, because beyond ten CloudWatch charges for those that are written, and that each says
// what it counts.
func TestNamesAreFew(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "metric.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name == "Namespace" || len(spec.Values) == 0 {
			return true
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok && value.Value == `"`+spec.Names[0].Name+`"` {
			names++
			if spec.Comment == nil {
				t.Errorf("%s says nothing", spec.Names[0].Name)
			}
		}
		return true
	})
	if names < 1 || names > 16 {
		t.Errorf("%d names, want 1 to 16", names)
	}
}
