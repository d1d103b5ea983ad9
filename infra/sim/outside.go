package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// host is the part of a test that a simulation asks for, outside of a test.
type host struct {
	testing.TB // nil: whatever else is asked for is a mistake, and panics
	cleanups   []func()
	failure    error
}

func (h *host) Helper()                  {}
func (h *host) Cleanup(f func())         { h.cleanups = append(h.cleanups, f) }
func (h *host) Context() context.Context { return context.Background() }

func (h *host) TempDir() string {
	dir, err := os.MkdirTemp("", "sim-")
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (h *host) Fatal(args ...any) { h.fail(fmt.Sprint(args...)) }

func (h *host) Fatalf(format string, args ...any) { h.fail(fmt.Sprintf(format, args...)) }

func (h *host) fail(why string) {
	h.failure = errors.New(why)
	runtime.Goexit()
}

// Outside runs do with what a simulation asks of a test, where there is none: on a goroutine that a failure ends, and
// cleaned up behind.
func Outside(do func(testing.TB)) error {
	h := &host{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for i := len(h.cleanups) - 1; i >= 0; i-- {
				h.cleanups[i]()
			}
		}()
		do(h)
	}()
	<-done
	return h.failure
}
