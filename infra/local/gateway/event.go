package gateway

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// newEvent is the request in payload format 2.0.
func newEvent(r *http.Request, route Route, parameters map[string]string, body []byte) events.APIGatewayV2HTTPRequest {
	now := time.Now().UTC()
	sourceIP, _, _ := net.SplitHostPort(r.RemoteAddr)
	event := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              route.Key,
		RawPath:               r.URL.EscapedPath(),
		RawQueryString:        r.URL.RawQuery,
		Headers:               headers(r),
		QueryStringParameters: joined(r.URL.Query()),
		PathParameters:        parameters,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:   route.Key,
			AccountID:  "000000000000",
			Stage:      "$default",
			RequestID:  rand.Text(),
			APIID:      "local",
			DomainName: r.Host,
			Time:       now.Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch:  now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method:    r.Method,
				Path:      r.URL.Path,
				Protocol:  r.Proto,
				SourceIP:  sourceIP,
				UserAgent: r.UserAgent(),
			},
		},
	}
	for _, cookie := range r.Header.Values("Cookie") {
		event.Cookies = append(event.Cookies, strings.Split(cookie, "; ")...)
	}
	if len(body) > 0 {
		event.Body, event.IsBase64Encoded = encoded(r, body)
	}
	return event
}

// encoded is the body as it stands in the event: text as it is, everything else as base64. Text that
// is not UTF-8 cannot stand in JSON, so it is base64 too.
func encoded(r *http.Request, body []byte) (string, bool) {
	if isText(r.Header.Get("Content-Type")) && r.Header.Get("Content-Encoding") == "" && utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// isText tells which content types API Gateway passes on unencoded.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
func isText(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch mediaType {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml")
}

// headers are lower-case, repeated values joined by commas, without cookies, with the host.
func headers(r *http.Request) map[string]string {
	out := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		if name != "Cookie" {
			out[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	if r.ContentLength >= 0 && r.Header.Get("Content-Length") == "" && r.Body != http.NoBody {
		out["content-length"] = fmt.Sprint(r.ContentLength)
	}
	if out["x-forwarded-proto"] == "" {
		out["x-forwarded-proto"] = "http"
	}
	return out
}

func joined(values map[string][]string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string]string, len(values))
	for name, all := range values {
		out[name] = strings.Join(all, ",")
	}
	return out
}

// write sends what a function answered. Without a statusCode the whole answer is the body of a 200.
func write(w http.ResponseWriter, answer []byte) error {
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(answer, &response); err != nil || response.StatusCode == 0 {
		if !json.Valid(answer) {
			return fmt.Errorf("function's answer is not JSON")
		}
		w.Header().Set("Content-Type", "application/json")
		_, err := w.Write(answer)
		return err
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(response.Body)
		if err != nil {
			return fmt.Errorf("decode function's body: %w", err)
		}
		body = decoded
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	for name, values := range response.MultiValueHeaders {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	for _, cookie := range response.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.Header().Del("Content-Length") // net/http counts by itself
	w.WriteHeader(response.StatusCode)
	_, err := w.Write(body)
	return err
}
