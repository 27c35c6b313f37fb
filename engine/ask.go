package engine

import (
	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
)

// askOn handles an event in the asking state.
func (l *loop) askOn(id int32, s *session, from side) {
	if from == server {
		l.tendIdle(id, s, l.exchanges.at(id))
		return
	}
	l.ask(id, s) // even if the client's connection has failed: bytes may have arrived before
}

// tendIdle closes the idle connection of a server if it has ended, failed, or sent bytes. No
// request is outstanding, so bytes on it cannot be an answer. It reads only if an event has
// announced bytes.
func (l *loop) tendIdle(id int32, s *session, x *exchange) {
	in := &s.flow[server]
	if l.unharmed(s, server) && in.Has(relay.SourceReady) {
		b, e := l.stock.Read(in, int(s.sock[server].fd))
		if len(b) > 0 || e != 0 {
			in.Set(relay.SourceEnded)
		}
	}
	if !l.unharmed(s, server) {
		l.dropServer(id, s, x)
	}
}

// ask reads until the head of a request is complete. A head that arrives in one piece is parsed
// in the read buffer, without a copy.
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

// hear looks for the head of a request in v, which contains all bytes that were not parsed yet.
// It reports whether the session has left the asking state.
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

// asked handles a request whose head is complete: the first n bytes of v.
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

// headToServer applies the rules to the request, finds its backend, and writes the edited head
// to l.head. It returns false if the request is not sent to a server.
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

// takeBody adds the body bytes that came with the head to l.head, and sends both. If the memory
// budget is used up, the body stays in the socket until the head is sent.
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

// takeAsked takes the first n bytes of the view of the client's bytes. It ignores a read error,
// because the next read returns that error again.
func (l *loop) takeAsked(s *session, x *exchange, v relay.View, n int) {
	_ = l.stock.Take(&s.flow[client], &x.ahead[client], int(s.sock[client].fd), v, n)
}

// prepare makes the last edits of the head and writes it to l.head. These edits come from
// cookies, options and the handling of connections.
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

// monitored prepares the answer if the request is for `monitor-uri`. Such a request is neither
// sent to a server nor logged.
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

// direct sends the request on the idle connection if idleFits allows it, otherwise on a new
// one.
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

// idleFits lists all conditions under which a request may use the idle connection of a server. If
// the kernel had no memory to read from it, bytes behind the last answer may be there.
func (l *loop) idleFits(s *session, x *exchange) bool {
	return x.has(idle) && l.unharmed(s, server) && !s.flow[server].Has(relay.Starved) &&
		x.idleBackend == s.backend && (x.claim.Server < 0 || x.claim.Server == x.idleServer) &&
		l.backendOf(s).Servers[x.idleServer].Usable()
}

// reuse sends the request on the idle connection.
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

// endAsking ends a session whose client has failed or sent FIN before the head of its request
// was complete. As in HAProxy this is a bad request, also on a new connection without a byte. A
// client may leave between two requests: that is no error, see unasked.
func (l *loop) endAsking(id int32, s *session, x *exchange) {
	if l.unasked(id, s) {
		l.end(id, s, ending{term: term('-', '-')})
		return
	}
	l.countUnasked(l.listeners[s.line].frontend)
	// A part of the head may still be in the socket, see Look. It is read before the close.
	s.flow[client].Set(relay.SourceReady)
	s.flow[client].Clear(relay.SourceEnded)
	l.refuse(id, s, x, 400, term('C', 'R'))
}

// unasked reports whether a session in the asking state ends without an answer and without a
// log line. It does so between two requests, and before the first byte with `option
// http-ignore-probes`.
func (l *loop) unasked(id int32, s *session) bool {
	return l.between(id) || !l.exchanges.at(id).has(begun) && l.listeners[s.line].frontend.conf.IgnoreProbes
}
