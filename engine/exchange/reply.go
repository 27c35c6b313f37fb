package exchange

import (
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/session"
	"sluice/engine/sock"
)

// moveRequest moves the rest of the request to the server.
func (m *modeHTTP) moveRequest() session.Result {
	if m.S.Sock[server].Has(session.Broken) {
		return session.GoesOn
	}
	switch how, e := m.moveBody(client); how {
	case bodyMalformed:
		m.CountBadRequest()
		m.refuse(400, term('P', m.phase()))
		return session.Left
	case bodyCutOff:
		m.endExchange(term('C', m.clientPhase()), session.Ending{Linger: true, Last: server, Abrupt: e != 0})
		return session.Left
	case bodyUnwanted:
		// The server may have sent an answer before. The client gets that answer instead of an
		// error page.
		m.BrokenBy(server, e)
		m.Stock.Release(&m.S.Flow[client])
		m.S.Flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	}
	return session.GoesOn
}

// moveAnswer reads the answer and writes it to the client.
func (m *modeHTTP) moveAnswer() session.Result {
	limit := m.S.Flow[server].Bytes + uint64(m.Sizes.Share)
	for !m.x.flow.Answered() {
		if m.flushAnswer() == session.Left {
			return session.Left
		}
		if m.S.Flow[server].Pending() > 0 {
			return session.GoesOn
		}
		if m.S.Flow[server].Bytes >= limit { // a server may send interim answers without end
			m.Yield(server)
			return session.GoesOn
		}
		if became := m.readAnswer(); became != session.GoesOn {
			return became
		}
	}
	if m.x.flow.Tunnel() {
		return session.GoesOn
	}
	switch how, e := m.moveBody(server); how {
	case bodyMalformed:
		m.CountBadAnswer()
		m.cutAnswer(term('P', 'D'))
		return session.Left
	case bodyCutOff:
		m.BrokenBy(server, e)
		m.CountBadAnswer()
		m.cutAnswer(term('S', 'D'))
		return session.Left
	case bodyUnwanted:
		m.endExchange(term('C', 'D'), session.Ending{})
		return session.Left
	}
	return session.GoesOn
}

// flushAnswer writes the bytes queued for the client.
func (m *modeHTTP) flushAnswer() session.Result {
	out := &m.S.Flow[server]
	before := out.Bytes
	if e := m.Stock.Flush(out, int(m.S.Sock[client].FD)); e != 0 {
		m.endExchange(term('C', m.phase()), session.Ending{})
		return session.Left
	}
	if out.Bytes != before {
		m.S.Sock[client].Seen = m.Now()
	}
	return session.GoesOn
}

// cutAnswer ends a session before its exchange is over, with the termination state t. If a part of
// the answer is missing, the client's connection is reset. Otherwise the client could mistake the
// part for the whole answer.
func (m *modeHTTP) cutAnswer(t [2]byte) {
	m.endExchange(t, session.Ending{Linger: true, Last: client, Abrupt: !m.answerWritten()})
}

// readAnswer reads and handles one head of an answer. The caller calls it again, because a final
// answer may arrive together with an interim answer.
func (m *modeHTTP) readAnswer() session.Result {
	in, keep, fd := &m.S.Flow[server], &m.x.ahead[server], int(m.S.Sock[server].FD)
	for more := m.x.flow.Begun(); ; more = true {
		view, e := m.Stock.Look(in, keep, fd, more)
		switch {
		case len(view.Bytes) > 0:
		case e != 0 || in.Has(relay.SourceEnded):
			m.serverGone()
			return session.Left
		default:
			return session.Waits
		}
		m.S.Sock[server].Seen, m.S.Asked = m.Now(), false
		m.x.marks |= heard
		m.Stock.Release(&m.x.sent)
		if became := m.hearAnswer(view); became != session.Waits {
			return became
		}
		m.Stock.Leave(in, keep, fd, view)
	}
}

// hearAnswer parses the head of an answer from the view, which contains all bytes that were not
// parsed yet. It returns Waits if the head is incomplete.
func (m *modeHTTP) hearAnswer(view relay.View) session.Result {
	n, status := m.x.flow.Reply(view.Bytes, &m.reply)
	switch {
	case status != 0:
		m.CountBadAnswer()
		m.refuse(status, term('P', 'H'))
		return session.Left
	case n > 0 && m.x.flow.Withholds(&m.reply):
		_ = m.Stock.Take(&m.S.Flow[server], &m.x.ahead[server], int(m.S.Sock[server].FD), view, n)
		return session.GoesOn
	case n > 0:
		return m.passAnswer(view, n)
	}
	return session.Waits
}

