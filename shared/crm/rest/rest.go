// Package rest makes a connector's HTTP calls.
//
// It guarantees that credentials go to the configured address and nowhere else (https, or http on loopback; no redirect
// is followed), that an answer of any size costs bounded memory (Decode refuses one that is too long, since the next
// would be as well), that every failure is a *crm.Error or what Classify made of it, that no error holds an address, an answer or a credential, and that an error says whether the request may
// have been carried out.
package rest

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

	"threadline/shared/crm"
)

// maxAnswer bounds what is read of an answer, in bytes. Files are read through Open.
const maxAnswer = 8 << 20

// Client makes calls to one CRM. New makes one.
type Client struct {
	base      string
	http      *http.Client
	authorize func(context.Context, *http.Request) error
	classify  func(op string, a Answer) error
}

// Config is what a Client needs.
type Config struct {
	BaseURL string       // scheme and host, and a path if the CRM is below one
	HTTP    *http.Client // http.DefaultClient if nil
	// Authorize adds the credentials.
	Authorize func(context.Context, *http.Request) error
	// Classify makes an error of an answer that isn't 2xx. If it is nil, or returns nil, Default does.
	Classify func(op string, a Answer) error
}

// Answer is an answer of the CRM. Body is nil where it is read by somebody else.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	cut bool // there is more of the body than was read
}

// New returns a client.
func New(c Config) *Client {
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	web := *c.HTTP
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{base: strings.TrimRight(c.BaseURL, "/"), http: &web, authorize: c.Authorize, classify: c.Classify}
}

// Request is a call to make.
type Request struct {
	Op     string // what is being done, for errors
	Method string
	Path   string // below the base, with the query
	Type   string // content type of Body
	Body   io.Reader
	Size   int64 // of Body in bytes; -1 if it isn't known
	Header http.Header
}

// WithJSON returns the request with in as its body, unless that is nil.
func (r Request) WithJSON(in any) (Request, error) {
	if in == nil {
		return r, nil
	}
	b, err := json.Marshal(in)
	if err != nil {
		return r, fmt.Errorf("%s: %w", r.Op, err)
	}
	r.Type, r.Body, r.Size = "application/json", bytes.NewReader(b), int64(len(b))
	return r, nil
}

// JSON sends in as JSON, unless it is nil, and decodes the answer into out, unless that is nil.
func (c *Client) JSON(ctx context.Context, op, method, path string, in, out any) error {
	r, err := Request{Op: op, Method: method, Path: path}.WithJSON(in)
	if err != nil {
		return err
	}
	a, err := c.Do(ctx, r)
	if err != nil || out == nil {
		return err
	}
	return Decode(op, a, out)
}

// Decode reads an answer that must be JSON.
func Decode(op string, a Answer, out any) error {
	if a.cut {
		return &crm.Error{Class: crm.Refused, Unknown: true, Op: op, Status: a.Status, Reason: "ANSWER_TOO_LONG"}
	}
	if json.Unmarshal(a.Body, out) == nil {
		return nil
	}
	// The decoder's own error would quote what the CRM sent.
	return &crm.Error{Class: crm.Transient, Unknown: true, Op: op, Status: a.Status, Err: errors.New("the answer isn't the JSON expected")}
}

// Do makes one call and reads the answer.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	res, wrote, err := c.start(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	a := Answer{Status: res.StatusCode, Header: res.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1)); err != nil {
		return a, &crm.Error{Class: crm.Transient, Unknown: wrote(), Op: r.Op, Status: a.Status, Err: fmt.Errorf("read answer: %w", withoutURL(err))}
	}
	if a.cut = len(a.Body) > maxAnswer; a.cut {
		a.Body = a.Body[:maxAnswer]
	}
	return a, c.judge(r.Op, a)
}

// Open makes one call and leaves the answer's body to the caller, who closes it. One that breaks off may be had later.
func (c *Client) Open(ctx context.Context, r Request) (io.ReadCloser, Answer, error) {
	res, _, err := c.start(ctx, r)
	if err != nil {
		return nil, Answer{}, err
	}
	a := Answer{Status: res.StatusCode, Header: res.Header}
	if good(a.Status) {
		return body{res.Body, r.Op, a.Status}, a, nil
	}
	defer func() { _ = res.Body.Close() }()
	a.Body, _ = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return nil, a, c.judge(r.Op, a)
}

// body is an answer on its way.
type body struct {
	io.ReadCloser
	op     string
	status int
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &crm.Error{Class: crm.Transient, Op: b.op, Status: b.status, Err: err}
	}
	return n, err
}

func (c *Client) start(ctx context.Context, r Request) (res *http.Response, wrote func() bool, err error) {
	var begun atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { begun.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, r.Method, c.base+r.Path, r.Body)
	if err != nil {
		return nil, nil, &crm.Error{Class: crm.Stopped, Op: r.Op, Reason: "NO_ADDRESS", Err: withoutURL(err)}
	}
	if req.URL.Scheme != "https" && !Loopback(req.URL.Hostname()) {
		return nil, nil, &crm.Error{Class: crm.Stopped, Op: r.Op, Reason: "ADDRESS_IS_NOT_HTTPS"}
	}
	if r.Size != 0 {
		req.ContentLength = r.Size
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	req.Header.Set("User-Agent", "Threadline")
	if c.authorize != nil {
		if err := c.authorize(ctx, req); err != nil {
			if _, classified := errors.AsType[*crm.Error](err); classified {
				return nil, nil, err
			}
			return nil, nil, &crm.Error{Class: crm.Transient, Op: r.Op, Reason: "NO_CREDENTIALS", Err: err}
		}
	}
	res, err = c.http.Do(req)
	if err == nil {
		return res, begun.Load, nil
	}
	if known, classified := errors.AsType[*crm.Error](err); classified { // by who paces the calls
		return nil, nil, known
	}
	return nil, nil, &crm.Error{Class: crm.Transient, Unknown: begun.Load(), Op: r.Op, Err: withoutURL(err)}
}

func (c *Client) judge(op string, a Answer) error {
	if good(a.Status) {
		return nil
	}
	if c.classify != nil {
		if err := c.classify(op, a); err != nil {
			return err
		}
	}
	return Default(op, a)
}

// Default classifies an answer by its status alone.
func Default(op string, a Answer) *crm.Error {
	e := &crm.Error{Op: op, Status: a.Status, After: RetryAfter(a.Header)}
	switch {
	case a.Status == http.StatusTooManyRequests:
		e.Class = crm.Limited
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status == http.StatusPaymentRequired:
		e.Class = crm.Stopped
	case a.Status >= 500 || a.Status == http.StatusRequestTimeout:
		e.Class, e.Unknown = crm.Transient, true
	case a.Status == http.StatusConflict || a.Status == http.StatusLocked || a.Status == http.StatusTooEarly || a.Status < 400:
		e.Class = crm.Transient
	default:
		e.Class = crm.Refused
	}
	return e
}

// RetryAfter reads the header in both of its forms; 0 if it isn't there.
func RetryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(s) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now := time.Now()
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // the CRM's own clock
	}
	return max(0, at.Sub(now))
}

// HasStatus tells whether an error is an answer of that status.
func HasStatus(err error, status int) bool {
	e, ok := errors.AsType[*crm.Error](err)
	return ok && e.Status == status
}

func good(status int) bool { return status >= 200 && status <= 299 }

// withoutURL drops the address that net/http puts into its errors: it names records.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Loopback tells whether a host is this machine, to which http will do.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
