package kernel

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// traced reports whether somebody listens to the trace. A call whose line needs costly arguments asks
// it first.
func (p *Process) traced() bool { return p.kernel.Trace != nil }

// trace passes a line about a call to the trace of the kernel, if there is one. The arguments cost an
// allocation in any case, so frequent calls use report.
func (p *Process) trace(format string, args ...any) {
	if p.traced() {
		p.kernel.Trace(p, fmt.Sprintf(format, args...))
	}
}

// report traces a call that moves up to size bytes of a descriptor, such as "read 7 (64) = 12". It
// allocates nothing without a trace.
func (p *Process) report(c Call, fd, size, result int, e Errno) {
	if p.traced() {
		p.kernel.Trace(p, fmt.Sprintf("%s %d (%d) = %s", c, fd, size, outcome(result, e)))
	}
}

// done traces a call that has nothing but a descriptor, such as "close 7 = 0".
func (p *Process) done(c Call, fd, result int, e Errno) {
	if p.traced() {
		p.kernel.Trace(p, fmt.Sprintf("%s %d = %s", c, fd, outcome(result, e)))
	}
}

// outcome is the text for the result of a call: its number, or the name of its error.
func outcome(result int, e Errno) string {
	if e != 0 {
		return unix.ErrnoName(e)
	}
	return fmt.Sprint(result)
}

// eventNames are the events of epoll in the order of traces.
var eventNames = []struct {
	bit  uint32
	name string
}{
	{unix.EPOLLIN, "IN"}, {unix.EPOLLPRI, "PRI"}, {unix.EPOLLOUT, "OUT"}, {unix.EPOLLERR, "ERR"},
	{unix.EPOLLHUP, "HUP"}, {unix.EPOLLRDHUP, "RDHUP"}, {unix.EPOLLET, "ET"}, {unix.EPOLLONESHOT, "ONESHOT"},
}

// Events returns the names of epoll events, such as "IN|RDHUP".
func Events(events uint32) string {
	var names []string
	for _, e := range eventNames {
		if events&e.bit != 0 {
			names = append(names, e.name)
		}
	}
	return strings.Join(names, "|")
}
