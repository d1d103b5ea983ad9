// Package gateway serves an HTTP API as API Gateway does: routes to functions, in payload format 2.0.
//
// Kept from API Gateway, because handlers rely on it: which bodies arrive base64-encoded, lower-case
// header names with repeated values joined by commas, cookies apart, the answers that it gives by
// itself (404, 413, 500, 503), and that a function's answer may be a plain JSON value. Left out:
// authorizers, CORS, throttling, stages other than $default.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"threadline/infra/local/lambda"
)

const (
	// MaxBody is the largest request body, in bytes.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	MaxBody = 10 << 20

	// Timeout is the most that an integration may take.
	Timeout = 30 * time.Second
)

// Invoker runs a function; lambda.Host is one.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// Gateway is one HTTP API.
type Gateway struct {
	routes  []Route
	invoker Invoker
	log     *slog.Logger
}

// New makes a gateway; of several routes that match a request the most specific one is taken.
func New(routes []Route, invoker Invoker, log *slog.Logger) *Gateway {
	return &Gateway{routes: routes, invoker: invoker, log: log}
}

// ServeHTTP answers one request through the function of its route.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, parameters, ok := match(g.routes, r.Method, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			refuse(w, http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		refuse(w, http.StatusBadRequest, "Bad Request")
		return
	}
	event, err := json.Marshal(newEvent(r, route, parameters, body))
	if err != nil {
		g.fail(w, route, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), Timeout)
	defer cancel()
	answer, err := g.invoker.Invoke(ctx, route.Function, event)
	if err != nil {
		g.fail(w, route, err)
		return
	}
	if err := write(w, answer); err != nil {
		g.fail(w, route, err)
	}
}

// fail answers as API Gateway does when the function did not.
func (g *Gateway) fail(w http.ResponseWriter, route Route, err error) {
	g.log.Warn("request failed", "route", route.Key, "function", route.Function, "error", err)
	switch {
	case errors.Is(err, lambda.ErrTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "Request Too Long")
	case errors.Is(err, context.DeadlineExceeded):
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	default:
		refuse(w, http.StatusInternalServerError, "Internal Server Error")
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": message})
}
