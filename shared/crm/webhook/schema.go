package webhook

import (
	"embed"
	"fmt"
)

//go:embed schema/*.json
var schemas embed.FS

// Schema returns a JSON Schema by its name: a type of document, "answer.put", "answer.find" or "answer.error" for what a
// receiver answers, "requests" for what it asks for, and "answer.requests" for what that is answered.
func Schema(name string) ([]byte, error) {
	schema, err := schemas.ReadFile("schema/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no schema %q", name)
	}
	return schema, nil
}
