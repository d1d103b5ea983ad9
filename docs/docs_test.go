// Package docs_test keeps the documents true where a program can tell: links and anchors lead somewhere, the alarms have
// their sections and no others, the questions of a deployment are those of the template, every path and make target that
// is named exists, the examples are JSON, and the lists of webhook fields, items and simulator calls are complete.
package docs_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const root = ".."

// document is a Markdown file, by its path from the root.
type document struct {
	path, text string
}

func documents(t *testing.T) []document {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []document
	for _, path := range paths {
		rel, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(rel, "..") {
			rel = filepath.Join("docs", path)
		}
		all = append(all, document{filepath.ToSlash(rel), read(t, path)})
	}
	if len(all) < 10 {
		t.Fatalf("found %d documents only", len(all))
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	fence   = regexp.MustCompile("(?ms)^[ \t]*```(\\w*)\n(.*?)^[ \t]*```")
	code    = regexp.MustCompile("`[^`\n]+`")
	heading = regexp.MustCompile(`(?m)^(#+) +(.+)$`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// prose is the text without its code blocks.
func (d document) prose() string { return fence.ReplaceAllString(d.text, "") }

// blocks are the code blocks of a language.
func (d document) blocks(language string) []string {
	var all []string
	for _, b := range fence.FindAllStringSubmatch(d.text, -1) {
		if b[1] == language {
			all = append(all, b[2])
		}
	}
	return all
}

// anchors are the places that a link can lead to, as GitHub names them.
func (d document) anchors() []string {
	var all []string
	for _, h := range heading.FindAllStringSubmatch(d.prose(), -1) {
		all = append(all, slug(h[2]))
	}
	return all
}

func slug(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(strings.TrimSpace(kept), " ", "-")
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := documents(t)
	for _, d := range all {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(d.prose(), ""), -1) {
			if why := broken(all, d, m[1]); why != "" {
				t.Errorf("%s: %s: %s", d.path, m[1], why)
			}
		}
	}
}

func TestLinkCheckCatchesBrokenLinks(t *testing.T) {
	all := documents(t)
	d := document{path: "docs/api.md", text: "# A\n"}
	for _, wrong := range []string{"nowhere.md", "runbook.md#nowhere", "../shared/nowhere.go", "#nowhere", "/docs/api.md"} {
		if broken(all, d, wrong) == "" {
			t.Errorf("%s passes", wrong)
		}
	}
}

// broken says why a link in d leads nowhere; empty if it leads somewhere, or to another site.
func broken(all []document, d document, to string) string {
	if strings.Contains(to, "://") {
		return ""
	}
	file, anchor, _ := strings.Cut(to, "#")
	if strings.HasPrefix(file, "/") {
		return "it is absolute"
	}
	target := d
	if file != "" {
		path := filepath.ToSlash(filepath.Join(filepath.Dir(d.path), file))
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			return "there is no such file"
		}
		i := slices.IndexFunc(all, func(d document) bool { return d.path == path })
		if i < 0 {
			if anchor != "" {
				return "only a document has anchors"
			}
			return ""
		}
		target = all[i]
	}
	if anchor != "" && !slices.Contains(target.anchors(), anchor) {
		return "there is no such heading"
	}
	return ""
}

// template is what of template.yaml the documents repeat.
type template struct {
	Parameters map[string]struct {
		Default *string `yaml:"Default"`
		NoEcho  bool    `yaml:"NoEcho"`
	} `yaml:"Parameters"`
	Outputs map[string]any `yaml:"Outputs"`
}

func readTemplate(t *testing.T) template {
	t.Helper()
	var out template
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(root, "template.yaml"))), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRunbookHasTheAlarms: the anchors are in the mails that people get at night.
func TestRunbookHasTheAlarms(t *testing.T) {
	var alarms []string
	source := read(t, filepath.Join(root, "template.yaml"))
	for _, m := range regexp.MustCompile(`\$\{RunbookUrl\}#([a-z-]+)`).FindAllStringSubmatch(source, -1) {
		alarms = append(alarms, m[1])
	}
	sections := document{text: read(t, "runbook.md")}.anchors()[1:] // without the title
	slices.Sort(alarms)
	slices.Sort(sections)
	if len(alarms) == 0 || !slices.Equal(alarms, sections) {
		t.Errorf("alarms   %v\nsections %v", alarms, sections)
	}
}

