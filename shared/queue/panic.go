package queue

import (
	"fmt"
	"runtime"
	"strings"
)

// panicked is what a panic in a handler becomes. The value itself is dropped: it may quote a customer.
type panicked struct {
	kind  string   // the value's type
	stack []string // function names and lines, innermost first
}

func (p *panicked) Error() string { return "panic: " + p.kind }

// contain runs f and returns its error, or *panicked.
func contain(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{kind: fmt.Sprintf("%T", v), stack: stack()}
		}
	}()
	return f()
}

func stack() []string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)]) // 3: Callers, stack, the deferred function
	var names []string
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			names = append(names, fmt.Sprintf("%s:%d", frame.Function, frame.Line))
		}
		if !more {
			return names
		}
	}
}
