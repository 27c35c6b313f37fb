package engine

import (
	"math"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// drain stops taking clients, but for those whose connection stands already
// and waits in the queue: closing a listening socket resets them.
func (l *loop) drain() error {
	l.draining = true
	l.sessions.each(func(id int32) { l.meet(id, client, metDrain) })
	for _, ln := range l.listeners {
		if ln.fd < 0 {
			continue
		}
		ln.left = queued(ln.fd)
		ln.burst = mostAccepts
		l.accept(ln)
		l.drained(ln)
	}
	return l.ended()
}

// drained closes a listener when nobody waits there any more.
func (l *loop) drained(ln *listener) {
	if ln.left > 0 {
		return
	}
	l.closeListener(ln)
}

func (l *loop) closeListener(ln *listener) {
	if ln.fd < 0 {
		return
	}
	sock.Close(ln.fd)
	ln.fd, ln.watched = -1, false
	l.accepting--
}

// queued returns how many clients wait on a listening socket. The kernel tells
// for TCP; elsewhere the queue is taken until it is empty.
func queued(fd int) int {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return math.MaxInt
	}
	return int(info.Unacked)
}

// stop ends everything now.
func (l *loop) stop() error {
	for _, ln := range l.listeners {
		l.closeListener(ln)
	}
	l.sessions.each(func(id int32) {
		s := l.sessions.at(id)
		l.meet(id, client, metStop)
		if s.state == leaving { // it has ended, and knows why
			l.leave(id, s, true)
			return
		}
		l.end(id, s, ending{term: term('K', 'D')})
	})
	return errorx.ErrEngineShutdown
}
