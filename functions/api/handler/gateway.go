package handler

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
)

// margin is how long before Lambda's own time-out a request is given up, so that the client gets an answer.
const margin = time.Second

// Lambda returns the handler of the function behind API Gateway's HTTP API.
func (a *API) Lambda() func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	adapter := httpadapter.NewV2(a.Handler())
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if end, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, end.Add(-margin))
			defer cancel()
		}
		e.RawPath = encoded(e.RawPath)
		return adapter.ProxyWithContext(ctx, e)
	}
}

// encoded returns a path as it stands in a URL. In spite of its name an HTTP API's rawPath is decoded, that of a
// function URL isn't; the adapter would log one that it can't parse.
func encoded(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// oneSegment makes one segment of the id that follows a prefix, up to one of the verbs: Meta's ids hold slashes, which
// may arrive decoded.
func oneSegment(prefix string, verbs []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutPrefix(r.URL.Path, prefix); ok && id != "" {
			verb := ""
			for _, v := range verbs {
				if rest, ok := strings.CutSuffix(id, v); ok && r.Method == http.MethodPost {
					id, verb = rest, v
				}
			}
			u := *r.URL
			u.RawPath = prefix + url.PathEscape(id) + verb
			shallow := *r
			shallow.URL = &u
			r = &shallow
		}
		next.ServeHTTP(w, r)
	})
}
