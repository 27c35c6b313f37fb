package engine

import (
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/sock"
)

// moveRequest sends bytes of the request that the server has not got yet. It reports whether
// the session continues.
func (v *visit) moveRequest() bool {
	if v.s.sock[server].has(broken) {
		return true
	}
	switch how, e := v.moveBody(client); how {
	case malformed:
		v.countBadRequest()
		v.refuse(400, term('P', v.phase()))
		return false
	case cutOff:
		v.endExchange(term('C', v.clientPhase()), ending{linger: true, last: server, abrupt: e != 0})
		return false
	case unwanted:
		// The server may have sent an answer before. That answer is better than an error page.
		v.brokenBy(server, e)
		v.stock.Release(&v.s.flow[client])
		v.s.flow[server].Set(relay.SourceReady | relay.SourceDoubtful)
	}
	return true
}

// moveAnswer reads the answer and writes it to the client. It reports whether the session
// continues.
func (v *visit) moveAnswer() bool {
	limit := v.s.flow[server].Bytes + uint64(v.sizes.Share)
	for !v.x.flow.Answered() {
		if !v.flushAnswer() {
			return false
		}
		if v.s.flow[server].Pending() > 0 {
			return true
		}
		if v.s.flow[server].Bytes >= limit { // a server may send interim answers endlessly
			v.yield(server)
			return true
		}
		got, alive := v.readAnswer()
		if !alive || !got {
			return alive
		}
	}
	if v.x.flow.Tunnel() {
		return true
	}
	switch how, e := v.moveBody(server); how {
	case malformed:
		v.countBadAnswer()
		v.cutAnswer(term('P', 'D'))
		return false
	case cutOff:
		v.brokenBy(server, e)
		v.countBadAnswer()
		v.cutAnswer(term('S', 'D'))
		return false
	case unwanted:
		v.endExchange(term('C', 'D'), ending{})
		return false
	}
	return true
}

// flushAnswer writes the bytes queued for the client. It reports whether the session continues.
func (v *visit) flushAnswer() bool {
	out := &v.s.flow[server]
	before := out.Bytes
	if e := v.stock.Flush(out, int(v.s.sock[client].fd)); e != 0 {
		v.endExchange(term('C', v.phase()), ending{})
		return false
	}
	if out.Bytes != before {
		v.s.sock[client].seen = v.now
	}
	return true
}

// cutAnswer ends a session before its exchange is over, with the termination state t. If a part of
// the answer is missing, the client's connection is reset: otherwise the client would mistake the
// part for the whole answer.
func (v *visit) cutAnswer(t [2]byte) {
	v.endExchange(t, ending{linger: true, last: client, abrupt: !v.answerWritten()})
}

// readAnswer looks for the head of an answer. got means that there was one, alive that the
// session continues. Further heads may follow: a final answer may arrive together with an
// interim one.
func (v *visit) readAnswer() (got, alive bool) {
	in, keep, fd := &v.s.flow[server], &v.x.ahead[server], int(v.s.sock[server].fd)
	for more := v.x.flow.Begun(); ; more = true {
		view, e := v.stock.Look(in, keep, fd, more)
		switch {
		case len(view.Bytes) > 0:
		case e != 0 || in.Has(relay.SourceEnded):
			v.serverGone()
			return false, false
		default:
			return false, true
		}
		v.s.sock[server].seen, v.s.asked = v.now, false
		v.x.marks |= heard
		v.stock.Release(&v.x.sent)
		if got, alive = v.hearAnswer(view); got || !alive {
			return got, alive
		}
		v.stock.Leave(in, keep, fd, view)
	}
}

// hearAnswer looks for the head of an answer in v, which contains all bytes that were not
// parsed yet. got and alive are as in readAnswer.
func (v *visit) hearAnswer(view relay.View) (got, alive bool) {
	n, status := v.x.flow.Reply(view.Bytes, &v.reply)
	switch {
	case status != 0:
		v.countBadAnswer()
		v.refuse(status, term('P', 'H'))
		return false, false
	case n > 0 && v.x.flow.Withholds(&v.reply):
		_ = v.stock.Take(&v.s.flow[server], &v.x.ahead[server], int(v.s.sock[server].fd), view, n)
		return true, true
	case n > 0:
		return true, v.passAnswer(view, n)
	}
	return false, true
}

