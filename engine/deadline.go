package engine

import (
	"math"

	"golang.org/x/sys/unix"

	"sluice/engine/relay"
)

// never is the deadline of a state without a time limit.
const never = int64(math.MaxInt64)

// ownTimer is the wheel's entry for the loop itself. No session has this number.
const ownTimer = 0

// OnTimer is called when an entry of the wheel fires.
func (l *loop) OnTimer(id int32) {
	if id == ownTimer {
		l.resumeAll()
		return
	}
	l.visit(id).expired()
}

// retryStarved repeats reads and writes for which the kernel had no memory. It acts as if
// events had announced that the sockets are ready.
func (v *visit) retryStarved() {
	for from := range side(2) {
		to := from.other()
		if !v.s.flow[from].Has(relay.Starved) {
			continue
		}
		v.s.flow[from].Clear(relay.Starved)
		v.wakeOpen(from, unix.EPOLLIN)
		v.wakeOpen(to, unix.EPOLLOUT)
	}
}

// wakeOpen is wake if the socket is open.
func (v *visit) wakeOpen(which side, events uint32) {
	if v.s.sock[which].fd >= 0 {
		v.wake(which, events)
	}
}

// quiet returns when the timeout of a side expires in the relaying state. The timeout runs
// while bytes wait for that side, or while that side may send bytes that would be read at once.
// It does not run for a client that waits for an answer, if there is a timeout for the server
// (as in HAProxy 2.6, measured).
func (v *visit) quiet(which side) int64 {
	takes := v.s.blocked(which.other()) && !v.s.sock[which].has(finished|broken)
	sends := !v.s.sock[which.other()].has(finished|broken) && !v.s.blocked(which)
	if which == client && v.s.asked && !v.s.sock[client].has(finished) && v.sideTimeout(server) > 0 {
		sends = false
	}
	if !sends && !takes {
		return never
	}
	return after(v.s.sock[which].seen, v.sideTimeout(which))
}

// sideTimeout returns the timeout of a side in ms; 0: none. It is timeout client or timeout
// server. timeout tunnel replaces both in mode tcp and, in mode http, in a tunnel. Once one
// direction is closed, client-fin or server-fin replaces all (HAProxy's configuration.txt 4.2).
func (v *visit) sideTimeout(which side) int64 {
	t, fin := v.f.ClientTimeout, v.f.ClientFinTimeout
	if which == server {
		t, fin = v.b.ServerTimeout, v.b.ServerFinTimeout
	}
	if v.b.TunnelTimeout > 0 && v.s.state == relaying {
		t = v.b.TunnelTimeout
	}
	if fin > 0 && (v.s.sock[client].has(finished) || v.s.sock[server].has(finished)) {
		t = fin
	}
	return t
}

// after returns start plus timeout, both in ms. A timeout of 0 means no timeout.
func after(start, timeout int64) int64 {
	if timeout == 0 {
		return never
	}
	return start + timeout
}
