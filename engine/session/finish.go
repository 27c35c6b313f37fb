package session

import (
	"sluice/engine/relay"
	"sluice/engine/sock"
)

const (
	// unsentSoon is the first interval, in ms, between two checks in the leaving state whether the
	// peer has acknowledged everything. The interval doubles up to unsentSeldom, in ms. If the peer
	// reads again, an event shortens the interval.
	unsentSoon   = 16
	unsentSeldom = 1000
	// serverGrace is the maximum time, in ms, for a server to take the last bytes of a client that
	// has reset its connection. It is short because no client waits for an answer.
	serverGrace = 500
	// clientGrace is the maximum time, in ms, for a client to take its last bytes if the
	// frontend has no timeout client.
	clientGrace = 30_000
)

// Ending describes how and why a session ends.
type Ending struct {
	Term   [2]byte // termination state, as in HAProxy's log
	Linger bool    // the socket of side Last stays open until its peer has everything
	Last   Side    // the side to which Linger and Abrupt refer
	Abrupt bool    // the socket of side Last is closed with RST
}

// Term returns a termination state of two letters, as in HAProxy's log (configuration.txt 8.5). The
// letter who is the cause of the end. The letter when is the stage of the session. Both are '-'
// after a regular end.
func Term(who, when byte) [2]byte { return [2]byte{who, when} }

// End ends the session. It closes both sockets. With how.Linger it closes only one of them, and the
// session enters the leaving state with the other. RST makes the peer lose bytes that have not
// arrived yet. The kernel also sends RST if a socket is closed with unread bytes.
func (v *Visit) End(how Ending) {
	if v.asksWhetherNull() {
		v.hearLast()
	}
	v.S.Term, v.S.received = how.Term, v.S.ClientBytes()
	for from := range Side(2) {
		if !(how.Linger && from.Other() == how.Last) {
			v.Stock.Release(&v.S.Flow[from])
		}
	}
	v.Mode.Over(how.Term)
	for which := range Side(2) {
		if !(how.Linger && which == how.Last) {
			v.S.Sock[which].close(how.Abrupt && which == how.Last)
		}
	}
	if how.Linger && v.S.Sock[how.Last].FD >= 0 {
		v.S.last, v.S.abrupt, v.S.wait = how.Last, how.Abrupt, unsentSoon
		v.Enter(Leaving)
		v.leave(false)
		return
	}
	v.finish()
}

// asksWhetherNull reports whether `option dontlognull` needs to know if the client has sent a
// byte, and only a read can show this. In mode http the client's bytes are always read at once.
func (v *Visit) asksWhetherNull() bool {
	return v.Frontend.Conf.Log.DontLogNull && v.Mode.Verbatim() && v.S.ClientBytes() == 0
}

// hearLast reads the bytes that the client has sent, once, and holds them in the client's flow.
func (v *Visit) hearLast() {
	b, _ := v.Stock.Read(&v.S.Flow[Client], int(v.S.Sock[Client].FD))
	v.keep(b)
}

// leave continues the leaving state. It writes the bytes queued for the last socket and then sends
// FIN, unless RST must follow. It closes the socket when the peer has acknowledged everything, or
// when the grace period is over. The grace period starts again whenever bytes are written. If bytes
// are still queued at the close, leave sends RST, so that the peer does not mistake the part for
// the whole. If gone is true, the connection has failed. In this case leave closes the socket at
// once, because the kernel never counts the remaining bytes as acknowledged.
func (v *Visit) leave(gone bool) {
	out, to := &v.S.Flow[v.S.last.Other()], &v.S.Sock[v.S.last]
	if !v.S.abrupt {
		v.DropUnread(v.S.last)
	}
	if !gone && v.Now() < v.S.Since+v.grace() {
		before := out.Bytes
		e := v.Stock.Flush(out, int(to.FD))
		if out.Bytes != before {
			v.S.Since = v.Now()
		}
		if e == 0 && out.Pending() > 0 {
			v.Watch(v.S.last) // a client that is answered at once is not watched yet; lookAgain tries again
			return
		}
		if e == 0 && (v.sendEnd() || v.mayMissTheEnd()) {
			return
		}
	}
	to.close(v.S.abrupt || out.Pending() > 0)
	v.finish()
}

