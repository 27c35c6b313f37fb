package exchange

import (
	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/session"
)

// askOn handles an event in the asking state.
func (m *modeHTTP) askOn(from side) {
	if from == server {
		m.tendIdle()
		return
	}
	m.ask() // even if the client's connection has failed: bytes may have arrived before
}

// tendIdle closes the idle connection of a server if it has ended, failed, or sent bytes. No
// request is outstanding, so bytes on it cannot be an answer. It reads only if an event has
// announced bytes.
func (m *modeHTTP) tendIdle() {
	in := &m.S.Flow[server]
	if m.Unharmed(server) && in.Has(relay.SourceReady) {
		b, e := m.Stock.Read(in, int(m.S.Sock[server].FD))
		if len(b) > 0 || e != 0 {
			in.Set(relay.SourceEnded)
		}
	}
	if !m.Unharmed(server) {
		m.dropServer()
	}
}

// ask reads until the head of a request is complete, and then handles the request. A head that
// arrives in one piece is parsed in the read buffer, without a copy.
func (m *modeHTTP) ask() {
	in, fd := &m.S.Flow[client], int(m.S.Sock[client].FD)
	for more := m.x.has(begun); ; more = true {
		view, e := m.Stock.Look(in, &m.x.ahead[client], fd, more)
		if e != 0 {
			m.endAsking()
			return
		}
		if len(view.Bytes) == 0 {
			break
		}
		m.S.Sock[client].Seen = m.Now()
		if m.hear(view) == session.Left {
			return
		}
		m.Stock.Leave(in, &m.x.ahead[client], fd, view)
	}
	switch {
	case in.Has(relay.SourceEnded):
		m.endAsking()
	case !m.Watch(client):
		m.End(session.Ending{Term: term('R', 'R')})
	}
}

// hear parses the head of a request from the view, which contains all bytes that were not parsed
// yet. It returns Waits if the head is incomplete, otherwise Left.
func (m *modeHTTP) hear(view relay.View) session.Result {
	if !m.x.has(begun) {
		m.x.marks |= begun
		m.S.Began, m.x.wall, m.x.gap = m.Now(), m.Reactor.Wall(), int32(m.Now()-m.S.Since)
		m.Enter(session.Asking)
	}
	n, status := m.x.flow.Ask(m.Scanner, &m.S.Sniff, view.Bytes, &m.Sniffed)
	switch {
	case status != 0:
		m.CountBadHead()
		m.refuse(status, term('P', 'R'))
	case n != 0:
		m.asked(view, n)
	default:
		return session.Waits
	}
	return session.Left
}

// asked handles a request whose head is complete: the first n bytes of the view.
func (m *modeHTTP) asked(view relay.View, n int) {
	m.x.asked++
	m.x.headDone = int32(m.Now() - m.S.Began)
	m.Facts.Received = len(view.Bytes)
	m.tellFacts()
	if m.Frontend.ConnMode == conf.HTTPClose || m.leaves() {
		m.x.flow.CloseClient()
	}
	m.x.head = int32(n)
	if m.Frontend.Rules.Rejects(&m.Facts) {
		m.reject()
		return
	}
	m.CountAsked()
	switch m.decide() {
	case session.GoesOn:
		m.takeBody(view, n)
	case session.OwnAnswer:
		m.takeAsked(view, n)
		m.sayOurs()
	}
}

// reject ends the session without an answer, because a tcp-request content rule rejects the client.
// As in HAProxy, these rules come before all other rules of mode http. The request is logged as
// <BADREQ> and does not count as a request.
func (m *modeHTTP) reject() {
	m.CountDeniedRequest()
	m.x.headDone = -1
	m.x.marks |= outstanding
	m.endExchange(term('P', 'R'), session.Ending{Linger: true, Last: client})
}

// decide decides whether a server or this proxy answers a request. It returns GoesOn for a server,
// OwnAnswer for this proxy, and Left if the session has ended.
func (m *modeHTTP) decide() session.Result {
	if m.Sniffed.HTTP.AsksFor(m.Frontend.Conf.Monitor.URI) {
		return m.answerMonitor()
	}
	m.x.marks |= outstanding
	m.tellLine()
	return m.headToServer()
}

// headToServer applies the rules to the request, finds its backend, and writes the edited head to
// m.head. It returns the same results as decide.
func (m *modeHTTP) headToServer() session.Result {
	m.values = m.values[:0]
	m.rewrite.Request(&m.Sniffed.HTTP)
	m.Facts.Line = acl.LineOf(&m.Sniffed.HTTP)
	if became := m.requestRules(&m.Frontend.Rules.Request); became != session.GoesOn {
		return became
	}
	d := m.Frontend.Rules.Route(&m.Facts)
	if d.Backend < 0 {
		m.refuse(503, term('S', 'C'))
		return session.Left
	}
	m.UseBackend(int32(d.Backend))
	m.CountRequested()
	if !m.Frontend.Owns(m.Backend) {
		m.Facts.Backend = m.Backend.Name
		m.findAddresses()
		if became := m.requestRules(&m.Backend.Rules.Request); became != session.GoesOn {
			return became
		}
	}
	m.prepare()
	return session.GoesOn
}

