package engine

import (
	"sluice/conf"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
)

// askOn handles an event in the asking state.
func (v *visit) askOn(from side) {
	if from == server {
		v.tendIdle()
		return
	}
	v.ask() // even if the client's connection has failed: bytes may have arrived before
}

// tendIdle closes the idle connection of a server if it has ended, failed, or sent bytes. No
// request is outstanding, so bytes on it cannot be an answer. It reads only if an event has
// announced bytes.
func (v *visit) tendIdle() {
	in := &v.s.flow[server]
	if v.unharmed(server) && in.Has(relay.SourceReady) {
		b, e := v.stock.Read(in, int(v.s.sock[server].fd))
		if len(b) > 0 || e != 0 {
			in.Set(relay.SourceEnded)
		}
	}
	if !v.unharmed(server) {
		v.dropServer()
	}
}

// ask reads until the head of a request is complete. A head that arrives in one piece is parsed
// in the read buffer, without a copy.
func (v *visit) ask() {
	in, fd := &v.s.flow[client], int(v.s.sock[client].fd)
	for more := v.x.has(begun); ; more = true {
		view, e := v.stock.Look(in, &v.x.ahead[client], fd, more)
		if e != 0 {
			v.endAsking()
			return
		}
		if len(view.Bytes) == 0 {
			break
		}
		v.s.sock[client].seen = v.now
		if v.hear(view) {
			return
		}
		v.stock.Leave(in, &v.x.ahead[client], fd, view)
	}
	switch {
	case in.Has(relay.SourceEnded):
		v.endAsking()
	case !v.watch(client):
		v.end(ending{term: term('R', 'R')})
	}
}

// hear looks for the head of a request in v, which contains all bytes that were not parsed yet.
// It reports whether the session has left the asking state.
func (v *visit) hear(view relay.View) bool {
	if !v.x.has(begun) {
		v.x.marks |= begun
		v.s.began, v.x.wall, v.x.gap = v.now, v.wall, int32(v.now-v.s.since)
		v.enter(asking)
	}
	n, status := v.x.flow.Ask(v.scanner, &v.s.sniff, view.Bytes, &v.sniffed)
	switch {
	case status != 0:
		v.countUnasked()
		v.refuse(status, term('P', 'R'))
	case n != 0:
		v.asked(view, n)
	default:
		return false
	}
	return true
}

// asked handles a request whose head is complete: the first n bytes of v.
func (v *visit) asked(view relay.View, n int) {
	v.x.asked++
	v.x.headDone = int32(v.now - v.s.began)
	v.facts.Received = len(view.Bytes)
	v.tellFacts()
	v.findDestination(v.f, int(v.s.sock[client].fd))
	if v.f.closes == conf.HTTPClose || v.draining {
		v.x.flow.CloseClient()
	}
	v.x.head = int32(n)
	v.countAsked()
	if !v.monitored() {
		v.x.marks |= outstanding
		v.tellLine()
		if v.headToServer() {
			v.takeBody(view, n)
			return
		}
	}
	if v.x.has(local) && v.s.state == asking {
		v.takeAsked(view, n)
		v.sayOurs()
	}
}

// headToServer applies the rules to the request, finds its backend, and writes the edited head
// to l.head. It returns false if the request is not sent to a server.
func (v *visit) headToServer() bool {
	v.values = v.values[:0]
	v.rewrite.Request(&v.sniffed.HTTP)
	if v.f.rules.Request.Len() > 0 && !v.requestRules(&v.f.rules.Request) {
		return false
	}
	d := v.f.rules.Decide(&v.facts)
	switch {
	case d.Verdict == acl.Refuse:
		v.countDeniedRequest()
		v.refuse(403, term('P', 'R'))
		return false
	case d.Backend < 0:
		v.refuse(503, term('S', 'C'))
		return false
	}
	v.useBackend(int32(d.Backend))

	v.countRouted()
	if v.b.rules.Request.Len() > 0 && !v.f.owns(v.b) {
		v.facts.Backend = v.b.Name
		if !v.requestRules(&v.b.rules.Request) {
			return false
		}
	}
	v.prepare()
	return true
}

