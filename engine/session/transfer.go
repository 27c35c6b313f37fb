package session

import (
	"golang.org/x/sys/unix"

	"sluice/engine/relay"
	"sluice/engine/sock"
)

// Relay moves bytes in both directions, as many as possible now.
func (v *Visit) Relay() {
	for from := range Side(2) {
		if v.pump(from) == Left {
			return
		}
	}
}

// relayOn handles an event or a turn.
func (v *Visit) relayOn(from Side, failed bool) {
	if failed && v.S.Flow[from].Has(relay.SourceEnded) {
		v.failedLate(from)
		return
	}
	v.Relay()
}

// relayedTooQuietly ends a session after the timeout of one side has expired.
func (v *Visit) relayedTooQuietly() {
	who := byte('c')
	if v.quiet(Server) < v.quiet(Client) {
		who = 's'
	}
	v.End(Ending{Term: v.term(who)})
}

// lostWhileRelaying ends the session of a client that has failed, if the client's socket accepts no
// bytes. Otherwise the next read or write reports the failure.
func (v *Visit) lostWhileRelaying() {
	if !v.S.Flow[Client].Has(relay.TargetReady) {
		v.S.Sock[Client].Set(Broken)
		v.cut(Client)
	}
}

// pump moves bytes from one side to the other, at most Sizes.Share in a turn.
func (v *Visit) pump(from Side) Result {
	to := from.Other()
	f := &v.S.Flow[from]
	if v.S.Sock[to].Has(Finished | Broken) {
		return GoesOn
	}
	before := f.Bytes
	outcome, e := v.Stock.Pump(f, int(v.S.Sock[from].FD), int(v.S.Sock[to].FD), v.Sizes.Share)
	if f.Bytes != before {
		v.Touch(from)
	}
	switch outcome {
	case relay.Again:
		v.Yield(from)
	case relay.Ended:
		return v.passEnd(from)
	case relay.SourceFailed:
		return v.sourceFailed(from, e)
	case relay.TargetFailed:
		return v.targetFailed(to, e)
	}
	return GoesOn
}

// passEnd sends FIN after the last byte. If the other direction has ended too, it closes both
// sockets instead, which sends FIN without a further call.
func (v *Visit) passEnd(from Side) Result {
	to := from.Other()
	if v.S.Sock[from].Has(Broken) && !v.SaidAll(from) {
		return v.cut(from)
	}
	if v.S.Sock[from].Has(Finished) {
		v.End(Ending{Term: Term('-', '-')})
		return Left
	}
	v.SendFIN(to)
	// If a reset has come after FIN, the read returns the end. Only the event has reported the
	// reset.
	if v.S.Sock[from].Has(Broken) || v.S.Flow[from].Has(relay.SourceDoubtful) {
		v.S.Sock[from].Set(Broken)
		return v.cut(from)
	}
	v.S.Sock[Client].Seen, v.S.Sock[Server].Seen = v.Now(), v.Now()
	v.Enter(Relaying) // for the timeouts of a half-closed connection
	return GoesOn
}

// SendFIN sends FIN to a side after the last byte. It does nothing if FIN was sent before, or while
// the flow still holds bytes for that side.
func (v *Visit) SendFIN(to Side) {
	one := &v.S.Sock[to]
	if !one.Has(Finished) && v.S.Flow[to.Other()].Pending() == 0 {
		sock.ShutdownWrite(int(one.FD))
		one.Set(Finished)
	}
}

// sourceFailed is called when a read has failed, after all bytes that were read before have been
// written.
func (v *Visit) sourceFailed(from Side, e sock.Errno) Result {
	v.BrokenBy(from, e)
	return v.passEnd(from)
}

// targetFailed is called when a write has failed. The bytes queued for that socket are dropped.
// Bytes that a server sent before it failed are still read and written to the client.
func (v *Visit) targetFailed(to Side, e sock.Errno) Result {
	v.BrokenBy(to, e)
	v.Stock.Release(&v.S.Flow[to.Other()])
	if to == Client || v.S.Sock[Client].Has(Finished) {
		return v.cut(to)
	}
	v.S.Flow[Server].Set(relay.SourceReady | relay.SourceDoubtful)
	return v.pump(Server)
}

// failedLate is called when a socket fails after its peer has sent FIN. A failed client takes no
// more of its answer. A failed server takes no more of the request, but its answer may be complete.
func (v *Visit) failedLate(which Side) {
	v.S.Sock[which].Set(Broken | afterFIN)
	v.Stock.Release(&v.S.Flow[which.Other()])
	if which == Client || v.S.Sock[Client].Has(Finished) {
		v.cut(which)
		return
	}
	v.pump(Server)
}

// BrokenBy records the error of a call. On Linux the first error of a reset is EPIPE if FIN came
// before it, otherwise ECONNRESET. If this proxy splices to the socket, a splice that ended early
// may have consumed the first error. EPIPE then proves nothing.
func (v *Visit) BrokenBy(which Side, e sock.Errno) {
	one := &v.S.Sock[which]
	switch {
	case one.Has(Broken):
	case e == unix.EPIPE && !v.S.Flow[which.Other()].Splicing():
		one.Set(piped)
	case e == unix.ECONNRESET:
		one.Set(resetFirst)
	}
	one.Set(Broken)
}

// cut ends a session after the connection of side by has failed, and resets the other
// connection.
func (v *Visit) cut(by Side) Result {
	letter := byte('C')
	if by == Server {
		letter = 'S'
	}
	// A peer to which FIN was sent has got all bytes, or will get them. It must not be reset.
	done := v.S.Sock[by.Other()].Has(Finished)
	v.End(Ending{Term: Term(letter, 'D'), Linger: true, Last: by.Other(), Abrupt: !done})
	return Left
}
