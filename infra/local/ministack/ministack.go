// Package ministack runs the MiniStack emulator: the AWS services that Threadline uses, on a loopback port.
//
// It keeps its state in the state directory, which must be the caller's alone (package state), when it
// is stopped cleanly, which Stop does and, on Linux, the kernel too when this process dies without a
// word. An emulator that a dead run left behind is stopped before a new one starts. It sees nothing of
// this process's environment, and listens on 127.0.0.1 only.
package ministack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"threadline/infra/local/process"
)

const (
	// Region is where everything is deployed.
	Region = "us-east-1"

	startTimeout = 30 * time.Second
	saveTimeout  = 12 * time.Second
)

// Emulator is a running MiniStack.
type Emulator struct {
	endpoint string
	pidFile  string
	cmd      *exec.Cmd
	exited   chan struct{}
}

// Options say which emulator to start.
type Options struct {
	Venv     string // the environment that it is installed in
	StateDir string // its state is in the folder aws there, its log in aws.log
	Fresh    bool   // forget an earlier state
}

// Start starts the emulator and waits until it answers.
func Start(ctx context.Context, o Options) (*Emulator, error) {
	dir := filepath.Join(o.StateDir, "aws")
	e := &Emulator{pidFile: filepath.Join(dir, "pid"), exited: make(chan struct{})}
	program := filepath.Join(o.Venv, "bin", "uvicorn")
	if err := e.stopLeftBehind(program); err != nil {
		return nil, err
	}
	if err := makeFolders(dir, o.Fresh); err != nil {
		return nil, err
	}
	if err := e.start(program, dir, o.StateDir); err != nil {
		return nil, err
	}
	if err := e.waitReady(ctx); err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

func makeFolders(dir string, fresh bool) error {
	for _, sub := range []string{"state", "s3", "tmp"} {
		path := filepath.Join(dir, sub)
		if fresh {
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("delete old state: %w", err)
			}
		}
		if err := os.MkdirAll(path, 0o700); err != nil {
			return fmt.Errorf("create state directory: %w", err)
		}
	}
	return nil
}

func (e *Emulator) start(program, dir, stateDir string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	e.endpoint = "http://127.0.0.1:" + strconv.Itoa(port)
	log, err := os.OpenFile(filepath.Join(stateDir, "aws.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open emulator's log: %w", err)
	}
	defer log.Close() // the process has its own descriptor

	// Files of the emulator get the mode that its umask leaves; /bin/sh is the one way to set that.
	// Its own server, hypercorn, answers a third as many requests a second as uvicorn does.
	e.cmd = exec.Command("/bin/sh", "-c", `umask 077 && exec "$0" "$@"`, program, "ministack.app:app",
		"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--log-level", "warning", "--no-access-log",
		"--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "3")
	e.cmd.Env = environment(dir, port)
	e.cmd.Dir = dir
	e.cmd.Stdout, e.cmd.Stderr = log, log
	if err := process.Start(e.cmd, syscall.SIGTERM); err != nil {
		return fmt.Errorf("start emulator: %w", err)
	}
	go func() {
		e.cmd.Wait()
		close(e.exited)
	}()
	if err := os.WriteFile(e.pidFile, []byte(strconv.Itoa(e.cmd.Process.Pid)), 0o600); err != nil {
		e.Stop()
		return fmt.Errorf("write emulator's pid: %w", err)
	}
	return nil
}

// environment is all that the emulator sees. It reads STATE_DIR too, so ours must not reach it.
func environment(dir string, port int) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"HOME=" + dir,
		"TMPDIR=" + filepath.Join(dir, "tmp"),
		"BIND_HOST=127.0.0.1",
		"MINISTACK_HOST=127.0.0.1",
		"GATEWAY_PORT=" + strconv.Itoa(port),
		"MINISTACK_REGION=" + Region,
		"AWS_DEFAULT_REGION=" + Region,
		"AWS_ENDPOINT_URL=http://127.0.0.1:" + strconv.Itoa(port), // for functions that a deployment calls itself
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",  // what links are signed with, which it verifies
		"PERSIST_STATE=1",
		"STATE_DIR=" + filepath.Join(dir, "state"),
		"S3_PERSIST=1",
		"S3_DATA_DIR=" + filepath.Join(dir, "s3"),
		"IOT_MTLS_ENABLED=0",
		"SFTP_ENABLED=0",
		"DOCKER_HOST=unix:///nonexistent", // never touch the user's containers
		"LOG_LEVEL=WARNING",
		"PYTHONUNBUFFERED=1",
	}
}

func (e *Emulator) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.endpoint+"/_ministack/health", nil)
		if err != nil {
			return fmt.Errorf("ask emulator: %w", err)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-e.exited:
			return errors.New("the AWS emulator ended while starting (its log is aws.log in the state directory)")
		case <-ctx.Done():
			return fmt.Errorf("the AWS emulator does not answer: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Endpoint is the URL of every service.
func (e *Emulator) Endpoint() string { return e.endpoint }

// Exited is closed when the emulator is gone, wanted or not.
func (e *Emulator) Exited() <-chan struct{} { return e.exited }

// Stop lets the emulator save its state and waits until it and everything it started is gone.
func (e *Emulator) Stop() {
	_ = e.cmd.Process.Signal(syscall.SIGTERM) // an error means that it is gone already
	select {
	case <-e.exited:
	case <-time.After(saveTimeout):
	}
	_ = process.Signal(e.cmd, syscall.SIGKILL)
	<-e.exited
	os.Remove(e.pidFile)
}

// stopLeftBehind stops an emulator of an earlier run that could not do so itself. The pid alone may
// belong to somebody else by now, so its command line has to be ours.
func (e *Emulator) stopLeftBehind(program string) error {
	content, err := os.ReadFile(e.pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read pid of an earlier emulator: %w", err)
	}
	pid, err := strconv.Atoi(string(content))
	if err != nil {
		return nil // half written: that run never got an emulator going
	}
	ours := func() bool {
		out, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
		return err == nil && strings.Contains(string(out), program)
	}
	for deadline := time.Now().Add(saveTimeout); ours(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			continue
		}
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	return nil
}

// freePort finds a port that nobody listens on. Somebody could take it before the emulator does;
// then the emulator says so and ends, and so does the start.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
