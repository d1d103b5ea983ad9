package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"threadline/infra/local/meta"
	"threadline/infra/local/record"
	"threadline/infra/local/stack"
)

// TestDeployedWithTheSAMCLI deploys template.yaml as a company does, with sam build and sam deploy, and has a
// conversation through that deployment.
func TestDeployedWithTheSAMCLI(t *testing.T) {
	w := &world{dir: filepath.Join(t.TempDir(), "state"), recorder: record.New(), runner: &lockedBuffer{}}
	t.Cleanup(w.recorder.Close)
	o := w.options(t)
	if _, err := os.Stat(filepath.Join(o.Root, ".venv", "tools")); err != nil && os.Getenv("CI") != "true" {
		t.Skip("the SAM CLI is not installed: make setup")
	}
	o.SAM = true
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.Stack = s
	t.Cleanup(w.stop)

	sam := w.customer(t, "Sam Deployed", "34600555080")
	question := sam.writes(t, meta.Draft{Text: "Are you on AWS?"})
	sam.known(t)
	sam.hasEntries(t)
	m := w.reaches(t, w.ask(t, "", object{"to": "+" + sam.Phone, "text": "Nearly", "reply_to": question}), "delivered")
	if shown := sam.onPhone(t, m.ProviderID); shown.Text != "Nearly" {
		t.Errorf("the phone shows %+v", shown)
	}
	sam.hasEntries(t)
}
