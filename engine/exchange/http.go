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

// modeHTTP serves the requests of a connection one after the other. It holds what the work on the
// current head needs.
type modeHTTP struct {
	*session.Visit
	x         *Exchange               // of the session
	exchanges reserve.Array[Exchange] // by session number

	rewrite  httpflow.Rewrite // edits of the current head
	reply    httpflow.Head    // the current head of an answer
	head     []byte           // buffer: a head as it is sent, with the body bytes that came with it
	values   []byte           // buffer: values that rules insert into the current head
	shown    []byte           // buffer: the current head with the edits so far, as later rules read it
	edited   []byte           // buffer: the next edit of the head is written here, then swapped with shown
	ours     httpflow.Answer  // the answer that a rule describes
	response acl.Response     // the current answer, for rules

	request    access.HTTPRecord // for log lines
	piecesLeft []byte            // the pieces of the current log line that are not read yet, see nextPiece
	slots      [][]byte          // captured headers of the current log line
}

// New reserves memory for the exchanges of that many sessions.
func New(v *session.Visit, sessions int) (session.Mode, error) {
	m := &modeHTTP{Visit: v}
	var err error
	if m.exchanges, err = reserve.New[Exchange](sessions + 1); err != nil {
		return m, fmt.Errorf("memory for %d exchanges: %w", sessions, err)
	}
	return m, nil
}

// httpStates are the functions of mode http for each state. It is filled by init: its functions read
// it.
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

// httpOf returns the mode of a session in mode http.
func httpOf(v *session.Visit) *modeHTTP { return v.Mode.(*modeHTTP) }

func (m *modeHTTP) Row(s session.State) *session.StateRow { return &httpStates[s] }

func (m *modeHTTP) Resume() { m.x = m.exchanges.At(m.ID) }

func (m *modeHTTP) Close() { m.exchanges.Close() }

// Begin waits for the first request.
func (m *modeHTTP) Begin() { m.startAsking() }

// Claimed returns the server that the client's cookie names, with a reference, or nil. A cookie is
// ignored after the first attempt.
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
	m.S.Sock[client].Seen = m.Now() // the rest of its body was not read while the server was connected
	m.Enter(session.Exchanging)
	m.exchange()
}

// Refused answers with an error page.
func (m *modeHTTP) Refused(t [2]byte) { m.refuse(503, t) }

// ClientDeadline returns never: a request is complete, and its client waits.
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

// between reports whether a session in the asking state is between two requests: it has had an
// answer, and no byte of the next request has come.
func (m *modeHTTP) between() bool { return m.x.asked > 0 && !m.x.has(begun) }

// Cuts reports whether to end the session now would cut off an answer. The client is then reset, so
// that it does not take the part for the whole answer.
func (m *modeHTTP) Cuts() bool {
	return m.S.State == session.Exchanging && m.x.has(spoken) && !m.answerWritten()
}

// Verbatim reports false: heads are rewritten.
func (m *modeHTTP) Verbatim() bool { return false }

// Over ends the exchange that is under way.
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
