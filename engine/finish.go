package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

const (
	// unsentSoon is the first interval, in ms, at which leave asks whether the peer has
	// acknowledged everything. The interval doubles up to unsentSeldom. An event reports if the
	// peer reads again.
	unsentSoon   = 16
	unsentSeldom = 1000
	// serverGrace is the maximum time, in ms, for a server to take the last bytes of a client
	// that has reset its connection. It is short because nobody waits for an answer.
	serverGrace = 500
	// clientGrace is the maximum time, in ms, for a client to take its last bytes if the
	// frontend has no timeout client.
	clientGrace = 30_000
)

// ending describes how and why a session ends.
type ending struct {
	term   [2]byte // termination state, as in HAProxy's log
	linger bool    // the socket of side last is closed only when its peer has everything, see leave
	last   side    // for linger and abrupt
	abrupt bool    // the socket of side last is closed with RST
}

// term returns a termination state of two letters, as in HAProxy's log.
func term(who, when byte) [2]byte { return [2]byte{who, when} }

// end ends the session. It closes both sockets, or with linger only one of them; the other then
// enters the leaving state. RST makes the peer lose bytes that have not arrived yet, and the
// kernel also sends RST if a socket is closed with unread bytes.
func (l *loop) end(id int32, s *session, how ending) {
	if l.asksWhetherNull(s) {
		l.hearLast(s)
	}
	s.term, s.received = how.term, s.clientBytes()
	for from := range side(2) {
		if !(how.linger && from.other() == how.last) {
			l.stock.Release(&s.flow[from])
		}
	}
	if l.isHTTP(s) {
		x := l.exchanges.at(id)
		l.closeExchange(s, x, how.term)
		l.releaseExchange(x)
		s.backend = -1
	} else if l.listeners[s.line].frontend.line.AsksAddresses() {
		askOwn(s, l.own.at(id)) // the log line is written after the sockets are closed
	}
	for which := range side(2) {
		if !(how.linger && which == how.last) {
			s.sock[which].close(how.abrupt && which == how.last)
		}
	}
	if how.linger && s.sock[how.last].fd >= 0 {
		s.last, s.abrupt, s.wait = how.last, how.abrupt, unsentSoon
		l.enter(id, s, leaving)
		l.leave(id, s, false)
		return
	}
	l.finish(id, s)
}

// asksWhetherNull reports whether `option dontlognull` needs to know if the client has sent a
// byte, and only a read can show this. In mode http the client's bytes are always read at once.
func (l *loop) asksWhetherNull(s *session) bool {
	return l.listeners[s.line].frontend.conf.Log.DontLogNull && !l.isHTTP(s) && s.clientBytes() == 0
}

// hearLast reads bytes of the client that nobody has read yet, and holds them.
func (l *loop) hearLast(s *session) {
	b, _ := l.stock.Read(&s.flow[client], int(s.sock[client].fd))
	l.keep(s, b)
}

// leave continues the leaving state. It writes the bytes queued for the last socket and then
// sends FIN, unless RST must follow. It closes the socket when the peer has acknowledged
// everything or the grace period is over, which starts again whenever bytes are written. If bytes are still queued then, it sends RST, so that the
// peer does not take the part for the whole. gone means that the connection has failed: leave then
// closes the socket at once, because the kernel never counts the remaining bytes as
// acknowledged.
func (l *loop) leave(id int32, s *session, gone bool) {
	out, to := &s.flow[s.last.other()], &s.sock[s.last]
	if !s.abrupt {
		l.dropUnread(id, s, s.last)
	}
	if !gone && l.now < s.since+l.grace(s) {
		before := out.Bytes
		e := l.stock.Flush(out, int(to.fd))
		if out.Bytes != before {
			s.since = l.now
		}
		if e == 0 && out.Pending() > 0 {
			l.watch(id, s, s.last) // a client that is answered at once is not watched yet; lookAgain tries again
			return
		}
		if e == 0 && l.sendEnd(s, to) {
			return
		}
	}
	to.close(s.abrupt || out.Pending() > 0)
	l.finish(id, s)
}

// sendEnd sends FIN behind the last byte, unless RST must follow. It reports whether the peer has
// not acknowledged everything yet.
func (l *loop) sendEnd(s *session, to *socket) bool {
	if !s.abrupt && !to.has(finished) {
		sock.ShutdownWrite(int(to.fd))
		to.set(finished)
	}
	return sock.Unsent(int(to.fd)) > 0
}

// dropUnread reads and drops bytes that a peer has sent, at most one share in a turn. Closing a
// socket with unread bytes resets the connection, and the peer may lose bytes sent to it. Also,
// some peers read their answer only after all their bytes are accepted. A TCP peer that has sent
// FIN is not read, which saves a call: it waits for nothing, and a reset behind our FIN takes
// nothing from it.
func (l *loop) dropUnread(id int32, s *session, which side) {
	in, left := &s.flow[which], l.sizes.Share
	if in.Has(relay.SourceClosing) && !in.Has(relay.SourceExact) {
		return
	}
	for left > 0 && s.sock[which].fd >= 0 && in.Has(relay.SourceReady) && !in.Has(relay.SourceEnded) {
		b, e := l.stock.Read(in, int(s.sock[which].fd))
		if len(b) == 0 || e != 0 {
			return
		}
		left -= len(b)
	}
	if left <= 0 {
		l.yield(id, s, which)
	}
}

// lookAgain is called when the interval of a leaving session is over. It checks again, and
// doubles the interval: if the peer does not read, frequent checks are useless.
func (l *loop) lookAgain(id int32, s *session) {
	l.meet(id, client, metTimeout)
	l.leave(id, s, false)
	if s.state != leaving {
		return
	}
	to := &s.sock[s.last]
	if !to.has(sentWanted) && s.flow[s.last.other()].Pending() == 0 {
		to.set(sentWanted | writableWanted)
		sock.RoomWhenSent(int(to.fd))
		if l.watch(id, s, s.last) {
			l.poller.rewatch(int(to.fd), tokenOf(id, s.last, to.turn), to.interest())
		}
	}
	s.wait = min(2*s.wait, unsentSeldom)
	l.clock.arm(id, l.deadline(id, s), l.now)
}

// leaveOn handles an event of a leaving session. After an event, the remaining bytes may soon
// be acknowledged, so the interval is short again. gone means that the socket has failed.
func (l *loop) leaveOn(id int32, s *session, gone bool) {
	l.leave(id, s, gone)
	if s.state == leaving {
		s.wait = unsentSoon
		l.clock.arm(id, l.deadline(id, s), l.now)
	}
}

// grace returns how long a session may stay in the leaving state, in ms.
func (l *loop) grace(s *session) int64 {
	if s.last == server {
		return serverGrace
	}
	if t := l.listeners[s.line].frontend.client; t > 0 {
		return t
	}
	return clientGrace
}

// finish counts and logs the session and frees it.
func (l *loop) finish(id int32, s *session) {
	l.clock.wheel.Cancel(id)
	for from := range side(2) {
		l.stock.Release(&s.flow[from])
	}
	ln := l.listeners[s.line]
	l.log(id, s, ln)
	l.countClosed(s)
	l.sessions.give(id)
	l.dismiss(ln)
}
