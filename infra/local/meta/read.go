package meta

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
)

// read decodes the JSON body of a call from the page or from a test. The error names the field that is wrong, and says what
// belongs there.
func read(r *http.Request, v any) error {
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(v)
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := strings.ToLower(wrong.Field) // as the documentation has it
		return fmt.Errorf("%s: expected %s, got %s", cmp.Or(field, "the body"), expected(wrong.Type), wrong.Value)
	}
	return fmt.Errorf("the body has to be a JSON object: %w", err)
}

// expected says what JSON a type is read from.
func expected(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float64:
		return "a number"
	}
	return "a whole number"
}
