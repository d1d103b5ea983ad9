package espocrm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sim "threadline/infra/local/espocrm"
)

var commands = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestCommandsOfTheDocument proves that after an administrator ran what the document says, and ran it again, messages
// are records with a time of their own, and can be answered.
func TestCommandsOfTheDocument(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not here")
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "crm", "espocrm.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := commands.FindSubmatch(text)
	if found == nil {
		t.Fatal("the document has no commands")
	}
	s := newSimulated(t, sim.Options{})
	for _, want := range []string{": 200\n", ": 409\n"} {
		sh := exec.Command("sh", "-eu", "-c", string(found[1]))
		sh.Env = append(os.Environ(), "ESPOCRM_URL="+s.url, "ESPOCRM_ADMIN=admin:"+password)
		out, err := sh.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if want == ": 200\n" && strings.Count(string(out), want) != strings.Count(string(out), "\n") || !strings.Contains(string(out), want) {
			t.Errorf("want %q of each command: %s", want, out)
		}
	}
	s.sim.Grant("CWhatsappMessage")
	c := s.connector(nil)
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	on := contactOf(t, c)
	must(c.PutMessage(t.Context(), on, entry("hello"), nil))(t)
	if got := s.Entries(string(on)); len(got) != 1 || !got[0].At.Equal(noon) {
		t.Errorf("%+v, want one message at its own time", got)
	}
	if got := s.Contacts(); got[0].Key != personKey {
		t.Errorf("key %q", got[0].Key)
	}
	if err := s.sim.Write(string(on), "we are open"); err != nil {
		t.Error(err)
	}
}
