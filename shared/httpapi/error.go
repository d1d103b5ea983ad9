package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// coded is an error that may be shown: chat.Error is one.
type coded interface {
	error
	Code() string   // one of the codes below
	Public() string // for whoever made the request; no personal data, no internals
}

// status returns the HTTP status of a code, 500 for an unknown one.
func status(code string) int {
	switch code {
	case "invalid":
		return http.StatusBadRequest
	case "notfound":
		return http.StatusNotFound
	case "conflict":
		return http.StatusConflict
	case "unauthorized":
		return http.StatusUnauthorized
	case "throttled":
		return http.StatusTooManyRequests
	case "unavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// problem is this package's own coded error.
type problem struct {
	status  int // 0: the code's
	code    string
	message string
	err     error
}

func (p *problem) Error() string {
	if p.err == nil {
		return p.message
	}
	return p.message + ": " + p.err.Error()
}

func (p *problem) Unwrap() error  { return p.err }
func (p *problem) Code() string   { return p.code }
func (p *problem) Public() string { return p.message }

// Error answers r with err and logs it. HandlerFunc calls it; a middleware may.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	req := of(r)
	status, code, message := verdict(err)
	if status == http.StatusInternalServerError {
		message = "something went wrong on our side; quote request " + req.id
	}
	logError(r, req, status, code, err)
	if out, ok := w.(*response); ok && out.written {
		return
	}
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = code, message
	_ = JSON(w, status, body)
}

// verdict returns what a client learns of err.
func verdict(err error) (int, string, string) {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, "invalid", fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)
	}
	var c coded
	if !errors.As(err, &c) || status(c.Code()) == http.StatusInternalServerError {
		return http.StatusInternalServerError, "internal", ""
	}
	var p *problem
	if errors.As(err, &p) && p.status != 0 {
		return p.status, p.code, p.message
	}
	return status(c.Code()), c.Code(), c.Public()
}

// logError names the pattern, not the path: paths and queries hold phone numbers.
func logError(r *http.Request, req *request, status int, code string, err error) {
	attrs := []slog.Attr{
		slog.String("request", req.id), slog.String("pattern", r.Pattern),
		slog.Int("status", status), slog.String("code", code),
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
		var p *panicked
		if errors.As(err, &p) {
			attrs = append(attrs, slog.String("error", p.Error()), slog.Any("stack", p.stack))
		} else {
			attrs = append(attrs, slog.String("error", req.options.ErrorText(err)))
		}
	}
	req.options.Log.LogAttrs(r.Context(), level, "request failed", attrs...)
}

// JSON answers with v. If v can't be encoded nothing is written and the error returned.
func JSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