// takeBody adds the body bytes that came with the head to l.head, and sends both. If the memory
// budget is used up, the body stays in the socket until the head is sent.
func (v *visit) takeBody(view relay.View, head int) {
	n := head
	if !view.InSocket() {
		n += v.x.flow.Request.Take(view.Bytes[head:])
	}
	v.head = append(v.head, view.Bytes[head:n]...)
	if v.x.flow.Request.Broken() {
		v.countBadRequest()
		v.refuse(400, term('P', 'R'))
		return
	}
	v.takeAsked(view, n)
	v.direct()
}

// takeAsked takes the first n bytes of the view of the client's bytes. It ignores a read error,
// because the next read returns that error again.
func (v *visit) takeAsked(view relay.View, n int) {
	_ = v.stock.Take(&v.s.flow[client], &v.x.ahead[client], int(v.s.sock[client].fd), view, n)
}

// prepare makes the last edits of the head and writes it to l.head. These edits come from
// cookies, options and the handling of connections.
func (v *visit) prepare() {
	w := &v.rewrite
	if v.b.cookie != nil {
		v.x.claim = v.b.cookie.Pick(&v.sniffed.HTTP, v.wall/1000, v.b.lookup)
		v.b.cookie.Hide(w)
	}
	w.Forward(v.s.clientAddr().Addr(), v.f.conf.ForwardFor, v.b.Conf.ForwardFor)
	if v.f.closes != conf.KeepAlive || v.b.closes {
		v.x.flow.CloseServer()
	}
	if v.b.Conf.PretendKeepAlive {
		v.x.flow.PretendKeepAlive()
	}
	v.x.flow.ToServer(w)
	v.head = w.Append(v.head[:0])
}

// monitored prepares the answer if the request is for `monitor-uri`. Such a request is neither
// sent to a server nor logged.
func (v *visit) monitored() bool {
	if !v.sniffed.HTTP.AsksFor(v.f.conf.Monitor.URI) {
		return false
	}
	status := 200
	if v.f.rules.Failing(&v.facts) {
		status = 503
	}
	v.x.status = int16(status)
	v.head = v.x.flow.AppendAnswer(v.head[:0], httpflow.Page(status))
	v.x.marks |= local | outstanding | unlogged
	v.countIntercepted()
	return true
}

// direct sends the request on the idle connection if idleFits allows it, otherwise on a new
// one.
func (v *visit) direct() {
	if v.x.has(idle) {
		v.tendIdle()
	}
	if v.idleFits() {
		v.reuse()
		return
	}
	if v.x.has(idle) {
		v.dropServer()
	}
	v.choose(nil, v.head)
}

// idleFits lists all conditions under which a request may use the idle connection of a server. If
// the kernel had no memory to read from it, bytes behind the last answer may be there.
func (v *visit) idleFits() bool {
	return v.x.has(idle) && v.unharmed(server) && !v.s.flow[server].Has(relay.Starved) &&
		v.x.idleBackend == v.s.backend && (v.x.claim.Server < 0 || v.x.claim.Server == v.x.idleServer) &&
		v.b.Servers[v.x.idleServer].Usable()
}

// reuse sends the request on the idle connection.
func (v *visit) reuse() {
	v.x.marks = v.x.marks&^idle | reused
	v.s.server = v.x.idleServer
	if v.x.claim.Server < 0 {
		v.countPicked()
	}
	v.countReuse()
	v.assign()
	v.s.queued = int32(v.now - v.s.began)
	v.s.connected = v.s.queued
	v.enter(exchanging)
	v.copySent(v.head)
	if e := v.stock.Push(&v.s.flow[client], int(v.s.sock[server].fd), v.head); e != 0 {
		v.serverGone()
		return
	}
	v.s.sock[server].seen = v.now
	v.exchange()
}

// endAsking ends a session whose client has failed or sent FIN before the head of its request
// was complete. As in HAProxy this is a bad request, also on a new connection without a byte. A
// client may leave between two requests: that is no error, see unasked.
func (v *visit) endAsking() {
	if v.unasked() {
		v.end(ending{term: term('-', '-')})
		return
	}
	v.countUnasked()
	// A part of the head may still be in the socket, see Look. It is read before the close.
	v.s.flow[client].Set(relay.SourceReady)
	v.s.flow[client].Clear(relay.SourceEnded)
	v.refuse(400, term('C', 'R'))
}

// unasked reports whether a session in the asking state ends without an answer and without a
// log line. It does so between two requests, and before the first byte with `option
// http-ignore-probes`.
func (v *visit) unasked() bool {
	return v.between() || !v.x.has(begun) && v.f.conf.IgnoreProbes
}