// takeBody adds the body bytes that came with the head to m.head, and sends both. If the memory
// budget is used up, the body stays in the socket until the head is sent.
func (m *modeHTTP) takeBody(view relay.View, head int) {
	n := head
	if !view.InSocket() {
		n += m.x.flow.Request.Take(view.Bytes[head:])
	}
	m.head = append(m.head, view.Bytes[head:n]...)
	if m.x.flow.Request.Broken() {
		m.CountBadRequest()
		m.refuse(400, term('P', 'R'))
		return
	}
	m.takeAsked(view, n)
	m.direct()
}

// takeAsked removes the first n bytes of the view from the client's bytes. It ignores a read error,
// because the next read returns that error again.
func (m *modeHTTP) takeAsked(view relay.View, n int) {
	_ = m.Stock.Take(&m.S.Flow[client], &m.x.ahead[client], int(m.S.Sock[client].FD), view, n)
}

// prepare makes the last edits of the head and writes the head to m.head. These edits come from
// cookies, options and the handling of connections.
func (m *modeHTTP) prepare() {
	rw := &m.rewrite
	if m.Backend.Cookie != nil {
		m.x.claim = m.Backend.Cookie.Pick(&m.Sniffed.HTTP, m.Reactor.Wall()/1000, m.Backend.Lookup)
		m.Backend.Cookie.Hide(rw)
	}
	rw.Forward(m.S.ClientAddr().Addr(), m.Frontend.Conf.ForwardFor, m.Backend.Conf.ForwardFor)
	if m.Frontend.ConnMode != conf.KeepAlive || m.Backend.ClosesServer {
		m.x.flow.CloseServer()
	}
	if m.Backend.Conf.PretendKeepAlive {
		m.x.flow.PretendKeepAlive()
	}
	m.x.flow.ToServer(rw)
	m.head = rw.Append(m.head[:0])
}

// answerMonitor answers a request for `monitor-uri`, with the errorfile of the status if there is
// one. Such a request is neither sent to a server nor logged. It returns the same results as decide.
func (m *modeHTTP) answerMonitor() session.Result {
	status := 200
	if m.Frontend.Rules.Failing(&m.Facts) {
		status = 503
	}
	m.x.marks |= local | outstanding | unlogged
	m.CountIntercepted()
	if file, ok := m.errorFile(status); ok {
		m.sendFile(status, file, term('L', 'R'))
		return session.Left
	}
	m.x.status = int16(status)
	m.head = m.x.flow.AppendAnswer(m.head[:0], httpflow.Page(status))
	return session.OwnAnswer
}

// direct sends the request on the idle connection if idleFits allows it, otherwise on a new
// connection.
func (m *modeHTTP) direct() {
	if m.x.has(idle) {
		m.tendIdle()
	}
	if m.idleFits() {
		m.reuse()
		return
	}
	if m.x.has(idle) {
		m.dropServer()
	}
	m.Choose(nil, m.head)
}

// reuse sends the request on the idle connection.
func (m *modeHTTP) reuse() {
	m.x.marks = m.x.marks&^idle | reused
	m.S.Server = m.x.idleServer // the session takes over the reference
	if m.x.claim.Server < 0 {
		m.CountPicked()
	}
	m.CountReuse()
	m.Assign()
	m.S.Queued = int32(m.Now() - m.S.Began)
	m.S.Connected = m.S.Queued
	m.Enter(session.Exchanging)
	m.copySent(m.head)
	if e := m.Stock.Push(&m.S.Flow[client], int(m.S.Sock[server].FD), m.head); e != 0 {
		m.serverGone()
		return
	}
	m.S.Sock[server].Seen = m.Now()
	m.exchange()
}

// endAsking ends a session whose client has failed or sent FIN before the head of its request was
// complete. As in HAProxy this is a bad request, even if no byte has come on a new connection. It
// is no error if a client ends its connection between two requests, see unasked.
func (m *modeHTTP) endAsking() {
	if m.unasked() {
		m.End(session.Ending{Term: term('-', '-')})
		return
	}
	m.CountBadHead()
	// A part of the head may still be in the socket, see relay.Stock.Look. It is read before the
	// close.
	m.S.Flow[client].Set(relay.SourceReady)
	m.S.Flow[client].Clear(relay.SourceEnded)
	m.refuse(400, term('C', 'R'))
}

// unasked reports whether a session in the asking state may end without an answer and without a log
// line. This is so between two requests, and before the first byte with `option
// http-ignore-probes`.
func (m *modeHTTP) unasked() bool {
	return m.between() || !m.x.has(begun) && m.Frontend.Conf.IgnoreProbes
}
