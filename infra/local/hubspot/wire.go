package hubspot

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// refusal is an error as HubSpot writes it.
type refusal struct {
	Status   int                 // HTTP
	Category string              // VALIDATION_ERROR, OBJECT_NOT_FOUND, …
	Message  string              //
	Errors   []detail            //
	Extra    map[string]any      // further fields: policyName, errorType
	Context  map[string][]string //
	Header   http.Header         //
}

type detail struct {
	Message string              `json:"message"`
	Code    string              `json:"code,omitempty"`
	In      string              `json:"in,omitempty"`
	Context map[string][]string `json:"context,omitempty"`
}

func (r *refusal) Error() string { return r.Category + ": " + r.Message }

func invalid(format string, args ...any) *refusal {
	return &refusal{Status: http.StatusBadRequest, Category: "VALIDATION_ERROR", Message: fmt.Sprintf(format, args...)}
}

func notFound(what string) *refusal {
	return &refusal{Status: http.StatusNotFound, Category: "OBJECT_NOT_FOUND", Message: what + " not found"}
}

// body is the refusal as an answer of its own.
func (r *refusal) body() map[string]any {
	b := map[string]any{"status": "error", "message": r.Message, "correlationId": uuid(), "category": r.Category}
	if len(r.Errors) > 0 {
		b["errors"] = r.Errors
	}
	if len(r.Context) > 0 {
		b["context"] = r.Context
	}
	for k, v := range r.Extra {
		b[k] = v
	}
	return b
}

// row is the refusal as one row of a batch.
func (r *refusal) row() map[string]any {
	b := r.body()
	delete(b, "correlationId")
	b["id"] = uuid()
	for name, empty := range map[string]any{"context": map[string]any{}, "errors": []any{}, "links": map[string]any{}} {
		if b[name] == nil {
			b[name] = empty
		}
	}
	return b
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails: see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has hung up: nobody left to tell
}

func replyError(w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		r = &refusal{Status: http.StatusInternalServerError, Category: "INTERNAL_ERROR", Message: "internal error"}
	}
	for k, v := range r.Header {
		w.Header()[k] = v
	}
	reply(w, r.Status, r.body())
}

// decode reads a JSON body. HubSpot refuses fields that it doesn't know.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return invalid("Invalid input JSON on line 1, column 1")
	}
	return nil
}

func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
