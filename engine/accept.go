package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"sluice/conf"
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/engine/stat"
)

const (
	// mostAccepts bounds the connections that one event takes.
	mostAccepts = 64
	// shortage is how long accepting pauses when the kernel has no descriptor
	// or no memory for another connection, and a session when it has no memory
	// for bytes.
	shortage = 100 * time.Millisecond
)

// listener is one bind line on one loop. Loop-owned.
type listener struct {
	fd       int
	index    int // in the loop
	number   int // of the bind line, from 1 in the frontend
	frontend *frontend
	limits   []*stat.Limit // process, frontend and, if it has one, bind
	watched  bool
	burst    int // accepts that the next event is worth
	left     int // draining: clients in the queue that are still to be served
}

// resume starts or continues accepting.
func (l *loop) resume(ln *listener) error {
	if ln.watched || ln.fd < 0 {
		return nil
	}
	if err := l.poller.accepts(ln.fd); err != nil {
		return err
	}
	ln.watched = true
	return nil
}

// pause leaves clients in the kernel's queue.
func (l *loop) pause(ln *listener) {
	if ln.watched {
		_ = l.poller.Delete(ln.fd)
		ln.watched = false
	}
}

// resumeAll is called when a shortage may be over.
func (l *loop) resumeAll() {
	for _, ln := range l.listeners {
		if err := l.resume(ln); err != nil {
			l.short(ln, "watch listening sockets", err)
		}
	}
}

// retryAccept is called when this loop is to have a free place of a limit. Its client
// may be gone by now, taken by another loop off a queue that they share; then
// the place goes to the next loop that waits.
func (l *loop) retryAccept(limit *stat.Limit) error {
	l.resumeAll()
	for _, ln := range l.listeners {
		if ln.watched {
			l.accept(ln)
		}
	}
	if limit.TryAcquire() {
		l.release(limit)
	}
	return l.ended()
}

// accept takes clients that wait. How many calls are worth making is learned:
// as many as gave a client last time, and twice that if all of them did.
func (l *loop) accept(ln *listener) {
	for n := range ln.burst {
		if !l.admit(ln) {
			return
		}
		took := l.take(ln)
		if l.draining {
			l.drained(ln)
		}
		if !took || ln.fd < 0 {
			ln.burst = max(n, 1)
			return
		}
	}
	ln.burst = min(ln.burst*2, mostAccepts)
}

// admit takes a place of every limit. With one of them reached, the listener
// pauses until a place is free.
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

// dismiss gives the places back.
func (l *loop) dismiss(ln *listener) {
	for _, limit := range ln.limits {
		l.release(limit)
	}
}

func (l *loop) release(limit *stat.Limit) {
	if wake := limit.Release(); wake >= 0 {
		other := l.engine.loops[wake]
		other.tell(func() error { return other.retryAccept(limit) })
	}
}

// take accepts one client and reports whether there was one.
func (l *loop) take(ln *listener) bool {
	fd, e := sock.Accept(ln.fd, &l.peer)
	if e == 0 {
		ln.left--
		l.open(ln, fd)
		return true
	}
	l.dismiss(ln)
	switch e {
	case unix.EAGAIN:
		ln.left = 0
		return false
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		l.short(ln, "accept a connection", e)
		return false
	}
	// ECONNABORTED and the like: that client is gone, the next one waits.
	return true
}

// short pauses accepting on the loop for a while.
func (l *loop) short(ln *listener, what string, err error) {
	l.pause(ln)
	l.clock.arm(ownTimer, l.now+shortage.Milliseconds(), l.now)
	l.engine.complain("can't "+what+", accepting pauses", err)
}

// open begins the session of a client just accepted.
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
	s.line = int32(ln.index)
	s.began, s.wall = l.now, l.wall
	s.setPeer(&l.peer)
	s.sock[client].open(fd, l.now)
	s.flow[server].Set(relay.TargetReady)
	if s.unix {
		s.flow[client].Set(sourceOfUnix)
	}
	l.countOpened(f)
	l.logConnect(s, ln)
	switch {
	case l.isHTTP(s):
		l.startAsking(id, s)
	case f.needs.Bytes:
		l.startInspecting(id, s)
	default:
		l.decide(id, s, nil, true)
	}
	l.awaitWritable(id, s)
}

// allowed asks the rules that need no byte. What they refuse is closed at once
// and never logged.
func (l *loop) allowed(f *frontend, fd int) bool {
	if len(f.conf.Connection) == 0 {
		return true
	}
	l.facts.Src = l.peer.AddrPort()
	l.findDestination(f, fd)
	return f.rules.Connection(&l.facts) == conf.Accept
}

// findDestination asks for the address that the client connected to, which
// costs a system call, only where rules look at it.
func (l *loop) findDestination(f *frontend, fd int) {
	if !f.needs.Dst {
		return
	}
	var own sock.Addr
	sock.Local(fd, &own)
	l.facts.Dst = own.AddrPort()
}
