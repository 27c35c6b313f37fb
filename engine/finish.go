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
func (v *visit) end(how ending) {
	if v.asksWhetherNull() {
		v.hearLast()
	}
	v.s.term, v.s.received = how.term, v.s.clientBytes()
	for from := range side(2) {
		if !(how.linger && from.other() == how.last) {
			v.stock.Release(&v.s.flow[from])
		}
	}
	v.mode.over(how.term)
	for which := range side(2) {
		if !(how.linger && which == how.last) {
			v.s.sock[which].close(how.abrupt && which == how.last)
		}
	}
	if how.linger && v.s.sock[how.last].fd >= 0 {
		v.s.last, v.s.abrupt, v.s.wait = how.last, how.abrupt, unsentSoon
		v.enter(leaving)
		v.leave(false)
		return
	}
	v.finish()
}

// asksWhetherNull reports whether `option dontlognull` needs to know if the client has sent a
// byte, and only a read can show this. In mode http the client's bytes are always read at once.
func (v *visit) asksWhetherNull() bool {
	return v.f.Conf.Log.DontLogNull && v.mode.verbatim() && v.s.clientBytes() == 0
}

// hearLast reads bytes of the client that nobody has read yet, and holds them.
func (v *visit) hearLast() {
	b, _ := v.stock.Read(&v.s.flow[client], int(v.s.sock[client].fd))
	v.keep(b)
}

// leave continues the leaving state. It writes the bytes queued for the last socket and then
// sends FIN, unless RST must follow. It closes the socket when the peer has acknowledged
// everything or the grace period is over, which starts again whenever bytes are written. If bytes are still queued then, it sends RST, so that the
// peer does not take the part for the whole. gone means that the connection has failed: leave then
// closes the socket at once, because the kernel never counts the remaining bytes as
// acknowledged.
func (v *visit) leave(gone bool) {
	out, to := &v.s.flow[v.s.last.other()], &v.s.sock[v.s.last]
	if !v.s.abrupt {
		v.dropUnread(v.s.last)
	}
	if !gone && v.now() < v.s.since+v.grace() {
		before := out.Bytes
		e := v.stock.Flush(out, int(to.fd))
		if out.Bytes != before {
			v.s.since = v.now()
		}
		if e == 0 && out.Pending() > 0 {
			v.watch(v.s.last) // a client that is answered at once is not watched yet; lookAgain tries again
			return
		}
		if e == 0 && v.sendEnd() {
			return
		}
	}
	to.close(v.s.abrupt || out.Pending() > 0)
	v.finish()
}

// sendEnd sends FIN behind the last byte, unless RST must follow. It reports whether the peer has
// not acknowledged everything yet.
func (v *visit) sendEnd() bool {
	if !v.s.abrupt {
		v.sendFIN(v.s.last)
	}
	return sock.Unsent(int(v.s.sock[v.s.last].fd)) > 0
}

// dropUnread reads and drops bytes that a peer has sent, at most one share in a turn. Closing a
// socket with unread bytes resets the connection, and the peer may lose bytes sent to it. Also,
// some peers read their answer only after all their bytes are accepted. A TCP peer that has sent
// FIN is not read, which saves a call: it waits for nothing, and a reset behind our FIN takes
// nothing from it.
func (v *visit) dropUnread(which side) {
	in, left := &v.s.flow[which], v.sizes.Share
	if in.Has(relay.SourceClosing) && !in.Has(relay.SourceExact) {
		return
	}
	for left > 0 && v.s.sock[which].fd >= 0 && in.Has(relay.SourceReady) && !in.Has(relay.SourceEnded) {
		b, e := v.stock.Read(in, int(v.s.sock[which].fd))
		if len(b) == 0 || e != 0 {
			return
		}
		left -= len(b)
	}
	if left <= 0 {
		v.yield(which)
	}
}

// lookAgain is called when the interval of a leaving session is over. It checks again, and
// doubles the interval: if the peer does not read, frequent checks are useless.
func (v *visit) lookAgain() {
	v.meet(client, metTimeout)
	v.leave(false)
	if v.s.state != leaving {
		return
	}
	to := &v.s.sock[v.s.last]
	if !to.has(sentWanted) && v.s.flow[v.s.last.other()].Pending() == 0 {
		to.set(sentWanted | writableWanted)
		sock.RoomWhenSent(int(to.fd))
		if v.watch(v.s.last) {
			v.reactor.Rewatch(int(to.fd), v.s.token(v.id, v.s.last), to.interest())
		}
	}
	v.s.wait = min(2*v.s.wait, unsentSeldom)
	v.reactor.Arm(v.id, v.deadline())
}

// leaveOn handles an event of a leaving session. After an event, the remaining bytes may soon
// be acknowledged, so the interval is short again. gone means that the socket has failed.
func (v *visit) leaveOn(gone bool) {
	v.leave(gone)
	if v.s.state == leaving {
		v.s.wait = unsentSoon
		v.reactor.Arm(v.id, v.deadline())
	}
}

// grace returns how long a session may stay in the leaving state, in ms.
func (v *visit) grace() int64 {
	if v.s.last == server {
		return serverGrace
	}
	if t := v.f.ClientTimeout; t > 0 {
		return t
	}
	return clientGrace
}

// finish counts and logs the session and frees it.
func (v *visit) finish() {
	v.reactor.Disarm(v.id)
	for from := range side(2) {
		v.stock.Release(&v.s.flow[from])
	}

	v.mode.log()
	v.countClosed()
	v.forget()
	v.sessions.give(v.id)
	v.dismiss(v.ln)
}
