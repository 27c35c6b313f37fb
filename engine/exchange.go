package engine

import (
	"sluice/conf"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/sniff"
)

// exchange is what a session in mode http has beside: the request under way,
// and what was read of the next. It stands in a reserve of its own, by the
// session's number, so that mode tcp does not pay for it. Loop-owned.
type exchange struct {
	flow        httpflow.Exchange
	ahead       [2]relay.Flow // read and not looked at yet, by the side it comes from
	logPieces   relay.Flow    // the request's line, until the log has it
	sent        relay.Flow    // a copy of the request as it was sent, see mayRepeat
	claim       httpflow.Claim
	status      int16 // of the answer; 0: none yet
	marks       exchangeMarks
	term        [2]byte   // if all goes well
	cookie      byte      // what became of the cookie in the answer, as the log tells it
	wall        int64     // when the request began, ms of the wall clock since 1970
	gap         int32     // that many ms after the accept, or the answer before
	headDone    int32     // its head was complete that many ms after it began; -1: not yet
	answer      int32     // and the head of its answer
	head        int32     // bytes of its head; 0: not complete yet
	before      [2]uint64 // bytes of each flow before this exchange, by side
	idleBackend int32     // idle: the backend whose server is still connected
	idleServer  int32     // and which server
	asked       uint32    // requests so far
}

type exchangeMarks uint16

const (
	// begun: the first byte of a request has come.
	begun exchangeMarks = 1 << iota
	// outstanding: a request was read that is not logged and counted yet.
	outstanding
	// reused: it went out on a connection that had served another.
	reused
	// idle: a server's connection is kept for the next request.
	idle
	// local: the answer is ours, no server is asked.
	local
	// heard: the server has sent a byte of an answer, interim ones included.
	heard
	// spoken: a byte of the final answer is on its way to the client.
	spoken
	// resent: the request went out a second time, on a new connection.
	resent
	// unlogged: nobody is told of it, see monitored.
	unlogged
	// underway: an event before this one found the server connected.
	underway
)

func (x *exchange) has(m exchangeMarks) bool { return x.marks&m != 0 }

func (x *exchange) body(from side) *httpflow.Body {
	if from == client {
		return &x.flow.Request
	}
	return &x.flow.Response
}

// startAsking begins a connection in mode http.
func (l *loop) startAsking(id int32, s *session) {
	x := l.exchanges.at(id)
	*x = exchange{}
	l.stock.Assign(&x.ahead[client], relay.ForInspection)
	l.stock.Assign(&x.ahead[server], relay.ForAnswer)
	l.stock.Assign(&x.logPieces, relay.ForRecord)
	l.stock.Assign(&x.sent, relay.ForRecord)
	l.expectRequest(id, s)
	s.flow[client].Set(relay.SourceReady)
	l.ask(id, s)
}

// expectRequest waits for the first request or the next one.
func (l *loop) expectRequest(id int32, s *session) {
	x := l.exchanges.at(id)
	x.status, x.cookie, x.gap, x.headDone, x.answer, x.head = 0, '-', 0, -1, -1, 0
	x.claim = httpflow.Claim{Server: -1, Letter: '-'}
	x.marks &^= begun | outstanding | reused | local | heard | spoken | resent | unlogged | underway
	x.flow = httpflow.Exchange{}
	x.term = term('-', '-')
	x.before = [2]uint64{client: s.flow[client].Bytes, server: s.flow[server].Bytes}
	s.backend, s.server, s.tries, s.redispatched, s.asked = -1, -1, 0, false, false
	s.queued, s.connected = -1, -1
	s.sniff = sniff.State{}
	l.enter(id, s, asking)
}

// exchangeEvent goes on with the exchange under way. A client that is gone
// waits for no answer.
func (l *loop) exchangeEvent(id int32, s *session, from side, failed bool) {
	if failed && from == client {
		l.endExchange(id, s, term('C', l.clientPhase(id)), ending{})
		return
	}
	l.exchange(id, s)
}

// clientPhase is the second letter where the client is gone. In HAProxy a client
// that leaves in the body of its request leaves in the data (D), or with the last
// bytes (L) if that is known as soon as the server is connected.
func (l *loop) clientPhase(id int32) byte {
	switch x := l.exchanges.at(id); {
	case x.flow.Request.Done():
		return l.phase(id)
	case !x.has(underway):
		return 'L'
	}
	return 'D'
}

// phase is the second letter of the termination state: waiting for the
// answer's head, or in its data.
func (l *loop) phase(id int32) byte {
	if l.exchanges.at(id).flow.Answered() {
		return 'D'
	}
	return 'H'
}

// exchange moves what can be moved of the request and of its answer.
func (l *loop) exchange(id int32, s *session) {
	x := l.exchanges.at(id)
	if !x.has(underway) && !x.flow.Request.Done() {
		s.flow[client].Set(relay.SourceReady) // the rest of the body, or FIN, may be there by now
	}
	switch {
	case x.has(local):
		if !l.flushAnswer(id, s) {
			return
		}
	case !l.moveRequest(id, s, x) || !l.moveAnswer(id, s, x):
		return
	}
	x.marks |= underway
	switch {
	case x.flow.Tunnel():
		l.openTunnel(id, s, x)
	case l.answerWritten(s, x) && (x.has(local) || l.requestWritten(s, x) || s.sock[server].has(broken)):
		l.exchanged(id, s, x)
	}
}

