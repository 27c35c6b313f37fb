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
func (v *visit) startAsking() {
	*v.x = exchange{}
	v.stock.Assign(&v.x.ahead[client], relay.ForInspection)
	v.stock.Assign(&v.x.ahead[server], relay.ForAnswer)
	v.stock.Assign(&v.x.logPieces, relay.ForRecord)
	v.stock.Assign(&v.x.sent, relay.ForRecord)
	v.expectRequest()
	v.s.flow[client].Set(relay.SourceReady)
	v.ask()
}

// expectRequest waits for the next request, or for the first one.
func (v *visit) expectRequest() {
	v.x.status, v.x.cookie, v.x.gap, v.x.headDone, v.x.answer, v.x.head = 0, 'N', 0, -1, -1, 0
	v.x.claim = httpflow.Claim{Server: -1, Letter: 'N'}
	v.x.marks &^= begun | outstanding | reused | local | heard | spoken | resent | unlogged | underway
	v.x.flow = httpflow.Exchange{}
	v.x.term = term('-', '-')
	v.x.before = [2]uint64{client: v.s.flow[client].Bytes, server: v.s.flow[server].Bytes}
	v.useBackend(-1)
	v.s.server, v.s.tries, v.s.redispatched, v.s.asked = -1, 0, false, false
	v.s.queued, v.s.connected = -1, -1
	v.s.sniff = sniff.State{}
	v.enter(asking)
}

// heldAtMost is the number of bytes of a request that HAProxy can hold: its buffer.
const heldAtMost = 16 << 10

// clientPhase returns the second letter of the termination state when the client has failed. As
// in HAProxy, the letter is D if the client fails within the body of its request. It is L if
// this is known as soon as the server is connected. HAProxy cannot know it of a long request,
// because it has not read the end yet.
func (v *visit) clientPhase() byte {
	switch {
	case v.x.flow.Request.Done():
		return v.phase()
	case !v.x.has(underway) && v.uploaded() <= heldAtMost:
		return 'L'
	}
	return 'D'
}

// phase returns the second letter of the termination state: H before the head of the final
// answer, D after it.
func (v *visit) phase() byte {
	if v.x.flow.Answered() {
		return 'D'
	}
	return 'H'
}

// exchange moves bytes of the request and of the answer, as many as possible now.
func (v *visit) exchange() {
	if !v.x.has(underway) && !v.x.flow.Request.Done() {
		v.s.flow[client].Set(relay.SourceReady) // the rest of the body, or FIN, may be there by now
	}
	switch {
	case v.x.has(local):
		if !v.flushAnswer() {
			return
		}
	case !v.moveRequest() || !v.moveAnswer():
		return
	}
	v.x.marks |= underway
	switch {
	case v.x.flow.Tunnel():
		v.openTunnel()
	case !v.answerWritten():
	case v.x.has(local) || v.requestWritten() || v.s.sock[server].has(broken):
		v.exchanged()
	default:
		v.answeredEarly()
	}
}

// answeredEarly is called while the answer is written and the request is not. The client may wait
// for the end of its answer. A server that still sends bytes, for example a body that a rule has
// dropped, may read the request only behind them.
func (v *visit) answeredEarly() {
	if v.x.flow.ClosesClient() && !v.s.sock[client].has(finished) {
		sock.ShutdownWrite(int(v.s.sock[client].fd))
		v.s.sock[client].set(finished)
	}
	if v.x.flow.ClosesServer() {
		v.dropUnread(server)
	}
}

// requestWritten reports whether the whole request is written to the server's socket.
func (v *visit) requestWritten() bool {
	return v.x.flow.Request.Done() && v.s.flow[client].Pending() == 0
}

// answerWritten reports whether the whole final answer is written to the client's socket.
func (v *visit) answerWritten() bool {
	return v.x.flow.Answered() && v.x.flow.Response.Done() && v.s.flow[server].Pending() == 0
}

// keepsServer lists all conditions under which the server's connection is kept for another
// request.
func (v *visit) keepsServer() bool {
	return !v.x.has(local) && v.x.flow.KeepServer() &&
		v.requestWritten() && v.answerWritten() &&
		v.x.ahead[server].Pending() == 0 && v.unharmed(server)
}

