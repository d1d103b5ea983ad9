// Package lambda runs functions on this machine as AWS Lambda does in its own: each one a
// process that asks the Lambda Runtime API for work.
//
// Kept from Lambda, because promises rest on it: one invocation at a time per instance, warm
// instances used again and new ones started when all are busy, an instance killed when the
// function's time is up and when it fails to start, a crash answered as an error, payloads of
// 6 MB at most each way. Left out: IAM, the memory limit, freezing between invocations.
package lambda

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// MaxPayload is the limit of a synchronous invocation's request and of its response, in bytes.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxPayload = 6 << 20

	// initTimeout is what Lambda gives an instance to ask for its first invocation.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
	initTimeout = 10 * time.Second
)

var (
	// ErrTimeout is what Invoke returns when the function's time was up; its instance is gone.
	ErrTimeout = errors.New("function timed out")
	// ErrExited is what Invoke returns when the process ended before it answered.
	ErrExited = errors.New("function process exited")
	// ErrTooLarge is what Invoke returns for a request or a response over MaxPayload.
	ErrTooLarge = errors.New("payload over 6 MB")
	// ErrUnknown is what Invoke returns for a name that was never added.
	ErrUnknown = errors.New("no such function")
	// ErrClosed is what Invoke returns once Close was called.
	ErrClosed = errors.New("host is closed")
)

// FunctionError is an error that the handler itself returned (or a panic that its runtime caught).
type FunctionError struct {
	Function string
	Payload  []byte // the runtime's JSON: errorType, errorMessage, stackTrace
}

// Error leaves the payload out: a handler's message may quote what a customer wrote.
func (e *FunctionError) Error() string { return e.Function + ": handler returned an error" }

// Function is what Lambda knows of a deployed function.
type Function struct {
	Name         string            // as deployed; Invoke's name
	ARN          string            // reported to the handler
	Binary       string            // path of the executable
	Handler      string            // _HANDLER
	Env          map[string]string // the function's own variables
	Endpoint     string            // where it finds AWS; empty: where the host's functions do
	Timeout      time.Duration     // per invocation
	MemoryMB     int               // reported to the handler, not enforced
	LogFormat    string            // JSON or Text; empty: Text
	LogLevel     string            // for LogFormat JSON; empty: not set
	MaxInstances int               // most processes at once; 0: 100
	Log          *os.File          // the processes' stdout and stderr; nil: nowhere
}

// Host serves the Runtime API on a free loopback port and owns the processes of its functions.
type Host struct {
	region   string
	endpoint string // AWS_ENDPOINT_URL of the functions
	address  string
	server   *http.Server

	mu        sync.Mutex
	closed    bool
	pools     map[string]*pool
	instances map[string]*instance
	running   sync.WaitGroup
}

// NewHost starts a host whose functions find AWS at endpoint.
func NewHost(region, endpoint string) (*Host, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the runtime API: %w", err)
	}
	h := &Host{
		region:    region,
		endpoint:  endpoint,
		address:   listener.Addr().String(),
		pools:     make(map[string]*pool),
		instances: make(map[string]*instance),
	}
	h.server = &http.Server{Handler: h.runtimeAPI(), ReadHeaderTimeout: 10 * time.Second}
	go h.server.Serve(listener) // ends with Close
	return h, nil
}

// Add makes a function known; it starts with its first invocation.
func (h *Host) Add(f Function) {
	limit := f.MaxInstances
	if limit == 0 {
		limit = 100
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f.Endpoint = cmp.Or(f.Endpoint, h.endpoint)
	h.pools[f.Name] = &pool{function: f, slots: make(chan struct{}, limit)}
}

// Invoke runs one invocation and returns the handler's response. It waits for a free slot when
// MaxInstances are busy. Errors: FunctionError, ErrTimeout, ErrExited, ErrTooLarge, ErrUnknown,
// ErrClosed, or ctx's own (the instance is then killed, since nobody knows what it is doing).
func (h *Host) Invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("invoke %s: request: %w", name, ErrTooLarge)
	}
	p, err := h.begin(name)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", name, err)
	}
	defer h.running.Done()
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("invoke %s: %w", name, ctx.Err())
	}
	inv := &invocation{id: newID(), payload: payload, done: make(chan outcome, 1)}
	inst, err := h.place(ctx, p, inv)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", name, err)
	}
	response, err := inst.wait(ctx, inv)
	if err != nil {
		err = fmt.Errorf("invoke %s: %w", name, err)
	}
	p.putIdle(inst)
	return response, err
}

// place gives inv to a warm instance or to a new one. A warm one may be ending just now (after a
// panic it first reports, then exits); what it never took goes to the next.
func (h *Host) place(ctx context.Context, p *pool, inv *invocation) (*instance, error) {
	for inst := p.takeIdle(); inst != nil; inst = p.takeIdle() {
		err := inst.hand(ctx, inv)
		if err == nil {
			return inst, nil
		}
		if !errors.Is(err, ErrExited) {
			return nil, err
		}
	}
	inst, err := h.start(p)
	if err != nil {
		return nil, err
	}
	if err := inst.hand(ctx, inv); err != nil {
		return nil, err
	}
	return inst, nil
}

// begin counts an invocation as running, unless the host is closed.
func (h *Host) begin(name string) (*pool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	p, ok := h.pools[name]
	if !ok {
		return nil, ErrUnknown
	}
	h.running.Add(1)
	return p, nil
}

// Kill ends every process of a function at once, as kill -9 does, and returns how many there were.
// What they were doing fails with ErrExited.
func (h *Host) Kill(name string) int {
	killed := 0
	for _, inst := range h.live() {
		if inst.function.Name == name {
			inst.kill()
			killed++
		}
	}
	return killed
}

// Close refuses new invocations, lets the running ones end until ctx is done, then ends every
// process and waits until it is gone.
func (h *Host) Close(ctx context.Context) {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()

	idle := make(chan struct{})
	go func() { h.running.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	for _, inst := range h.live() {
		inst.kill()
		<-inst.exited
	}
	h.server.Close()
}

func (h *Host) live() []*instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*instance, 0, len(h.instances))
	for _, inst := range h.instances {
		all = append(all, inst)
	}
	return all
}

// pool is one function with its idle instances, the latest used last.
type pool struct {
	function Function
	slots    chan struct{}

	mu   sync.Mutex
	idle []*instance
}

// takeIdle returns the warmest live instance, or nil.
func (p *pool) takeIdle() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		inst := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		select {
		case <-inst.exited:
		default:
			return inst
		}
	}
	return nil
}

// putIdle keeps an instance for the next invocation; takeIdle sorts out those that ended.
func (p *pool) putIdle(inst *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, inst)
}

// readPayload reads a body of at most MaxPayload bytes.
func readPayload(body io.Reader) ([]byte, error) {
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(body, MaxPayload+1))
	if err != nil {
		return nil, err
	}
	if n > MaxPayload {
		return nil, ErrTooLarge
	}
	return buf.Bytes(), nil
}