// sendEnd sends FIN after the last byte, unless RST must follow. It reports whether the peer still
// has to acknowledge bytes or the FIN.
func (v *Visit) sendEnd() bool {
	if !v.S.abrupt {
		v.SendFIN(v.S.last)
	}
	return sock.Unsent(int(v.S.Sock[v.S.last].FD)) > 0
}

// mayMissTheEnd reports whether a client on a UNIX socket has not sent FIN yet. If this socket is
// closed while the client sends, the client gets ECONNRESET in place of our FIN, even after it has
// read all bytes. So the socket stays open until the client sends FIN, or until the grace period is
// over. On TCP a client finds the FIN first.
func (v *Visit) mayMissTheEnd() bool {
	const over = relay.SourceClosing | relay.SourceEnded
	if !v.S.unix || v.S.last != Client || v.S.abrupt || v.S.Flow[Client].HasAny(over) {
		return false
	}
	return v.Watch(Client) // without events, the client's end would not be noticed
}

// DropUnread reads and drops bytes that a peer has sent, at most one share in a turn. Closing a
// socket with unread bytes resets the connection, and the peer may lose bytes sent to it. Also,
// some peers read their answer only after all their bytes are accepted. A TCP peer that has sent
// FIN is not read, which saves a call. Such a peer waits for nothing, and a reset after our FIN
// destroys no bytes.
func (v *Visit) DropUnread(which Side) {
	in, left := &v.S.Flow[which], v.Sizes.Share
	if in.Has(relay.SourceClosing) && !in.Has(relay.SourceExact) {
		return
	}
	for left > 0 && v.S.Sock[which].FD >= 0 && in.Has(relay.SourceReady) && !in.Has(relay.SourceEnded) {
		b, e := v.Stock.Read(in, int(v.S.Sock[which].FD))
		if len(b) == 0 || e != 0 {
			return
		}
		left -= len(b)
	}
	if left <= 0 {
		v.Yield(which)
	}
}

// lookAgain is called when the interval of a leaving session is over. It checks again and doubles
// the interval, because frequent checks are useless if the peer does not read.
func (v *Visit) lookAgain() {
	v.meet(Client, MetTimeout)
	v.leave(false)
	if v.S.State != Leaving {
		return
	}
	to := &v.S.Sock[v.S.last]
	if !to.Has(sentWanted) && v.S.Flow[v.S.last.Other()].Pending() == 0 {
		to.Set(sentWanted | WritableWanted)
		sock.RoomWhenSent(int(to.FD))
		if v.Watch(v.S.last) {
			v.Reactor.Rewatch(int(to.FD), v.S.Token(v.ID, v.S.last), to.Interest())
		}
	}
	v.S.wait = min(2*v.S.wait, unsentSeldom)
	v.Reactor.Arm(v.ID, v.deadline())
}

// leaveOn handles an event of a leaving session. After an event, the remaining bytes may soon
// be acknowledged, so the interval is short again. gone means that the socket has failed.
func (v *Visit) leaveOn(gone bool) {
	v.leave(gone)
	if v.S.State == Leaving {
		v.S.wait = unsentSoon
		v.Reactor.Arm(v.ID, v.deadline())
	}
}

// grace returns the maximum time of a session in the leaving state without progress, in ms.
func (v *Visit) grace() int64 {
	if v.S.last == Server {
		return serverGrace
	}
	if t := v.Frontend.ClientTimeout; t > 0 {
		return t
	}
	return clientGrace
}

// finish counts and logs the session and frees it.
func (v *Visit) finish() {
	v.Reactor.Disarm(v.ID)
	for from := range Side(2) {
		v.Stock.Release(&v.S.Flow[from])
	}

	v.Mode.Log()
	v.countClosed()
	v.Forget()
	v.Sessions.give(v.ID)
	v.leaveSite(v.S.site)
	v.dismiss(v.Listener)
	v.ended(v.Listener)
}
