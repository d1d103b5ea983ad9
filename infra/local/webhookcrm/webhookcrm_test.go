package webhookcrm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadline/infra/local/demo/demotest"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *Simulator {
	t.Helper()
	s, err := New(Options{Secret: "a-secret-of-the-tests", StateDir: dir, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// post sends a document, signed at a time, and perhaps a file; it returns the status and the body of the answer.
func post(s *Simulator, document, file string, at time.Time) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(document))
	if file != "" {
		r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(file))
		r.Header.Set("Threadline-Document", document)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	r.Header.Set("Threadline-Timestamp", timestamp)
	r.Header.Set("Threadline-Signature", s.sign(timestamp, []byte(document)))
	w := httptest.NewRecorder()
	s.API().ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

const (
	aContact = `{"type":"contact.put.v1","contact":{"key":"k1","name":"María","phone":"+34600111222"}}`
	anEntry  = `{"type":"message.put.v1","contact":{"ref":"101"},"entry":{"key":"e1","at":"2026-11-02T08:00:00Z","html":"<p>hello</p>","messages":[{"direction":"out","status":"accepted"}]}}`
	content  = "some bytes"
)

func aFile() string {
	sum := sha256.Sum256([]byte(content))
	return fmt.Sprintf(`{"type":"file.put.v1","entry":{"ref":"102"},"file":{"key":"f1","name":"a.txt","mime":"text/plain","size":%d,"sha256":"%s"}}`,
		len(content), hex.EncodeToString(sum[:]))
}

// Ensure that what was answered is there after a restart, and nobody else of the machine reads it.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "company")
	s := open(t, dir)
	for _, row := range []struct{ document, file, answer string }{
		{aContact, "", `{"ref":"101"}`}, {anEntry, "", `{"ref":"102"}`}, {aFile(), content, `{"ref":"103"}`},
	} {
		for _, want := range []int{http.StatusCreated, http.StatusOK} {
			if status, body := post(s, row.document, row.file, noon); status != want || body != row.answer {
				t.Fatalf("%d %s to %s, want %d %s", status, body, row.document, want, row.answer)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if all := s.Contacts(); len(all) != 1 || all[0].Name != "María" || all[0].Entries != 1 {
		t.Fatalf("%+v", all)
	}
	timeline := s.Timeline("101")
	if len(timeline) != 1 || timeline[0].HTML != "<p>hello</p>" || timeline[0].Status != "accepted" || len(timeline[0].Files) != 1 {
		t.Fatalf("%+v", timeline)
	}
	f, _, err := s.Open("103")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if _ = f.Close(); err != nil || string(got) != content {
		t.Errorf("%q, %v", got, err)
	}
	_, _ = post(s, strings.Replace(aContact, "k1", "k2", 1), "", noon)
	if all := s.Contacts(); len(all) != 2 || all[1].ID != "104" {
		t.Errorf("an id is given twice: %+v", all)
	}
	demotest.Private(t, dir)
}

func TestRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	for name, row := range map[string]struct {
		document, file string
		at             time.Time
		status         int
	}{
		"six minutes ago":            {aContact, "", noon.Add(-6 * time.Minute), 401},
		"in six minutes":             {aContact, "", noon.Add(6 * time.Minute), 401},
		"not JSON":                   {"hello", "", noon, 400},
		"no type":                    {"{}", "", noon, 400},
		"a contact without a key":    {`{"type":"contact.put.v1","contact":{}}`, "", noon, 422},
		"an unknown contact":         {`{"type":"contact.put.v1","contact":{"key":"k","ref":"9"}}`, "", noon, 410},
		"an entry without a contact": {anEntry, "", noon, 410},
		"an entry without a message": {`{"type":"message.put.v1","entry":{"key":"e","at":"2026-11-02T08:00:00Z"}}`, "", noon, 422},
		"a file without an entry":    {aFile(), content, noon, 410},
		"a file without a hash":      {`{"type":"file.put.v1","file":{"key":"f","name":"a"}}`, content, noon, 422},
		"a type of tomorrow":         {`{"type":"call.put.v7"}`, "", noon, 204},
	} {
		if status, _ := post(s, row.document, row.file, row.at); status != row.status {
			t.Errorf("%s: %d, want %d", name, status, row.status)
		}
	}
	if n := len(s.Contacts()); n != 0 {
		t.Errorf("%d contacts", n)
	}
	for _, call := range s.Calls() {
		if call.Type == "" != (call.Status == 401 || call.Status == 400) {
			t.Errorf("%+v", call)
		}
	}
	if _, err := New(Options{StateDir: t.TempDir()}); err == nil {
		t.Error("a receiver without a secret")
	}
}
