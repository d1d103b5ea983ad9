// Package record listens in between functions and AWS, and says which rights every call needs.
//
// A Recorder is a reverse proxy with an address for each function; the function knows nothing of it. What passes is
// named in IAM's terms: the action that a role must allow, and the resource that it must allow it on. A call that isn't
// known here is recorded under its own name, so that a comparison with a role fails instead of overlooking it.
//
// Granted reads the other side, the statements of a template's roles, in the same terms.
package record

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Right is one action of one function on one resource. Resources are written as the resource's name and, where a part
// of it is meant, what follows the name in an ARN: "Orders", "Orders/index/GSI1", "Files/media/1".
type Right struct{ Function, Action, Resource string }

func (r Right) String() string { return r.Function + ": " + r.Action + " on " + r.Resource }

// compare orders rights as they are printed.
func compare(a, b Right) int {
	return cmp.Or(strings.Compare(a.Function, b.Function), strings.Compare(a.Action, b.Action), strings.Compare(a.Resource, b.Resource))
}

// Recorder is a proxy that remembers what passed. Its methods may be called from any goroutine.
type Recorder struct {
	mu      sync.Mutex
	servers []*http.Server
	seen    map[Right]bool
}

// New returns a Recorder that listens nowhere yet. The caller must Close it.
func New() *Recorder {
	return &Recorder{seen: map[Right]bool{}}
}

// Between returns the URL at which a function finds the AWS that is at target. It panics if no port is free.
func (r *Recorder) Between(function, target string) string {
	to, err := url.Parse(target)
	if err != nil {
		panic(fmt.Sprintf("record: %s is not a URL", target))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("record: " + err.Error())
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to); p.Out.Host = p.In.Host }, // links are signed for that host
		ModifyResponse: func(resp *http.Response) error {
			r.add(function, revealed(resp))
			return nil
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		ErrorLog:  log.New(io.Discard, "", 0), // a function that was killed in the middle of a call is no news
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := r.note(function, req); err != nil {
			http.Error(w, "the request could not be read", http.StatusBadRequest)
			return
		}
		proxy.ServeHTTP(w, req)
	})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.servers = append(r.servers, server)
	go server.Serve(listener) // ends with Close
	return "http://" + listener.Addr().String()
}

// note remembers what a call needs. Files are not read: their name is in the path.
func (r *Recorder) note(function string, req *http.Request) error {
	var body []byte
	if req.Header.Get("X-Amz-Target") != "" {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.add(function, needed(req, body))
	return nil
}

func (r *Recorder) add(function string, needs []Right) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range needs {
		n.Function = function
		r.seen[n] = true
	}
}

// Seen returns every right that was needed so far, once each and in order.
func (r *Recorder) Seen() []Right {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Right
	for right := range r.seen {
		all = append(all, right)
	}
	slices.SortFunc(all, compare)
	return all
}

// Close ends the proxy.
func (r *Recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.servers {
		s.Close()
	}
}
