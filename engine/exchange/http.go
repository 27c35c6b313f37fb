package exchange

import (
	"fmt"

	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/engine/reserve"
	"sluice/engine/session"
	"sluice/pool"
)

// modeHTTP is mode http of one loop. It works on the session of Visit and holds the buffers for the
// current head. They are valid only until another head is parsed.
type modeHTTP struct {
	*session.Visit
	x         *Exchange               // the exchange of the session
	exchanges reserve.Array[Exchange] // by session number

	rewrite  httpflow.Rewrite // edits of the current head, not applied yet
	reply    httpflow.Head    // the current head of an answer
	head     []byte           // buffer: a head as it is sent, with the body bytes that came with it
	values   []byte           // buffer: values that rules insert into the current head
	shown    []byte           // buffer: the current head after the edits so far, read by later rules
	edited   []byte           // buffer: the head after the next edits; then swapped with shown
	ours     httpflow.Answer  // the answer that a rule describes
	response acl.Response     // the current answer, for rules

	request    access.HTTPRecord // values of the current log line
	piecesLeft []byte            // pieces of the log line that are not read yet, see nextPiece
	slots      [][]byte          // captured headers of the current log line
}

// New makes mode http for a loop, on the session of v. It reserves memory for the exchanges of the
// maximum number of sessions. It fails if the kernel does not give the address space.
func New(v *session.Visit, sessions int) (session.Mode, error) {
	m := &modeHTTP{Visit: v}
	var err error
	if m.exchanges, err = reserve.New[Exchange](sessions + 1); err != nil {
		return m, fmt.Errorf("memory for %d exchanges: %w", sessions, err)
	}
	return m, nil
}

// httpStates are the functions of mode http for each state. init fills the table, because its
// functions refer to it.
var httpStates session.StateTable

func init() {
	httpStates = session.CommonStates()
	httpStates[session.Asking] = session.StateRow{
		Letter:   'R',
		Event:    func(v *session.Visit, from side, _ bool) { httpOf(v).askOn(from) },
		Deadline: func(v *session.Visit) int64 { return httpOf(v).askingEnds() },
		Overdue:  func(v *session.Visit) { httpOf(v).askedTooLate() },
		Lost:     func(v *session.Visit) { httpOf(v).endAsking() },
	}
	httpStates[session.Exchanging] = session.StateRow{
		Letter:   'D',
		Event:    func(v *session.Visit, from side, failed bool) { httpOf(v).exchangeOn(from, failed) },
		Deadline: func(v *session.Visit) int64 { return httpOf(v).exchangeEnds() },
		Overdue:  func(v *session.Visit) { httpOf(v).exchangeOverdue() },
		Lost:     func(v *session.Visit) { httpOf(v).lostClient() },
	}
}

// httpOf returns the mode of a session that is in mode http.
func httpOf(v *session.Visit) *modeHTTP { return v.Mode.(*modeHTTP) }

// Row returns the functions of mode http for a state.
func (m *modeHTTP) Row(s session.State) *session.StateRow { return &httpStates[s] }

// Resume finds the exchange of the session.
func (m *modeHTTP) Resume() { m.x = m.exchanges.At(m.ID) }

// Close frees the memory of the exchanges.
func (m *modeHTTP) Close() { m.exchanges.Close() }

// Begin waits for the first request.
func (m *modeHTTP) Begin() { m.startAsking() }

// Claimed returns the server that the client's cookie names, with a reference, or nil. After a
// failed attempt the cookie is ignored, and balancing chooses the server.
func (m *modeHTTP) Claimed(was *pool.Server) *pool.Server {
	claim := &m.x.claim
	switch {
	case m.Backend.Cookie == nil || claim.Server < 0:
		return nil
	case was == nil:
		if s := m.Backend.Server(claim.Server); s != nil && s.Hold() {
			return s
		}
	}
	claim.Server, claim.Letter = -1, 'D'
	return nil
}

// Connected starts the exchange.
func (m *modeHTTP) Connected() {
	m.S.Sock[client].Seen = m.Now() // no body was read while the session was connecting
	m.Enter(session.Exchanging)
	m.exchange()
}

// Refused answers with status 503 and ends the session.
func (m *modeHTTP) Refused(t [2]byte) { m.refuse(503, t) }

// ClientDeadline returns Never: the head of the request is complete, so the client waits for the
// server.
func (m *modeHTTP) ClientDeadline() int64 { return session.Never }

// Drain ends a session that is between two requests, as HAProxy does. If a request has already
// arrived, the session serves that request first.
func (m *modeHTTP) Drain() {
	if m.S.State != session.Asking || !m.between() {
		return
	}
	m.S.Flow[client].Set(relay.SourceReady)
	m.ask()
	if m.S.State == session.Asking && m.between() {
		m.End(session.Ending{Term: term('-', '-')})
		return
	}
	m.Settle()
}

// Follow gives the newest site to a session for which no byte of a request has come.
func (m *modeHTTP) Follow() {
	if m.S.State == session.Asking && !m.x.has(begun) {
		m.renew()
		m.ArmDeadline()
	}
}

// renew gives a session without a request the newest site, if that site has its frontend. Otherwise
// the next request is the last one of its connection, see leaves.
func (m *modeHTTP) renew() {
	if !m.Stale() || !m.Lasts() {
		return
	}
	if m.x.has(idle) && !m.idleLasts() {
		m.dropServer()
	}
	if m.x.has(idle) {
		m.x.idleBackend = int32(m.Newest().Backend(m.Site.Backends[m.x.idleBackend].Name).Index)
	}
	m.Renew()
}

// between reports whether a session in the asking state is between two requests. It has sent an
// answer, and no byte of the next request has come.
func (m *modeHTTP) between() bool { return m.x.asked > 0 && !m.x.has(begun) }

// Cuts reports whether an answer would be cut off if the session ended now. The client is then
// reset, so that it does not mistake the part for the whole answer.
func (m *modeHTTP) Cuts() bool {
	return m.S.State == session.Exchanging && m.x.has(spoken) && !m.answerWritten()
}

// Verbatim reports false: heads are rewritten.
func (m *modeHTTP) Verbatim() bool { return false }

// Over logs and counts the current exchange, frees its bytes and releases the session's servers.
func (m *modeHTTP) Over(t [2]byte) {
	m.closeExchange(t)
	m.releaseExchange()
	m.forgetIdle()
	m.Forget()
	m.UseBackend(-1)
}

// Log does nothing: each exchange has its own log line.
func (m *modeHTTP) Log() {}

// Uncounted returns 0: each exchange has counted its bytes.
func (m *modeHTTP) Uncounted() (in, out int64) { return 0, 0 }
