package engine

import (
	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
)

// askOn is called for events while a request is awaited.
func (l *loop) askOn(id int32, s *session, from side, failed bool) {
	x := l.exchanges.at(id)
	switch {
	case from == server:
		l.tendIdle(id, s, x)
	default:
		l.ask(id, s) // also where the client is gone: bytes may have come before
		if failed && s.state == asking {
			l.endAsking(id, s, x)
		}
	}
}

// tendIdle judges the idle connection of a server by what events have told, and
// reads it only where they told of bytes. Nobody has asked for anything:
// whatever the server says or does ends the connection.
func (l *loop) tendIdle(id int32, s *session, x *exchange) {
	in := &s.flow[server]
	if l.unharmed(s, server) && in.Has(relay.SourceReady) {
		b, e := l.stock.Read(in, int(s.sock[server].fd))
		if len(b) > 0 || e != 0 {
			in.Set(relay.SourceEnded) // what it says is no answer
		}
	}
	if !l.unharmed(s, server) {
		l.dropServer(id, s, x)
	}
}

// ask reads until a request's head is complete. One that comes in one piece is
// looked at where it was read, and never kept.
func (l *loop) ask(id int32, s *session) {
	x, in, fd := l.exchanges.at(id), &s.flow[client], int(s.sock[client].fd)
	for more := x.has(begun); ; more = true {
		v, e := l.stock.Look(in, &x.ahead[client], fd, more)
		if e != 0 {
			l.endAsking(id, s, x)
			return
		}
		if len(v.Bytes) == 0 {
			break
		}
		s.sock[client].seen = l.now
		if l.hear(id, s, x, v) {
			return
		}
		l.stock.Leave(in, &x.ahead[client], fd, v)
	}
	switch {
	case in.Has(relay.SourceEnded):
		l.endAsking(id, s, x)
	case !l.watch(id, s, client):
		l.end(id, s, ending{term: term('R', 'R')})
	}
}

// hear looks for a request's head in v, all that came and was not looked at. It
// reports whether the session has left the asking state.
func (l *loop) hear(id int32, s *session, x *exchange, v relay.View) bool {
	if !x.has(begun) {
		x.marks |= begun
		s.began, x.wall, x.gap = l.now, l.wall, int32(l.now-s.since)
		l.enter(id, s, asking)
	}
	n, status := x.flow.Ask(l.scanner, &s.sniff, v.Bytes, &l.sniffed)
	switch {
	case status != 0:
		l.countUnasked(l.listeners[s.line].frontend)
		l.refuse(id, s, x, status, term('P', 'R'))
	case n != 0:
		l.asked(id, s, x, v, n)
	default:
		return false
	}
	return true
}

// asked is called with a complete head, the first n bytes of v.
func (l *loop) asked(id int32, s *session, x *exchange, v relay.View, n int) {
	f := l.listeners[s.line].frontend
	x.asked++
	x.headDone = int32(l.now - s.began)
	l.facts.Received = len(v.Bytes)
	l.tellFacts(s)
	l.findDestination(f, int(s.sock[client].fd))
	if f.closes == conf.HTTPClose || l.draining {
		x.flow.CloseClient()
	}
	x.head = int32(n)
	l.countAsked(f)
	if !l.monitored(s, x, f) {
		x.marks |= outstanding
		l.tellLine(f, x)
		if l.headToServer(id, s, x, f) {
			l.takeBody(id, s, x, v, n)
			return
		}
	}
	if x.has(local) && s.state == asking {
		l.takeAsked(s, x, v, n)
		l.sayOurs(id, s, x)
	}
}

// headToServer takes the request through the rules, finds its backend, and
// writes the head as it goes out. It reports whether the request goes on.
func (l *loop) headToServer(id int32, s *session, x *exchange, f *frontend) bool {
	l.values = l.values[:0]
	l.rewrite.Request(&l.sniffed.HTTP)
	if f.rules.Request.Len() > 0 && !l.requestRules(id, s, x, &f.rules.Request) {
		return false
	}
	d := f.rules.Decide(&l.facts)
	switch {
	case d.Verdict == acl.Refuse:
		l.countDeniedRequest(s)
		l.refuse(id, s, x, 403, term('P', 'R'))
		return false
	case d.Backend < 0:
		l.refuse(id, s, x, 503, term('S', 'C'))
		return false
	}
	s.backend = int32(d.Backend)
	b := l.backendOf(s)
	l.countRouted(s)
	if b.rules.Request.Len() > 0 && !f.owns(b) {
		l.facts.Backend = b.Name
		if !l.requestRules(id, s, x, &b.rules.Request) {
			return false
		}
	}
	l.prepare(s, x, f, b)
	return true
}

