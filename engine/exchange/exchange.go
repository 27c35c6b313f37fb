package exchange

import (
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/session"
	"sluice/sniff"
)

// Exchange is the part of a session that only mode http needs: the current request and its
// answer, and bytes read after them. Exchanges are in an array of their own, by session number,
// so mode tcp does not use memory for them. An exchange belongs to its loop and must hold no
// pointer.
type Exchange struct {
	flow        httpflow.Exchange // parsing of the request and its answer
	ahead       [2]relay.Flow     // bytes read and not parsed yet, by the side they come from
	logPieces   relay.Flow        // request line and captures for the log line, see appendPiece
	sent        relay.Flow        // copy of the request as sent, see modeHTTP.mayRepeat
	claim       httpflow.Claim    // the server that the client's cookie names
	status      int16             // status code of the answer; 0: none yet
	marks       exchangeMarks     // see the constants of this type
	term        [2]byte           // termination state if nothing fails
	cookie      byte              // log letter of the answer's cookie, see httpflow.Cookie.Give
	wall        int64             // first byte of the request, ms since 1970
	gap         int32             // ms from the accept or the end of the last exchange until wall
	headDone    int32             // ms from wall until the head was complete; -1: not yet
	answer      int32             // ms from wall until the final answer's head; -1: not yet, or a rule answers
	head        int32             // size of the request's head in bytes; 0: not complete yet
	before      [2]uint64         // Flow.Bytes at the start of this exchange, by side
	idleBackend int32             // with the mark idle: the connection's backend, index in Site.Backends
	idleServer  int32             // with the mark idle: the connection's server, slot in that backend
	asked       uint32            // number of requests on this connection whose head was complete
}

// exchangeMarks is a set of facts about the current request. Only idle is a fact about the client's
// connection.
type exchangeMarks uint16

const (
	// begun: the first byte of a request has come.
	begun exchangeMarks = 1 << iota
	// outstanding: the request, or the answer to an incomplete request, must still be logged and
	// counted.
	outstanding
	// reused: the request was sent on a connection that had served another request.
	reused
	// idle: an idle connection to a server is kept for a later request.
	idle
	// local: this proxy answers the request itself, without a server.
	local
	// heard: the server has sent a byte of an answer, possibly of an interim one.
	heard
	// spoken: a byte of the final answer was written or queued for the client.
	spoken
	// resent: the request was sent a second time, on a new connection.
	resent
	// unlogged: the request gets no log line, see modeHTTP.answerMonitor.
	unlogged
	// unsendable: the request has no server, because its rules have made something too large or
	// invalid.
	unsendable
	// underway: modeHTTP.exchange has run for this request already.
	underway
)

func (x *Exchange) has(m exchangeMarks) bool { return x.marks&m != 0 }

// body returns the body that comes from a side: of the request or of the answer.
func (x *Exchange) body(from side) *httpflow.Body {
	if from == client {
		return &x.flow.Request
	}
	return &x.flow.Response
}

// startAsking begins a session in mode http.
func (m *modeHTTP) startAsking() {
	*m.x = Exchange{}
	m.Stock.Assign(&m.x.ahead[client], relay.ForInspection)
	m.Stock.Assign(&m.x.ahead[server], relay.ForAnswer)
	m.Stock.Assign(&m.x.logPieces, relay.ForRecord)
	m.Stock.Assign(&m.x.sent, relay.ForRecord)
	m.expectRequest()
	m.S.Flow[client].Set(relay.SourceReady)
	m.ask()
}

// expectRequest clears the state of the last request and enters the asking state.
func (m *modeHTTP) expectRequest() {
	m.x.status, m.x.cookie, m.x.gap, m.x.headDone, m.x.answer, m.x.head = 0, 'N', 0, -1, -1, 0
	m.x.claim = httpflow.Claim{Server: -1, Letter: 'N'}
	m.x.marks &^= begun | outstanding | reused | local | heard | spoken | resent | unlogged | underway
	m.x.flow = httpflow.Exchange{}
	m.x.term = term('-', '-')
	m.x.before = [2]uint64{client: m.S.Flow[client].Bytes, server: m.S.Flow[server].Bytes}
	m.Forget()
	m.UseBackend(-1)
	m.S.Tries, m.S.Redispatched, m.S.Asked = 0, false, false
	m.S.Queued, m.S.Connected = -1, -1
	m.S.Sniff = sniff.State{}
	m.renew()
	m.Enter(session.Asking)
}

