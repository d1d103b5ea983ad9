package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEnvironmentIsWhatTheFunctionsRead compares both ways: a variable that nobody sets stops the function at its start,
// one that nobody reads is a leftover.
func TestEnvironmentIsWhatTheFunctionsRead(t *testing.T) {
	ours := expand(t, source(t))[0]
	for _, f := range ours.of(function) {
		code, _ := ours.at(f, "Code", "S3Key").(string)
		dir := filepath.Join(root(t), code)
		t.Run(f, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(dir, "main.go")); os.IsNotExist(err) {
				t.Fatalf("there is no %smain.go", code)
			}
			set, _ := ours.at(f, "Environment", "Variables").(map[string]any)
			tagged, looked := variables(t, dir)
			for _, name := range tagged {
				if _, ok := set[name]; !ok {
					t.Errorf("%s reads %s, which the template doesn't set", code, name)
				}
			}
			for name := range set {
				if !slices.Contains(tagged, name) && !slices.Contains(looked, name) {
					t.Errorf("the template sets %s, which %s doesn't read", name, code)
				}
			}
		})
	}
}

var (
	tag    = regexp.MustCompile("`env:\"([A-Z0-9_]+)")
	lookup = regexp.MustCompile(`(?:Getenv|LookupEnv)\("([A-Z0-9_]+)"\)`)
)

// variables returns the names in the env tags of a function and of what it imports of this module, and those that packages
// look up themselves.
func variables(t *testing.T, dir string) (tagged, looked []string) {
	t.Helper()
	for _, body := range sources(t, dir) {
		for _, match := range tag.FindAllStringSubmatch(body, -1) {
			tagged = append(tagged, match[1])
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}", ".")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list what %s imports: %v", dir, err)
	}
	for _, imported := range strings.Fields(string(out)) {
		for _, body := range sources(t, imported) {
			if imported != dir && filepath.Base(imported) != "env" { // whose comments show tags
				for _, match := range tag.FindAllStringSubmatch(body, -1) {
					tagged = append(tagged, match[1])
				}
			}
			for _, match := range lookup.FindAllStringSubmatch(body, -1) {
				looked = append(looked, match[1])
			}
		}
	}
	return tagged, looked
}

// sources returns the Go files of a directory, tests left out.
func sources(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	return bodies
}

// TestAlarmsWatchMetricsThatAreCounted: an alarm on a name that nobody counts is quiet for ever.
func TestAlarmsWatchMetricsThatAreCounted(t *testing.T) {
	var counted []string
	for _, body := range sources(t, filepath.Join(root(t), "shared", "metric")) {
		for _, match := range regexp.MustCompile(`(?m)^\s*[A-Z]\w*\s*= "([A-Z]\w*)"`).FindAllStringSubmatch(body, -1) {
			counted = append(counted, match[1])
		}
	}
	if len(counted) == 0 {
		t.Fatal("shared/metric counts nothing")
	}
	ours := expand(t, source(t))[0]
	for _, f := range ours.of("AWS::Logs::MetricFilter") {
		pattern, _ := ours.at(f, "FilterPattern").(string)
		name := regexp.MustCompile(`\$\.(\w+)`).FindStringSubmatch(pattern)
		if name == nil || !slices.Contains(counted, name[1]) {
			t.Errorf("%s looks for %s, which shared/metric doesn't count", f, pattern)
		}
		transformation, _ := first(ours.at(f, "MetricTransformations")).(map[string]any)
		made, _ := transformation["MetricName"].(string)
		counted = append(counted, made)
	}
	for _, name := range ours.of(alarm) {
		metric, _ := ours.at(name, "MetricName").(string)
		if strings.Contains(text(ours.at(name, "Namespace")), "Threadline/") && !slices.Contains(counted, metric) {
			t.Errorf("%s watches %s, which nobody counts", name, metric)
		}
	}
}
