package session

import (
	"math"

	"golang.org/x/sys/unix"

	"sluice/engine/relay"
)

// Never is the deadline of a state without a time limit.
const Never = int64(math.MaxInt64)

// OwnTimer is the number of the loop's own timer, which ends the pause of listeners and closes
// removed ones. No session has this number.
const OwnTimer = 0

// OnTimer is called by the reactor when the timer with this number fires.
func (l *Loop) OnTimer(id int32) {
	if id == OwnTimer {
		l.resumeAll()
		l.tendRetired()
		return
	}
	l.Visit(id).expired()
}

// retryStarved repeats reads and writes for which the kernel had no memory. It acts as if
// events had announced that the sockets are ready.
func (v *Visit) retryStarved() {
	for from := range Side(2) {
		to := from.Other()
		if !v.S.Flow[from].Has(relay.Starved) {
			continue
		}
		v.S.Flow[from].Clear(relay.Starved)
		v.wakeOpen(from, unix.EPOLLIN)
		v.wakeOpen(to, unix.EPOLLOUT)
	}
}

// wakeOpen calls wake if the socket of this side is open.
func (v *Visit) wakeOpen(which Side, events uint32) {
	if v.S.Sock[which].FD >= 0 {
		v.wake(which, events)
	}
}

// quiet returns the time when the timeout of a side expires in the relaying state, in ms of
// stat.Now; or Never. The timeout runs while bytes wait for that side, or while that side may send
// bytes that would be read at once. It does not run for a client that waits for an answer, if there
// is a timeout for the server (as in HAProxy 2.6, measured).
func (v *Visit) quiet(which Side) int64 {
	takes := v.S.Blocked(which.Other()) && !v.S.Sock[which].Has(Finished|Broken)
	sends := !v.S.Sock[which.Other()].Has(Finished|Broken) && !v.S.Blocked(which)
	if which == Client && v.S.Asked && !v.S.Sock[Client].Has(Finished) && v.SideTimeout(Server) > 0 {
		sends = false
	}
	if !sends && !takes {
		return Never
	}
	return After(v.S.Sock[which].Seen, v.SideTimeout(which))
}

// SideTimeout returns the timeout of a side in ms; 0: none. It is timeout client or timeout server.
// timeout tunnel replaces both in mode tcp and, in mode http, in a tunnel. Once one direction is
// closed, client-fin or server-fin replaces the others (HAProxy's configuration.txt 4.2). The
// session must have a backend.
func (v *Visit) SideTimeout(which Side) int64 {
	t, fin := v.Frontend.ClientTimeout, v.Frontend.ClientFinTimeout
	if which == Server {
		t, fin = v.Backend.ServerTimeout, v.Backend.ServerFinTimeout
	}
	if v.Backend.TunnelTimeout > 0 && v.S.State == Relaying {
		t = v.Backend.TunnelTimeout
	}
	if fin > 0 && (v.S.Sock[Client].Has(Finished) || v.S.Sock[Server].Has(Finished)) {
		t = fin
	}
	return t
}

// After returns start plus timeout, both in ms, or Never if timeout is 0, which means no timeout.
func After(start, timeout int64) int64 {
	if timeout == 0 {
		return Never
	}
	return start + timeout
}