// takeBody adds the body bytes that came with the head, and sends both. Where
// the budget is used up the body stays in the socket until the head is written.
func (l *loop) takeBody(id int32, s *session, x *exchange, v relay.View, head int) {
	n := head
	if !v.InSocket() {
		n += x.flow.Request.Take(v.Bytes[head:])
	}
	l.head = append(l.head, v.Bytes[head:n]...)
	if x.flow.Request.Broken() {
		l.countBadRequest(l.listeners[s.line].frontend)
		l.refuse(id, s, x, 400, term('P', 'R'))
		return
	}
	l.takeAsked(s, x, v, n)
	l.direct(id, s, x)
}

// takeAsked takes the first n bytes of what the client sent. A read error is
// told again by the next read.
func (l *loop) takeAsked(s *session, x *exchange, v relay.View, n int) {
	_ = l.stock.Take(&s.flow[client], &x.ahead[client], int(s.sock[client].fd), v, n)
}

// prepare makes the last edits, those of options and connections, and writes
// the head.
func (l *loop) prepare(s *session, x *exchange, f *frontend, b *backend) {
	w := &l.rewrite
	if b.cookie != nil {
		x.claim = b.cookie.Pick(&l.sniffed.HTTP, l.wall/1000, b.lookup)
		b.cookie.Hide(w)
	}
	w.Forward(s.clientAddr().Addr(), f.conf.ForwardFor, b.Conf.ForwardFor)
	if f.closes != conf.KeepAlive || b.closes {
		x.flow.CloseServer()
	}
	if b.Conf.PretendKeepAlive {
		x.flow.PretendKeepAlive()
	}
	x.flow.ToServer(w)
	l.head = w.Append(l.head[:0])
}

// monitored makes ready the answer to `monitor-uri`, which is neither passed on
// nor logged.
func (l *loop) monitored(s *session, x *exchange, f *frontend) bool {
	if !l.sniffed.HTTP.AsksFor(f.conf.Monitor.URI) {
		return false
	}
	status := 200
	if f.rules.Failing(&l.facts) {
		status = 503
	}
	x.status = int16(status)
	l.head = x.flow.AppendAnswer(l.head[:0], httpflow.Page(status))
	x.marks |= local | outstanding | unlogged
	l.countIntercepted(s)
	return true
}

// direct sends the request on the connection that is kept, if that leads to
// the right server, or on a new one.
func (l *loop) direct(id int32, s *session, x *exchange) {
	if x.has(idle) {
		l.tendIdle(id, s, x)
	}
	if l.idleFits(s, x) {
		l.reuse(id, s, x)
		return
	}
	if x.has(idle) {
		l.dropServer(id, s, x)
	}
	l.choose(id, s, nil, l.head)
}

// idleFits lists all that must be true for a request to go out on the idle
// connection.
func (l *loop) idleFits(s *session, x *exchange) bool {
	return x.has(idle) && l.unharmed(s, server) &&
		x.idleBackend == s.backend && (x.claim.Server < 0 || x.claim.Server == x.idleServer) &&
		l.backendOf(s).Servers[x.idleServer].Usable()
}

func (l *loop) reuse(id int32, s *session, x *exchange) {
	x.marks = x.marks&^idle | reused
	s.server = x.idleServer
	if x.claim.Server < 0 {
		l.countPicked(s)
	}
	l.countReuse(s)
	l.assign(s)
	s.queued = int32(l.now - s.began)
	s.connected = s.queued
	l.enter(id, s, exchanging)
	l.copySent(x, l.head)
	if e := l.stock.Push(&s.flow[client], int(s.sock[server].fd), l.head); e != 0 {
		l.serverGone(id, s, x)
		return
	}
	s.sock[server].seen = l.now
	l.exchange(id, s)
}

// endAsking ends a session whose client is gone, or sends no more, before its
// request's head is complete. As in HAProxy that is a bad request, also where no
// byte of one has come.
func (l *loop) endAsking(id int32, s *session, x *exchange) {
	if l.unasked(id, s) {
		l.end(id, s, ending{term: term('-', '-')})
		return
	}
	l.countUnasked(l.listeners[s.line].frontend)
	l.refuse(id, s, x, 400, term('C', 'R'))
}

// unasked reports whether a session that awaits a request ends without an
// answer and without a line: it lies between two requests, or no byte has come
// and `option http-ignore-probes` is set.
func (l *loop) unasked(id int32, s *session) bool {
	return l.between(id) || !l.exchanges.at(id).has(begun) && l.listeners[s.line].frontend.conf.IgnoreProbes
}
