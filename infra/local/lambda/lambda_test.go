package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"threadline/infra/local/lambda"
)

var echo string // the built fixture

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambda")
	if err != nil {
		panic(err)
	}
	echo = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-o", echo, "../testdata/echo")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// host runs the fixture under the name echo.
func host(t *testing.T, change func(*lambda.Function)) *lambda.Host {
	t.Helper()
	h, err := lambda.NewHost("us-east-1", "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close(context.Background()) })
	f := lambda.Function{Name: "echo", ARN: "arn:echo", Binary: echo, Handler: "bootstrap", Timeout: 2 * time.Second}
	if change != nil {
		change(&f)
	}
	h.Add(f)
	return h
}

type answer struct {
	Instance    string
	PID         int
	Environment []string
	Deadline    time.Duration
}

func invoke(t *testing.T, h *lambda.Host, what string) (answer, error) {
	t.Helper()
	response, err := h.Invoke(t.Context(), "echo", []byte(`{"pathParameters":{"proxy":"`+what+`"}}`))
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(response, &a); err != nil {
		t.Fatalf("response: %v", err)
	}
	return a, nil
}

func TestWarmInstanceIsUsedAgain(t *testing.T) {
	h := host(t, nil)
	first, err := invoke(t, h, "x")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := invoke(t, h, "x")
		if err != nil {
			t.Fatal(err)
		}
		if again.Instance != first.Instance {
			t.Fatal("a second process was started although the first was idle")
		}
	}
}

func TestBusyInstancesAreNotShared(t *testing.T) {
	for _, limit := range []int{0, 1} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			h := host(t, func(f *lambda.Function) { f.MaxInstances = limit })
			var mu sync.Mutex
			instances := make(map[string]bool)
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					a, err := invoke(t, h, "slow")
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					instances[a.Instance] = true
					mu.Unlock()
				})
			}
			all.Wait()
			want := 3
			if limit == 1 {
				want = 1
			}
			if len(instances) != want {
				t.Errorf("%d processes, want %d", len(instances), want)
			}
		})
	}
}

func TestEnvironmentIsLambdas(t *testing.T) {
	t.Setenv("SECRET_OF_MINE", "x")
	h := host(t, func(f *lambda.Function) {
		f.Env = map[string]string{"TABLE": "t"}
		f.LogFormat = "JSON"
	})
	a, err := invoke(t, h, "x")
	if err != nil {
		t.Fatal(err)
	}
	env := "\n" + strings.Join(a.Environment, "\n") + "\n"
	for _, want := range []string{
		"TABLE=t", "_HANDLER=bootstrap", "AWS_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_NAME=echo",
		"AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_LAMBDA_LOG_FORMAT=JSON",
	} {
		if !strings.Contains(env, "\n"+want+"\n") {
			t.Errorf("no %s in the environment", want)
		}
	}
	if strings.Contains(env, "SECRET_OF_MINE") {
		t.Error("the runner's own environment reaches the function")
	}
	if a.Deadline <= 0 || a.Deadline > 2*time.Second {
		t.Errorf("deadline in %v, want at most the time-out", a.Deadline)
	}
}

func TestFailures(t *testing.T) {
	cases := []struct {
		what string
		want error
	}{
		{"exit", lambda.ErrExited},
		{"hang", lambda.ErrTimeout},
		{"large", lambda.ErrTooLarge},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			h := host(t, func(f *lambda.Function) { f.Timeout = 500 * time.Millisecond })
			if _, err := invoke(t, h, c.what); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if _, err := invoke(t, h, "x"); err != nil {
				t.Errorf("the next invocation fails: %v", err)
			}
		})
	}
}

func TestPanicIsTheFunctionsError(t *testing.T) {
	h := host(t, nil)
	before, err := invoke(t, h, "x")
	if err != nil {
		t.Fatal(err)
	}
	_, err = invoke(t, h, "panic")
	var failed *lambda.FunctionError
	if !errors.As(err, &failed) || !strings.Contains(string(failed.Payload), "as asked") {
		t.Fatalf("error %v, want the function's", err)
	}
	if strings.Contains(err.Error(), "as asked") {
		t.Error("the error quotes the function, which may quote a customer")
	}
	after, err := invoke(t, h, "x")
	if err != nil {
		t.Fatal(err)
	}
	if after.Instance == before.Instance {
		t.Error("the process that panicked was used again")
	}
}

func TestLargeRequestIsRefused(t *testing.T) {
	h := host(t, nil)
	if _, err := h.Invoke(t.Context(), "echo", make([]byte, lambda.MaxPayload+1)); !errors.Is(err, lambda.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	if _, err := h.Invoke(t.Context(), "nobody", nil); !errors.Is(err, lambda.ErrUnknown) {
		t.Errorf("error %v, want ErrUnknown", err)
	}
}

func TestKillFailsWhatIsRunning(t *testing.T) {
	h := host(t, func(f *lambda.Function) { f.Timeout = time.Minute })
	if _, err := invoke(t, h, "x"); err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		_, err := invoke(t, h, "hang")
		result <- err
	}()
	deadline := time.After(10 * time.Second)
	for {
		h.Kill("echo")
		select {
		case err := <-result:
			if !errors.Is(err, lambda.ErrExited) {
				t.Fatalf("error %v, want ErrExited", err)
			}
			if _, err := invoke(t, h, "x"); err != nil {
				t.Errorf("the next invocation fails: %v", err)
			}
			return
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("the invocation outlives its process")
		}
	}
}

func TestCloseLeavesNoProcess(t *testing.T) {
	h := host(t, nil)
	a, err := invoke(t, h, "x")
	if err != nil {
		t.Fatal(err)
	}
	h.Close(t.Context())
	if err := syscall.Kill(a.PID, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", a.PID, err)
	}
	if _, err := invoke(t, h, "x"); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}
