package check

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestLinters(t *testing.T) {
	path := filepath.Join(root(t), "template.yaml")
	t.Run("cfn-lint", func(t *testing.T) {
		if out, err := run(t, nil, tool(t, "cfn-lint"), path); err != nil {
			t.Errorf("cfn-lint: %v\n%s", err, out)
		}
	})
	t.Run("sam validate", func(t *testing.T) {
		if out, err := run(t, nil, tool(t, "sam"), "validate", "--lint", "--template-file", path); err != nil {
			t.Errorf("sam validate: %v\n%s", err, out)
		}
	})
}

func TestTemplateFollowsTheRules(t *testing.T) {
	ours := expand(t, source(t))[0]
	for name, check := range rules {
		t.Run(name, func(t *testing.T) {
			for _, problem := range check(ours) {
				t.Error(problem)
			}
		})
	}
}

func TestAlarmsHaveTheirSectionInTheRunbook(t *testing.T) {
	runbook, err := os.ReadFile(filepath.Join(root(t), "docs", "runbook.md"))
	if os.IsNotExist(err) {
		t.Fatal("there is no docs/runbook.md")
	} else if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(runbook), -1) {
		sections[slug(heading[1])] = true
	}
	ours := expand(t, source(t))[0]
	for _, name := range ours.of(alarm) {
		if section := anchorOf(ours, name); !sections[section] {
			t.Errorf("%s points to #%s, which docs/runbook.md doesn't have", name, section)
		}
	}
}

// slug is how GitHub makes a heading's anchor.
func slug(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
	return strings.ReplaceAll(kept, " ", "-")
}
