package engine

import (
	"sluice/conf"
	"sluice/engine/acl"
	"sluice/pool"
)

// Only this file of the package writes counters. Each function is named after an event, and is called
// when that event has happened. The functions allocate no memory and take no lock.
//
// HAProxy 2.6 counts at the same events (measured, see TestCountsAreHAProxys).

// countAccepted counts an accepted connection, before any rule is evaluated.
func (l *loop) countAccepted(f *frontend) { f.stat.Conns.Open(l.now) }

// countTurnedAway counts a connection that was closed without a session. denied means that a
// rule denied it; otherwise no session was free.
func (l *loop) countTurnedAway(f *frontend, denied bool) {
	if denied {
		f.stat.DeniedConn.Inc()
	}
	f.stat.Conns.Close(0, 0)
}

// countOpened counts the start of a session.
func (l *loop) countOpened(f *frontend) {
	f.stat.Open(l.now)
	l.engine.stat.Open(l.now)
}

// countAsked counts a request whose head is complete.
func (l *loop) countAsked(f *frontend) {
	f.stat.Requests.Request(l.now)
	l.engine.stat.Requests.Request(l.now)
}

// countUnasked counts a request whose head never became complete or was malformed. It counts as
// a request and as a bad request.
func (l *loop) countUnasked(f *frontend) {
	l.countAsked(f)
	f.stat.FailedReq.Inc()
}

// countBadRequest counts a request whose body was malformed. In mode tcp it counts first bytes
// that did not arrive in time.
func (l *loop) countBadRequest(f *frontend) { f.stat.FailedReq.Inc() }

// countRouted counts that a session, or in mode http a request, was given to its backend.
func (l *loop) countRouted(s *session) {
	b := l.backendOf(s)
	b.Stat.Open(l.now)
	if l.isHTTP(s) {
		b.Stat.Requests.Request(l.now)
	}
}

// countDeniedRequest counts a request, or the first bytes in mode tcp, denied by a rule.
func (l *loop) countDeniedRequest(s *session) {
	l.listeners[s.line].frontend.stat.DeniedReq.Inc()
	if s.backend >= 0 {
		l.backendOf(s).Stat.DeniedReq.Inc()
	}
}

// countDeniedAnswer counts an answer of a server that a rule denied.
func (l *loop) countDeniedAnswer(s *session) {
	l.listeners[s.line].frontend.stat.DeniedResp.Inc()
	l.backendOf(s).Stat.DeniedResp.Inc()
	l.serverOf(s).Stat.DeniedResp.Inc()
}

// countIntercepted counts a request that the frontend answers itself. It counts nothing once
// the request has a backend.
func (l *loop) countIntercepted(s *session) {
	if s.backend < 0 {
		l.listeners[s.line].frontend.stat.Intercepted.Inc()
	}
}

// countRule counts a rule that answers in place of a server.
func (l *loop) countRule(s *session, r *acl.HTTPRule) {
	switch {
	case r.Action != conf.Deny && l.facts.Response == nil:
		l.countIntercepted(s)
	case r.Action != conf.Deny:
	case l.facts.Response != nil:
		l.countDeniedAnswer(s)
	default:
		l.countDeniedRequest(s)
	}
}

// countPicked counts that balancing chose a server, or that its idle connection is used again.
// It is not called if the client's cookie chose the server.
func (l *loop) countPicked(s *session) {
	l.backendOf(s).Stat.Selected.Inc()
	l.serverOf(s).Stat.Selected.Inc()
}

// countRetry counts another attempt with the same server, or that a request is sent again.
func (l *loop) countRetry(s *session) {
	l.backendOf(s).Stat.Retries.Inc()
	l.serverOf(s).Stat.Retries.Inc()
}

// countRedispatch counts an attempt with another server. was is the server of the attempt
// before.
func (l *loop) countRedispatch(s *session, was *pool.Server) {
	l.backendOf(s).Stat.Redispatches.Inc()
	was.Stat.Redispatches.Inc()
}

// countAssigned adds the session to the current sessions of its server.
func (l *loop) countAssigned(s *session) { l.serverOf(s).Stat.Open(l.now) }

// countUnassigned removes the session from the current sessions of its server, after an attempt
// or connection. in and out are bytes from and to the client.
func (l *loop) countUnassigned(s *session, in, out int64) { l.serverOf(s).Stat.Close(in, out) }

// countConnect counts an attempt to connect to the server.
func (l *loop) countConnect(s *session) {
	l.backendOf(s).Stat.Connects.Inc()
	l.serverOf(s).Stat.Connects.Inc()
}

