package env

import (
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"
)

type numberID string

type everything struct {
	Table    string        `env:"TABLE"`
	Number   numberID      `env:"NUMBER"`
	Port     int           `env:"PORT"`
	Debug    bool          `env:"DEBUG"`
	Wait     time.Duration `env:"WAIT"`
	Numbers  []string      `env:"NUMBERS"`
	Graph    *url.URL      `env:"GRAPH"`
	CRM      url.URL       `env:"CRM"`
	Untagged string
}

func TestDecodeFillsEveryType(t *testing.T) {
	t.Setenv("TABLE", "conversations")
	t.Setenv("NUMBER", "n1")
	t.Setenv("PORT", "8080")
	t.Setenv("DEBUG", "true")
	t.Setenv("WAIT", "1m30s")
	t.Setenv("NUMBERS", " a, b ,,c ")
	t.Setenv("GRAPH", "https://graph.example/base")
	t.Setenv("CRM", "http://127.0.0.1:9000")
	var got everything
	got.Untagged = "kept"
	if err := Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := everything{
		Table: "conversations", Number: "n1", Port: 8080, Debug: true, Wait: 90 * time.Second,
		Numbers: []string{"a", "b", "c"}, Untagged: "kept",
		Graph: &url.URL{Scheme: "https", Host: "graph.example", Path: "/base"},
		CRM:   url.URL{Scheme: "http", Host: "127.0.0.1:9000"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestDecodeDefaultsAndOptional(t *testing.T) {
	t.Setenv("EMPTY", "")
	t.Setenv("SET", "7s")
	var c struct {
		Wait    time.Duration `env:"UNSET_WAIT,default=5m"`
		Set     time.Duration `env:"SET,default=5m"`
		Empty   int           `env:"EMPTY,default=3"`
		List    []string      `env:"UNSET_LIST,default=a,b"`
		Name    string        `env:"UNSET_NAME,optional"`
		Already string        `env:"UNSET_ALREADY,optional"`
	}
	c.Already = "before"
	if err := Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Wait != 5*time.Minute || c.Set != 7*time.Second || c.Empty != 3 || c.Name != "" || c.Already != "before" {
		t.Errorf("got %+v", c)
	}
	if !reflect.DeepEqual(c.List, []string{"a", "b"}) {
		t.Errorf("a default may hold commas: got %q", c.List)
	}
}

// Ensure that one run shows every mistake and none of the values.
func TestDecodeReportsAllProblemsAndNoValue(t *testing.T) {
	const leak = "do-not-print"
	for _, name := range []string{"PORT", "DEBUG", "WAIT", "GRAPH"} {
		t.Setenv(name, leak)
	}
	t.Setenv("COMMAS", " , ")
	var c struct {
		Table  string        `env:"MISSING_TABLE"`
		Port   int           `env:"PORT"`
		Debug  bool          `env:"DEBUG"`
		Wait   time.Duration `env:"WAIT"`
		Graph  *url.URL      `env:"GRAPH"`
		Commas []string      `env:"COMMAS"`
		Bad    float64       `env:"WAIT"`
		Typo   string        `env:"TYPO,optinal"`
		hidden string        `env:"HIDDEN"`
	}
	err := Decode(&c)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"MISSING_TABLE: missing, want a text",
		"PORT: malformed, want a whole number",
		"DEBUG: malformed, want true or false",
		"WAIT: malformed, want a duration such as 90s or 5m",
		"GRAPH: malformed, want an absolute URL such as https://host",
		"COMMAS: malformed, want a comma-separated list",
		"WAIT: malformed, want a field type that env supports, not float64",
		"TYPO: tag must read `NAME`, `NAME,optional` or `NAME,default=…`",
		"HIDDEN: field must be exported",
	}
	if got := strings.Split(err.Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if strings.Contains(err.Error(), leak) {
		t.Error("the error prints a value")
	}
	_ = c.hidden
}

// Ensure that what is right is read beside what is wrong, from wherever it is kept.
func TestFromReadsElsewhere(t *testing.T) {
	t.Setenv("TABLE", "this process's")
	kept := map[string]string{"TABLE": "conversations", "PORT": "http"}
	var c struct {
		Port  int    `env:"PORT"`
		Table string `env:"TABLE"`
	}
	err := From(func(name string) string { return kept[name] }, &c)
	if err == nil || !strings.HasPrefix(err.Error(), "PORT: malformed") {
		t.Errorf("got %v, want a word about PORT", err)
	}
	if c.Port != 0 || c.Table != "conversations" {
		t.Errorf("got %+v", c)
	}
}

func TestDecodeRefusesOtherTargets(t *testing.T) {
	for _, target := range []any{nil, everything{}, new(int)} {
		if Decode(target) == nil {
			t.Errorf("%T: no error", target)
		}
	}
}

func TestMustEndsTheProcess(t *testing.T) {
	if os.Getenv("ENV_MUST_CHILD") != "" {
		var one struct {
			A string `env:"MUST_A"`
		}
		var other struct {
			B int `env:"MUST_B"`
		}
		Must(&one, &other)
		return
	}
	child := func(env ...string) ([]byte, error) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMustEndsTheProcess$")
		cmd.Env = append(os.Environ(), append(env, "ENV_MUST_CHILD=1")...)
		return cmd.CombinedOutput()
	}
	out, err := child("MUST_B=x")
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1", err)
	}
	if !strings.Contains(string(out), "MUST_A: missing") || !strings.Contains(string(out), "MUST_B: malformed") {
		t.Errorf("log does not name both variables:\n%s", out)
	}
	if out, err := child("MUST_A=x", "MUST_B=1"); err != nil {
		t.Errorf("complete environment: %v\n%s", err, out)
	}
}
