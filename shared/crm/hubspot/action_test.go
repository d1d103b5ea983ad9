package hubspot_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestActionDefinition compares the workflow action of docs/crm/hubspot-app with HubSpot's document of such definitions,
// and with what the connector reads. A project's file names some things otherwise and leaves others out.
func TestActionDefinition(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "crm", "hubspot-app", "src", "app", "workflow-actions", "threadline-send-hsmeta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Type   string
		Config map[string]any
	}
	if err := json.Unmarshal(b, &file); err != nil || file.Type != "workflow-action" {
		t.Fatalf("type %q, %v", file.Type, err)
	}
	egg := file.Config
	egg["published"], egg["functions"] = egg["isPublished"], []any{}
	delete(egg, "isPublished")
	delete(egg, "supportedClients")
	inputs := definitions(egg["inputFields"])
	for _, d := range inputs {
		if d["options"] == nil {
			d["options"] = []any{}
		}
	}
	for _, d := range definitions(egg["outputFields"]) {
		d["options"], d["externalOptions"], d["useChirp"], d["schema"] = []any{}, false, false, map[string]any{"type": "STRING"}
	}

	var names []string
	for _, d := range inputs {
		names = append(names, d["name"].(string))
	}
	if want := []string{"text", "template", "language", "parameters", "wait"}; !slices.Equal(names, want) {
		t.Errorf("input fields %q, want those that the connector reads: %q", names, want)
	}

	all := documented.Documents(t)
	checked := 0
	for _, doc := range all {
		if schema := doc.Components.Schemas["PublicActionDefinitionEgg"]; schema != nil {
			checked++
			if err := schema.Value.VisitJSON(egg); err != nil {
				t.Error(err)
			}
		}
	}
	if all != nil && checked != 2 {
		t.Errorf("compared with %d documents, want 2", checked)
	}
}

// definitions returns the type definitions of fields.
func definitions(fields any) []map[string]any {
	var all []map[string]any
	list, _ := fields.([]any)
	for _, f := range list {
		field, _ := f.(map[string]any)
		d, _ := field["typeDefinition"].(map[string]any)
		all = append(all, d)
	}
	return all
}
