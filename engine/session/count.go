package session

import (
	"sluice/engine/site"
	"sluice/pool"
)

// Only this file of the package writes counters. Each function is named after an event, and is
// called when that event has happened. The functions allocate no memory and take no lock.
//
// HAProxy 2.6 counts at the same events (measured, see TestCountsAreHAProxys).

// countAccepted counts an accepted connection, before any rule is evaluated.
func (l *Loop) countAccepted(f *site.Frontend) { f.Stat.Conns.Open(l.Now()) }

// countTurnedAway counts a connection that was closed without a session. denied means that a rule
// denied the connection; otherwise no session was free.
func (l *Loop) countTurnedAway(f *site.Frontend, denied bool) {
	if denied {
		f.Stat.DeniedConn.Inc()
	}
	f.Stat.Conns.Close(0, 0)
}

// countOpened counts the start of a session.
func (v *Visit) countOpened() {
	v.Frontend.Stat.Open(v.Now())
	v.process.Stat.Open(v.Now())
}

// CountBadRequest counts a request whose body was malformed. In mode tcp it counts first bytes
// that did not arrive in time, and a client that failed before the rules decided.
func (v *Visit) CountBadRequest() { v.Frontend.Stat.FailedReq.Inc() }

// countRouted counts that a session, or in mode http a request, was given to its backend.
func (v *Visit) countRouted() {
	v.Backend.Stat.Open(v.Now())
}

// CountDeniedRequest counts a request, or the first bytes in mode tcp, denied by a rule.
func (v *Visit) CountDeniedRequest() {
	v.Frontend.Stat.DeniedReq.Inc()
	if v.Backend != nil {
		v.Backend.Stat.DeniedReq.Inc()
	}
}

// CountDeniedAnswer counts an answer of a server that a rule denied.
func (v *Visit) CountDeniedAnswer() {
	v.Frontend.Stat.DeniedResp.Inc()
	v.Backend.Stat.DeniedResp.Inc()
	v.Server().Stat.DeniedResp.Inc()
}

// CountIntercepted counts a request that the frontend answers itself. It counts nothing once
// the request has a backend.
func (v *Visit) CountIntercepted() {
	if v.Backend == nil {
		v.Frontend.Stat.Intercepted.Inc()
	}
}

// CountPicked counts that balancing chose the session's server, or that a request uses the idle
// connection of a server. It is not called if the client's cookie chose the server.
func (v *Visit) CountPicked() {
	v.Backend.Stat.Selected.Inc()
	v.Server().Stat.Selected.Inc()
}

// CountRetry counts that another attempt to connect to the same server will be made, or that a
// request is sent again. As in the log, the attempt counts even if the session ends in the pause
// before it.
func (v *Visit) CountRetry() {
	v.Backend.Stat.Retries.Inc()
	v.Server().Stat.Retries.Inc()
}

// countRedispatch counts an attempt with another server. was is the server of the attempt
// before.
func (v *Visit) countRedispatch(was *pool.Server) {
	v.Backend.Stat.Redispatches.Inc()
	was.Stat.Redispatches.Inc()
}

// countAssigned adds the session to the current sessions of its server.
func (v *Visit) countAssigned() { v.Server().Take(v.Now()) }

// countUnassigned removes the session from the current sessions of its server, after an attempt
// or connection. in and out are bytes from and to the client.
func (v *Visit) countUnassigned(in, out int64) { v.Server().Drop(in, out) }

// countConnect counts an attempt to connect to the server.
func (v *Visit) countConnect() {
	v.Backend.Stat.Connects.Inc()
	v.Server().Stat.Connects.Inc()
}

// CountReuse counts a request sent on a connection that had served another request.
func (v *Visit) CountReuse() {
	v.Backend.Stat.Reuses.Inc()
	v.Server().Stat.Reuses.Inc()
}

// countNoServer counts that the backend has no usable server, or none for another attempt.
func (v *Visit) countNoServer() { v.Backend.Stat.FailedConn.Inc() }

// countGivenUp counts that the last attempt to connect has failed, for the backend and the server.
func (v *Visit) countGivenUp() {
	v.countNoServer()
	v.Server().Stat.FailedConn.Inc()
}

// CountAnswered counts the head of a server's final answer.
func (v *Visit) CountAnswered(status int) {
	r := &v.Server().Stat.Requests
	r.Request(v.Now())
	r.Response(status)
}

