package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor times in /proc: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// processors is the processor time that each function's processes have used so far, those that ended left out. Without
// /proc it is empty.
func (l *local) processors() map[string]time.Duration {
	used := map[string]time.Duration{}
	children(func(executable string, cpu time.Duration) {
		if dir := filepath.Dir(executable); filepath.Dir(dir) == filepath.Join(l.state, "functions") {
			used[filepath.Base(dir)] += cpu
		}
	})
	return used
}

// emulator is the processor time of the emulator.
func (l *local) emulator() (used time.Duration) {
	children(func(executable string, cpu time.Duration) {
		if strings.Contains(filepath.Base(executable), "python") {
			used += cpu
		}
	})
	return used
}

// children calls f with every child process and the processor time that it has used.
func children(f func(executable string, cpu time.Duration)) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return
	}
	for _, path := range stats {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// The second field is the program's name in parentheses, which may hold spaces. The others after it:
		// state ppid … utime stime, https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
		fields := strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
		if len(fields) < 13 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		executable, err := os.Readlink(filepath.Join(filepath.Dir(path), "exe"))
		if err != nil {
			continue
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		f(executable, time.Duration(user+system)*tick)
	}
}

// memory is the most that a process had in memory so far, in bytes; 0 without /proc. The kernel's resource usage would
// count what its parent had when it forked.
func memory(pid int) int64 {
	content, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
