// Package process starts child processes that cannot outlive their parent by accident.
//
// Every child leads a process group of its own: a Ctrl-C in the terminal reaches only the
// parent, which then stops its children in the order that it needs, and a child's own
// children are reached by signalling the group. On Linux the kernel also signals the child
// when the parent dies without a word; elsewhere the child has to notice by itself.
package process

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

var (
	startRequests = make(chan func())
	startThread   sync.Once
)

// Start starts cmd in a group of its own. On Linux the kernel sends it whenParentDies.
//
// All children are forked from one thread that never ends: Linux takes the end of the forking
// thread, not of the process, for the parent's death (https://go.dev/issue/27505).
func Start(cmd *exec.Cmd, whenParentDies syscall.Signal) error {
	startThread.Do(func() {
		go func() {
			runtime.LockOSThread()
			for start := range startRequests {
				start()
			}
		}()
	})
	cmd.SysProcAttr = attributes(whenParentDies)
	started := make(chan error)
	startRequests <- func() { started <- cmd.Start() }
	return <-started
}

// Signal sends sig to the whole group of a process that Start started.
func Signal(cmd *exec.Cmd, sig syscall.Signal) error {
	return syscall.Kill(-cmd.Process.Pid, sig)
}
