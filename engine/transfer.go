package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// relay moves what can be moved in both directions.
func (l *loop) relay(id int32, s *session) {
	for from := range side(2) {
		if !l.pump(id, s, from) {
			return
		}
	}
}

// pump moves bytes that come from one side, and reports whether the session
// goes on.
func (l *loop) pump(id int32, s *session, from side) bool {
	to := from.other()
	f := &s.flow[from]
	if s.sock[to].has(finished | broken) {
		return true
	}
	before := f.Bytes
	outcome, e := l.stock.Pump(f, int(s.sock[from].fd), int(s.sock[to].fd), share)
	if f.Bytes != before {
		s.sock[from].seen, s.sock[to].seen = l.now, l.now
		s.asked = from == client
	}
	switch outcome {
	case relay.Again:
		l.yield(id, s, from)
	case relay.Ended:
		return l.passEnd(id, s, from)
	case relay.SourceFailed:
		return l.sourceFailed(id, s, from, e)
	case relay.TargetFailed:
		return l.targetFailed(id, s, to, e)
	}
	return true
}

// passEnd passes FIN on, behind the last byte. When the other direction has
// ended too, closing both says the same and needs no call of its own.
func (l *loop) passEnd(id int32, s *session, from side) bool {
	to := from.other()
	if s.sock[from].has(broken) && !l.saidAll(s, from) {
		return l.cut(id, s, from)
	}
	if s.sock[from].has(finished) {
		l.end(id, s, ending{term: term('-', '-')})
		return false
	}
	sock.ShutdownWrite(int(s.sock[to].fd))
	s.sock[to].set(finished)
	// A read returns the end before the error of a reset that came behind it: only
	// the event has told of that.
	if s.sock[from].has(broken) || s.flow[from].Has(relay.SourceDoubtful) {
		s.sock[from].set(broken)
		return l.cut(id, s, from)
	}
	s.sock[client].seen, s.sock[server].seen = l.now, l.now
	l.enter(id, s, relaying) // for the timeouts of a half-closed connection
	return true
}

// sourceFailed is called when a socket could not be read, and all it gave was
// passed on.
func (l *loop) sourceFailed(id int32, s *session, from side, e sock.Errno) bool {
	l.brokenBy(s, from, e)
	return l.passEnd(id, s, from)
}

// targetFailed is called when a socket could not be written to. Nobody takes
// what goes there any more; but what a server sent before it went away is
// still to be read and delivered.
func (l *loop) targetFailed(id int32, s *session, to side, e sock.Errno) bool {
	l.brokenBy(s, to, e)
	l.stock.Release(&s.flow[to.other()])
	if to == client || s.sock[client].has(finished) {
		return l.cut(id, s, to)
	}
	s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	return l.pump(id, s, server)
}

// cutBlocked ends a session whose client has reset its connection while the
// server takes no bytes: the read that would tell is never made then.
func (l *loop) cutBlocked(id int32, s *session) {
	if s.state == relaying && !s.flow[client].Has(relay.TargetReady) {
		s.sock[client].set(broken)
		l.cut(id, s, client)
	}
}

// failedLate is called when a socket fails whose stream had ended before: a
// client that now takes no answer any more, or a server that has answered and
// takes no more of the question.
func (l *loop) failedLate(id int32, s *session, which side) {
	s.sock[which].set(broken | afterFIN)
	l.stock.Release(&s.flow[which.other()])
	if which == client || s.sock[client].has(finished) {
		l.cut(id, s, which)
		return
	}
	l.pump(id, s, server)
}

// brokenBy notes the error that a socket gave. Linux answers EPIPE first where
// the reset came behind a FIN.
func (l *loop) brokenBy(s *session, which side, e sock.Errno) {
	if e == unix.EPIPE && !s.sock[which].has(broken) {
		s.sock[which].set(piped)
	}
	s.sock[which].set(broken)
}

// saidAll reports whether a socket that failed, and was read to its end, had
// received FIN before. A splice that ends early takes the socket's first error
// with it, and then EPIPE proves nothing; the number of bytes received does, in
// which the kernel counts FIN as one. In a tunnel of mode http that number
// cannot be compared.
func (l *loop) saidAll(s *session, from side) bool {
	if s.sock[from].has(afterFIN) {
		return true
	}
	if !l.isHTTP(s) {
		if n, ok := sock.Received(int(s.sock[from].fd)); ok {
			return n > s.flow[from].Bytes
		}
	}
	return s.sock[from].has(piped)
}

// cut ends a session that one side has broken, and passes the RST on. It
// returns false: the session does not go on.
func (l *loop) cut(id int32, s *session, by side) bool {
	letter := byte('C')
	if by == server {
		letter = 'S'
	}
	// A direction that has ended must not turn into an error now: its peer
	// has all of it, or is about to, FIN included.
	done := s.sock[by.other()].has(finished)
	l.end(id, s, ending{term: term(letter, 'D'), linger: true, last: by.other(), abrupt: !done})
	return false
}
