package engine

import (
	"sluice/conf"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/sock"
	"sluice/sniff"
)

// exchange is the part of a session that only mode http needs: the current request and its
// answer, and bytes read after them. Exchanges are in an array of their own, by session number,
// so mode tcp does not use memory for them. An exchange belongs to its loop and must hold no
// pointer.
type exchange struct {
	flow        httpflow.Exchange // parsing of the request and its answer
	ahead       [2]relay.Flow     // bytes read and not parsed yet, by the side they come from
	logPieces   relay.Flow        // request line and captures for the log line, see logexchange.go
	sent        relay.Flow        // copy of the request as sent to the server, see mayRepeat
	claim       httpflow.Claim    // the server that the client's cookie names
	status      int16             // of the answer; 0: none yet
	marks       exchangeMarks
	term        [2]byte   // termination state of the log line, if nothing fails
	cookie      byte      // letter of the log line for the cookie in the answer, see httpflow.Cookie.Give
	wall        int64     // first byte of the request, ms since 1970
	gap         int32     // from the accept, or the end of the last answer, until wall, in ms
	headDone    int32     // from wall until the head was complete, ms; -1: not yet
	answer      int32     // from wall until the head of the final answer, ms; -1: not yet, or a rule answers
	head        int32     // size of the request's head in bytes; 0: not complete yet
	before      [2]uint64 // bytes of each flow before this exchange, by side
	idleBackend int32     // with the mark idle: backend of the idle connection, index in site.backends
	idleServer  int32     // with the mark idle: its server, index in that backend
	asked       uint32    // requests on this connection whose head was complete
}

// exchangeMarks are the states of the current request, except idle, which is one of the connection.
type exchangeMarks uint16

const (
	// begun: the first byte of a request has come.
	begun exchangeMarks = 1 << iota
	// outstanding: the request, or an answer without a request, must still be logged and
	// counted.
	outstanding
	// reused: the request was sent on a connection that had served another request.
	reused
	// idle: the connection to a server is kept for a later request.
	idle
	// local: this proxy answers the request itself, without a server.
	local
	// heard: the server has sent a byte of an answer, possibly of an interim one.
	heard
	// spoken: a byte of the final answer was written or queued for the client.
	spoken
	// resent: the request was sent a second time, on a new connection.
	resent
	// unlogged: the request gets no log line, see monitored.
	unlogged
	// underway: the function exchange has already run for this request, on an earlier event.
	underway
)

func (x *exchange) has(m exchangeMarks) bool { return x.marks&m != 0 }

// body returns the body that comes from a side: of the request or of the answer.
func (x *exchange) body(from side) *httpflow.Body {
	if from == client {
		return &x.flow.Request
	}
	return &x.flow.Response
}

// startAsking begins a session in mode http.
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

// expectRequest waits for the next request, or for the first one.
func (l *loop) expectRequest(id int32, s *session) {
	x := l.exchanges.at(id)
	x.status, x.cookie, x.gap, x.headDone, x.answer, x.head = 0, 'N', 0, -1, -1, 0
	x.claim = httpflow.Claim{Server: -1, Letter: 'N'}
	x.marks &^= begun | outstanding | reused | local | heard | spoken | resent | unlogged | underway
	x.flow = httpflow.Exchange{}
	x.term = term('-', '-')
	x.before = [2]uint64{client: s.flow[client].Bytes, server: s.flow[server].Bytes}
	s.backend, s.server, s.tries, s.redispatched, s.asked = -1, -1, 0, false, false
	s.queued, s.connected = -1, -1
	s.sniff = sniff.State{}
	l.enter(id, s, asking)
}

// heldAtMost is the number of bytes of a request that HAProxy can hold: its buffer.
const heldAtMost = 16 << 10

// clientPhase returns the second letter of the termination state when the client has failed. As
// in HAProxy, the letter is D if the client fails within the body of its request. It is L if
// this is known as soon as the server is connected. HAProxy cannot know it of a long request,
// because it has not read the end yet.
func (l *loop) clientPhase(id int32, s *session) byte {
	switch x := l.exchanges.at(id); {
	case x.flow.Request.Done():
		return l.phase(id)
	case !x.has(underway) && l.uploaded(s, x) <= heldAtMost:
		return 'L'
	}
	return 'D'
}

// phase returns the second letter of the termination state: H before the head of the final
// answer, D after it.
func (l *loop) phase(id int32) byte {
	if l.exchanges.at(id).flow.Answered() {
		return 'D'
	}
	return 'H'
}

// exchange moves bytes of the request and of the answer, as many as possible now.
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
	case !l.answerWritten(s, x):
	case x.has(local) || l.requestWritten(s, x) || s.sock[server].has(broken):
		l.exchanged(id, s, x)
	default:
		l.answeredEarly(id, s, x)
	}
}

