package engine

import (
	"sluice/engine/site"
	"sluice/pool"
)

// Only this file of the package writes counters. Each function is named after an event, and is called
// when that event has happened. The functions allocate no memory and take no lock.
//
// HAProxy 2.6 counts at the same events (measured, see TestCountsAreHAProxys).

// countAccepted counts an accepted connection, before any rule is evaluated.
func (l *loop) countAccepted(f *site.Frontend) { f.Stat.Conns.Open(l.now()) }

// countTurnedAway counts a connection that was closed without a session. denied means that a
// rule denied it; otherwise no session was free.
func (l *loop) countTurnedAway(f *site.Frontend, denied bool) {
	if denied {
		f.Stat.DeniedConn.Inc()
	}
	f.Stat.Conns.Close(0, 0)
}

// countOpened counts the start of a session.
func (v *visit) countOpened() {
	v.f.Stat.Open(v.now())
	v.process.stat.Open(v.now())
}

// countBadRequest counts a request whose body was malformed. In mode tcp it counts first bytes
// that did not arrive in time.
func (v *visit) countBadRequest() { v.f.Stat.FailedReq.Inc() }

// countRouted counts that a session, or in mode http a request, was given to its backend.
func (v *visit) countRouted() {
	v.b.Stat.Open(v.now())
}

// countDeniedRequest counts a request, or the first bytes in mode tcp, denied by a rule.
func (v *visit) countDeniedRequest() {
	v.f.Stat.DeniedReq.Inc()
	if v.b != nil {
		v.b.Stat.DeniedReq.Inc()
	}
}

// countDeniedAnswer counts an answer of a server that a rule denied.
func (v *visit) countDeniedAnswer() {
	v.f.Stat.DeniedResp.Inc()
	v.b.Stat.DeniedResp.Inc()
	v.srv().Stat.DeniedResp.Inc()
}

// countIntercepted counts a request that the frontend answers itself. It counts nothing once
// the request has a backend.
func (v *visit) countIntercepted() {
	if v.b == nil {
		v.f.Stat.Intercepted.Inc()
	}
}

// countPicked counts that balancing chose a server, or that its idle connection is used again.
// It is not called if the client's cookie chose the server.
func (v *visit) countPicked() {
	v.b.Stat.Selected.Inc()
	v.srv().Stat.Selected.Inc()
}

// countRetry counts another attempt with the same server, or that a request is sent again.
func (v *visit) countRetry() {
	v.b.Stat.Retries.Inc()
	v.srv().Stat.Retries.Inc()
}

// countRedispatch counts an attempt with another server. was is the server of the attempt
// before.
func (v *visit) countRedispatch(was *pool.Server) {
	v.b.Stat.Redispatches.Inc()
	was.Stat.Redispatches.Inc()
}

// countAssigned adds the session to the current sessions of its server.
func (v *visit) countAssigned() { v.srv().Take(v.now()) }

// countUnassigned removes the session from the current sessions of its server, after an attempt
// or connection. in and out are bytes from and to the client.
func (v *visit) countUnassigned(in, out int64) { v.srv().Drop(in, out) }

// countConnect counts an attempt to connect to the server.
func (v *visit) countConnect() {
	v.b.Stat.Connects.Inc()
	v.srv().Stat.Connects.Inc()
}

// countReuse counts a request sent on a connection that had served another request.
func (v *visit) countReuse() {
	v.b.Stat.Reuses.Inc()
	v.srv().Stat.Reuses.Inc()
}

// countNoServer counts that the backend has no usable server, or none for another attempt.
func (v *visit) countNoServer() { v.b.Stat.FailedConn.Inc() }

// countGivenUp counts that the last attempt to connect has failed.
func (v *visit) countGivenUp() {
	v.countNoServer()
	v.srv().Stat.FailedConn.Inc()
}

