package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Decode reads the request's body, one JSON object whatever its content type says, into v. A field that v doesn't
// know, a wrong type, and anything behind the object are refused with code "invalid" and a message that names the
// field; a body over the limit with status 413.
func Decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return explain(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return invalid("the body must be one JSON object and nothing behind it", nil)
	}
	return nil
}

func invalid(message string, err error) error {
	return &problem{code: "invalid", message: message, err: err}
}

// explain says to the client what is wrong with its JSON.
func explain(err error) error {
	var (
		syntax   *json.SyntaxError
		wrong    *json.UnmarshalTypeError
		tooLarge *http.MaxBytesError
		c        coded
	)
	switch {
	case errors.As(err, &tooLarge), errors.As(err, &c): // c: a type's own UnmarshalJSON knows better
		return err
	case errors.Is(err, io.EOF):
		return invalid("the body is empty; a JSON object is expected", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return invalid("the body ends within its JSON", err)
	case errors.As(err, &syntax):
		return invalid(fmt.Sprintf("the body is not JSON: mistake at byte %d", syntax.Offset), err)
	case errors.As(err, &wrong) && wrong.Field == "":
		return invalid("the body must be "+kind(wrong), err)
	case errors.As(err, &wrong):
		return invalid(fmt.Sprintf("field %q must be %s", wrong.Field, kind(wrong)), err)
	}
	// The decoder has no type for this one: https://go.dev/issue/29035
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid("unknown field "+field, err)
	}
	return invalid("the body holds a value that can't be read", err)
}

func kind(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "slice", "array":
		return "a list"
	case "struct", "map", "interface", "ptr":
		return "an object"
	}
	return "a number"
}