// CountBadAnswer counts an answer that was malformed, was cut short or never came.
func (v *Visit) CountBadAnswer() {
	v.Backend.Stat.FailedResp.Inc()
	v.Server().Stat.FailedResp.Inc()
}

// CountAsked counts a request whose head is complete.
func (v *Visit) CountAsked() {
	v.Frontend.Stat.Requests.Request(v.Now())
	v.process.Stat.Requests.Request(v.Now())
}

// CountBadHead counts a request whose head never became complete or was malformed. It counts as
// a request and as a bad request.
func (v *Visit) CountBadHead() {
	v.CountAsked()
	v.Frontend.Stat.FailedReq.Inc()
}

// CountRequested counts that a request was given to its backend.
func (v *Visit) CountRequested() {
	v.countRouted()
	v.Backend.Stat.Requests.Request(v.Now())
}

// Exchanged contains the values that are counted at the end of an exchange. Queue and Response are
// valid only if Answered is true.
type Exchanged struct {
	Status          int   // status code of the answer; 0: no answer
	In, Out         int64 // bytes from and to the client
	Queue, Response int64 // ms: from the head to the choice of a server; from the connection to the answer
	Answered        bool  // a server has answered
}

// CountExchanged counts the end of a request and its bytes. The request may have no backend.
func (v *Visit) CountExchanged(x Exchanged) {
	v.Frontend.Stat.Requests.Response(x.Status)
	v.Frontend.Stat.Move(x.In, x.Out)
	v.process.Stat.Move(x.In, x.Out)
	if v.Backend == nil {
		return
	}
	v.Backend.Stat.Requests.Response(x.Status)
	v.countTimes(x.Queue, x.Response, x.Answered)
	v.countAborts()
	v.Backend.Stat.Close(x.In, x.Out)
	v.countServed(x.In, x.Out)
}

// countServed counts the bytes of a session or request for its server, even if the connection to
// that server failed. If the session is assigned to the server, countServed also ends this
// assignment.
func (v *Visit) countServed(in, out int64) {
	switch {
	case v.S.Counted:
		v.Unassign(in, out)
	case v.S.Server >= 0:
		v.Server().Stat.Move(in, out)
	}
}

// countClosed counts the end of a session and its bytes. In mode http, each exchange has counted its
// bytes, and the session has no backend any more. In mode tcp, countClosed also ends the assignment
// to the server. If the server has reset the connection, countClosed counts a bad answer.
func (v *Visit) countClosed() {
	in, out := v.Mode.Uncounted()
	v.Frontend.Stat.Conns.Close(in, out)
	v.Frontend.Stat.Close(in, out)
	v.process.Stat.Close(in, out)
	v.process.Stat.Spliced.Add(v.Stock.Spliced())
	if v.Backend != nil {
		if v.S.Term == Term('S', 'D') { // HAProxy also counts a reset by the server as a bad answer
			v.CountBadAnswer()
		}
		v.countTimes(int64(v.S.Queued), 0, true)
		v.countAborts()
		v.Backend.Stat.Close(in, out)
		v.countServed(in, out)
	}
}

// countTimes counts the times of a session or a request, in ms. queue is the time until a server
// was chosen, response the time that the server took to answer. It counts nothing if no server was
// connected or if answered is false.
func (v *Visit) countTimes(queue, response int64, answered bool) {
	if v.S.Connected < 0 || !answered {
		return
	}
	connect, total := int64(v.S.Connected-v.S.Queued), v.Now()-v.S.Began
	v.Backend.Stat.Times.Add(queue, connect, response, total)
	v.Server().Stat.Times.Add(queue, connect, response, total)
}

// countAborts counts which side ended a session or a request too early. A server that ends before
// its answer is not counted here, but by CountBadAnswer.
func (v *Visit) countAborts() {
	switch {
	case v.S.Term[0] == 'C' || v.S.Term[0] == 'c':
		v.Backend.Stat.ClientAborts.Inc()
		if v.S.Server >= 0 {
			v.Server().Stat.ClientAborts.Inc()
		}
	case (v.S.Term[0] == 'S' || v.S.Term[0] == 's') && v.S.Term[1] == 'D':
		v.Backend.Stat.ServerAborts.Inc()
		v.Server().Stat.ServerAborts.Inc()
	}
}