// TestRunbookAnswersEveryQuestion: each section says the same six things.
func TestRunbookAnswersEveryQuestion(t *testing.T) {
	parts := strings.Split(read(t, "runbook.md"), "\n## ")
	for _, section := range parts[1:] {
		name, _, _ := strings.Cut(section, "\n")
		for _, question := range []string{"What it means", "What customers notice", "How to look", "How to mend it",
			"Redrive", "How to know that it is mended"} {
			if !strings.Contains(section, "**"+question+".**") {
				t.Errorf("%s doesn't say: %s", name, question)
			}
		}
	}
}

// TestQuestionsAreTheTemplates: what SAM asks without offering a default, and the CRM.
func TestQuestionsAreTheTemplates(t *testing.T) {
	want := []string{"CrmConnector"}
	for name, p := range readTemplate(t).Parameters {
		if p.Default == nil || p.NoEcho {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	row := regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\|")
	for _, path := range []string{filepath.Join(root, "README.md"), "connect.md"} {
		var asked []string
		for _, m := range row.FindAllStringSubmatch(read(t, path), -1) {
			asked = append(asked, m[1])
		}
		slices.Sort(asked)
		if !slices.Equal(asked, want) {
			t.Errorf("%s asks for %v, the template for %v", path, asked, want)
		}
	}
}

// TestNamesExist: outputs, make targets, programs and folders that the documents name.
func TestNamesExist(t *testing.T) {
	outputs := readTemplate(t).Outputs
	makefile := read(t, filepath.Join(root, "Makefile"))
	for _, d := range documents(t) {
		for _, m := range regexp.MustCompile(`output ([A-Z][A-Za-z]+)`).FindAllStringSubmatch(d.text, -1) {
			if _, ok := outputs[m[1]]; !ok {
				t.Errorf("%s: the stack has no output %s", d.path, m[1])
			}
		}
		for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(d.text, -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s: there is no make target %s", d.path, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`go run \./(\S+)`).FindAllStringSubmatch(d.text, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: there is no program %s", d.path, m[1])
			}
		}
	}
	folder := regexp.MustCompile(`(?m)^(  )?([\w/]+/)(?: +([\w/]+/))* {2,}\S`)
	parent := ""
	for _, m := range folder.FindAllStringSubmatch(read(t, filepath.Join(root, "README.md")), -1) {
		path := m[2]
		if m[1] == "" {
			parent = m[2]
		} else {
			path = parent + m[2]
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("README.md: there is no folder %s", path)
		}
	}
}

// TestProofsExist: a promise whose test is gone isn't proven.
func TestProofsExist(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range declared.FindAllStringSubmatch(read(t, path), -1) {
				tests[m[1]] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents(t) {
		for _, m := range regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`").FindAllStringSubmatch(d.text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s: there is no %s", d.path, m[1])
			}
		}
	}
}

func TestExamplesAreJSON(t *testing.T) {
	found := 0
	for _, d := range documents(t) {
		for _, b := range d.blocks("json") {
			found++
			if !json.Valid([]byte(b)) {
				t.Errorf("%s: not JSON:\n%s", d.path, b)
			}
		}
		for _, b := range d.blocks("sh") {
			for _, m := range regexp.MustCompile(`(?s)-d '(\{[^']+)'`).FindAllStringSubmatch(b, -1) {
				found++
				if !json.Valid([]byte(m[1])) {
					t.Errorf("%s: not JSON:\n%s", d.path, m[1])
				}
			}
		}
	}
	if found == 0 {
		t.Error("there are no examples")
	}
}

