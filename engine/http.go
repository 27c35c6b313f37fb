package engine

import (
	"fmt"

	"sluice/engine/access"
	"sluice/engine/acl"
	"sluice/engine/httpflow"
	"sluice/engine/relay"
	"sluice/pool"
)

// modeHTTP serves the requests of a connection one after the other. It holds what the work on the
// current head needs.
type modeHTTP struct {
	*visit
	x         *exchange         // of the session
	exchanges reserve[exchange] // by session number

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

// newModeHTTP reserves memory for the exchanges of that many sessions.
func newModeHTTP(v *visit, sessions int) (mode, error) {
	m := &modeHTTP{visit: v}
	var err error
	if m.exchanges, err = newReserve[exchange](sessions + 1); err != nil {
		return m, fmt.Errorf("memory for %d exchanges: %w", sessions, err)
	}
	return m, nil
}

// httpStates are the functions of mode http for each state. It is filled by init: its functions read
// it.
var httpStates stateTable

func init() {
	httpStates = commonStates()
	httpStates[asking] = stateRow{
		letter:   'R',
		event:    func(v *visit, from side, _ bool) { httpOf(v).askOn(from) },
		deadline: func(v *visit) int64 { return httpOf(v).askingEnds() },
		overdue:  func(v *visit) { httpOf(v).askedTooLate() },
		lost:     func(v *visit) { httpOf(v).endAsking() },
	}
	httpStates[exchanging] = stateRow{
		letter:   'D',
		event:    func(v *visit, from side, failed bool) { httpOf(v).exchangeOn(from, failed) },
		deadline: func(v *visit) int64 { return httpOf(v).exchangeEnds() },
		overdue:  func(v *visit) { httpOf(v).exchangeOverdue() },
		lost:     func(v *visit) { httpOf(v).lostClient() },
	}
}

// httpOf returns the mode of a session in mode http.
func httpOf(v *visit) *modeHTTP { return v.mode.(*modeHTTP) }

func (m *modeHTTP) row(s state) *stateRow { return &httpStates[s] }

func (m *modeHTTP) resume() { m.x = m.exchanges.at(m.id) }

func (m *modeHTTP) close() { m.exchanges.close() }

// begin waits for the first request.
func (m *modeHTTP) begin() { m.startAsking() }

// claimed returns the server that the client's cookie names, with a reference, or nil. A cookie is
// ignored after the first attempt.
func (m *modeHTTP) claimed(was *pool.Server) *pool.Server {
	claim := &m.x.claim
	switch {
	case m.b.Cookie == nil || claim.Server < 0:
		return nil
	case was == nil:
		if s := m.b.Server(claim.Server); s != nil && s.Hold() {
			return s
		}
	}
	claim.Server, claim.Letter = -1, 'D'
	return nil
}

// connected starts the exchange.
func (m *modeHTTP) connected() {
	m.s.sock[client].seen = m.now() // the rest of its body was not read while the server was connected
	m.enter(exchanging)
	m.exchange()
}

// refused answers with an error page.
func (m *modeHTTP) refused(t [2]byte) { m.refuse(503, t) }

// clientDeadline returns never: a request is complete, and its client waits.
func (m *modeHTTP) clientDeadline() int64 { return never }

// drain ends a session that is between two requests, as HAProxy does. If a request has already
// arrived, the session serves that request first.
func (m *modeHTTP) drain() {
	if m.s.state != asking || !m.between() {
		return
	}
	m.s.flow[client].Set(relay.SourceReady)
	m.ask()
	if m.s.state == asking && m.between() {
		m.end(ending{term: term('-', '-')})
		return
	}
	m.settle()
}

// between reports whether a session in the asking state is between two requests: it has had an
// answer, and no byte of the next request has come.
func (m *modeHTTP) between() bool { return m.x.asked > 0 && !m.x.has(begun) }

// cuts reports whether to end the session now would cut off an answer. The client is then reset, so
// that it does not take the part for the whole answer.
func (m *modeHTTP) cuts() bool {
	return m.s.state == exchanging && m.x.has(spoken) && !m.answerWritten()
}

// verbatim reports false: heads are rewritten.
func (m *modeHTTP) verbatim() bool { return false }

// over ends the exchange that is under way.
func (m *modeHTTP) over(t [2]byte) {
	m.closeExchange(t)
	m.releaseExchange()
	m.forgetIdle()
	m.forget()
	m.useBackend(-1)
}

// log does nothing: each exchange has its own log line.
func (m *modeHTTP) log() {}

// uncounted returns 0: each exchange has counted its bytes.
func (m *modeHTTP) uncounted() (in, out int64) { return 0, 0 }
