package stack

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"threadline/infra/local/state"
)

// occupy takes the state directory and the port: that one of them is in use is told before anything is started.
func (s *Stack) occupy() (listeners []net.Listener, err error) {
	s.unlock, err = state.Lock(s.options.StateDir)
	if errors.Is(err, state.ErrInUse) {
		err = fmt.Errorf("%s is in use by another run: stop that one, or choose another folder with STATE_DIR=", s.options.StateDir)
	}
	listeners, listenErr := s.listen()
	if err := errors.Join(err, listenErr); err != nil {
		closeAll(listeners)
		return nil, err
	}
	return listeners, nil
}

func (s *Stack) listen() ([]net.Listener, error) {
	first, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(s.options.Port, "0"))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %s is in use: stop what uses it, or choose another one with PORT=", s.options.Port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s.port = first.Addr().(*net.TCPAddr).Port
	listeners := []net.Listener{first}
	// A machine without IPv6 has no [::1]; localhost then means 127.0.0.1 alone.
	if second, err := net.Listen("tcp", "[::1]:"+strconv.Itoa(s.port)); err == nil {
		listeners = append(listeners, second)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}
