package engine

import (
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// moveRequest sends bytes of the request that the server has not got yet. It reports whether
// the session continues.
func (l *loop) moveRequest(id int32, s *session, x *exchange) bool {
	if s.sock[server].has(broken) {
		return true
	}
	switch how, e := l.moveBody(id, s, x, client); how {
	case malformed:
		l.countBadRequest(l.listeners[s.line].frontend)
		l.refuse(id, s, x, 400, term('P', l.phase(id)))
		return false
	case cutOff:
		l.endExchange(id, s, term('C', l.clientPhase(id, s)), ending{linger: true, last: server, abrupt: e != 0})
		return false
	case unwanted:
		// The server may have sent an answer before. That answer is better than an error page.
		l.brokenBy(s, server, e)
		l.stock.Release(&s.flow[client])
		s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	}
	return true
}

// moveAnswer reads the answer and writes it to the client. It reports whether the session
// continues.
func (l *loop) moveAnswer(id int32, s *session, x *exchange) bool {
	limit := s.flow[server].Bytes + uint64(l.sizes.Share)
	for !x.flow.Answered() {
		if !l.flushAnswer(id, s) {
			return false
		}
		if s.flow[server].Pending() > 0 {
			return true
		}
		if s.flow[server].Bytes >= limit { // a server may send interim answers endlessly
			l.yield(id, s, server)
			return true
		}
		got, alive := l.readAnswer(id, s, x)
		if !alive || !got {
			return alive
		}
	}
	if x.flow.Tunnel() {
		return true
	}
	switch how, e := l.moveBody(id, s, x, server); how {
	case malformed:
		l.countBadAnswer(s)
		l.cutAnswer(id, s, x, term('P', 'D'))
		return false
	case cutOff:
		l.brokenBy(s, server, e)
		l.countBadAnswer(s)
		l.cutAnswer(id, s, x, term('S', 'D'))
		return false
	case unwanted:
		l.endExchange(id, s, term('C', 'D'), ending{})
		return false
	}
	return true
}

// flushAnswer writes the bytes queued for the client. It reports whether the session continues.
func (l *loop) flushAnswer(id int32, s *session) bool {
	out := &s.flow[server]
	before := out.Bytes
	if e := l.stock.Flush(out, int(s.sock[client].fd)); e != 0 {
		l.endExchange(id, s, term('C', l.phase(id)), ending{})
		return false
	}
	if out.Bytes != before {
		s.sock[client].seen = l.now
	}
	return true
}

// cutAnswer ends a session before its exchange is over, with the termination state t. If a part of
// the answer is missing, the client's connection is reset: otherwise the client would mistake the
// part for the whole answer.
func (l *loop) cutAnswer(id int32, s *session, x *exchange, t [2]byte) {
	l.endExchange(id, s, t, ending{linger: true, last: client, abrupt: !l.answerWritten(s, x)})
}

// readAnswer looks for the head of an answer. got means that there was one, alive that the
// session continues. Further heads may follow: a final answer may arrive together with an
// interim one.
func (l *loop) readAnswer(id int32, s *session, x *exchange) (got, alive bool) {
	in, keep, fd := &s.flow[server], &x.ahead[server], int(s.sock[server].fd)
	for more := x.flow.Begun(); ; more = true {
		v, e := l.stock.Look(in, keep, fd, more)
		switch {
		case len(v.Bytes) > 0:
		case e != 0 || in.Has(relay.SourceEnded):
			l.serverGone(id, s, x)
			return false, false
		default:
			return false, true
		}
		s.sock[server].seen, s.asked = l.now, false
		x.marks |= heard
		l.stock.Release(&x.sent)
		if got, alive = l.hearAnswer(id, s, x, v); got || !alive {
			return got, alive
		}
		l.stock.Leave(in, keep, fd, v)
	}
}

// hearAnswer looks for the head of an answer in v, which contains all bytes that were not
// parsed yet. got and alive are as in readAnswer.
func (l *loop) hearAnswer(id int32, s *session, x *exchange, v relay.View) (got, alive bool) {
	n, status := x.flow.Reply(v.Bytes, &l.reply)
	switch {
	case status != 0:
		l.countBadAnswer(s)
		l.refuse(id, s, x, status, term('P', 'H'))
		return false, false
	case n > 0 && x.flow.Withholds(&l.reply):
		_ = l.stock.Take(&s.flow[server], &x.ahead[server], int(s.sock[server].fd), v, n)
		return true, true
	case n > 0:
		return true, l.passAnswer(id, s, x, v, n)
	}
	return false, true
}

// passAnswer writes the edited head to the client, together with the body bytes that came with
// it. It reports whether the session continues.
func (l *loop) passAnswer(id int32, s *session, x *exchange, v relay.View, n int) bool {
	h := &l.reply
	w := &l.rewrite
	w.Response(h)
	l.values = l.values[:0]
	if l.draining {
		x.flow.CloseClient() // a rule's answer must tell it, too
	}
	if !h.Interim() {
		x.status = int16(h.Status)
		l.countAnswered(s, h.Status)
		l.tellAnswer(l.listeners[s.line].frontend, x, h)
		if !l.responseRules(id, s, x) {
			if x.has(local) && s.state == exchanging {
				l.sayOurs(id, s, x)
			}
			return false
		}
		x.answer = int32(l.now - s.began)
		l.giveCookie(s, x, w)
		x.marks |= spoken
	}
	x.flow.ToClient(w, h)
	l.head = w.Append(l.head[:0])
	if x.flow.Answered() && !x.flow.Tunnel() && !v.InSocket() {
		taken := x.flow.Response.Take(v.Bytes[n:])
		l.head = append(l.head, v.Bytes[n:n+taken]...)
		n += taken
	}
	_ = l.stock.Take(&s.flow[server], &x.ahead[server], int(s.sock[server].fd), v, n)
	if e := l.pushAnswer(s, x); e != 0 {
		l.endExchange(id, s, term('C', 'D'), ending{})
		return false
	}
	s.sock[client].seen = l.now
	return true
}

// pushAnswer writes l.head to the client: the head of an answer and the body bytes that came
// with it.
func (l *loop) pushAnswer(s *session, x *exchange) sock.Errno {
	f, to := &s.flow[server], int(s.sock[client].fd)
	if x.flow.Answered() && !x.flow.Tunnel() && x.flow.Response.Done() && x.flow.ClosesClient() {
		return l.stock.PushLast(f, to, l.head)
	}
	return l.stock.Push(f, to, l.head)
}

// giveCookie adds the cookie that names the client's server to the answer.
func (l *loop) giveCookie(s *session, x *exchange, w *httpflow.Rewrite) {
	b := l.backendOf(s)
	if b.cookie == nil {
		return
	}
	x.cookie = b.cookie.Give(w, &x.flow, &l.reply, x.claim, b.ids[s.server], l.wall/1000)
}

// serverGone handles the end or failure of the server's connection before the head of its final
// answer.
func (l *loop) serverGone(id int32, s *session, x *exchange) {
	if l.mayRepeat(s, x) {
		l.repeat(id, s, x)
		return
	}
	l.countBadAnswer(s)
	l.refuse(id, s, x, 502, term('S', 'H'))
}

// refuse ends the session with an error page, unless the client has got a byte of a final
// answer. Interim answers may have been sent before.
func (l *loop) refuse(id int32, s *session, x *exchange, status int, t [2]byte) {
	if page := httpflow.Page(status); page != nil {
		if file, ok := l.errorFile(s, status); ok {
			l.sendFile(id, s, x, status, file, t)
			return
		}
		x.flow.CloseClient()
		l.head = x.flow.AppendAnswer(l.head[:0], page)
	}
	l.sendFile(id, s, x, status, l.head, t)
}

// sendFile ends the session with a complete answer, such as the content of a file. The answer to
// HEAD is sent without its body. sendFile sends nothing if the client has got a byte of a final
// answer.
func (l *loop) sendFile(id int32, s *session, x *exchange, status int, file []byte, t [2]byte) {
	x.marks |= outstanding
	l.stock.Release(&s.flow[client])
	if !x.has(spoken) {
		x.marks |= spoken
		x.status = int16(status)
		// The session ends in any case, so an error changes nothing.
		_ = l.stock.Push(&s.flow[server], int(s.sock[client].fd), x.flow.Fitting(file))
	}
	l.endExchange(id, s, t, ending{linger: true, last: client})
}

// sayOurs sends the answer in l.head, which this proxy has made. The client may send another
// request after it.
func (l *loop) sayOurs(id int32, s *session, x *exchange) {
	x.marks |= local | spoken
	l.stock.Release(&s.flow[client])
	if s.server >= 0 && !x.has(idle) {
		l.dropServer(id, s, x)
		l.unassign(s, 0, 0)
	}
	l.enter(id, s, exchanging)
	if e := l.stock.Push(&s.flow[server], int(s.sock[client].fd), l.head); e != 0 {
		l.endExchange(id, s, term('C', 'R'), ending{})
		return
	}
	if !l.watch(id, s, client) {
		l.end(id, s, ending{term: term('R', 'R')})
		return
	}
	l.exchange(id, s)
}

// errorFile returns the content of the errorfile for a status, from the backend or else from
// the frontend.
func (l *loop) errorFile(s *session, status int) ([]byte, bool) {
	if s.backend >= 0 {
		if file, ok := l.backendOf(s).errors[status]; ok {
			return file, true
		}
	}
	file, ok := l.listeners[s.line].frontend.errors[status]
	return file, ok
}