// answeredEarly is called while the answer is written and the request is not. The client may wait
// for the end of its answer. A server that still sends bytes, for example a body that a rule has
// dropped, may read the request only behind them.
func (l *loop) answeredEarly(id int32, s *session, x *exchange) {
	if x.flow.ClosesClient() && !s.sock[client].has(finished) {
		sock.ShutdownWrite(int(s.sock[client].fd))
		s.sock[client].set(finished)
	}
	if x.flow.ClosesServer() {
		l.dropUnread(id, s, server)
	}
}

// requestWritten reports whether the whole request is written to the server's socket.
func (l *loop) requestWritten(s *session, x *exchange) bool {
	return x.flow.Request.Done() && s.flow[client].Pending() == 0
}

// answerWritten reports whether the whole final answer is written to the client's socket.
func (l *loop) answerWritten(s *session, x *exchange) bool {
	return x.flow.Answered() && x.flow.Response.Done() && s.flow[server].Pending() == 0
}

// keepsServer lists all conditions under which the server's connection is kept for another
// request.
func (l *loop) keepsServer(s *session, x *exchange) bool {
	return !x.has(local) && x.flow.KeepServer() &&
		l.requestWritten(s, x) && l.answerWritten(s, x) &&
		x.ahead[server].Pending() == 0 && l.unharmed(s, server)
}

// keepsClient lists all conditions under which the client may send another request on its
// connection.
func (l *loop) keepsClient(s *session, x *exchange) bool {
	return x.flow.KeepClient() && x.flow.Request.Done() && l.answerWritten(s, x) && !s.sock[client].has(finished|broken)
}

// unharmed reports whether a side's connection shows no sign of an end: no event, read or write
// has reported FIN or an error.
func (l *loop) unharmed(s *session, which side) bool {
	const over = relay.SourceClosing | relay.SourceEnded | relay.SourceDoubtful
	return !s.flow[which].HasAny(over) && !s.sock[which].has(finished|broken)
}

// openTunnel turns the session into a tunnel, after status 101 or a successful CONNECT.
func (l *loop) openTunnel(id int32, s *session, x *exchange) {
	for from := range side(2) {
		l.stock.Hold(&s.flow[from], l.stock.Held(&x.ahead[from]))
		l.stock.Release(&x.ahead[from])
	}
	s.asked = false
	l.enter(id, s, relaying)
	l.relay(id, s)
}

// exchanged is called at the end of an exchange: the answer is written, and so is the request
// unless the server's connection has failed. It decides for each connection whether it is kept.
func (l *loop) exchanged(id int32, s *session, x *exchange) {
	if !x.has(local) && !l.requestWritten(s, x) {
		x.term = term('S', 'D')
	}
	keepServer, keepClient := l.keepsServer(s, x), l.keepsClient(s, x)
	l.closeExchange(s, x, x.term)
	switch {
	case x.has(local): // an idle connection remains idle, unless it has ended meanwhile
		if x.has(idle) {
			l.tendIdle(id, s, x)
		}
	case keepServer:
		x.marks |= idle
		x.idleBackend, x.idleServer = s.backend, s.server
		l.tendIdle(id, s, x) // an event may have announced bytes behind the answer
	default:
		l.dropServer(id, s, x)
	}
	if !keepClient {
		l.end(id, s, ending{term: term('-', '-'), linger: true, last: client})
		return
	}
	l.expectRequest(id, s)
	if l.draining {
		l.dismissIdle(id)
		return
	}
	if x.ahead[client].Pending() > 0 || s.flow[client].Has(relay.SourceReady) {
		l.yield(id, s, client) // the client may have sent many requests: others have a turn first
		return
	}
	l.ask(id, s)
}

// dropServer closes the server's connection and drops the bytes queued for it.
func (l *loop) dropServer(id int32, s *session, x *exchange) {
	l.dropUnread(id, s, server)
	x.marks &^= idle
	l.closeServer(s)
	l.stock.Release(&s.flow[client])
	l.stock.Release(&x.ahead[server])
}

// endExchange ends the session in the middle of an exchange. The first cause of an end is logged,
// as in HAProxy: if a rule has answered, its termination state remains.
func (l *loop) endExchange(id int32, s *session, t [2]byte, how ending) {
	if x := l.exchanges.at(id); x.has(local) {
		t = x.term
	}
	how.term = t
	l.end(id, s, how)
}

// closeExchange logs and counts the exchange, and ends its share in the current sessions of its
// backend and server.
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

// uploaded returns the number of bytes of this exchange written to the server's socket.
func (l *loop) uploaded(s *session, x *exchange) uint64 {
	return s.flow[client].Bytes - x.before[client]
}

// downloaded returns the number of bytes of this exchange written or queued for the client.
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

// releaseExchange frees the bytes that the exchange of an ending session holds.
func (l *loop) releaseExchange(x *exchange) {
	l.stock.Release(&x.ahead[client])
	l.stock.Release(&x.ahead[server])
	l.stock.Release(&x.logPieces)
	l.stock.Release(&x.sent)
}
