package engine

import (
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// moveRequest sends what the server has not got yet of the request. It reports
// whether the session goes on.
func (l *loop) moveRequest(id int32, s *session, x *exchange) bool {
	if s.sock[server].has(broken) {
		return true
	}
	switch how, e := l.moveBody(id, s, x, client); how {
	case malformed:
		l.noteBadRequest(s)
		l.refuse(id, s, x, 400, term('P', l.phase(id)))
		return false
	case cutOff:
		l.endExchange(id, s, term('C', l.phase(id)), ending{linger: true, last: server, abrupt: e != 0})
		return false
	case unwanted:
		// Its answer may be there all the same, and it is the better one.
		l.brokenBy(s, server, e)
		l.stock.Release(&s.flow[client])
		s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	}
	return true
}

// moveAnswer reads and passes on the answer. It reports whether the session
// goes on.
func (l *loop) moveAnswer(id int32, s *session, x *exchange) bool {
	for !x.flow.Answered() {
		if !l.flushAnswer(id, s) {
			return false
		}
		if s.flow[server].Pending() > 0 {
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
		l.cutAnswer(id, s, term('P', 'D'))
		return false
	case cutOff:
		l.brokenBy(s, server, e)
		l.cutAnswer(id, s, term('S', 'D'))
		return false
	case unwanted:
		l.endExchange(id, s, term('C', 'D'), ending{})
		return false
	}
	return true
}

// flushAnswer writes what waits for the client.
func (l *loop) flushAnswer(id int32, s *session) bool {
	if e := l.stock.Flush(&s.flow[server], int(s.sock[client].fd)); e != 0 {
		l.endExchange(id, s, term('C', l.phase(id)), ending{})
		return false
	}
	return true
}

// cutAnswer ends a session whose answer is not whole, so that the client does
// not take it for that.
func (l *loop) cutAnswer(id int32, s *session, t [2]byte) {
	l.endExchange(id, s, t, ending{linger: true, last: client, abrupt: true})
}

// readAnswer looks for the head of an answer: got says that there was one. It
// may have come together with an interim one.
func (l *loop) readAnswer(id int32, s *session, x *exchange) (got, alive bool) {
	if b := l.stock.Held(&x.ahead[server]); len(b) > 0 {
		if got, alive = l.hearAnswer(id, s, x, b, true); got || !alive {
			return got, alive
		}
	}
	in := &s.flow[server]
	for in.Has(relay.SourceReady) && !in.Has(relay.SourceEnded) {
		fresh, e := l.stock.Read(in, int(s.sock[server].fd))
		if e != 0 {
			l.serverGone(id, s, x, e)
			return false, false
		}
		if len(fresh) == 0 {
			continue
		}
		s.sock[server].seen, s.asked = l.now, false
		held := x.ahead[server].Pending() > 0
		if held {
			l.stock.Hold(&x.ahead[server], fresh)
			fresh = l.stock.Held(&x.ahead[server])
		}
		if got, alive = l.hearAnswer(id, s, x, fresh, held); got || !alive {
			return got, alive
		}
		if !held {
			l.stock.Hold(&x.ahead[server], fresh)
		}
	}
	if in.Has(relay.SourceEnded) {
		l.serverGone(id, s, x, 0)
		return false, false
	}
	return false, true
}

// hearAnswer looks for the head of an answer in b, all that was read and not
// looked at; held says that these are the bytes of ahead.
func (l *loop) hearAnswer(id int32, s *session, x *exchange, b []byte, held bool) (got, alive bool) {
	n, status := x.flow.Reply(b, &l.reply)
	switch {
	case status != 0:
		l.backendOf(s).Stat.FailedResp.Inc()
		l.refuse(id, s, x, status, term('P', 'H'))
		return false, false
	case n > 0:
		return true, l.passAnswer(id, s, x, b, n, held)
	}
	return false, true
}

// passAnswer sends the head on, rewritten, together with the bytes of the body
// that came with it.
func (l *loop) passAnswer(id int32, s *session, x *exchange, b []byte, n int, held bool) bool {
	h := &l.reply
	w := &l.rewrite
	w.Response(h)
	l.values = l.values[:0]
	if !h.Interim() {
		x.status = int16(h.Status)
		x.answer = int32(l.now - s.began)
		l.tellAnswer(l.listeners[s.line].frontend, x, h)
		if !l.responseRules(id, s, x) {
			if x.has(local) && s.state == exchanging {
				l.sayOurs(id, s, x)
			}
			return false
		}
		l.giveCookie(s, x, w)
	}
	x.flow.ToClient(w, h)
	l.head = w.Append(l.head[:0])
	rest := b[n:]
	taken := 0
	if x.flow.Answered() && !x.flow.Tunnel() {
		taken = x.flow.Response.Take(rest)
		l.head = append(l.head, rest[:taken]...)
	}
	if held {
		l.stock.Consume(&x.ahead[server], n+taken)
	} else {
		l.stock.Hold(&x.ahead[server], rest[taken:])
	}
	if e := l.pushAnswer(s, x); e != 0 {
		l.endExchange(id, s, term('C', 'D'), ending{})
		return false
	}
	s.sock[client].seen = l.now
	return true
}

// pushAnswer writes the answer's head and what stands behind it.
func (l *loop) pushAnswer(s *session, x *exchange) sock.Errno {
	f, to := &s.flow[server], int(s.sock[client].fd)
	if x.flow.Answered() && !x.flow.Tunnel() && x.flow.Response.Done() && !x.flow.KeepClient() {
		return l.stock.PushLast(f, to, l.head)
	}
	return l.stock.Push(f, to, l.head)
}

// giveCookie adds the cookie that keeps the client on its server.
func (l *loop) giveCookie(s *session, x *exchange, w *httpflow.Rewrite) {
	b := l.backendOf(s)
	switch {
	case b.cookie == nil:
		return
	case x.flow.Tunnel():
		x.cookie = 'N'
		return
	}
	x.cookie = b.cookie.Give(w, &x.flow, &l.reply, x.claim, b.ids[s.server], l.wall/1000)
}

// serverGone is called when the server ends or fails before its answer's head.
// A connection that had served another request may have been closed by the
// server just when this one went out: the client, told nothing, tries again
// (RFC 9112 9.3.1).
func (l *loop) serverGone(id int32, s *session, x *exchange, _ sock.Errno) {
	if x.has(reused) && x.ahead[server].Pending() == 0 {
		l.endExchange(id, s, term('S', 'H'), ending{linger: true, last: client})
		return
	}
	l.backendOf(s).Stat.FailedResp.Inc()
	l.refuse(id, s, x, 502, term('S', 'H'))
}

// refuse ends the session with an answer of our own, if none has begun.
func (l *loop) refuse(id int32, s *session, x *exchange, status int, t [2]byte) {
	x.marks |= outstanding
	l.stock.Release(&s.flow[client])
	if page := httpflow.Page(status); page != nil && l.unanswered(s, x) {
		if file, ok := l.errorFile(s, status); ok {
			l.sendFile(id, s, x, status, file, t)
			return
		}
		x.flow.CloseClient()
		l.head = x.flow.AppendAnswer(l.head[:0], page)
		l.sendLast(s, x, status, l.head)
	}
	l.endExchange(id, s, t, ending{linger: true, last: client})
}

// unanswered reports whether the client has got nothing yet of an answer.
func (l *loop) unanswered(s *session, x *exchange) bool {
	return s.flow[server].Bytes == x.sent && s.flow[server].Pending() == 0
}

// sendFile ends the session with an answer as it stands in a file.
func (l *loop) sendFile(id int32, s *session, x *exchange, status int, file []byte, t [2]byte) {
	x.marks |= outstanding
	l.sendLast(s, x, status, file)
	l.endExchange(id, s, t, ending{linger: true, last: client})
}

// sendLast writes the last bytes of a connection. They are few, and what the
// kernel does not take of them at once is not worth waiting for.
func (l *loop) sendLast(s *session, x *exchange, status int, b []byte) {
	x.status = int16(status)
	n, _ := sock.Write(int(s.sock[client].fd), b)
	s.flow[server].Bytes += uint64(max(n, 0))
}

// sayOurs sends an answer of ours, which stands in head, after which the client
// may ask again.
func (l *loop) sayOurs(id int32, s *session, x *exchange) {
	x.marks |= local
	l.stock.Release(&s.flow[client])
	if s.server >= 0 && !x.has(idle) {
		l.dropServer(s, x)
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

// errorFile returns what the backend's or the frontend's errorfile has for a
// status.
func (l *loop) errorFile(s *session, status int) ([]byte, bool) {
	if s.backend >= 0 {
		if file, ok := l.backendOf(s).errors[status]; ok {
			return file, true
		}
	}
	file, ok := l.listeners[s.line].frontend.errors[status]
	return file, ok
}
