package engine

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

const (
	// unsentSoon is when the kernel is asked again whether a peer has acknowledged
	// everything, so that RST can follow, in ms. It doubles up to unsentSeldom: an
	// event tells of a reader that goes on.
	unsentSoon   = 16
	unsentSeldom = 1000
	// serverGrace is how long a server may take for the last bytes of a client
	// that has reset its connection, and so asked for nothing any more.
	serverGrace = 500
	// clientGrace is how long a client may take for the last bytes of a server
	// that has reset its connection, where no timeout client says it.
	clientGrace = 30_000
)

// ending says why a session ends and how.
type ending struct {
	term   [2]byte // termination state as in HAProxy's log
	linger bool    // the socket of side last is closed when its peer has everything, not at once
	last   side
	abrupt bool // the socket of side last is closed with RST
}

func term(who, when byte) [2]byte { return [2]byte{who, when} }

// end closes the sockets. One may have to wait until the bytes on their way
// have arrived: RST overtakes and discards them, and the kernel sends it by
// itself for a socket that is closed with bytes unread.
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
		askOwn(s, l.own.at(id)) // for the line, which is written when the sockets are closed
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

// asksWhetherNull reports whether the log needs to know if the client has sent
// anything (`option dontlognull`) and only the kernel can tell. In mode http the
// client's bytes are read at once.
func (l *loop) asksWhetherNull(s *session) bool {
	return l.listeners[s.line].frontend.conf.Log.DontLogNull && !l.isHTTP(s) && s.clientBytes() == 0
}

// hearLast reads what the client has sent and nobody has read.
func (l *loop) hearLast(s *session) {
	b, _ := l.stock.Read(&s.flow[client], int(s.sock[client].fd))
	l.keep(s, b)
}

// leave writes what waits for the last socket, and then FIN unless RST is to
// follow. It closes the socket once its peer has everything, or has had time
// enough, or is gone: the kernel counts what a peer that reset has not
// acknowledged for ever.
func (l *loop) leave(id int32, s *session, gone bool) {
	out, to := &s.flow[s.last.other()], &s.sock[s.last]
	if !s.abrupt {
		l.dropUnread(id, s, s.last)
	}
	if !gone && l.now < s.since+l.grace(s) {
		e := l.stock.Flush(out, int(to.fd))
		if e == 0 && out.Pending() > 0 {
			return
		}
		if e == 0 && !s.abrupt && !to.has(finished) {
			sock.ShutdownWrite(int(to.fd))
			to.set(finished)
		}
		if e == 0 && sock.Unsent(int(to.fd)) > 0 {
			return
		}
	}
	to.close(s.abrupt)
	l.finish(id, s)
}

// dropUnread reads bytes that a peer has sent and nobody wants, one share a turn.
// A socket that is closed with bytes unread resets its connection, and the peer
// may lose bytes that were sent to it before. A peer that is not read may also
// never begin to read its answer.
func (l *loop) dropUnread(id int32, s *session, which side) {
	in, left := &s.flow[which], share
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

// lookAgain is called when a session has been leaving for a while. Until its peer
// reads, asking often would be in vain.
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

// leaveOn is called for events of a session that is leaving. All may be sent now,
// and is acknowledged soon.
func (l *loop) leaveOn(id int32, s *session, gone bool) {
	l.leave(id, s, gone)
	if s.state == leaving {
		s.wait = unsentSoon
		l.clock.arm(id, l.deadline(id, s), l.now)
	}
}

func (l *loop) grace(s *session) int64 {
	if s.last == server {
		return serverGrace
	}
	if t := l.listeners[s.line].frontend.client; t > 0 {
		return t
	}
	return clientGrace
}

// finish counts and logs the session and frees its place.
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
