package engine

import (
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// moveRequest sends bytes of the request that the server has not got yet.
func (m *modeHTTP) moveRequest() result {
	if m.s.sock[server].has(broken) {
		return goesOn
	}
	switch how, e := m.moveBody(client); how {
	case bodyMalformed:
		m.countBadRequest()
		m.refuse(400, term('P', m.phase()))
		return left
	case bodyCutOff:
		m.endExchange(term('C', m.clientPhase()), ending{linger: true, last: server, abrupt: e != 0})
		return left
	case bodyUnwanted:
		// The server may have sent an answer before. That answer is better than an error page.
		m.brokenBy(server, e)
		m.stock.Release(&m.s.flow[client])
		m.s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	}
	return goesOn
}

// moveAnswer reads the answer and writes it to the client.
func (m *modeHTTP) moveAnswer() result {
	limit := m.s.flow[server].Bytes + uint64(m.sizes.Share)
	for !m.x.flow.Answered() {
		if m.flushAnswer() == left {
			return left
		}
		if m.s.flow[server].Pending() > 0 {
			return goesOn
		}
		if m.s.flow[server].Bytes >= limit { // a server may send interim answers endlessly
			m.yield(server)
			return goesOn
		}
		if became := m.readAnswer(); became != goesOn {
			return became
		}
	}
	if m.x.flow.Tunnel() {
		return goesOn
	}
	switch how, e := m.moveBody(server); how {
	case bodyMalformed:
		m.countBadAnswer()
		m.cutAnswer(term('P', 'D'))
		return left
	case bodyCutOff:
		m.brokenBy(server, e)
		m.countBadAnswer()
		m.cutAnswer(term('S', 'D'))
		return left
	case bodyUnwanted:
		m.endExchange(term('C', 'D'), ending{})
		return left
	}
	return goesOn
}

// flushAnswer writes the bytes queued for the client.
func (m *modeHTTP) flushAnswer() result {
	out := &m.s.flow[server]
	before := out.Bytes
	if e := m.stock.Flush(out, int(m.s.sock[client].fd)); e != 0 {
		m.endExchange(term('C', m.phase()), ending{})
		return left
	}
	if out.Bytes != before {
		m.s.sock[client].seen = m.now()
	}
	return goesOn
}

// cutAnswer ends a session before its exchange is over, with the termination state t. If a part of
// the answer is missing, the client's connection is reset: otherwise the client would mistake the
// part for the whole answer.
func (m *modeHTTP) cutAnswer(t [2]byte) {
	m.endExchange(t, ending{linger: true, last: client, abrupt: !m.answerWritten()})
}

// readAnswer looks for the head of an answer. Further heads may follow: a final answer may arrive
// together with an interim one.
func (m *modeHTTP) readAnswer() result {
	in, keep, fd := &m.s.flow[server], &m.x.ahead[server], int(m.s.sock[server].fd)
	for more := m.x.flow.Begun(); ; more = true {
		view, e := m.stock.Look(in, keep, fd, more)
		switch {
		case len(view.Bytes) > 0:
		case e != 0 || in.Has(relay.SourceEnded):
			m.serverGone()
			return left
		default:
			return waits
		}
		m.s.sock[server].seen, m.s.asked = m.now(), false
		m.x.marks |= heard
		m.stock.Release(&m.x.sent)
		if became := m.hearAnswer(view); became != waits {
			return became
		}
		m.stock.Leave(in, keep, fd, view)
	}
}

// hearAnswer looks for the head of an answer in the view, which contains all bytes that were not
// parsed yet.
func (m *modeHTTP) hearAnswer(view relay.View) result {
	n, status := m.x.flow.Reply(view.Bytes, &m.reply)
	switch {
	case status != 0:
		m.countBadAnswer()
		m.refuse(status, term('P', 'H'))
		return left
	case n > 0 && m.x.flow.Withholds(&m.reply):
		_ = m.stock.Take(&m.s.flow[server], &m.x.ahead[server], int(m.s.sock[server].fd), view, n)
		return goesOn
	case n > 0:
		return m.passAnswer(view, n)
	}
	return waits
}

// passAnswer writes the edited head to the client, together with the body bytes that came with
// it.
func (m *modeHTTP) passAnswer(view relay.View, n int) result {
	h := &m.reply
	rw := &m.rewrite
	rw.Response(h)
	m.values = m.values[:0]
	if m.draining {
		m.x.flow.CloseClient() // a rule's answer must tell it, too
	}
	if !h.Interim() {
		m.x.status = int16(h.Status)
		m.countAnswered(h.Status)
		m.tellAnswer(h)
		switch m.responseRules() {
		case ownAnswer:
			m.sayOurs()
			return left
		case left:
			return left
		}
		m.x.answer = int32(m.now() - m.s.began)
		m.giveCookie(rw)
		m.x.marks |= spoken
	}
	m.x.flow.ToClient(rw, h)
	m.head = rw.Append(m.head[:0])
	if m.x.flow.Answered() && !m.x.flow.Tunnel() && !view.InSocket() {
		taken := m.x.flow.Response.Take(view.Bytes[n:])
		m.head = append(m.head, view.Bytes[n:n+taken]...)
		n += taken
	}
	_ = m.stock.Take(&m.s.flow[server], &m.x.ahead[server], int(m.s.sock[server].fd), view, n)
	if e := m.pushAnswer(); e != 0 {
		m.endExchange(term('C', 'D'), ending{})
		return left
	}
	m.s.sock[client].seen = m.now()
	return goesOn
}

// pushAnswer writes m.head to the client: the head of an answer and the body bytes that came
// with it.
func (m *modeHTTP) pushAnswer() sock.Errno {
	f, to := &m.s.flow[server], int(m.s.sock[client].fd)
	if m.x.flow.Answered() && !m.x.flow.Tunnel() && m.x.flow.Response.Done() && m.x.flow.ClosesClient() {
		return m.stock.PushLast(f, to, m.head)
	}
	return m.stock.Push(f, to, m.head)
}

// giveCookie adds the cookie that names the client's server to the answer.
func (m *modeHTTP) giveCookie(rw *httpflow.Rewrite) {
	if m.b.Cookie == nil {
		return
	}
	m.x.cookie = m.b.Cookie.Give(rw, &m.x.flow, &m.reply, m.x.claim, m.srv().Conf.Cookie, m.reactor.Wall()/1000)
}

// serverGone handles the end or failure of the server's connection before the head of its final
// answer.
func (m *modeHTTP) serverGone() {
	if m.mayRepeat() {
		m.repeat()
		return
	}
	m.countBadAnswer()
	m.refuse(502, term('S', 'H'))
}

// refuse ends the session with an error page, unless the client has got a byte of a final
// answer. Interim answers may have been sent before.
func (m *modeHTTP) refuse(status int, t [2]byte) {
	if page := httpflow.Page(status); page != nil {
		if file, ok := m.errorFile(status); ok {
			m.sendFile(status, file, t)
			return
		}
		m.x.flow.CloseClient()
		m.head = m.x.flow.AppendAnswer(m.head[:0], page)
	}
	m.sendFile(status, m.head, t)
}

// sendFile ends the session with a complete answer, such as the content of a file. The answer to
// HEAD is sent without its body. sendFile sends nothing if the client has got a byte of a final
// answer.
func (m *modeHTTP) sendFile(status int, file []byte, t [2]byte) {
	m.x.marks |= outstanding
	m.stock.Release(&m.s.flow[client])
	if !m.x.has(spoken) {
		m.x.marks |= spoken
		m.x.status = int16(status)
		// The session ends in any case, so an error changes nothing.
		_ = m.stock.Push(&m.s.flow[server], int(m.s.sock[client].fd), m.x.flow.Fitting(file))
	}
	m.endExchange(t, ending{linger: true, last: client})
}

// sayOurs sends the answer in m.head, which this proxy has made. The client may send another
// request after it.
func (m *modeHTTP) sayOurs() {
	m.x.marks |= local | spoken
	m.stock.Release(&m.s.flow[client])
	if m.s.server >= 0 && !m.x.has(idle) {
		m.dropServer()
		m.unassign(0, 0)
	}
	m.enter(exchanging)
	if e := m.stock.Push(&m.s.flow[server], int(m.s.sock[client].fd), m.head); e != 0 {
		m.endExchange(term('C', 'R'), ending{})
		return
	}
	if !m.watch(client) {
		m.end(ending{term: term('R', 'R')})
		return
	}
	m.exchange()
}

// errorFile returns the content of the errorfile for a status, from the backend or else from
// the frontend.
func (m *modeHTTP) errorFile(status int) ([]byte, bool) {
	if m.b != nil {
		if file, ok := m.b.Errors[status]; ok {
			return file, true
		}
	}
	file, ok := m.f.Errors[status]
	return file, ok
}