// countAnswered counts the head of a server's final answer.
func (v *visit) countAnswered(status int) {
	r := &v.srv().Stat.Requests
	r.Request(v.now())
	r.Response(status)
}

// countBadAnswer counts an answer that was malformed, was cut short or never came.
func (v *visit) countBadAnswer() {
	v.b.Stat.FailedResp.Inc()
	v.srv().Stat.FailedResp.Inc()
}

// countAsked counts a request whose head is complete.
func (v *visit) countAsked() {
	v.f.Stat.Requests.Request(v.now())
	v.process.stat.Requests.Request(v.now())
}

// countUnasked counts a request whose head never became complete or was malformed. It counts as
// a request and as a bad request.
func (v *visit) countUnasked() {
	v.countAsked()
	v.f.Stat.FailedReq.Inc()
}

// countRequested counts that a request was given to its backend.
func (v *visit) countRequested() {
	v.countRouted()
	v.b.Stat.Requests.Request(v.now())
}

// exchanged contains the values of an exchange that are counted at its end.
type exchanged struct {
	status          int   // of the answer; 0: none
	in, out         int64 // bytes from and to the client
	queue, response int64 // time until a server was chosen, and of the server until its answer, in ms
	answered        bool  // a server has answered
}

// countExchanged counts the end of a request and its bytes. The request may have no backend.
func (v *visit) countExchanged(x exchanged) {
	v.f.Stat.Requests.Response(x.status)
	v.f.Stat.Move(x.in, x.out)
	v.process.stat.Move(x.in, x.out)
	if v.b == nil {
		return
	}
	v.b.Stat.Requests.Response(x.status)
	v.countTimes(x.queue, x.response, x.answered)
	v.countAborts()
	v.b.Stat.Close(x.in, x.out)
	v.countServed(x.in, x.out)
}

// countServed counts the bytes of a session or request for its server. It also counts them if
// the connection to that server failed.
func (v *visit) countServed(in, out int64) {
	switch {
	case v.s.counted:
		v.unassign(in, out)
	case v.s.server >= 0:
		v.srv().Stat.Move(in, out)
	}
}

// countClosed counts the end of a session and its bytes. In mode http the bytes were counted by
// each exchange.
func (v *visit) countClosed() {
	in, out := v.mode.uncounted()
	v.f.Stat.Conns.Close(in, out)
	v.f.Stat.Close(in, out)
	v.process.stat.Close(in, out)
	v.process.stat.Spliced.Add(v.stock.Spliced())
	if v.b != nil {
		if v.s.term == term('S', 'D') { // HAProxy also counts a reset by the server as a bad answer
			v.countBadAnswer()
		}
		v.countTimes(int64(v.s.queued), 0, true)
		v.countAborts()
		v.b.Stat.Close(in, out)
		v.countServed(in, out)
	}
}

// countTimes counts the times of a session or a request, in ms. queue is the time until a
// server was chosen, response the time of the server until its answer. It counts nothing if the
// server was not connected or answered is false.
func (v *visit) countTimes(queue, response int64, answered bool) {
	if v.s.connected < 0 || !answered {
		return
	}
	connect, total := int64(v.s.connected-v.s.queued), v.now()-v.s.began
	v.b.Stat.Times.Add(queue, connect, response, total)
	v.srv().Stat.Times.Add(queue, connect, response, total)
}

// countAborts counts which side ended a session or a request too early. A server that ends
// before its answer is not counted here, but by countBadAnswer.
func (v *visit) countAborts() {
	switch {
	case v.s.term[0] == 'C' || v.s.term[0] == 'c':
		v.b.Stat.ClientAborts.Inc()
		if v.s.server >= 0 {
			v.srv().Stat.ClientAborts.Inc()
		}
	case (v.s.term[0] == 'S' || v.s.term[0] == 's') && v.s.term[1] == 'D':
		v.b.Stat.ServerAborts.Inc()
		v.srv().Stat.ServerAborts.Inc()
	}
}
