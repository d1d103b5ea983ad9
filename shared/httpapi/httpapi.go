// Package httpapi serves JSON over net/http with handlers that return their error.
//
//	mux := http.NewServeMux()
//	mux.Handle("POST /api/v1/messages", httpapi.HandlerFunc(api.send))
//	handler := httpapi.Wrap(mux)
//
// It guarantees that every failure, the mux's own 404 and 405 and a panic included, is answered
// {"error":{"code":"…","message":"…"}}; that a client sees an error's public message and never its internals; that
// internals are logged with the request id that the client got; and that no path, query or body is logged. Every
// answer has security headers, no body over 256 KB is read, and a wrong API key costs the same time as the right one.
package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
)

// MaxBody is the largest body of a request, in bytes.
const MaxBody = 256 << 10

// HandlerFunc is a handler that returns its error instead of answering it. An error that has Code() and Public() is
// answered with them, anything else as "internal". Once it has written a status its error is only logged.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP makes a HandlerFunc usable in a mux under New.
func (h HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		Error(w, r, err)
	}
}

// Options are what New needs beyond the mux; the zero value is ready.
type Options struct {
	Log       *slog.Logger       // nil: slog.Default()
	ErrorText func(error) string // what of an internal error may be logged; nil: only its type
	NewID     func() string      // of a request; nil: 128 random bits
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.ErrorText == nil {
		o.ErrorText = func(err error) string { return fmt.Sprintf("%T", err) }
	}
	if o.NewID == nil {
		o.NewID = func() string { return strings.ToLower(rand.Text()) }
	}
	return o
}

// New wraps a mux whose handlers are HandlerFuncs.
func New(mux *http.ServeMux, o Options) http.Handler {
	o = o.withDefaults()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := &request{id: o.NewID(), options: o}
		secure(w.Header())
		w.Header().Set("X-Request-Id", req.id)
		r = r.WithContext(context.WithValue(r.Context(), key{}, req))
		out := &response{ResponseWriter: w}
		defer contain(out, r)
		if r.ContentLength > MaxBody {
			Error(out, r, &http.MaxBytesError{Limit: MaxBody})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		if _, pattern := mux.Handler(r); pattern == "" {
			refuse(out, r, mux)
			return
		}
		mux.ServeHTTP(out, r)
	})
}

// request is what Error and the log need to know; it travels in the context.
type request struct {
	id      string
	options Options
}

type key struct{}

// of returns the request's, or one for a HandlerFunc that runs without New.
func of(r *http.Request) *request {
	if req, ok := r.Context().Value(key{}).(*request); ok {
		return req
	}
	return &request{id: "-", options: Options{}.withDefaults()}
}

// secure sets what suits an API; a handler that serves a page replaces the policy.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=31536000")
}

// response remembers whether a status was written.
type response struct {
	http.ResponseWriter
	written bool
}

func (w *response) WriteHeader(status int) {
	w.written = w.written || status >= 200
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.written = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the server's writer.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// refuse answers what no pattern matches. The mux knows whether it is the path or the method.
func refuse(w http.ResponseWriter, r *http.Request, mux *http.ServeMux) {
	verdict := &discarded{header: http.Header{}}
	mux.ServeHTTP(verdict, r)
	if verdict.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", verdict.header.Get("Allow"))
		Error(w, r, &problem{status: http.StatusMethodNotAllowed, code: "invalid", message: "this method is not allowed here"})
		return
	}
	Error(w, r, &problem{code: "notfound", message: "there is no such path"})
}

// discarded is an answer of which only status and header count.
type discarded struct {
	header http.Header
	status int
}

func (d *discarded) Header() http.Header         { return d.header }
func (d *discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarded) WriteHeader(status int)      { d.status = status }

// contain turns a panic into a 500. Of the value only the type is logged: it may quote a customer.
func contain(w *response, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // net/http's own way to drop a connection
	}
	Error(w, r, &panicked{kind: fmt.Sprintf("%T", v), stack: stack()})
}
