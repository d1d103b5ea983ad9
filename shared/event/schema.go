package event

import (
	"embed"
	"fmt"
)

//go:embed schemas/*.json
var schemas embed.FS

// Types returns the types of events that exist.
func Types() []string { return []string{NumberHealthV1} }

// Schema returns the JSON Schema of what an event of a type has in its detail, v, id and at included.
func Schema(kind string) ([]byte, error) {
	schema, err := schemas.ReadFile("schemas/" + kind + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no event type %q", kind)
	}
	return schema, nil
}