// countReuse counts a request sent on a connection that had served another request.
func (l *loop) countReuse(s *session) {
	l.backendOf(s).Stat.Reuses.Inc()
	l.serverOf(s).Stat.Reuses.Inc()
}

// countNoServer counts that the backend has no usable server, or none for another attempt.
func (l *loop) countNoServer(s *session) { l.backendOf(s).Stat.FailedConn.Inc() }

// countGivenUp counts that the last attempt to connect has failed.
func (l *loop) countGivenUp(s *session) {
	l.countNoServer(s)
	l.serverOf(s).Stat.FailedConn.Inc()
}

// countAnswered counts the head of a server's final answer.
func (l *loop) countAnswered(s *session, status int) {
	r := &l.serverOf(s).Stat.Requests
	r.Request(l.now)
	r.Response(status)
}

// countBadAnswer counts an answer that was malformed, was cut short or never came.
func (l *loop) countBadAnswer(s *session) {
	l.backendOf(s).Stat.FailedResp.Inc()
	l.serverOf(s).Stat.FailedResp.Inc()
}

// countExchanged counts the end of a request and its bytes. The request may have no backend.
func (l *loop) countExchanged(s *session, x *exchange) {
	in, out := l.exchangedBytes(s, x)
	f := l.listeners[s.line].frontend
	f.stat.Requests.Response(int(x.status))
	f.stat.Move(in, out)
	l.engine.stat.Move(in, out)
	if s.backend < 0 {
		return
	}
	b := l.backendOf(s)
	b.Stat.Requests.Response(int(x.status))
	l.countTimes(s, int64(s.queued-x.headDone), int64(x.answer-s.connected), x.answer >= 0)
	l.countAborts(s)
	b.Stat.Close(in, out)
	l.countServed(s, in, out)
}

// countServed counts the bytes of a session or request for its server. It also counts them if
// the connection to that server failed.
func (l *loop) countServed(s *session, in, out int64) {
	switch {
	case s.counted:
		l.unassign(s, in, out)
	case s.server >= 0:
		l.serverOf(s).Stat.Move(in, out)
	}
}

// exchangedBytes returns the bytes of an exchange. For a request that was not sent to a server,
// in is the size of its head. As in HAProxy, the answer to an incomplete head counts as 0
// bytes.
func (l *loop) exchangedBytes(s *session, x *exchange) (in, out int64) {
	in, out = int64(l.uploaded(s, x)), int64(l.downloaded(s, x))
	if in == 0 {
		in = int64(x.head)
	}
	if x.headDone < 0 {
		out = 0
	}
	return in, out
}

// countClosed counts the end of a session and its bytes. In mode http the bytes were counted by
// each exchange.
func (l *loop) countClosed(s *session) {
	f := l.listeners[s.line].frontend
	in, out := s.received, int64(s.flow[server].Bytes)
	if l.isHTTP(s) {
		in, out = 0, 0
	}
	f.stat.Conns.Close(in, out)
	f.stat.Close(in, out)
	l.engine.stat.Close(in, out)
	l.engine.stat.Spliced.Add(l.stock.Spliced())
	if s.backend >= 0 {
		if s.term == term('S', 'D') { // HAProxy also counts a reset by the server as a bad answer
			l.countBadAnswer(s)
		}
		l.countTimes(s, int64(s.queued), 0, true)
		l.countAborts(s)
		l.backendOf(s).Stat.Close(in, out)
		l.countServed(s, in, out)
	}
}

// countTimes counts the times of a session or a request, in ms. queue is the time until a
// server was chosen, response the time of the server until its answer. It counts nothing if the
// server was not connected or answered is false.
func (l *loop) countTimes(s *session, queue, response int64, answered bool) {
	if s.connected < 0 || !answered {
		return
	}
	connect, total := int64(s.connected-s.queued), l.now-s.began
	l.backendOf(s).Stat.Times.Add(queue, connect, response, total)
	l.serverOf(s).Stat.Times.Add(queue, connect, response, total)
}

// countAborts counts which side ended a session or a request too early. A server that ends
// before its answer is not counted here, but by countBadAnswer.
func (l *loop) countAborts(s *session) {
	b := l.backendOf(s)
	switch {
	case s.term[0] == 'C' || s.term[0] == 'c':
		b.Stat.ClientAborts.Inc()
		if s.server >= 0 {
			l.serverOf(s).Stat.ClientAborts.Inc()
		}
	case (s.term[0] == 'S' || s.term[0] == 's') && s.term[1] == 'D':
		b.Stat.ServerAborts.Inc()
		l.serverOf(s).Stat.ServerAborts.Inc()
	}
}
