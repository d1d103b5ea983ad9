package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestBothQueuesOfTheRouterCount: a function with two event sources is measured whole.
func TestBothQueuesOfTheRouterCount(t *testing.T) {
	all, err := operations(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		if router, runs := o.usage.functions["router"]; runs && (router.table.Calls == 0 || router.table.Written == 0) {
			t.Errorf("%s: the router made %d calls and wrote %d items", o.name, router.table.Calls, router.table.Written)
		}
	}
}

// TestPipelineCostIsConstant: what the whole pipeline asks of AWS for a message doesn't grow with the conversation or with
// the number of people. `make bench` shows it up to 100,000.
func TestPipelineCostIsConstant(t *testing.T) {
	few, err := operations(500)
	if err != nil {
		t.Fatal(err)
	}
	many, err := operations(3_000)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range few {
		a, b := o.usage, many[i].usage
		x, y := a.sum().table, b.sum().table
		if x.Writes != y.Writes || x.Written != y.Written {
			t.Errorf("%s: %v write units among few, %v among many", o.name, x.Writes, y.Writes)
		}
		if o.name == importing {
			continue
		}
		if a.awsCalls() == 0 || a.awsCalls() != b.awsCalls() || x.Reads != y.Reads {
			t.Errorf("%s: %d calls and %v read units among few, %d and %v among many", o.name, a.awsCalls(), x.Reads, b.awsCalls(), y.Reads)
		}
	}
}

// TestStartsHaveWhatTheyNeed: a function without a variable that it needs would end before it answers.
func TestStartsHaveWhatTheyNeed(t *testing.T) {
	given := map[string]bool{}
	for _, v := range environment("") {
		name, _, _ := strings.Cut(v, "=")
		given[name] = true
	}
	sources, err := filepath.Glob("../../functions/*/main.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	needed := regexp.MustCompile("`env:\"([A-Z0-9_]+)\"`")
	for _, source := range append(sources, "../../shared/crm/known/known.go") {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range needed.FindAllStringSubmatch(string(content), -1) {
			if !given[m[1]] {
				t.Errorf("%s needs %s", source, m[1])
			}
		}
	}
}

// TestDocumentQuotesPrices: docs/cost.md has the table of prices that the benchmark uses.
func TestDocumentQuotesPrices(t *testing.T) {
	content, err := os.ReadFile("../../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), priced) {
		t.Errorf("the document doesn't say %s", priced)
	}
	for _, p := range prices {
		if row := "| " + p.what + " | " + p.String() + " | [AWS](" + p.source + ") |"; !strings.Contains(string(content), row) {
			t.Errorf("the document doesn't have the row %s", row)
		}
	}
}

func TestTemplateIsRead(t *testing.T) {
	got, err := readTemplate("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(append([]string{"setup"}, functions...)))
	if have := slices.Sorted(maps.Keys(got.memory)); !slices.Equal(have, want) {
		t.Errorf("functions %v, want %v", have, want)
	}
	for name, memory := range got.memory {
		if memory < 128 {
			t.Errorf("%s has %d MB", name, memory)
		}
	}
	count := map[polled]int{}
	for _, q := range got.polled {
		count[q]++
	}
	if count[polled{fifo: true}] != 3 || count[polled{}] != 1 || count[polled{capped: true}] != 1 || len(got.polled) != 5 || got.alarms != 11 {
		t.Errorf("queues %v and %d alarms; want three FIFO, the one for media, the one for bulk, and 11", count, got.alarms)
	}
}

func TestEmptyFunctionMakesTheSameClients(t *testing.T) {
	source, err := emptySource("../../functions/router/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"dynamodb", "s3", "sqs"} {
		if !strings.Contains(string(source), "_ = "+client+".NewFromConfig(cfg)") {
			t.Errorf("no client for %s in\n%s", client, source)
		}
	}
	if strings.Contains(string(source), "threadline/") || strings.Contains(string(source), "secretsmanager") {
		t.Errorf("more than the clients of the router in\n%s", source)
	}
}