// requestWritten reports whether the server's socket has taken the whole request.
func (l *loop) requestWritten(s *session, x *exchange) bool {
	return x.flow.Request.Done() && s.flow[client].Pending() == 0
}

// answerWritten reports whether the client's socket has taken the whole final
// answer.
func (l *loop) answerWritten(s *session, x *exchange) bool {
	return x.flow.Answered() && x.flow.Response.Done() && s.flow[server].Pending() == 0
}

// keepsServer lists all that must be true for the server's connection to serve
// another request.
func (l *loop) keepsServer(s *session, x *exchange) bool {
	return !x.has(local) && x.flow.KeepServer() &&
		l.requestWritten(s, x) && l.answerWritten(s, x) &&
		x.ahead[server].Pending() == 0 && l.unharmed(s, server)
}

// keepsClient lists all that must be true for the client to ask again on its
// connection.
func (l *loop) keepsClient(s *session, x *exchange) bool {
	return x.flow.KeepClient() && x.flow.Request.Done() && l.answerWritten(s, x) && !s.sock[client].has(finished|broken)
}

// unharmed reports whether no event, read or write has told of the end of a
// side's connection.
func (l *loop) unharmed(s *session, which side) bool {
	const over = relay.SourceClosing | relay.SourceEnded | relay.SourceDoubtful
	return !s.flow[which].HasAny(over) && !s.sock[which].has(finished|broken)
}

// openTunnel leaves HTTP behind: after 101, or a CONNECT that succeeded.
func (l *loop) openTunnel(id int32, s *session, x *exchange) {
	for from := range side(2) {
		l.stock.Hold(&s.flow[from], l.stock.Held(&x.ahead[from]))
		l.stock.Release(&x.ahead[from])
	}
	s.asked = false
	l.enter(id, s, relaying)
	l.relay(id, s)
}

// exchanged is called when an exchange is over: its answer is written, and its
// request too unless the server takes no more of it. The fates of the two
// connections are decided apart.
func (l *loop) exchanged(id int32, s *session, x *exchange) {
	if !x.has(local) && !l.requestWritten(s, x) {
		x.term = term('S', 'D')
	}
	keepServer, keepClient := l.keepsServer(s, x), l.keepsClient(s, x)
	l.closeExchange(s, x, x.term)
	switch {
	case x.has(local): // a connection that is idle stays so
	case keepServer:
		x.marks |= idle
		x.idleBackend, x.idleServer = s.backend, s.server
	default:
		l.dropServer(id, s, x)
	}
	if !keepClient {
		l.end(id, s, ending{term: term('-', '-'), linger: true, last: client})
		return
	}
	l.expectRequest(id, s)
	if x.ahead[client].Pending() > 0 || s.flow[client].Has(relay.SourceReady) {
		l.yield(id, s, client) // after the others: many requests may have come at once
		return
	}
	l.ask(id, s)
}

// dropServer closes the server's connection and forgets what was on its way.
func (l *loop) dropServer(id int32, s *session, x *exchange) {
	l.dropUnread(id, s, server)
	x.marks &^= idle
	s.sock[server].close(false)
	s.sock[server].flags = 0
	l.stock.Release(&s.flow[client])
	l.stock.Release(&x.ahead[server])
	s.flow[server].Clear(relay.SourceReady | relay.SourceClosing | relay.SourceExact | relay.SourceDoubtful | relay.SourceEnded)
	s.flow[client].Clear(relay.TargetReady)
}

// endExchange ends the session in the middle of an exchange.
func (l *loop) endExchange(id int32, s *session, t [2]byte, how ending) {
	how.term = t
	l.end(id, s, how)
}

// closeExchange logs and counts the exchange, and takes it off its backend and
// server.
func (l *loop) closeExchange(s *session, x *exchange, t [2]byte) {
	if !x.has(outstanding) {
		return
	}
	x.marks &^= outstanding
	s.term = t
	if !x.has(unlogged) {
		l.logExchange(s, x)
	}
	l.stock.Release(&x.logPieces)
	l.stock.Release(&x.sent)
	l.countExchanged(s, x)
}

// uploaded returns the bytes of this exchange that the server's socket has taken.
func (l *loop) uploaded(s *session, x *exchange) uint64 {
	return s.flow[client].Bytes - x.before[client]
}

// downloaded returns the bytes of this exchange that the client's socket has
// taken, and those that wait for it.
func (l *loop) downloaded(s *session, x *exchange) uint64 {
	return s.flow[server].Bytes + uint64(s.flow[server].Pending()) - x.before[server]
}

// isHTTP reports whether the session's frontend is in mode http.
func (l *loop) isHTTP(s *session) bool {
	return l.listeners[s.line].frontend.conf.Mode == conf.HTTP
}

// persists reports whether the client's cookie chose the server.
func (l *loop) persists(id int32, s *session) bool {
	return l.isHTTP(s) && l.exchanges.at(id).claim.Server >= 0
}

// releaseExchange gives back what the exchange of an ending session holds.
func (l *loop) releaseExchange(x *exchange) {
	l.stock.Release(&x.ahead[client])
	l.stock.Release(&x.ahead[server])
	l.stock.Release(&x.logPieces)
	l.stock.Release(&x.sent)
}
