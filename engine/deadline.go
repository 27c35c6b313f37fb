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

// expire is called when an entry of the wheel fires. If the deadline has moved since the entry
// was armed, expire arms the entry again.
func (l *loop) expire(id int32) {
	if id == ownTimer {
		l.resumeAll()
		return
	}
	s := l.sessions.at(id)
	l.retryStarved(id, s)
	if s.state == leaving {
		l.lookAgain(id, s)
		return
	}
	at := l.deadline(id, s)
	if at > l.now {
		if at != never {
			l.clock.arm(id, at, l.now)
		}
		return
	}
	l.overdue(id, s)
	// The session's next state has armed its own deadline.
	l.settle(id, s)
}

// retryStarved repeats reads and writes for which the kernel had no memory. It acts as if
// events had announced that the sockets are ready.
func (l *loop) retryStarved(id int32, s *session) {
	for from := range side(2) {
		to := from.other()
		if !s.flow[from].Has(relay.Starved) {
			continue
		}
		s.flow[from].Clear(relay.Starved)
		l.wake(tokenOf(id, from, s.sock[from].turn), unix.EPOLLIN)
		l.wake(tokenOf(id, to, s.sock[to].turn), unix.EPOLLOUT)
	}
}

// overdue handles the end of the time limit of the session's state.
func (l *loop) overdue(id int32, s *session) {
	l.meet(id, client, metTimeout)
	switch s.state {
	case inspecting:
		l.inspectedLongEnough(id, s)
	case dialing:
		if after(s.since, l.backendOf(s).connect) <= l.now {
			l.failed(id, s, timedOut, 0)
			return
		}
		l.end(id, s, ending{term: term('c', 'C'), last: server, abrupt: true}) // as in tendDial
	case pausing:
		l.retry(id, s, s.pickAgain)
	case relaying:
		letter := byte('c')
		if l.quiet(s, server) < l.quiet(s, client) {
			letter = 's'
		}
		l.end(id, s, ending{term: term(letter, 'D')})
	case asking:
		l.askedTooLate(id, s)
	case exchanging:
		l.exchangeOverdue(id, s)
	}
}

// deadline returns the latest end of the session's state, in ms of stat.Now.
func (l *loop) deadline(id int32, s *session) int64 {
	switch s.state {
	case inspecting:
		return s.since + l.listeners[s.line].frontend.inspect
	case dialing:
		return min(after(s.since, l.backendOf(s).connect), l.clientDeadline(s))
	case pausing:
		return s.since + int64(s.wait)
	case relaying:
		return min(l.quiet(s, client), l.quiet(s, server))
	case asking:
		return l.askingEnds(id, s)
	case exchanging:
		return min(l.exchangeQuiet(id, s, client), l.exchangeQuiet(id, s, server))
	case leaving:
		return min(l.now+int64(s.wait), s.since+l.grace(s))
	}
	return never
}

// clientDeadline returns when the client's timeout expires while its server is being connected.
// In mode http there is no such deadline: a request is complete, and its client waits.
func (l *loop) clientDeadline(s *session) int64 {
	if l.isHTTP(s) {
		return never
	}
	return after(s.sock[client].seen, l.listeners[s.line].frontend.client)
}

// quiet returns when the timeout of a side expires in the relaying state. The timeout runs
// while bytes wait for that side, or while that side may send bytes that would be read at once.
// It does not run for a client that waits for an answer, if there is a timeout for the server
// (as in HAProxy 2.6, measured).
func (l *loop) quiet(s *session, which side) int64 {
	takes := s.blocked(which.other()) && !s.sock[which].has(finished|broken)
	sends := !s.sock[which.other()].has(finished|broken) && !s.blocked(which)
	if which == client && s.asked && !s.sock[client].has(finished) && l.sideTimeout(s, server) > 0 {
		sends = false
	}
	if !sends && !takes {
		return never
	}
	return after(s.sock[which].seen, l.sideTimeout(s, which))
}

// sideTimeout returns the timeout of a side in ms; 0: none. It is timeout client or timeout
// server. timeout tunnel replaces both in mode tcp and, in mode http, in a tunnel. Once one
// direction is closed, client-fin or server-fin replaces all (HAProxy's configuration.txt 4.2).
func (l *loop) sideTimeout(s *session, which side) int64 {
	f, b := l.listeners[s.line].frontend, l.backendOf(s)
	t, fin := f.client, f.fin
	if which == server {
		t, fin = b.server, b.fin
	}
	if b.tunnel > 0 && s.state == relaying {
		t = b.tunnel
	}
	if fin > 0 && (s.sock[client].has(finished) || s.sock[server].has(finished)) {
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