// unfinished and vain are words that no document of ours needs.
var (
	unfinished = regexp.MustCompile(`(?i)\b(TODO|FIXME|TBD|XXX|lorem ipsum|coming soon|to be done)\b`)
	vain       = regexp.MustCompile(`(?i)\b(blazing(ly)?|seamless(ly)?|cutting[- ]edge|world[- ]class|enterprise[- ]grade|effortless(ly)?|` +
		`state[- ]of[- ]the[- ]art|game[- ]chang\w+|revolutionary|best[- ]in[- ]class|battle[- ]tested|supercharge\w*)\b`)
)

func TestWords(t *testing.T) {
	for _, d := range documents(t) {
		for i, line := range strings.Split(d.text, "\n") {
			for _, words := range []*regexp.Regexp{unfinished, vain} {
				if word := words.FindString(line); word != "" {
					t.Errorf("%s:%d says %q", d.path, i+1, word)
				}
			}
		}
	}
}

// TestDecisionsAreListed: every decision is in the index and has the same four parts.
func TestDecisionsAreListed(t *testing.T) {
	index := read(t, "adr/README.md")
	paths, err := filepath.Glob("adr/0*.md")
	if err != nil || len(paths) == 0 {
		t.Fatal("no decisions", err)
	}
	for _, path := range paths {
		if !strings.Contains(index, "("+filepath.Base(path)+")") {
			t.Errorf("%s isn't in the index", path)
		}
		want := []string{"context", "decision", "consequences", "revisit-when"}
		if got := (document{text: read(t, path)}).anchors()[1:]; !slices.Equal(got, want) {
			t.Errorf("%s has the parts %v", path, got)
		}
	}
}

// source is the code of a package, without its tests.
func source(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range paths {
		if !strings.HasSuffix(path, "_test.go") {
			all.WriteString(read(t, path))
		}
	}
	return all.String()
}

// mentions fails for every match of a pattern in a package that a document doesn't have, in the words that say makes.
func mentions(t *testing.T, document, dir, pattern string, say func(string) string) {
	t.Helper()
	text := read(t, document)
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(source(t, dir), -1)
	if len(found) < 5 {
		t.Errorf("only %d matches of %s in %s", len(found), pattern, dir)
	}
	for _, m := range found {
		if !strings.Contains(text, say(m[1])) {
			t.Errorf("%s doesn't have %s, which is in %s", document, say(m[1]), dir)
		}
	}
}

// TestWebhookFieldsAreListed: what isn't subscribed never arrives.
func TestWebhookFieldsAreListed(t *testing.T) {
	quoted := func(s string) string { return "`" + s + "`" }
	mentions(t, "connect.md", "shared/whatsapp", `(?m)^\t"([a-z_]+)": +\{(?:messages|echoes|\{"[a-z_]+", Kind)`, quoted)
	mentions(t, "connect.md", "shared/whatsapp", `"([a-z_]+)": +\(\*AccountEvent\)`, func(s string) string {
		if s == "business_username_updates" {
			s = "business_username_update" // as some of Meta's samples have it
		}
		return quoted(s)
	})
}

// TestItemsAreListed: whoever looks at the table finds everything explained.
func TestItemsAreListed(t *testing.T) {
	mentions(t, "architecture.md", "shared/store", `key\{"([A-Z]+)#?"`, func(s string) string { return "`" + s })
	mentions(t, "architecture.md", "shared/store", `key\{[^}\n]*, "([A-Z]+)[#"]`, func(s string) string { return "| `" + s })
}

func TestCallsOfThePhoneAreListed(t *testing.T) {
	mentions(t, "run-locally.md", "infra/local/meta", `"(?:GET|POST|PUT) /phone/api/(?:[a-z]+/)?(?:\{id\}/)?([a-z]+)":`, func(s string) string { return s + "`" })
}
