package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/relay"
	"sluice/engine/site"
	"sluice/engine/sock"
	"sluice/pool/stat"
)

const (
	// shortage is the pause when the kernel lacks descriptors or memory. Accepting pauses if
	// there is no descriptor or memory for a connection, a session if there is no memory for a
	// read or write.
	shortage = 100 * time.Millisecond
)

// listener is the listening socket of one bind line on one loop. It belongs to the loop.
type listener struct {
	fd       int // descriptor; -1: closed
	index    int // in loop.listeners
	number   int // of the bind line in its frontend, from 1
	frontend *site.Frontend
	limits   [3]*stat.Limit // of the process, the frontend and the bind line
	watched  bool           // registered with the reactor
	burst    int            // connections that the next event may accept, at least 1
	held     []heldClient   // draining: clients that wait for a place of the limits
}

// resume starts to accept, or continues after a pause. It does nothing if the listener is
// closed.
func (l *loop) resume(ln *listener) error {
	if ln.watched || ln.fd < 0 {
		return nil
	}
	if err := l.reactor.WatchListener(ln.fd, ln.index); err != nil {
		return err
	}
	ln.watched = true
	return nil
}

// pause stops accepting. New clients wait in the kernel's queue.
func (l *loop) pause(ln *listener) {
	if ln.watched {
		l.reactor.ForgetListener(ln.fd)
		ln.watched = false
	}
}

// resumeAll resumes all listeners. It is called at the start and when a shortage may be over.
func (l *loop) resumeAll() {
	for _, ln := range l.listeners {
		if err := l.resume(ln); err != nil {
			l.short(ln, "watch listening sockets", err)
		}
	}
}

// retryAccept is called when limit has a free place and this loop was chosen to take it.
// Another loop may have accepted the waiting client meanwhile, from a queue that both share.
// The place then goes to the next waiting loop.
func (l *loop) retryAccept(limit *stat.Limit) error {
	l.resumeAll()
	for _, ln := range l.listeners {
		if ln.watched {
			l.accept(ln)
		}
		l.serveHeld(ln)
	}
	if limit.TryAcquire() {
		l.release(limit)
	}
	return l.Ended()
}

// accept accepts waiting clients, at most ln.burst of them. The burst adapts, to save calls
// that find no client: it becomes the number of clients found, or doubles if all calls found
// one.
func (l *loop) accept(ln *listener) {
	for n := range ln.burst {
		if !l.admit(ln) {
			return
		}
		if !l.take(ln) {
			ln.burst = max(n, 1)
			return
		}
	}
	ln.burst = min(ln.burst*2, l.sizes.Accepts)
}

// admit takes a place of every limit. If a limit is reached, it pauses the listener until a
// place is free, and returns false.
func (l *loop) admit(ln *listener) bool {
	for i, limit := range ln.limits {
		if limit.TryAcquire() {
			continue
		}
		limit.Wait(l.number)
		if limit.TryAcquire() {
			continue
		}
		l.pause(ln)
		for _, taken := range ln.limits[:i] {
			l.release(taken)
		}
		return false
	}
	return true
}

// dismiss frees a place of every limit of the listener.
func (l *loop) dismiss(ln *listener) {
	for _, limit := range ln.limits {
		l.release(limit)
	}
}

// release frees a place of the limit and wakes the loop that may take it.
func (l *loop) release(limit *stat.Limit) {
	if wake := limit.Release(); wake >= 0 {
		l.process.wake(wake, limit)
	}
}

// take accepts one client. It returns false if accepting must stop: no client waits, or the
// kernel lacks resources.
func (l *loop) take(ln *listener) bool {
	fd, e := sock.Accept(ln.fd, &l.peer)
	if e == 0 {
		l.open(ln, fd)
		return true
	}
	l.dismiss(ln)
	switch e {
	case unix.EAGAIN:
		return false
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		l.short(ln, "accept a connection", e)
		return false
	}
	// After ECONNABORTED and similar errors this client is gone, but others may wait.
	return true
}

// short logs a shortage of the kernel and pauses the listener for the duration of shortage.
func (l *loop) short(ln *listener, what string, err error) {
	l.pause(ln)
	l.reactor.Arm(ownTimer, l.now()+shortage.Milliseconds())
	l.process.complain("can't "+what+", accepting pauses", err)
}

// open starts the session of a client that was just accepted, or closes the connection if a
// rule denies it or no session is free.
func (l *loop) open(ln *listener, fd int) {
	f := ln.frontend
	l.countAccepted(f)
	id := l.sessions.take()
	if id == 0 || !l.allowed(f, fd) {
		if id != 0 {
			l.sessions.give(id)
		}
		l.countTurnedAway(f, id != 0)
		sock.Close(fd)
		l.dismiss(ln)
		return
	}
	s := l.sessions.at(id)
	s.line, s.site, s.frontend = int32(ln.index), l.newest, int32(f.Index)
	v := l.visit(id)
	v.begin(fd)
	v.settle()
}

// begin starts the session of a client that was just accepted.
func (v *visit) begin(fd int) {
	s := v.s
	s.began, s.wall = v.now(), v.reactor.Wall()
	s.setPeer(&v.peer)
	s.sock[client].open(fd, v.now())
	s.flow[server].Set(relay.TargetReady)
	if s.unix {
		s.flow[client].Set(relay.SourceExact) // a short read does not prove that the socket is empty
	}
	v.countOpened()
	v.logConnect()
	v.mode.begin()
}

// allowed evaluates the `tcp-request connection` rules, which need no byte. A connection that
// they deny is closed at once and never logged.
func (l *loop) allowed(f *site.Frontend, fd int) bool {
	if len(f.Conf.Connection) == 0 {
		return true
	}
	l.facts.Src = l.peer.AddrPort()
	l.findDestination(f, fd)
	return f.Rules.Connection(&l.facts) == conf.Accept
}

// findDestination finds the address that the client connected to. This costs a system call, so
// it is done only if a rule reads the address.
func (l *loop) findDestination(f *site.Frontend, fd int) {
	if !f.Needs.Dst {
		return
	}
	var own sock.Addr
	sock.Local(fd, &own)
	l.facts.Dst = own.AddrPort()
}
