package crmtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// What the fixtures of several CRMs are made of.

// Simulator is a CRM on this machine.
type Simulator interface {
	API() http.Handler
	Close() error
}

// Serve puts a simulator behind a real listener. Both are closed when the test ends.
func Serve(t *testing.T, s Simulator) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(s.API())
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close simulator: %v", err)
		}
	})
	return server
}

// Transport is a function as http.RoundTripper.
type Transport func(*http.Request) (*http.Response, error)

// RoundTrip calls it.
func (f Transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Through returns a client of a transport. Its calls go through wrap, unless that is nil.
func Through(wrap func(http.RoundTripper) http.RoundTripper, transport http.RoundTripper) *http.Client {
	if wrap != nil {
		transport = wrap(transport)
	}
	return &http.Client{Transport: transport}
}

// Secret returns a secret as a connector asks for it.
func Secret(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// Content opens a file that holds a text.
func Content(text string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// Bytes returns a reader of so many bytes, of which none is held.
func Bytes(size int64) io.Reader { return io.LimitReader(&pattern{}, size) }

type pattern struct{ n byte }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = p.n
		p.n++
	}
	return len(b), nil
}

// SumOf returns the hash of a file, and closes it.
func SumOf(t *testing.T, file io.ReadCloser) [32]byte {
	t.Helper()
	h := sha256.New()
	_, err := io.Copy(h, file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil))
}

var tag = regexp.MustCompile(`<[^>]*>`)

// Shown is what somebody sees of HTML.
func Shown(body string) string {
	lines := strings.NewReplacer("<br>", "\n", "<br/>", "\n", "</p>", "\n").Replace(body)
	return html.UnescapeString(tag.ReplaceAllString(lines, ""))
}
