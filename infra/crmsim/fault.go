package crmsim

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Call is one call to a CRM.
type Call struct {
	N      int    // 1 for the run's first
	CRM    string // the connector
	Op     string // HTTP method and path
	Worker int
	At     time.Time
}

// Fault is what goes wrong with a call.
type Fault string

// The faults.
const (
	None    Fault = ""
	Refused Fault = "refused before"   // not done: no connection is made
	Away    Fault = "503"              // not done: what stands before the CRM says so
	Lost    Fault = "lost after"       // done, and the connection breaks before the answer
	Garbled Fault = "502 after"        // done, and what stands before the CRM answers
	Gone    Fault = "gone after"       // done, and the process that called dies
	Slow    Fault = "429 with a pause" // not done: too many calls, come again in ten seconds
)

// Faults are those that may hit any single call.
var Faults = []Fault{Refused, Lost, Garbled, Gone}

// line is a worker's way to a CRM.
type line struct {
	w   *worker
	crm *CRM
}

// RoundTrip makes a call. It reaches the CRM when half of its time has passed.
func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	r := l.w.r
	_ = l.w.wait(req.Context(), r.o.Takes/2)
	fault := r.meet(Call{CRM: l.crm.Connector, Op: req.Method + " " + req.URL.Path, Worker: l.w.n, At: r.Now()})
	switch fault {
	case None:
	case Refused, Away, Slow:
		if req.Body != nil {
			_ = req.Body.Close()
		}
		_ = l.w.wait(req.Context(), r.o.Takes/2)
		return fault.answer()
	default:
		if res, err := r.web.RoundTrip(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body) // all of it, so that the CRM is done
			_ = res.Body.Close()
		}
		if fault == Gone {
			l.w.die()
		}
		_ = l.w.wait(req.Context(), r.o.Takes/2)
		return fault.answer()
	}
	res, err := r.web.RoundTrip(req)
	_ = l.w.wait(req.Context(), r.o.Takes/2)
	return res, err
}

// meet counts a call and asks the test what is to go wrong with it.
func (r *Rig) meet(c Call) Fault {
	c.N = len(r.calls) + 1
	r.calls = append(r.calls, c)
	if r.o.Fault == nil {
		return None
	}
	return r.o.Fault(c)
}

// Calls returns the calls so far, those included that didn't reach a CRM.
func (r *Rig) Calls() []Call { return r.calls }

// answer is a fault as net/http reports it.
func (f Fault) answer() (*http.Response, error) {
	switch f {
	case Refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.EOF}
	case Lost:
		return nil, io.ErrUnexpectedEOF
	}
	status := map[Fault]int{Away: http.StatusServiceUnavailable, Garbled: http.StatusBadGateway, Slow: http.StatusTooManyRequests}[f]
	res := &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("<html>not from the CRM itself</html>")),
	}
	if f == Slow {
		res.Header.Set("Retry-After", "10")
	}
	return res, nil
}