// heldAtMost is the number of bytes of a request that HAProxy's buffer can hold (tune.bufsize).
const heldAtMost = 16 << 10

// clientPhase returns the second letter of the termination state when the client has failed. As in
// HAProxy, the letter is D if the client fails within the body of its request. It is L if the
// failure is known as soon as the server is connected. For a request longer than its buffer,
// HAProxy cannot know the failure at that time, so the letter is D.
func (m *modeHTTP) clientPhase() byte {
	switch {
	case m.x.flow.Request.Done():
		return m.phase()
	case !m.x.has(underway) && m.uploaded() <= heldAtMost:
		return 'L'
	}
	return 'D'
}

// phase returns the second letter of the termination state: H before the head of the final
// answer, D after it.
func (m *modeHTTP) phase() byte {
	if m.x.flow.Answered() {
		return 'D'
	}
	return 'H'
}

// exchangeOn handles an event or a turn in the exchanging state. If the client's connection has
// failed, it does nothing: lostClient ends the session then.
func (m *modeHTTP) exchangeOn(from side, failed bool) {
	if !failed || from == server {
		m.exchange()
	}
}

// lostClient ends the session of a client that has failed during an exchange.
func (m *modeHTTP) lostClient() { m.endExchange(term('C', m.clientPhase()), session.Ending{}) }

// exchange moves bytes of the request and of the answer, as many as possible now.
func (m *modeHTTP) exchange() {
	if !m.x.has(underway) && !m.x.flow.Request.Done() {
		m.S.Flow[client].Set(relay.SourceReady) // more bytes of the body, or FIN, may have arrived
	}
	switch {
	case m.x.has(local):
		if m.flushAnswer() == session.Left {
			return
		}
	case m.moveRequest() == session.Left || m.moveAnswer() == session.Left:
		return
	}
	m.x.marks |= underway
	switch {
	case m.x.flow.Tunnel():
		m.openTunnel()
	case m.exchangeOver():
		m.exchanged()
	case m.answerWritten():
		m.answeredEarly()
	}
}

// answeredEarly is called if the whole answer is written and the request is not. It sends FIN to a
// client that may wait for the end of its answer. It also drops bytes that the server still sends,
// for example a body that a rule has replaced. Some servers read the request only after all their
// bytes are accepted.
func (m *modeHTTP) answeredEarly() {
	if m.x.flow.ClosesClient() {
		m.SendFIN(client)
	}
	if m.x.flow.ClosesServer() {
		m.DropUnread(server)
	}
}

// openTunnel enters the relaying state, after status 101 or a successful CONNECT.
func (m *modeHTTP) openTunnel() {
	for from := range side(2) {
		m.Stock.Hold(&m.S.Flow[from], m.Stock.Held(&m.x.ahead[from]))
		m.Stock.Release(&m.x.ahead[from])
	}
	m.S.Asked = false
	m.Enter(session.Relaying)
	m.Relay()
}

// exchanged is called at the end of an exchange: the answer is written, and so is the request
// unless the server's connection has failed. It decides for each connection whether it is kept.
func (m *modeHTTP) exchanged() {
	if !m.x.has(local) && !m.requestWritten() {
		m.x.term = term('S', 'D')
	}
	keepServer, keepClient := m.keepsServer(), m.keepsClient()
	m.closeExchange(m.x.term)
	switch {
	case m.x.has(local): // an idle connection is kept, unless it has ended meanwhile
		if m.x.has(idle) {
			m.tendIdle()
		}
	case keepServer:
		m.keepIdle()
		m.tendIdle() // an event may have announced bytes after the answer
	default:
		m.dropServer()
	}
	if !keepClient {
		m.End(session.Ending{Term: term('-', '-'), Linger: true, Last: client})
		return
	}
	m.expectRequest()
	if m.Draining {
		m.Drain()
		return
	}
	if m.x.ahead[client].Pending() > 0 || m.S.Flow[client].Has(relay.SourceReady) {
		m.Yield(client) // the client may have sent many requests: other sessions have a turn first
		return
	}
	m.ask()
}

