package kernel

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Result is the outcome of a call, for Process.Seen.
type Result struct {
	Call  Call    // the kind of the call
	Fd    int     // the descriptor that the call used or opened; -1: the call failed to open it
	To    int     // splice: the descriptor of the target; pipe: that of the writing end
	N     int     // number of bytes moved; for accept and dup the new descriptor; -1 if one of these failed
	At    Address // connect, bind, send: the address passed to the call; accept: the client's address
	Errno Errno   // 0: success
}

// tell passes a result to Seen.
func (p *Process) tell(r Result) {
	if p.Seen != nil {
		p.Seen(r)
	}
}

// traced reports whether the kernel has a trace. Callers check it before they compute costly
// arguments.
func (p *Process) traced() bool { return p.kernel.Trace != nil }

// trace passes a line about a call to the trace of the kernel, if there is one. The arguments cost an
// allocation in any case, so frequent calls use report.
func (p *Process) trace(format string, args ...any) {
	if p.traced() {
		p.kernel.Trace(p, fmt.Sprintf(format, args...))
	}
}

// report passes a call that moves up to size bytes to Seen and to the trace.
func (p *Process) report(c Call, fd, size, result int, e Errno) {
	p.tell(Result{Call: c, Fd: fd, N: result, Errno: e})
	p.traceMove(c, fd, size, result, e)
}

// traceMove traces a call that moves up to size bytes, such as "read 7 (64) = 12". It allocates
// nothing without a trace.
func (p *Process) traceMove(c Call, fd, size, result int, e Errno) {
	if p.traced() {
		p.kernel.Trace(p, fmt.Sprintf("%s %d (%d) = %s", c, fd, size, outcome(result, e)))
	}
}

// done passes a call to Seen and to the trace with its descriptor and result, such as "close 7 =
// 0".
func (p *Process) done(c Call, fd, result int, e Errno) {
	p.tell(Result{Call: c, Fd: fd, N: result, Errno: e})
	if p.traced() {
		p.kernel.Trace(p, fmt.Sprintf("%s %d = %s", c, fd, outcome(result, e)))
	}
}

// traceControl traces an epoll_ctl, such as "epoll_ctl 3 ADD 7 IN|ET = 0".
func (p *Process) traceControl(ep, op, fd int, ev *unix.EpollEvent, e Errno) {
	var what string
	switch op {
	case unix.EPOLL_CTL_ADD:
		what = fmt.Sprintf("ADD %d %s", fd, Events(ev.Events))
	case unix.EPOLL_CTL_MOD:
		what = fmt.Sprintf("MOD %d %s", fd, Events(ev.Events))
	case unix.EPOLL_CTL_DEL:
		what = fmt.Sprintf("DEL %d", fd)
	}
	p.trace("%s %d %s = %s", CallControl, ep, what, outcome(0, e))
}

// traceWait traces an epoll_wait with the descriptors that its events are for, such as
// "epoll_wait 3 (256) = 2: 7 IN, 9 OUT|HUP".
func (p *Process) traceWait(ep int, fds []int, events []unix.EpollEvent, n int, e Errno) {
	var told []string
	for i := range max(n, 0) {
		told = append(told, fmt.Sprint(fds[i], " ", Events(events[i].Events)))
	}
	line := fmt.Sprintf("%s %d (%d) = %s", CallWait, ep, len(events), outcome(n, e))
	if n > 0 {
		line += ": " + strings.Join(told, ", ")
	}
	p.kernel.Trace(p, line)
}

// reaches calls Delivered for something that the socket has sent: it has reached the other end, or
// was lost or refused.
func (s *tcp) reaches(what string) {
	if s.kernel.Delivered != nil {
		s.kernel.Delivered(s.name.local, s.name.remote, what)
	}
}

// bytesReach calls reaches for n bytes.
func (s *tcp) bytesReach(n int) {
	if s.kernel.Delivered != nil {
		s.reaches(fmt.Sprintf("%d bytes", n))
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
