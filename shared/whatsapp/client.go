package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Defaults of a [Client]. Version 26.0 was current in October 2026.
// https://developers.facebook.com/docs/graph-api/changelog
const (
	DefaultBaseURL   = "https://graph.facebook.com"
	DefaultVersion   = "v26.0"
	DefaultUserAgent = "threadline/1"
)

// Answers of the Graph API are small; a longer one is none of its.
const maxAnswer = 1 << 20

// idleLimit is how long a connection may have been unused before it is
// replaced. A server drops idle connections without our noticing while the
// process is frozen between two invocations, and a message written to such a
// connection would be one that may have been sent.
const idleLimit = 20 * time.Second

// Client calls the Graph API. Token is required; the rest has defaults. Calls
// end with their context: the client sets no time limit of its own. It is
// safe for concurrent use and must not be copied after the first call.
type Client struct {
	BaseURL   string // scheme and host; http is allowed on loopback only
	Version   string // of the API, such as "v26.0"
	Token     func(context.Context) (string, error)
	HTTP      *http.Client // redirects are never followed, whatever it says
	UserAgent string

	lastUse atomic.Int64 // wall clock, seconds
}

// base returns the origin that the token is meant for. A wrong one is nothing
// that a message can be blamed for: it waits for the configuration to be mended.
func (c *Client) base() (*url.URL, error) {
	raw := c.BaseURL
	if raw == "" {
		raw = DefaultBaseURL
	}
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.User != nil {
		return nil, &Error{Class: ClassNotSent, Err: errors.New("BaseURL is not a scheme and host")}
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, &Error{Class: ClassNotSent, Err: errors.New("BaseURL is not https")}
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// endpoint returns the URL of a path below the API's version. Each element is
// one segment, whatever characters it has.
func (c *Client) endpoint(query url.Values, segments ...string) (string, error) {
	u, err := c.base()
	if err != nil {
		return "", err
	}
	version := c.Version
	if version == "" {
		version = DefaultVersion
	}
	address := u.String() + "/" + url.PathEscape(version)
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return "", fmt.Errorf("%w: empty id", ErrInvalid)
		}
		address += "/" + url.PathEscape(s)
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return address, nil
}

// request makes a request with our headers. The body can't be read twice, so
// that net/http has no way of sending a request again on its own.
func (c *Client) request(ctx context.Context, method, address string, body io.Reader) (*http.Request, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%w: address not readable", ErrInvalid)
	}
	req.GetBody = nil
	req.Header.Set("Authorization", "Bearer "+token)
	agent := c.UserAgent
	if agent == "" {
		agent = DefaultUserAgent
	}
	req.Header.Set("User-Agent", agent)
	return req, nil
}

// token returns the access token, or an error of a request never written.
func (c *Client) token(ctx context.Context) (string, error) {
	if c.Token == nil {
		return "", &Error{Class: ClassNotSent, Err: errNoToken}
	}
	token, err := c.Token(ctx)
	if err != nil {
		return "", &Error{Class: ClassNotSent, Err: err}
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", &Error{Class: ClassNotSent, Err: errNoToken}
	}
	return token, nil
}

// do sends a request, once, and returns the answer whatever its status.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	now := time.Now().Unix()
	if last := c.lastUse.Swap(now); now-last > int64(idleLimit/time.Second) {
		client.CloseIdleConnections()
	}
	resp, err := client.Do(req)
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err // without the URL
		}
		return nil, &Error{Class: ClassTransient, Err: err}
	}
	return resp, nil
}

// exchange sends a request and returns the JSON object of a good answer.
// written tells whether any of the request may have reached the server.
func (c *Client) exchange(req *http.Request) (answer fields, written bool, err error) {
	var wrote atomic.Bool
	trace := &httptrace.ClientTrace{
		WroteHeaders: func() { wrote.Store(true) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				wrote.Store(true)
			}
		},
	}
	resp, err := c.do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		return nil, wrote.Load(), err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, true, &Error{HTTPStatus: resp.StatusCode, Class: ClassTransient, Err: err}
	}
	if resp.StatusCode/100 != 2 {
		return nil, true, refusal(resp, body)
	}
	answer, ok := read(body)
	if !ok {
		return nil, true, &Error{HTTPStatus: resp.StatusCode, Class: ClassTransient, Err: errUnreadable}
	}
	return answer, true, nil
}

// refusal reads the error of an answer that isn't 2xx.
func refusal(resp *http.Response, body []byte) *Error {
	e := &Error{HTTPStatus: resp.StatusCode, Err: errUnreadable}
	answer, _ := read(body)
	if parsed := parseError(answer.object("error"), resp.StatusCode); parsed.object {
		e = &parsed
	} else {
		e.classify()
	}
	if resp.StatusCode/100 == 3 {
		e.Class, e.Err = ClassTransient, errRedirect
	}
	if asked := retryAfter(resp.Header); asked > 0 {
		e.RetryAfter = asked
	}
	return e
}

// retryAfter reads how long Meta asks us to wait.
// https://developers.facebook.com/docs/graph-api/overview/rate-limiting#headers
func retryAfter(h http.Header) time.Duration {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 {
		return time.Duration(min(s, 86400)) * time.Second
	}
	usage, _ := read([]byte(h.Get("X-Business-Use-Case-Usage")))
	var longest int64
	for account := range usage {
		for _, u := range usage.objects(account) {
			longest = max(longest, u.integer("estimated_time_to_regain_access"))
		}
	}
	return time.Duration(min(longest, 24*60)) * time.Minute
}

// get reads an object of the Graph API.
func (c *Client) get(ctx context.Context, query url.Values, segments ...string) (fields, error) {
	address, err := c.endpoint(query, segments...)
	if err != nil {
		return nil, err
	}
	req, err := c.request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	answer, _, err := c.exchange(req)
	return answer, err
}

// post sends a JSON body, once, and tells whether it may have arrived.
func (c *Client) post(ctx context.Context, body any, segments ...string) (answer fields, written bool, err error) {
	address, err := c.endpoint(nil, segments...)
	if err != nil {
		return nil, false, err
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, false, fmt.Errorf("%w: content is not JSON", ErrInvalid)
	}
	req, err := c.request(ctx, http.MethodPost, address, bytes.NewReader(raw))
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.exchange(req)
}
