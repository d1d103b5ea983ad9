package e2e

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"threadline/infra/local/demo"
	"threadline/infra/local/meta"
)

// others are the connectors beside HubSpot, which the whole story is told with.
var others = []string{"odoo", "espocrm", "pipedrive", "salesforce", "webhook"}

// TestSeveralCRMs runs one stack with every other CRM at once: a customer's words and photo are on each record, and what
// is answered in each CRM reaches the telephone once.
func TestSeveralCRMs(t *testing.T) {
	w := start(t, filepath.Join(t.TempDir(), "state"), "CRM_CONNECTOR="+strings.Join(others, ","))
	vera := w.customer(t, "Vera Manyfold", "34600555021")
	photo := randomFile(50_000)
	vera.writes(t, meta.Draft{Text: "Is <anybody> there?"})
	vera.writes(t, meta.Draft{File: &meta.Upload{Name: "roof.jpg", MIME: "image/jpeg", Caption: "the roof", Body: bytes.NewReader(photo)}})
	vera.known(t)
	for _, name := range others {
		t.Run(name, func(t *testing.T) {
			record := w.CRM(name)
			id := onRecord(t, record, "Vera", 2, 1)
			text := "we come at " + name
			if err := record.(demo.Writer).Write(id, text); err != nil {
				t.Fatal(err)
			}
			var sent message
			poll(t, 2*patience, 200e6, 1e9, func() error {
				all, err := w.messages(t, vera.conversation, 100)
				if err != nil {
					return err
				}
				i := slices.IndexFunc(all, func(m message) bool { return m.Text == text })
				if i < 0 || all[i].Origin != "crm" || all[i].Status != "delivered" {
					return errStill
				}
				sent = all[i]
				return nil
			})
			if got := vera.replies(); len(got) == 0 || got[len(got)-1] != text {
				t.Errorf("the telephone shows %q", got)
			}
			for _, other := range others { // the answer is on the other records too, and once on its own
				poll(t, 2*patience, 200e6, 1e9, func() error { return shows(w.CRM(other), text) })
			}
			if sent.ID == "" {
				t.Error("it has no id")
			}
		})
	}
}

// onRecord waits until a customer's record has so many entries and files, and returns its id.
func onRecord(t *testing.T, crm demo.CRM, name string, entries, files int) (id string) {
	t.Helper()
	eventually(t, 2*patience, func() error {
		for _, c := range crm.Contacts() {
			if !strings.HasPrefix(c.Name, name) {
				continue
			}
			have, attached := crm.Timeline(c.ID), 0
			for _, e := range have {
				attached += len(e.Files)
			}
			if len(have) < entries || attached < files {
				return fmt.Errorf("%d entries with %d files", len(have), attached)
			}
			id = c.ID
			return nil
		}
		return errStill
	})
	return id
}

// shows tells whether one entry of the only contact says something.
func shows(crm demo.CRM, text string) error {
	n := 0
	for _, c := range crm.Contacts() {
		for _, e := range crm.Timeline(c.ID) {
			n += strings.Count(e.HTML, text)
		}
	}
	if n != 1 {
		return fmt.Errorf("%s: it is there %d times", crm.Title(), n)
	}
	return nil
}

// inTheCRM is what the company does in its CRM: an answer by a workflow, and a look whether everything is there.
func inTheCRM(t *testing.T, w *world) {
	wendy := w.customer(t, "Wendy Workflow", "34600555022")
	wendy.writes(t, meta.Draft{Text: "Does it work from there?"})
	wendy.known(t)
	crm := w.CRM("hubspot")
	id := onRecord(t, crm, "Wendy", 1, 0)
	w.secret("An answer from the workflow", "Does it work from there?")
	if err := crm.(demo.Writer).Write(id, "An answer from the workflow"); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() error {
		if got := wendy.replies(); len(got) != 1 || got[0] != "An answer from the workflow" {
			return fmt.Errorf("the telephone shows %q", got)
		}
		return nil
	})
	onRecord(t, crm, "Wendy", 2, 0)

	w.command(t, "/crm/backfill", object{"connector": "hubspot"})
}

// compared looks for everything that came in the CRM, and waits for the backfill that inTheCRM asked for.
func compared(t *testing.T, w *world) {
	w.command(t, "/crm/reconciliation", object{"hours": 24})
	eventually(t, patience, func() error {
		if !strings.Contains(w.log(t, "router"), `"CRMChecked":`) {
			return errStill
		}
		return nil
	})
	var missing struct {
		Reconciliation []struct{ Connector, State, Hour, Reason string }
	}
	if err := w.get(t, "/crm/reconciliation?state=missing", &missing); err != nil || len(missing.Reconciliation) > 0 {
		t.Errorf("missing in the CRM: %+v (%v)", missing, err)
	}
	poll(t, 3*patience, 200e6, 2e9, func() error {
		var said struct {
			Backfills []struct {
				State         string
				Conversations struct{ Found, Done int }
			}
		}
		if err := w.get(t, "/crm/backfill?connector=hubspot", &said); err != nil {
			return err
		}
		if len(said.Backfills) != 1 || said.Backfills[0].State != "done" || said.Backfills[0].Conversations.Found < 2 {
			return fmt.Errorf("the backfill is %+v", said)
		}
		return nil
	})
}
