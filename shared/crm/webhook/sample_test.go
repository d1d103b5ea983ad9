package webhook_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm"
	"threadline/shared/crm/crmtest"
	"threadline/shared/crm/webhook"
)

// documentedReceiver runs the receiver of the page as it is printed, and returns a connector to it.
func documentedReceiver(t *testing.T) (c *webhook.Connector, dir string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("python3 isn't installed")
	} else if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	cmd := exec.CommandContext(t.Context(), python, "-c", strings.Join(blocks(t, "python"), "\n"))
	_, port, _ := net.SplitHostPort(address)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "WEBHOOK_CRM_SECRET="+secret, "PORT="+port)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the context has ended it
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return webhook.New(webhook.Config{URL: "http://" + address + "/", Secret: crmtest.Secret(secret)}), dir
}

// TestDocumentedReceiver proves that the whole receiver of the page is one: it believes nobody else, has each thing once
// however often it comes, forgets nothing that isn't told again, and says what it doesn't have.
func TestDocumentedReceiver(t *testing.T) {
	c, dir := documentedReceiver(t)
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	nameless := person()
	nameless.Name, nameless.Phone = "", crm.Phone{}
	for range 2 {
		on, err := c.CreateContact(t.Context(), person())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.FillContact(t.Context(), on, nameless); err != nil {
			t.Error(err)
		}
		if hits, err := c.SearchContacts(t.Context(), person().Phone); err != nil || len(hits) != 0 {
			t.Errorf("%+v %v", hits, err)
		}
		ref, err := c.PutMessage(t.Context(), on, entry("<b> ¿qué tal?"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.UpdateMessage(t.Context(), on, ref, entry("adiós"), nil); err != nil {
			t.Error(err)
		}
		if _, err := c.PutFile(t.Context(), on, ref, file("some bytes", "")); err != nil {
			t.Error(err)
		}
		damaged := file("some bytes", hexSum("other bytes"))
		_, err = c.PutFile(t.Context(), on, ref, damaged)
		if e, ok := errors.AsType[*crm.Error](err); !ok || e.Status != http.StatusConflict {
			t.Errorf("other bytes than were signed: %v", err)
		}
		if err := c.UpdateMessage(t.Context(), on, ref+"0", entry("?"), nil); !errors.Is(err, crm.ErrGone) {
			t.Errorf("an entry that isn't there: %v", err)
		}
		if err := c.Report(t.Context(), crm.Request{ID: "r-1"}, crm.Outcome{}); err != nil {
			t.Error(err)
		}
	}
	const ask = `import json, sqlite3
rows = sqlite3.connect("crm.db").execute("SELECT kind, document, content FROM things ORDER BY kind").fetchall()
contact, entry, file = [json.loads(row[1]) for row in rows]
assert contact["contact"]["name"] == "María García" and contact["contact"]["phone"], contact
assert "adiós" in entry["entry"]["text"], entry
assert rows[2][2] == b"some bytes" and file["file"]["name"].startswith("niño"), file
print(len(rows))`
	cmd := exec.CommandContext(t.Context(), "python3", "-c", ask)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "3" {
		t.Errorf("%v: %s", err, out)
	}
}
