package whatsapp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// notSent are the requests of the collection that no Outgoing gives, and why.
var notSent = map[string]string{
	"metaopenapi__send_typing_indicator_and_read_receipt": "no message: see Client.Typing",
	"metaopenapi__send_sample_issue_resolution_template":  "quick replies with a boolean for a text, where Meta documents a payload",
}

// placeholders are what the requests hold instead of values that Meta, and so
// Check, would take.
var placeholders = strings.NewReplacer(
	`"template-name"`, `"template_name"`, `"<TEMPLATE_NAME>"`, `"template_name"`,
	`"language-and-locale-code"`, `"en_US"`, `"<HEADER_TYPE>"`, `"text"`,
)

var link = regexp.MustCompile(`"link": *"[^"]*"`)

// Ensure that each of the collected requests can be sent, passes Check, and is
// written as it stands there.
func TestOutboundCorpus(t *testing.T) {
	for name, request := range outbound(t) {
		t.Run(name, func(t *testing.T) {
			m := rebuild(t, request)
			if why := notSent[name]; why != "" {
				if m.Check() == nil {
					t.Errorf("passes, although: %s", why)
				}
				return
			}
			wire, err := m.body()
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := json.Unmarshal(request, &want); err != nil {
				t.Fatal(err)
			}
			normalise(want)
			if got := decoded(t, wire); !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %v\nwant %v", got, want)
			}
		})
	}
}

// outbound reads the collected requests, by file name without ".json".
func outbound(t *testing.T) map[string][]byte {
	t.Helper()
	dir, found := shared(t)
	if !found {
		t.Skip("the shared folder is missing")
	}
	files, err := filepath.Glob(filepath.Join(dir, "outbound", "*.json"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d requests, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		body = []byte(placeholders.Replace(string(body)))
		body = link.ReplaceAll(body, []byte(`"link":"https://example.com/file"`))
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = body
	}
	return all
}

// normalise evens out what the requests write differently among themselves:
// recipients are placeholders, some leave out a default or the type, and one
// has a policy of which there is one only.
func normalise(body map[string]any) {
	body["to"], body["recipient_type"] = "+15550000000", "individual"
	for _, kind := range []string{"text", "interactive"} {
		if body[kind] != nil {
			body["type"] = kind
		}
	}
	if text, ok := body["text"].(map[string]any); ok && text["preview_url"] != true {
		delete(text, "preview_url")
	}
	if template, ok := body["template"].(map[string]any); ok {
		delete(template["language"].(map[string]any), "policy")
	}
}

// rebuild makes the message that should give this request.
func rebuild(t *testing.T, request []byte) Outgoing {
	t.Helper()
	body, _ := read(request)
	m := Outgoing{To: "15550000000", ReplyTo: body.object("context").text("message_id")}
	for kind, target := range map[string]any{
		"text": &m.Text, "image": &m.Image, "video": &m.Video, "audio": &m.Audio, "document": &m.Document, "sticker": &m.Sticker,
		"location": &m.Location, "contacts": &m.Contacts, "reaction": &m.Reaction, "interactive": &m.Interactive,
	} {
		if raw := body[kind]; raw != nil {
			if err := json.Unmarshal(raw, target); err != nil {
				t.Fatal(err)
			}
		}
	}
	if f := body.object("template"); f != nil {
		m.Template = &Template{Name: f.text("name"), Language: f.object("language").text("code"), Components: f["components"]}
	}
	return m
}

// decoded is a value as JSON reads it back.
func decoded(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	return back
}