// keepsClient lists all conditions under which the client may send another request on its
// connection.
func (v *visit) keepsClient() bool {
	return v.x.flow.KeepClient() && v.x.flow.Request.Done() && v.answerWritten() && !v.s.sock[client].has(finished|broken)
}

// unharmed reports whether a side's connection shows no sign of an end: no event, read or write
// has reported FIN or an error.
func (v *visit) unharmed(which side) bool {
	const over = relay.SourceClosing | relay.SourceEnded | relay.SourceDoubtful
	return !v.s.flow[which].HasAny(over) && !v.s.sock[which].has(finished|broken)
}

// openTunnel turns the session into a tunnel, after status 101 or a successful CONNECT.
func (v *visit) openTunnel() {
	for from := range side(2) {
		v.stock.Hold(&v.s.flow[from], v.stock.Held(&v.x.ahead[from]))
		v.stock.Release(&v.x.ahead[from])
	}
	v.s.asked = false
	v.enter(relaying)
	v.relay()
}

// exchanged is called at the end of an exchange: the answer is written, and so is the request
// unless the server's connection has failed. It decides for each connection whether it is kept.
func (v *visit) exchanged() {
	if !v.x.has(local) && !v.requestWritten() {
		v.x.term = term('S', 'D')
	}
	keepServer, keepClient := v.keepsServer(), v.keepsClient()
	v.closeExchange(v.x.term)
	switch {
	case v.x.has(local): // an idle connection remains idle, unless it has ended meanwhile
		if v.x.has(idle) {
			v.tendIdle()
		}
	case keepServer:
		v.x.marks |= idle
		v.x.idleBackend, v.x.idleServer = v.s.backend, v.s.server
		v.tendIdle() // an event may have announced bytes behind the answer
	default:
		v.dropServer()
	}
	if !keepClient {
		v.end(ending{term: term('-', '-'), linger: true, last: client})
		return
	}
	v.expectRequest()
	if v.draining {
		v.dismissIdle()
		return
	}
	if v.x.ahead[client].Pending() > 0 || v.s.flow[client].Has(relay.SourceReady) {
		v.yield(client) // the client may have sent many requests: others have a turn first
		return
	}
	v.ask()
}

// dropServer closes the server's connection and drops the bytes queued for it.
func (v *visit) dropServer() {
	v.dropUnread(server)
	v.x.marks &^= idle
	v.closeServer()
	v.stock.Release(&v.s.flow[client])
	v.stock.Release(&v.x.ahead[server])
}

// endExchange ends the session in the middle of an exchange. The first cause of an end is logged,
// as in HAProxy: if a rule has answered, its termination state remains.
func (v *visit) endExchange(t [2]byte, how ending) {
	if v.x.has(local) {
		t = v.x.term
	}
	how.term = t
	v.end(how)
}

// closeExchange logs and counts the exchange, and ends its share in the current sessions of its
// backend and server.
func (v *visit) closeExchange(t [2]byte) {
	if !v.x.has(outstanding) {
		return
	}
	v.x.marks &^= outstanding
	v.s.term = t
	if !v.x.has(unlogged) {
		v.logExchange()
	}
	v.stock.Release(&v.x.logPieces)
	v.stock.Release(&v.x.sent)
	v.countExchanged()
}

// uploaded returns the number of bytes of this exchange written to the server's socket.
func (v *visit) uploaded() uint64 {
	return v.s.flow[client].Bytes - v.x.before[client]
}

// downloaded returns the number of bytes of this exchange written or queued for the client.
func (v *visit) downloaded() uint64 {
	return v.s.flow[server].Bytes + uint64(v.s.flow[server].Pending()) - v.x.before[server]
}

// isHTTP reports whether the session's frontend is in mode http.
func (v *visit) isHTTP() bool {
	return v.f.conf.Mode == conf.HTTP
}

// persists reports whether the client's cookie chose the server.
func (v *visit) persists() bool {
	return v.isHTTP() && v.x.claim.Server >= 0
}

// releaseExchange frees the bytes that the exchange of an ending session holds.
func (v *visit) releaseExchange() {
	v.stock.Release(&v.x.ahead[client])
	v.stock.Release(&v.x.ahead[server])
	v.stock.Release(&v.x.logPieces)
	v.stock.Release(&v.x.sent)
}
