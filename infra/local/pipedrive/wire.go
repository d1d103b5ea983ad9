package pipedrive

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// refusal is an error as Pipedrive writes it.
// https://pipedrive.readme.io/docs/core-api-concepts-responses
type refusal struct {
	Status  int // HTTP
	Message string
	Code    string // where the document has one: feature_capping_…
	Number  int    // errorCode, which the gateway adds
	Page    string // instead of all of it, when Cloudflare answers
}

func (r *refusal) Error() string { return r.Message }

func invalid(format string, args ...any) *refusal {
	return &refusal{Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

func notFound(what string) *refusal {
	return &refusal{Status: http.StatusNotFound, Message: what + " not found"}
}

func (r *refusal) body() map[string]any {
	b := map[string]any{"success": false, "error": r.Message, "error_info": "Please check developers.pipedrive.com"}
	if r.Code != "" {
		b["code"] = r.Code
	}
	if r.Number != 0 {
		b["errorCode"] = r.Number
	}
	return b
}

// reply writes an answer or an error, and returns its status.
func reply(w http.ResponseWriter, status int, err error, a answer) int {
	if err != nil {
		return replyError(w, err)
	}
	if status == 0 {
		status = http.StatusOK
	}
	body := map[string]any{"success": true}
	if a.data != nil {
		body["data"] = a.data
	}
	if a.additional != nil {
		body["additional_data"] = a.additional
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has hung up: nobody left to tell
	return status
}

func replyError(w http.ResponseWriter, err error) int {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		r = &refusal{Status: http.StatusInternalServerError, Message: "Internal server error"}
	}
	if r.Page != "" {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(r.Status)
		_, _ = w.Write([]byte(r.Page))
		return r.Status
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.Status)
	_ = json.NewEncoder(w).Encode(r.body())
	return r.Status
}

// decode reads a JSON body of known fields and types.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 4<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return invalid("Bad request: %s", err)
	}
	return nil
}

func pathID(r *http.Request) int64 {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64) // 0 is nobody's
	return id
}

// page reads start and limit of API v1.
func page[T any](r *http.Request, all []T, most int) (shown []T, start, limit int, more bool, err error) {
	q := r.URL.Query()
	limit = min(100, most)
	if v := q.Get("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > most {
			return nil, 0, 0, false, invalid("limit must be between 1 and %d", most)
		}
	}
	if v := q.Get("start"); v != "" {
		if start, err = strconv.Atoi(v); err != nil || start < 0 {
			return nil, 0, 0, false, invalid("start must be a number")
		}
	}
	from := min(start, len(all))
	to := min(from+limit, len(all))
	return all[from:to], start, limit, to < len(all), nil
}

func pagination(start, limit int, more bool) map[string]any {
	p := map[string]any{"start": start, "limit": limit, "more_items_in_collection": more}
	if more {
		p["next_start"] = start + limit
	}
	return p
}

// cursorPage reads cursor and limit of API v2. The cursor is opaque; here it is a number.
func cursorPage[T any](r *http.Request, all []T) ([]T, any, error) {
	limit, start := 100, 0
	var err error
	if v := r.URL.Query().Get("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > 500 {
			return nil, nil, invalid("limit must be between 1 and 500")
		}
	}
	if v := r.URL.Query().Get("cursor"); v != "" {
		if start, err = strconv.Atoi(v); err != nil || start < 0 {
			return nil, nil, invalid("cursor is invalid")
		}
	}
	from := min(start, len(all))
	to := min(from+limit, len(all))
	additional := map[string]any{}
	if to < len(all) {
		additional["next_cursor"] = strconv.Itoa(to)
	}
	return all[from:to], additional, nil
}

// The two forms of a time, of API v1 and of v2.
func old(t time.Time) string { return t.UTC().Format(time.DateTime) }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
