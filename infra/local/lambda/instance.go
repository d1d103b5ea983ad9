package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"threadline/infra/local/process"
)

// instance is one process of a function. It works on one invocation at a time.
type instance struct {
	id       string
	function Function
	cmd      *exec.Cmd
	work     chan *invocation // unbuffered: received when the process asks for its next invocation
	exited   chan struct{}    // closed when the process is gone

	mu      sync.Mutex
	current *invocation
}

// invocation is one request on its way through an instance.
type invocation struct {
	id      string
	payload []byte
	done    chan outcome // buffered: the process never waits for us
}

type outcome struct {
	response []byte
	err      error
}

// start starts a process for the pool's function.
func (h *Host) start(p *pool) (*instance, error) {
	f := p.function
	inst := &instance{
		id:       newID(),
		function: f,
		work:     make(chan *invocation),
		exited:   make(chan struct{}),
	}
	inst.cmd = exec.Command(f.Binary)
	inst.cmd.Dir = filepath.Dir(f.Binary)
	inst.cmd.Env = h.environment(f, inst.id)
	if f.Log != nil { // a nil *os.File in an io.Writer would not be nil
		inst.cmd.Stdout, inst.cmd.Stderr = f.Log, f.Log
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if err := process.Start(inst.cmd, syscall.SIGKILL); err != nil {
		return nil, fmt.Errorf("start process: %w", err)
	}
	h.instances[inst.id] = inst
	go func() {
		inst.cmd.Wait()
		inst.kill() // what the process may have started itself
		h.mu.Lock()
		delete(h.instances, inst.id)
		h.mu.Unlock()
		close(inst.exited)
	}()
	return inst, nil
}

// environment is what Lambda gives a process, with an endpoint URL and dummy keys added.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (h *Host) environment(f Function, instanceID string) []string {
	env := []string{
		// The runtime client only puts "http://" in front, so the path tells instances apart.
		"AWS_LAMBDA_RUNTIME_API=" + h.address + "/" + instanceID,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + instanceID,
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"AWS_REGION=" + h.region,
		"AWS_DEFAULT_REGION=" + h.region,
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_ENDPOINT_URL=" + f.Endpoint,
		"AWS_EC2_METADATA_DISABLED=true",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(f.Binary),
		"_HANDLER=" + f.Handler,
		"TZ=:UTC",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin:/bin",
	}
	if f.LogFormat != "" {
		env = append(env, "AWS_LAMBDA_LOG_FORMAT="+f.LogFormat)
	}
	if f.LogLevel != "" {
		env = append(env, "AWS_LAMBDA_LOG_LEVEL="+f.LogLevel)
	}
	for name, value := range f.Env {
		env = append(env, name+"="+value)
	}
	return env
}

// wait waits for what the process says to an invocation that it was given.
func (i *instance) wait(ctx context.Context, inv *invocation) ([]byte, error) {
	timeout := time.NewTimer(i.function.Timeout)
	defer timeout.Stop()
	select {
	case out := <-inv.done:
		return out.response, out.err
	case <-i.exited:
		return lastWords(inv)
	case <-timeout.C:
		i.kill()
		<-i.exited
		return nil, ErrTimeout
	case <-ctx.Done():
		i.kill()
		<-i.exited
		return nil, ctx.Err()
	}
}

// lastWords is what a process that has ended said before, if anything.
func lastWords(inv *invocation) ([]byte, error) {
	select {
	case out := <-inv.done:
		return out.response, out.err
	default:
		return nil, ErrExited
	}
}

// hand waits until the process asks for an invocation and gives it inv.
func (i *instance) hand(ctx context.Context, inv *invocation) error {
	init := time.NewTimer(initTimeout)
	defer init.Stop()
	select {
	case i.work <- inv:
		return nil
	case <-i.exited:
		return ErrExited
	case <-init.C:
		i.kill()
		<-i.exited
		return fmt.Errorf("start: %w", ErrTimeout)
	case <-ctx.Done():
		i.kill()
		<-i.exited
		return ctx.Err()
	}
}

func (i *instance) kill() {
	// ESRCH means that the group is gone already, which is what is wanted.
	_ = process.Signal(i.cmd, syscall.SIGKILL)
}

// runtimeAPI serves https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html below /<instance>/.
func (h *Host) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	const base = "/{instance}/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", h.serve((*instance).next))
	mux.HandleFunc("POST "+base+"invocation/{id}/response", h.serve((*instance).response))
	mux.HandleFunc("POST "+base+"invocation/{id}/error", h.serve((*instance).failure))
	mux.HandleFunc("POST "+base+"init/error", h.serve((*instance).initFailure))
	return mux
}

func (h *Host) serve(handle func(*instance, http.ResponseWriter, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		inst := h.instances[r.PathValue("instance")]
		h.mu.Unlock()
		if inst == nil {
			http.Error(w, "no such instance", http.StatusForbidden)
			return
		}
		handle(inst, w, r)
	}
}

func (i *instance) next(w http.ResponseWriter, r *http.Request) {
	select {
	case inv := <-i.work:
		i.mu.Lock()
		i.current = inv
		i.mu.Unlock()
		deadline := time.Now().Add(i.function.Timeout)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", i.function.ARN)
		w.Write(inv.payload)
	case <-i.exited:
	case <-r.Context().Done():
	}
}

func (i *instance) response(w http.ResponseWriter, r *http.Request) {
	payload, err := readPayload(r.Body)
	status := http.StatusAccepted
	if err != nil {
		status = http.StatusRequestEntityTooLarge
	}
	i.finish(w, r, status, outcome{response: payload, err: err})
}

func (i *instance) failure(w http.ResponseWriter, r *http.Request) {
	payload, err := readPayload(r.Body)
	if err == nil {
		err = &FunctionError{Function: i.function.Name, Payload: payload}
	}
	i.finish(w, r, http.StatusAccepted, outcome{err: err})
}

// finish ends the current invocation; a late or repeated answer is refused as Lambda refuses it.
func (i *instance) finish(w http.ResponseWriter, r *http.Request, status int, out outcome) {
	i.mu.Lock()
	inv := i.current
	if inv != nil && inv.id == r.PathValue("id") {
		i.current = nil
	} else {
		inv = nil
	}
	i.mu.Unlock()
	if inv == nil {
		http.Error(w, "no such invocation", http.StatusBadRequest)
		return
	}
	w.WriteHeader(status)
	inv.done <- out
}

// initFailure only acknowledges: the process ends by itself, and that is the error.
func (i *instance) initFailure(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusAccepted)
}

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