// passAnswer writes the edited head to the client, together with the body bytes that came with
// it. It reports whether the session continues.
func (v *visit) passAnswer(view relay.View, n int) bool {
	h := &v.reply
	w := &v.rewrite
	w.Response(h)
	v.values = v.values[:0]
	if v.draining {
		v.x.flow.CloseClient() // a rule's answer must tell it, too
	}
	if !h.Interim() {
		v.x.status = int16(h.Status)
		v.countAnswered(h.Status)
		v.tellAnswer(h)
		if !v.responseRules() {
			if v.x.has(local) && v.s.state == exchanging {
				v.sayOurs()
			}
			return false
		}
		v.x.answer = int32(v.now - v.s.began)
		v.giveCookie(w)
		v.x.marks |= spoken
	}
	v.x.flow.ToClient(w, h)
	v.head = w.Append(v.head[:0])
	if v.x.flow.Answered() && !v.x.flow.Tunnel() && !view.InSocket() {
		taken := v.x.flow.Response.Take(view.Bytes[n:])
		v.head = append(v.head, view.Bytes[n:n+taken]...)
		n += taken
	}
	_ = v.stock.Take(&v.s.flow[server], &v.x.ahead[server], int(v.s.sock[server].fd), view, n)
	if e := v.pushAnswer(); e != 0 {
		v.endExchange(term('C', 'D'), ending{})
		return false
	}
	v.s.sock[client].seen = v.now
	return true
}

// pushAnswer writes l.head to the client: the head of an answer and the body bytes that came
// with it.
func (v *visit) pushAnswer() sock.Errno {
	f, to := &v.s.flow[server], int(v.s.sock[client].fd)
	if v.x.flow.Answered() && !v.x.flow.Tunnel() && v.x.flow.Response.Done() && v.x.flow.ClosesClient() {
		return v.stock.PushLast(f, to, v.head)
	}
	return v.stock.Push(f, to, v.head)
}

// giveCookie adds the cookie that names the client's server to the answer.
func (v *visit) giveCookie(w *httpflow.Rewrite) {
	if v.b.cookie == nil {
		return
	}
	v.x.cookie = v.b.cookie.Give(w, &v.x.flow, &v.reply, v.x.claim, v.b.ids[v.s.server], v.wall/1000)
}

// serverGone handles the end or failure of the server's connection before the head of its final
// answer.
func (v *visit) serverGone() {
	if v.mayRepeat() {
		v.repeat()
		return
	}
	v.countBadAnswer()
	v.refuse(502, term('S', 'H'))
}

// refuse ends the session with an error page, unless the client has got a byte of a final
// answer. Interim answers may have been sent before.
func (v *visit) refuse(status int, t [2]byte) {
	if page := httpflow.Page(status); page != nil {
		if file, ok := v.errorFile(status); ok {
			v.sendFile(status, file, t)
			return
		}
		v.x.flow.CloseClient()
		v.head = v.x.flow.AppendAnswer(v.head[:0], page)
	}
	v.sendFile(status, v.head, t)
}

// sendFile ends the session with a complete answer, such as the content of a file. The answer to
// HEAD is sent without its body. sendFile sends nothing if the client has got a byte of a final
// answer.
func (v *visit) sendFile(status int, file []byte, t [2]byte) {
	v.x.marks |= outstanding
	v.stock.Release(&v.s.flow[client])
	if !v.x.has(spoken) {
		v.x.marks |= spoken
		v.x.status = int16(status)
		// The session ends in any case, so an error changes nothing.
		_ = v.stock.Push(&v.s.flow[server], int(v.s.sock[client].fd), v.x.flow.Fitting(file))
	}
	v.endExchange(t, ending{linger: true, last: client})
}

// sayOurs sends the answer in l.head, which this proxy has made. The client may send another
// request after it.
func (v *visit) sayOurs() {
	v.x.marks |= local | spoken
	v.stock.Release(&v.s.flow[client])
	if v.s.server >= 0 && !v.x.has(idle) {
		v.dropServer()
		v.unassign(0, 0)
	}
	v.enter(exchanging)
	if e := v.stock.Push(&v.s.flow[server], int(v.s.sock[client].fd), v.head); e != 0 {
		v.endExchange(term('C', 'R'), ending{})
		return
	}
	if !v.watch(client) {
		v.end(ending{term: term('R', 'R')})
		return
	}
	v.exchange()
}

// errorFile returns the content of the errorfile for a status, from the backend or else from
// the frontend.
func (v *visit) errorFile(status int) ([]byte, bool) {
	if v.b != nil {
		if file, ok := v.b.errors[status]; ok {
			return file, true
		}
	}
	file, ok := v.f.errors[status]
	return file, ok
}
