package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/meta"
	"threadline/infra/local/stack"
)

// restart stops everything in the middle of work and starts it again: what was there is there, and the work goes on.
func restart(t *testing.T, w *world) {
	rosa := w.customer(t, "Rosa Returning", "34600555070")
	photo := randomFile(11_000)
	rosa.writes(t, meta.Draft{File: &meta.Upload{Name: "d.jpg", MIME: "image/jpeg", Caption: "before the night", Body: bytes.NewReader(photo)}})
	rosa.known(t)
	rosa.hasEntries(t)

	w.HubSpot().Fail(time.Now().Add(time.Hour)) // until the process ends
	rosa.writes(t, meta.Draft{Text: "while the CRM was down"})
	eventually(t, patience, func() error {
		all, err := w.messages(t, rosa.conversation, 100)
		if err == nil && len(all) != 2 {
			err = fmt.Errorf("%d messages, want 2", len(all))
		}
		return err
	})
	if err := w.Meta().SetFaults(meta.Faults{Webhooks: "held"}); err != nil {
		t.Fatal(err)
	}
	rosa.writes(t, meta.Draft{Text: "while the webhook was away"})
	reply := w.ask(t, "", object{"to": object{"contact": rosa.contact}, "text": "see you tomorrow"})
	w.stop()

	again := start(t, w.dir)
	rosa.w = again
	again.reaches(t, reply, "delivered")
	eventually(t, patience, func() error {
		all, err := again.messages(t, rosa.conversation, 100)
		if err == nil && len(all) != 4 {
			err = fmt.Errorf("%d messages, want 4", len(all))
		}
		return err
	})
	rosa.hasEntries(t)
	_, entries, err := rosa.record()
	if err != nil || len(entries) < 2 || len(entries[0].Files) != 1 || !strings.Contains(entries[1].HTML, "while the CRM was down") {
		t.Fatalf("the record holds %+v (%v)", entries, err)
	}
	sameFile(t, again, entries[0].Files[0], photo)
	if got := rosa.replies(); !slices.Equal(got, []string{"see you tomorrow"}) {
		t.Errorf("the phone shows %q", got)
	}
	again.personal, again.ours = append(again.personal, w.personal...), w.ours
	discreet(t, again)
	again.stop()
	refusesOtherTable(t, again)
}

// refusesOtherTable: a template that would replace the table by an empty one isn't deployed over what is kept.
func refusesOtherTable(t *testing.T, w *world) {
	o := w.options(t)
	template, err := os.ReadFile(filepath.Join(o.Root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(template, []byte("AttributeName: GSI1SK, KeyType"), []byte("AttributeName: SK, KeyType"), 1)
	path := filepath.Join(t.TempDir(), "template.yaml")
	if bytes.Equal(changed, template) || os.WriteFile(path, changed, 0o600) != nil {
		t.Fatal("the template could not be changed")
	}
	if o.Template, err = filepath.Rel(o.Root, path); err != nil {
		t.Fatal(err)
	}
	s, err := stack.Start(t.Context(), o)
	if err == nil {
		s.Stop()
		t.Fatal("a template with another table was deployed")
	}
	if text := err.Error(); !strings.Contains(text, "make reset") || !strings.Contains(text, "(Table)") || strings.Contains(text, "\n") {
		t.Errorf("refused with %q", text)
	}
}
