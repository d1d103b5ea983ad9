package httpapi

import (
	"fmt"
	"runtime"
	"strings"
)

// panicked is what a panic in a handler becomes.
type panicked struct {
	kind  string   // the value's type
	stack []string // function names and lines, innermost first
}

func (p *panicked) Error() string { return "panic: " + p.kind }

func stack() []string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)]) // 3: Callers, stack, contain
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
