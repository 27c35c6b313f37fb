package engine

import (
	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	"golang.org/x/sys/unix"

	"sluice/engine/sock"
)

// mostQueued is the highest number of clients that the kernel's queue of a listening socket can
// hold, which is the largest backlog.
const mostQueued = 65535

// heldClient is a client that a draining loop has accepted, and that waits for a place of a limit.
type heldClient struct {
	fd   int
	peer sock.Addr
}

// drain stops accepting new clients. The listening sockets are closed at once, so that another
// process can listen on their addresses. The clients in their queues are accepted before: their
// connections are established, and closing the socket would reset them.
func (l *loop) drain() error {
	l.draining = true
	l.sessions.each(func(id int32) { l.visit(id).meet(client, metDrain) })
	for _, ln := range l.listeners {
		if ln.fd >= 0 {
			l.hold(ln)
			l.closeListener(ln)
		}
	}
	for _, ln := range l.listeners {
		l.serveHeld(ln)
	}
	l.sessions.each(func(id int32) { l.visit(id).mode.drain() })
	return l.Ended()
}

// hold accepts the clients in the kernel's queue of a listener, without a limit's place. Clients
// for whom there is no descriptor to spare remain in the queue.
func (l *loop) hold(ln *listener) {
	for n := min(queued(ln.fd), l.process.plan.Spare(int(l.process.stat.Cur()))-l.holding); n > 0; n-- {
		var c heldClient
		var e sock.Errno
		c.fd, e = sock.Accept(ln.fd, &c.peer)
		switch e {
		case 0:
			ln.held = append(ln.held, c)
			l.holding++
		case unix.EAGAIN, unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			return
		}
	}
}

// serveHeld begins the sessions of held clients, in their order, as far as the limits have places.
func (l *loop) serveHeld(ln *listener) {
	for len(ln.held) > 0 && l.admit(ln) {
		c := ln.held[0]
		ln.held = ln.held[1:]
		l.holding--
		l.peer = c.peer
		l.open(ln, c.fd)
	}
}

// closeListener closes the listening socket, if it is open.
func (l *loop) closeListener(ln *listener) {
	if ln.fd < 0 {
		return
	}
	l.pause(ln)
	sock.Close(ln.fd)
	ln.fd = -1
	l.accepting--
}

// queued returns how many clients wait in the queue of a listening socket. For a UNIX socket
// the number is unknown; queued then returns mostQueued.
func queued(fd int) int {
	if n, ok := sock.Queued(fd); ok {
		return n
	}
	return mostQueued
}

// stop ends all sessions at once. Its error ends the loop.
func (l *loop) stop() error {
	for _, ln := range l.listeners {
		l.closeListener(ln)
		for _, c := range ln.held {
			sock.Close(c.fd)
		}
		l.holding, ln.held = l.holding-len(ln.held), nil
	}
	l.sessions.each(func(id int32) {
		v := l.visit(id)
		v.meet(client, metStop)
		if v.s.state == leaving { // it has its termination state already
			v.leave(true)
			return
		}
		v.end(ending{term: term('K', 'D'), last: client, abrupt: v.mode.cuts()})
	})
	return errorx.ErrEngineShutdown
}