// dropServer closes the server's connection and drops the bytes queued for it.
func (m *modeHTTP) dropServer() {
	m.DropUnread(server)
	m.forgetIdle()
	m.CloseServer()
	m.Stock.Release(&m.S.Flow[client])
	m.Stock.Release(&m.x.ahead[server])
}

// keepIdle keeps the server's connection for another request. The session's reference to the server
// now belongs to the idle connection.
func (m *modeHTTP) keepIdle() {
	m.x.marks |= idle
	m.x.idleBackend, m.x.idleServer, m.S.Server = m.S.Backend, m.S.Server, -1
}

// forgetIdle releases the reference of the idle connection to its server, if there is an idle
// connection.
func (m *modeHTTP) forgetIdle() {
	if m.x.has(idle) {
		m.x.marks &^= idle
		m.Site.Backends[m.x.idleBackend].Server(m.x.idleServer).Release()
	}
}

// endExchange ends the session during an exchange, with the termination state t. If a rule has
// answered, the termination state of the rule is logged instead: as in HAProxy, the first cause
// counts.
func (m *modeHTTP) endExchange(t [2]byte, how session.Ending) {
	if m.x.has(local) {
		t = m.x.term
	}
	how.Term = t
	m.End(how)
}

// closeExchange logs and counts the exchange with the termination state t. The exchange then no
// longer counts as a current session of its backend and server. closeExchange does nothing if that
// was done before.
func (m *modeHTTP) closeExchange(t [2]byte) {
	if !m.x.has(outstanding) {
		return
	}
	m.x.marks &^= outstanding
	m.S.Term = t
	if !m.x.has(unlogged) {
		m.logExchange()
	}
	m.Stock.Release(&m.x.logPieces)
	m.Stock.Release(&m.x.sent)
	in, out := m.exchangedBytes()
	m.CountExchanged(session.Exchanged{
		Status: int(m.x.status), In: in, Out: out, Answered: m.x.answer >= 0,
		Queue: int64(m.S.Queued - m.x.headDone), Response: int64(m.x.answer - m.S.Connected),
	})
}

// exchangedBytes returns the bytes of an exchange from and to the client. For a request that was
// not sent to a server, in is the size of its head. As in HAProxy, the answer to an incomplete head
// counts as 0 bytes.
func (m *modeHTTP) exchangedBytes() (in, out int64) {
	in, out = int64(m.uploaded()), int64(m.downloaded())
	if in == 0 {
		in = int64(m.x.head)
	}
	if m.x.headDone < 0 {
		out = 0
	}
	return in, out
}

// uploaded returns the number of bytes of this exchange written or queued for the server. The queued
// bytes of a client that has reset its connection are written after the log line.
func (m *modeHTTP) uploaded() uint64 {
	return m.S.Flow[client].Bytes + uint64(m.S.Flow[client].Pending()) - m.x.before[client]
}

// downloaded returns the number of bytes of this exchange written or queued for the client.
func (m *modeHTTP) downloaded() uint64 {
	return m.S.Flow[server].Bytes + uint64(m.S.Flow[server].Pending()) - m.x.before[server]
}

// releaseExchange frees the bytes that the exchange of an ending session holds.
func (m *modeHTTP) releaseExchange() {
	m.Stock.Release(&m.x.ahead[client])
	m.Stock.Release(&m.x.ahead[server])
	m.Stock.Release(&m.x.logPieces)
	m.Stock.Release(&m.x.sent)
}
