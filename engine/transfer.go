package engine

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// relay moves bytes in both directions, as many as possible now.
func (v *visit) relay() {
	for from := range side(2) {
		if v.pump(from) == left {
			return
		}
	}
}

// relayOn handles an event or a turn.
func (v *visit) relayOn(from side, failed bool) {
	if failed && v.s.flow[from].Has(relay.SourceEnded) {
		v.failedLate(from)
		return
	}
	v.relay()
}

// relayedTooQuietly ends a session after the timeout of one side has expired.
func (v *visit) relayedTooQuietly() {
	who := byte('c')
	if v.quiet(server) < v.quiet(client) {
		who = 's'
	}
	v.end(ending{term: v.term(who)})
}

// lostWhileRelaying ends the session of a client that has failed, if the client accepts no bytes.
// Otherwise the next read or write does that.
func (v *visit) lostWhileRelaying() {
	if !v.s.flow[client].Has(relay.TargetReady) {
		v.s.sock[client].set(broken)
		v.cut(client)
	}
}

// pump moves bytes from one side to the other.
func (v *visit) pump(from side) result {
	to := from.other()
	f := &v.s.flow[from]
	if v.s.sock[to].has(finished | broken) {
		return goesOn
	}
	before := f.Bytes
	outcome, e := v.stock.Pump(f, int(v.s.sock[from].fd), int(v.s.sock[to].fd), v.sizes.Share)
	if f.Bytes != before {
		v.touch(from)
	}
	switch outcome {
	case relay.Again:
		v.yield(from)
	case relay.Ended:
		return v.passEnd(from)
	case relay.SourceFailed:
		return v.sourceFailed(from, e)
	case relay.TargetFailed:
		return v.targetFailed(to, e)
	}
	return goesOn
}

// passEnd sends FIN after the last byte. If the other direction has ended too, it closes both
// sockets instead, which sends FIN without a further call.
func (v *visit) passEnd(from side) result {
	to := from.other()
	if v.s.sock[from].has(broken) && !v.saidAll(from) {
		return v.cut(from)
	}
	if v.s.sock[from].has(finished) {
		v.end(ending{term: term('-', '-')})
		return left
	}
	v.sendFIN(to)
	// If a reset has come after FIN, the read returns the end. Only the event has reported the reset.
	if v.s.sock[from].has(broken) || v.s.flow[from].Has(relay.SourceDoubtful) {
		v.s.sock[from].set(broken)
		return v.cut(from)
	}
	v.s.sock[client].seen, v.s.sock[server].seen = v.now(), v.now()
	v.enter(relaying) // for the timeouts of a half-closed connection
	return goesOn
}

// sendFIN sends FIN behind the last byte of a direction, once. The flow must hold no bytes.
func (v *visit) sendFIN(to side) {
	one := &v.s.sock[to]
	if !one.has(finished) && v.s.flow[to.other()].Pending() == 0 {
		sock.ShutdownWrite(int(one.fd))
		one.set(finished)
	}
}

// sourceFailed is called when a read has failed and all bytes read before are written.
func (v *visit) sourceFailed(from side, e sock.Errno) result {
	v.brokenBy(from, e)
	return v.passEnd(from)
}

// targetFailed is called when a write has failed. The bytes queued for that socket are dropped.
// Bytes that a server sent before it failed are still read and written to the client.
func (v *visit) targetFailed(to side, e sock.Errno) result {
	v.brokenBy(to, e)
	v.stock.Release(&v.s.flow[to.other()])
	if to == client || v.s.sock[client].has(finished) {
		return v.cut(to)
	}
	v.s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	return v.pump(server)
}

// failedLate is called when a socket fails after its peer has sent FIN. A client then no longer
// takes its answer. A server then takes no more of the request, but its answer may be complete.
func (v *visit) failedLate(which side) {
	v.s.sock[which].set(broken | afterFIN)
	v.stock.Release(&v.s.flow[which.other()])
	if which == client || v.s.sock[client].has(finished) {
		v.cut(which)
		return
	}
	v.pump(server)
}

// brokenBy records the error of a call. On Linux the first error of a reset is EPIPE if FIN came
// before it, otherwise ECONNRESET. A splice to the socket that ended early may have taken the first
// error, so EPIPE proves nothing then.
func (v *visit) brokenBy(which side, e sock.Errno) {
	one := &v.s.sock[which]
	switch {
	case one.has(broken):
	case e == unix.EPIPE && !v.s.flow[which.other()].Splicing():
		one.set(piped)
	case e == unix.ECONNRESET:
		one.set(resetFirst)
	}
	one.set(broken)
}

// cut ends a session after the connection of side by has failed, and resets the other
// connection.
func (v *visit) cut(by side) result {
	letter := byte('C')
	if by == server {
		letter = 'S'
	}
	// A peer to which FIN was sent has got all bytes, or will get them. It must not be reset.

	done := v.s.sock[by.other()].has(finished)
	v.end(ending{term: term(letter, 'D'), linger: true, last: by.other(), abrupt: !done})
	return left
}
