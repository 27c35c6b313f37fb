package engine

import (
	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
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
	in := &m.s.flow[server]
	if m.unharmed(server) && in.Has(relay.SourceReady) {
		b, e := m.stock.Read(in, int(m.s.sock[server].fd))
		if len(b) > 0 || e != 0 {
			in.Set(relay.SourceEnded)
		}
	}
	if !m.unharmed(server) {
		m.dropServer()
	}
}

// ask reads until the head of a request is complete. A head that arrives in one piece is parsed
// in the read buffer, without a copy.
func (m *modeHTTP) ask() {
	in, fd := &m.s.flow[client], int(m.s.sock[client].fd)
	for more := m.x.has(begun); ; more = true {
		view, e := m.stock.Look(in, &m.x.ahead[client], fd, more)
		if e != 0 {
			m.endAsking()
			return
		}
		if len(view.Bytes) == 0 {
			break
		}
		m.s.sock[client].seen = m.now()
		if m.hear(view) == left {
			return
		}
		m.stock.Leave(in, &m.x.ahead[client], fd, view)
	}
	switch {
	case in.Has(relay.SourceEnded):
		m.endAsking()
	case !m.watch(client):
		m.end(ending{term: term('R', 'R')})
	}
}

// hear looks for the head of a request in the view, which contains all bytes that were not parsed yet.
func (m *modeHTTP) hear(view relay.View) result {
	if !m.x.has(begun) {
		m.x.marks |= begun
		m.s.began, m.x.wall, m.x.gap = m.now(), m.reactor.Wall(), int32(m.now()-m.s.since)
		m.enter(asking)
	}
	n, status := m.x.flow.Ask(m.scanner, &m.s.sniff, view.Bytes, &m.sniffed)
	switch {
	case status != 0:
		m.countUnasked()
		m.refuse(status, term('P', 'R'))
	case n != 0:
		m.asked(view, n)
	default:
		return waits
	}
	return left
}

// asked handles a request whose head is complete: the first n bytes of the view.
func (m *modeHTTP) asked(view relay.View, n int) {
	m.x.asked++
	m.x.headDone = int32(m.now() - m.s.began)
	m.facts.Received = len(view.Bytes)
	m.tellFacts()
	m.findDestination(m.f, int(m.s.sock[client].fd))
	if m.f.ConnMode == conf.HTTPClose || m.draining {
		m.x.flow.CloseClient()
	}
	m.x.head = int32(n)
	m.countAsked()
	switch m.decide() {
	case goesOn:
		m.takeBody(view, n)
	case ownAnswer:
		m.takeAsked(view, n)
		m.sayOurs()
	}
}

// decide finds out who answers a request: a server, or this proxy.
func (m *modeHTTP) decide() result {
	if m.monitored() {
		return ownAnswer
	}
	m.x.marks |= outstanding
	m.tellLine()
	return m.headToServer()
}

// headToServer applies the rules to the request, finds its backend, and writes the edited head
// to m.head.
func (m *modeHTTP) headToServer() result {
	m.values = m.values[:0]
	m.rewrite.Request(&m.sniffed.HTTP)
	if became := m.requestRules(&m.f.Rules.Request); became != goesOn {
		return became
	}
	d := m.f.Rules.Decide(&m.facts)
	switch {
	case d.Verdict == acl.Refuse:
		m.countDeniedRequest()
		m.refuse(403, term('P', 'R'))
		return left
	case d.Backend < 0:
		m.refuse(503, term('S', 'C'))
		return left
	}
	m.useBackend(int32(d.Backend))
	m.countRequested()
	if !m.f.Owns(m.b) {
		m.facts.Backend = m.b.Name
		if became := m.requestRules(&m.b.Rules.Request); became != goesOn {
			return became
		}
	}
	m.prepare()
	return goesOn
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
		m.countBadRequest()
		m.refuse(400, term('P', 'R'))
		return
	}
	m.takeAsked(view, n)
	m.direct()
}

// takeAsked takes the first n bytes of the view of the client's bytes. It ignores a read error,
// because the next read returns that error again.
func (m *modeHTTP) takeAsked(view relay.View, n int) {
	_ = m.stock.Take(&m.s.flow[client], &m.x.ahead[client], int(m.s.sock[client].fd), view, n)
}

// prepare makes the last edits of the head and writes it to m.head. These edits come from
// cookies, options and the handling of connections.
func (m *modeHTTP) prepare() {
	rw := &m.rewrite
	if m.b.Cookie != nil {
		m.x.claim = m.b.Cookie.Pick(&m.sniffed.HTTP, m.reactor.Wall()/1000, m.b.Lookup)
		m.b.Cookie.Hide(rw)
	}
	rw.Forward(m.s.clientAddr().Addr(), m.f.Conf.ForwardFor, m.b.Conf.ForwardFor)
	if m.f.ConnMode != conf.KeepAlive || m.b.ClosesServer {
		m.x.flow.CloseServer()
	}
	if m.b.Conf.PretendKeepAlive {
		m.x.flow.PretendKeepAlive()
	}
	m.x.flow.ToServer(rw)
	m.head = rw.Append(m.head[:0])
}

// monitored prepares the answer if the request is for `monitor-uri`. Such a request is neither
// sent to a server nor logged.
func (m *modeHTTP) monitored() bool {
	if !m.sniffed.HTTP.AsksFor(m.f.Conf.Monitor.URI) {
		return false
	}
	status := 200
	if m.f.Rules.Failing(&m.facts) {
		status = 503
	}
	m.x.status = int16(status)
	m.head = m.x.flow.AppendAnswer(m.head[:0], httpflow.Page(status))
	m.x.marks |= local | outstanding | unlogged
	m.countIntercepted()
	return true
}

// direct sends the request on the idle connection if idleFits allows it, otherwise on a new
// one.
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
	m.choose(nil, m.head)
}

// reuse sends the request on the idle connection.
func (m *modeHTTP) reuse() {
	m.x.marks = m.x.marks&^idle | reused
	m.s.server = m.x.idleServer // with its reference
	if m.x.claim.Server < 0 {
		m.countPicked()
	}
	m.countReuse()
	m.assign()
	m.s.queued = int32(m.now() - m.s.began)
	m.s.connected = m.s.queued
	m.enter(exchanging)
	m.copySent(m.head)
	if e := m.stock.Push(&m.s.flow[client], int(m.s.sock[server].fd), m.head); e != 0 {
		m.serverGone()
		return
	}
	m.s.sock[server].seen = m.now()
	m.exchange()
}

// endAsking ends a session whose client has failed or sent FIN before the head of its request
// was complete. As in HAProxy this is a bad request, also on a new connection without a byte. A
// client may leave between two requests: that is no error, see unasked.
func (m *modeHTTP) endAsking() {
	if m.unasked() {
		m.end(ending{term: term('-', '-')})
		return
	}
	m.countUnasked()
	// A part of the head may still be in the socket, see Look. It is read before the close.
	m.s.flow[client].Set(relay.SourceReady)
	m.s.flow[client].Clear(relay.SourceEnded)
	m.refuse(400, term('C', 'R'))
}

// unasked reports whether a session in the asking state ends without an answer and without a
// log line. It does so between two requests, and before the first byte with `option
// http-ignore-probes`.
func (m *modeHTTP) unasked() bool {
	return m.between() || !m.x.has(begun) && m.f.Conf.IgnoreProbes
}
