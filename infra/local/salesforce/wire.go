package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// refusal is an error as the API tells it: an array of one.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
type refusal struct {
	status int
	code   string
	text   string
	fields []string
	extra  map[string]any
}

func (r *refusal) Error() string { return r.code + ": " + r.text }

func refuse(status int, code, text string, fields ...string) *refusal {
	return &refusal{status: status, code: code, text: text, fields: fields}
}

func (r *refusal) body() any {
	one := map[string]any{"message": r.text, "errorCode": r.code}
	if r.fields != nil {
		one["fields"] = r.fields
	}
	for key, value := range r.extra {
		one[key] = value
	}
	return []any{one}
}

// answer is what a call is told.
type answer struct {
	status int
	body   any // nil: none; a reader: its bytes
}

// answerOf makes an answer of an error.
func answerOf(err error) answer {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		r = refuse(http.StatusInternalServerError, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
	}
	return answer{r.status, r.body()}
}

func (s *Simulator) send(w http.ResponseWriter, a answer) {
	w.Header().Set("Sforce-Limit-Info", "api-usage="+strconv.Itoa(s.usage())+"/"+strconv.Itoa(s.options.Daily))
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	if content, ok := a.body.(io.ReadCloser); ok {
		defer func() { _ = content.Close() }()
		w.Header().Set("Content-Type", "application/octetstream")
		_, _ = io.Copy(w, content)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body)
}

// decode reads a body of fields.
func decode(r io.Reader) (map[string]any, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil, refuse(http.StatusBadRequest, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no readable entity body.")
	}
	return fields, nil
}

// text returns a JSON value as a record stores it.
func text(field string, v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	}
	return "", refuse(http.StatusBadRequest, "JSON_PARSER_ERROR", fmt.Sprintf("Cannot deserialize the value of %s", field), field)
}

// render returns a value as JSON shows it.
func render(f *field, value string) any {
	switch {
	case value == "" && f.kind == "boolean":
		return false
	case value == "":
		return nil
	case f.kind == "boolean":
		return value == "true"
	case f.kind == "int":
		n, _ := strconv.ParseInt(value, 10, 64)
		return n
	}
	return value
}

func attributes(r *record) map[string]any {
	return map[string]any{"type": r.Object, "url": dataPath + "sobjects/" + r.Object + "/" + r.ID}
}
