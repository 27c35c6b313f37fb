package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// relay moves bytes in both directions, as many as possible now.
func (l *loop) relay(id int32, s *session) {
	for from := range side(2) {
		if !l.pump(id, s, from) {
			return
		}
	}
}

// pump moves bytes from one side to the other. It returns false if the session has ended.
func (l *loop) pump(id int32, s *session, from side) bool {
	to := from.other()
	f := &s.flow[from]
	if s.sock[to].has(finished | broken) {
		return true
	}
	before := f.Bytes
	outcome, e := l.stock.Pump(f, int(s.sock[from].fd), int(s.sock[to].fd), l.sizes.Share)
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

// passEnd sends FIN after the last byte. If the other direction has ended too, it closes both
// sockets instead, which sends FIN without a further call. It reports whether the session
// continues.
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
	// If a reset has come after FIN, the read returns the end. Only the event has reported the reset.
	if s.sock[from].has(broken) || s.flow[from].Has(relay.SourceDoubtful) {
		s.sock[from].set(broken)
		return l.cut(id, s, from)
	}
	s.sock[client].seen, s.sock[server].seen = l.now, l.now
	l.enter(id, s, relaying) // for the timeouts of a half-closed connection
	return true
}

// sourceFailed is called when a read has failed and all bytes read before are written.
func (l *loop) sourceFailed(id int32, s *session, from side, e sock.Errno) bool {
	l.brokenBy(s, from, e)
	return l.passEnd(id, s, from)
}

// targetFailed is called when a write has failed. The bytes queued for that socket are dropped.
// Bytes that a server sent before it failed are still read and written to the client.
func (l *loop) targetFailed(id int32, s *session, to side, e sock.Errno) bool {
	l.brokenBy(s, to, e)
	l.stock.Release(&s.flow[to.other()])
	if to == client || s.sock[client].has(finished) {
		return l.cut(id, s, to)
	}
	s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	return l.pump(id, s, server)
}

// failedLate is called when a socket fails after its peer has sent FIN. A client then no longer
// takes its answer. A server then takes no more of the request, but its answer may be complete.
func (l *loop) failedLate(id int32, s *session, which side) {
	s.sock[which].set(broken | afterFIN)
	l.stock.Release(&s.flow[which.other()])
	if which == client || s.sock[client].has(finished) {
		l.cut(id, s, which)
		return
	}
	l.pump(id, s, server)
}

// brokenBy records the error of a call. On Linux the first error of a reset is EPIPE if FIN came
// before it, otherwise ECONNRESET. A splice to the socket that ended early may have taken the first
// error, so EPIPE proves nothing then.
func (l *loop) brokenBy(s *session, which side, e sock.Errno) {
	one := &s.sock[which]
	switch {
	case one.has(broken):
	case e == unix.EPIPE && !s.flow[which.other()].Splicing():
		one.set(piped)
	case e == unix.ECONNRESET:
		one.set(resetFirst)
	}
	one.set(broken)
}

// saidAll reports whether a failed socket had received FIN before, so that no byte is missing. The
// kernel counts FIN as a received byte, and an urgent byte, too, which no read returns. So its count
// is compared with the bytes read. This is not possible in mode http and on UNIX sockets: there EPIPE
// as the first error counts.
func (l *loop) saidAll(s *session, from side) bool {
	one, in := &s.sock[from], &s.flow[from]
	switch {
	case one.has(afterFIN):
		return true
	case one.has(resetFirst):
		return false
	case !l.isHTTP(s):
		if n, ok := sock.Received(int(one.fd)); ok {
			if in.Has(relay.SourceUrgent) {
				n--
			}
			return n > in.Bytes
		}
	}
	return one.has(piped)
}

// cut ends a session after the connection of side by has failed, and resets the other
// connection. It returns false: the session does not continue.
func (l *loop) cut(id int32, s *session, by side) bool {
	letter := byte('C')
	if by == server {
		letter = 'S'
	}
	// A peer to which FIN was sent has got all bytes, or will get them. It must not be reset.

	done := s.sock[by.other()].has(finished)
	l.end(id, s, ending{term: term(letter, 'D'), linger: true, last: by.other(), abrupt: !done})
	return false
}
