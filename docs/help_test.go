package docs_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestHelpListsTheSettings: `make help` takes them from the page, whose headings and tables may change.
func TestHelpListsTheSettings(t *testing.T) {
	make := exec.Command("make", "-s", "help")
	make.Dir = root
	out, err := make.CombinedOutput()
	if err != nil {
		t.Fatalf("make help: %v\n%s", err, out)
	}
	for _, name := range []string{"make run ", "PORT, STATE_DIR", "CRM_CONNECTOR", "AMBIGUOUS_SEND_AFTER", "GRAPH_API_URL", "docs/run-locally.md"} {
		if !strings.Contains(string(out), name) {
			t.Errorf("no %q in:\n%s", name, out)
		}
	}
	if _, settings, _ := strings.Cut(string(out), "\nSettings "); strings.ContainsAny(settings, "|`[") {
		t.Errorf("Markdown is left in:\n%s", settings)
	}
}