// passAnswer applies the rules to the head of an answer, its first n bytes in the view. It writes
// the edited head to the client, together with the body bytes that came with the head.
func (m *modeHTTP) passAnswer(view relay.View, n int) session.Result {
	h := &m.reply
	rw := &m.rewrite
	rw.Response(h)
	m.values = m.values[:0]
	if m.leaves() {
		m.x.flow.CloseClient() // the answer of a rule must announce the close, too
	}
	if !h.Interim() {
		m.x.status = int16(h.Status)
		m.CountAnswered(h.Status)
		m.tellAnswer(h)
		switch m.responseRules() {
		case session.OwnAnswer:
			m.sayOurs()
			return session.Left
		case session.Left:
			return session.Left
		}
		m.x.answer = int32(m.Now() - m.S.Began)
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
	_ = m.Stock.Take(&m.S.Flow[server], &m.x.ahead[server], int(m.S.Sock[server].FD), view, n)
	if e := m.pushAnswer(); e != 0 {
		m.endExchange(term('C', 'D'), session.Ending{})
		return session.Left
	}
	m.S.Sock[client].Seen = m.Now()
	return session.GoesOn
}

// pushAnswer writes m.head to the client: the head of an answer and the body bytes that came with
// it.
func (m *modeHTTP) pushAnswer() sock.Errno {
	f, to := &m.S.Flow[server], int(m.S.Sock[client].FD)
	if m.x.flow.Answered() && !m.x.flow.Tunnel() && m.x.flow.Response.Done() && m.x.flow.ClosesClient() {
		return m.Stock.PushLast(f, to, m.head)
	}
	return m.Stock.Push(f, to, m.head)
}

// giveCookie adds the cookie that names the client's server to the answer, if the backend has a
// cookie.
func (m *modeHTTP) giveCookie(rw *httpflow.Rewrite) {
	if m.Backend.Cookie == nil {
		return
	}
	m.x.cookie = m.Backend.Cookie.Give(rw, &m.x.flow, &m.reply, m.x.claim, m.Server().Conf().Cookie, m.Reactor.Wall()/1000)
}

// serverGone handles the end or failure of the server's connection before the head of the final
// answer. It repeats the request if mayRepeat allows this, otherwise it answers with status 502.
func (m *modeHTTP) serverGone() {
	if m.mayRepeat() {
		m.repeat()
		return
	}
	m.CountBadAnswer()
	m.refuse(502, term('S', 'H'))
}

// refuse ends the session. Before that, it sends an error page if no byte of a final answer was
// written or queued for the client. Interim answers do not count. t is the termination state.
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
// HEAD is sent without its body. If a byte of a final answer was written or queued for the client
// before, sendFile ends the session without sending file.
func (m *modeHTTP) sendFile(status int, file []byte, t [2]byte) {
	m.x.marks |= outstanding
	m.Stock.Release(&m.S.Flow[client])
	if !m.x.has(spoken) {
		m.x.marks |= spoken
		m.x.status = int16(status)
		// The session ends in any case, so an error changes nothing.
		_ = m.Stock.Push(&m.S.Flow[server], int(m.S.Sock[client].FD), m.x.flow.Fitting(file))
	}
	m.endExchange(t, session.Ending{Linger: true, Last: client})
}

// sayOurs sends the answer in m.head, which this proxy has made, and enters the exchanging state.
// The session does not end: the client may send another request.
func (m *modeHTTP) sayOurs() {
	m.x.marks |= local | spoken
	m.Stock.Release(&m.S.Flow[client])
	if m.S.Server >= 0 && !m.x.has(idle) {
		m.dropServer()
		m.Unassign(0, 0)
	}
	m.Enter(session.Exchanging)
	if e := m.Stock.Push(&m.S.Flow[server], int(m.S.Sock[client].FD), m.head); e != 0 {
		m.endExchange(term('C', 'R'), session.Ending{})
		return
	}
	if !m.Watch(client) {
		m.End(session.Ending{Term: term('R', 'R')})
		return
	}
	m.exchange()
}

// errorFile returns the content of the errorfile for a status, from the backend or else from
// the frontend.
func (m *modeHTTP) errorFile(status int) ([]byte, bool) {
	if m.Backend != nil {
		if file, ok := m.Backend.Errors[status]; ok {
			return file, true
		}
	}
	file, ok := m.Frontend.Errors[status]
	return file, ok
}
