package webhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm/crmtest"
)

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../../docs/crm/webhook.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks are the page's code blocks of a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page(t), -1) {
		all = append(all, m[1])
	}
	if len(all) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return all
}

// Ensure that the examples that people copy are what is sent and taken, and that there is one of everything.
func TestDocumentedExamples(t *testing.T) {
	missing := map[string]bool{}
	files, err := os.ReadDir("schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		missing[strings.TrimSuffix(f.Name(), ".json")] = true
	}
	for _, block := range blocks(t, "json") {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(block), &fields); err != nil {
			t.Fatalf("%v: %s", err, block)
		}
		name := strings.Trim(string(fields["type"]), `"`)
		for field, schema := range map[string]string{
			"ref": "answer.put", "contacts": "answer.find", "error": "answer.error", "v": "requests", "accepted": "answer.requests",
		} {
			if fields[field] != nil {
				name = schema
			}
		}
		agreed(t, name, []byte(block))
		delete(missing, name)
	}
	if len(missing) > 0 {
		t.Errorf("there is no example of %v", missing)
	}
}

// calls are two real ones: a document, and a file.
func calls(t *testing.T) *answering {
	t.Helper()
	a := &answering{status: 204}
	c := a.connect(t, secret+" the-next-secret-00")
	if _, err := c.PutMessage(t.Context(), "17", entry("¿qué tal?"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutFile(t.Context(), "17", "18", file("bytes", hexSum("bytes"))); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDocumentedGo(t *testing.T) {
	source, err := os.ReadFile("receiver_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if block := blocks(t, "go")[0]; !strings.HasSuffix(string(source), "\n"+block) {
		t.Error("the page's example isn't the one in receiver_test.go")
	}
	a := calls(t)
	now := crmtest.NewClock().Now()
	for i, r := range a.got {
		for _, row := range []struct {
			secret string
			now    time.Time
			ok     bool
		}{{secret, now, true}, {"the-next-secret-00", now, true}, {"another-secret-000", now, false}, {secret, now.Add(time.Hour), false}} {
			r.Body = io.NopCloser(strings.NewReader(a.bodies[i]))
			document, ok := verified(r, []byte(row.secret), row.now)
			if ok != row.ok || ok && !json.Valid(document) {
				t.Errorf("with %q at %s: %v", row.secret, row.now, ok)
			}
		}
	}
	pinned := &http.Request{Header: http.Header{
		"Threadline-Timestamp": {"1793610000"},
		"Threadline-Signature": regexp.MustCompile(`v1=[0-9a-f]{64}`).FindAllString(page(t), 1),
	}, Body: io.NopCloser(strings.NewReader(`{"type":"ping.v1"}`))}
	if _, ok := verified(pinned, []byte("an-example-secret"), now); !ok {
		t.Error("the page's signature is wrong")
	}
}

// TestDocumentedPython runs the page's example as it is printed.
func TestDocumentedPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("python3 isn't installed")
	} else if err != nil {
		t.Fatal(err)
	}
	const rest = `
import json, sys
calls, now = json.load(sys.stdin), 1793610000
for call in calls:
    headers, body = call["headers"], call["body"].encode()
    for secret in (b"a-secret-of-the-tests", b"the-next-secret-00"):
        json.loads(verified(headers, body, secret, now + 300))
    assert verified(headers, body, b"another-secret-000", now) is None
    assert verified(headers, body, b"a-secret-of-the-tests", now + 301) is None
    assert verified({}, body, b"a-secret-of-the-tests", now) is None
    assert verified(headers | {"Threadline-Timestamp": "\u0661"}, body, b"a-secret-of-the-tests", now) is None
print(len(calls))
`
	type call struct {
		Headers map[string]string `json:"headers"`
		Body    string            `json:"body"`
	}
	var input []call
	a := calls(t)
	for i, r := range a.got {
		one := call{map[string]string{}, a.bodies[i]}
		for name := range r.Header {
			one.Headers[name] = r.Header.Get(name)
		}
		input = append(input, one)
	}
	encoded, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", blocks(t, "python")[0]+rest)
	cmd.Stdin = strings.NewReader(string(encoded))
	if out, err := cmd.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "2" {
		t.Errorf("%v: %s", err, out)
	}
}
